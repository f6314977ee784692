"""The official package's messages: they rewrite what is said in an unusual way, and judge what is broken."""

from collections.abc import Mapping

from google.protobuf.message import Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.profiles.v1development.profiles_pb2 import ProfilesData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workbench.otlp._schema import Signal

__all__ = ["MESSAGES", "RECORD_PATHS"]

MESSAGES: Mapping[Signal, type[Message]] = {
    "traces": TracesData,
    "metrics": MetricsData,
    "logs": LogsData,
    "profiles": ProfilesData,
}
RECORD_PATHS: Mapping[Signal, tuple[str, ...]] = {
    "traces": ("resource_spans", "scope_spans", "spans"),
    "metrics": ("resource_metrics", "scope_metrics", "metrics"),
    "logs": ("resource_logs", "scope_logs", "log_records"),
    "profiles": ("resource_profiles", "scope_profiles", "profiles"),
}
