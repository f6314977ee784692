"""OpenTelemetry of one service: the official SDK, its exporters, and nothing that knows the machine.

Everything a service sends carries the same explicit resource; no host or process detector runs. Two additions
to the plain SDK, both at the source, before the official exporter encodes anything:

* spans and log records below an order take its `order.id` from the baggage that the gateway propagates;
* stack traces name files relative to the import path (`httpx/_client.py`), not to this disk.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage, metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.logging import LoggingInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.trace import Span
    from opentelemetry.util.types import Attributes

SERVICE_VERSION = "1.0.0"
BATCH_DELAY_MS = 1_000  # spans and log records wait at most this long for company
METRIC_INTERVAL_MS = 5_000

_IMPORT_ROOTS = sorted((f"{root}/" for root in sys.path if root.startswith("/")), key=len, reverse=True)


class OrderFromBaggage(SpanProcessor):
    """Gives every span below an order the `order.id` of the propagated baggage."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Copy the order's identity from the context that the span starts in."""
        order = baggage.get_baggage("order.id", parent_context)
        if order is not None:
            span.set_attribute("order.id", str(order))


class OrderOfLogs(LogRecordProcessor):
    """Gives every log record below an order its `order.id`, and takes the disk out of its stack trace."""

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Complete the record before it is batched."""
        record = log_record.log_record
        attributes = _neutral_attributes(record.attributes)
        order = baggage.get_baggage("order.id", record.context)
        if order is not None:
            attributes["order.id"] = str(order)
        record.attributes = attributes

    def shutdown(self) -> None:
        """Hold nothing, so end nothing."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the interface's name
        """Hold nothing, so flush nothing."""
        return True


class NeutralPaths(SpanExporter):
    """Passes spans on to `exporter` with stack traces that do not name this disk."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the spans, those with exceptions rewritten."""
        return self._exporter.export([_neutral_span(span) if span.events else span for span in spans])

    def shutdown(self) -> None:
        """Shut the real exporter down."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the real exporter."""
        return self._exporter.force_flush(timeout_millis)


def install(service: str, endpoint: str) -> Callable[[], None]:
    """Send traces, metrics and logs of `service` to `endpoint`; return what flushes and stops it all."""
    resource = Resource.create(
        {
            "service.namespace": "shop",
            "service.name": service,
            "service.version": SERVICE_VERSION,
            "service.instance.id": f"{service}-1",
            "deployment.environment.name": "recording",
        }
    )
    providers = (_traces(resource, endpoint), _metrics(resource, endpoint), _logs(resource, endpoint))
    SQLite3Instrumentor().instrument()

    def stop() -> None:
        for provider in providers:
            provider.shutdown()

    return stop


def _traces(resource: Resource, endpoint: str) -> TracerProvider:
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource)
    exporter = NeutralPaths(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces"))
    provider.add_span_processor(OrderFromBaggage())
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=BATCH_DELAY_MS))
    trace.set_tracer_provider(provider)
    return provider


def _metrics(resource: Resource, endpoint: str) -> MeterProvider:
    exporter = OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics")
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=METRIC_INTERVAL_MS)
    waits = View(instrument_name="inventory.lock.wait", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider(metric_readers=[reader], resource=resource, views=[waits])
    metrics.set_meter_provider(provider)
    return provider


def _logs(resource: Resource, endpoint: str) -> LoggerProvider:
    provider = LoggerProvider(resource=resource)
    exporter = OTLPLogExporter(endpoint=f"{endpoint}/v1/logs")
    provider.add_log_record_processor(OrderOfLogs())
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, schedule_delay_millis=BATCH_DELAY_MS))
    set_logger_provider(provider)
    LoggingInstrumentor().instrument()
    logging.getLogger().setLevel(logging.INFO)
    for chatty in ("httpx", "httpcore", "uvicorn", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return provider


def _neutral_span(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=[Event(one.name, _neutral_attributes(one.attributes), one.timestamp) for one in span.events],
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _neutral_attributes(attributes: Attributes) -> dict[str, Any]:
    neutral = dict(attributes or {})
    if "exception.stacktrace" in neutral:
        neutral["exception.stacktrace"] = _neutral_text(neutral["exception.stacktrace"])
    return neutral


def _neutral_text(text: str) -> str:
    for root in _IMPORT_ROOTS:
        text = text.replace(root, "")
    return text
