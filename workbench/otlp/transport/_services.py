"""The four services of OTLP: their paths, methods, messages, and the name of what they count.

Source: OTLP specification, "OTLP/HTTP Request" and "OTLP/gRPC Service and Protobuf Definitions".
"""

from dataclasses import dataclass
from typing import Literal

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.profiles.v1development import profiles_service_pb2 as profiles
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

__all__ = [
    "CONTENT_TYPES",
    "DEFAULT_GRPC_PORT",
    "DEFAULT_HTTP_PORT",
    "MAX_REQUEST_BYTES",
    "MAX_RESPONSE_BYTES",
    "MOST_BYTES",
    "SERVICES",
    "Encoding",
    "Service",
    "ServiceName",
]

ServiceName = Literal["traces", "metrics", "logs", "profiles"]
Encoding = Literal["protobuf", "json"]

DEFAULT_GRPC_PORT, DEFAULT_HTTP_PORT = 4317, 4318
MAX_REQUEST_BYTES = 64 << 20  # after decompression, as the specification recommends since 1.11
MAX_RESPONSE_BYTES = 4 << 20
MOST_BYTES = (1 << 31) - 1  # that gRPC's core can count
CONTENT_TYPES: dict[Encoding, str] = {"protobuf": "application/x-protobuf", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Service:
    """One of the four services."""

    signal: ServiceName
    path: str  # of HTTP
    method: str  # of gRPC
    request: type[Message]
    response: type[Message]
    rejected: str  # the field of partial_success that counts
    unit: str


SERVICES: dict[ServiceName, Service] = {
    "traces": Service(
        "traces",
        "/v1/traces",
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        traces.ExportTraceServiceRequest,
        traces.ExportTraceServiceResponse,
        "rejected_spans",
        "spans",
    ),
    "metrics": Service(
        "metrics",
        "/v1/metrics",
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        metrics.ExportMetricsServiceRequest,
        metrics.ExportMetricsServiceResponse,
        "rejected_data_points",
        "data points",
    ),
    "logs": Service(
        "logs",
        "/v1/logs",
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        logs.ExportLogsServiceRequest,
        logs.ExportLogsServiceResponse,
        "rejected_log_records",
        "log records",
    ),
    "profiles": Service(
        "profiles",
        "/v1development/profiles",
        "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
        profiles.ExportProfilesServiceRequest,
        profiles.ExportProfilesServiceResponse,
        "rejected_profiles",
        "profiles",
    ),
}
