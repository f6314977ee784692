"""Requests as the official package builds and writes them."""

import base64
import json

from google.protobuf import json_format

from workbench.otlp.transport import _services

__all__ = ["SERVICES", "TYPES", "encoded", "logs", "metrics", "spans"]

SERVICES = _services.SERVICES
TYPES = {"http/protobuf": "application/x-protobuf", "http/json": "application/json"}


def spans(number=1, *, first=0, name="work", trace_id=b"t" * 16):
    """Return a request of spans, numbered in their ids."""
    request = SERVICES["traces"].request()
    inside = request.resource_spans.add().scope_spans.add().spans
    for at in range(first, first + number):
        inside.add(name=name, trace_id=trace_id, span_id=(at + 1).to_bytes(8, "big"), kind=2)
    return request


def logs(number=1):
    """Return a request of log records."""
    request = SERVICES["logs"].request()
    inside = request.resource_logs.add().scope_logs.add().log_records
    for at in range(number):
        inside.add(severity_number=9, body={"string_value": f"line {at}"})
    return request


def metrics(number=1):
    """Return a request of one metric with data points."""
    request = SERVICES["metrics"].request()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="load")
    for at in range(number):
        metric.gauge.data_points.add(as_int=at, time_unix_nano=at)
    return request


def encoded(message, over):
    """Return a request as it goes over a protocol; the official package writes it."""
    if over == "http/json":
        document = json_format.MessageToDict(message, use_integers_for_enums=True)
        return json.dumps(_hexadecimal_ids(document)).encode()
    return message.SerializeToString()


def _hexadecimal_ids(value):
    if isinstance(value, list):
        return [_hexadecimal_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    ids = ("traceId", "spanId", "parentSpanId")
    return {
        name: base64.b64decode(one).hex() if name in ids else _hexadecimal_ids(one)
        for name, one in value.items()
    }
