"""The records inside an official request: count them, cut a request in two, take out what cannot be used.

A record is what OTLP's partial success counts: a span, a metric data point, a log record, a profile.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message

from workbench.otlp.transport._services import ServiceName

__all__ = ["count", "cut", "drop_last", "screen"]

LEVELS: dict[ServiceName, tuple[str, str, str]] = {
    "traces": ("resource_spans", "scope_spans", "spans"),
    "metrics": ("resource_metrics", "scope_metrics", "metrics"),
    "logs": ("resource_logs", "scope_logs", "log_records"),
    "profiles": ("resource_profiles", "scope_profiles", "profiles"),
}
ID_BYTES = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}


def count(signal: ServiceName, message: Message) -> int:
    """Return how many records a request carries."""
    return sum(_size(signal, item) for items in _lists(signal, message) for item in items)


def _lists(signal: ServiceName, message: Any) -> Iterator[Any]:
    """Yield each list of spans, metrics, log records or profiles."""
    resources, scopes, records = LEVELS[signal]
    for in_resource in getattr(message, resources):
        for in_scope in getattr(in_resource, scopes):
            yield getattr(in_scope, records)


def _size(signal: ServiceName, item: Any) -> int:
    return len(_points(item)) if signal == "metrics" else 1


def _points(metric: Any) -> Any:
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def screen(signal: ServiceName, message: Message) -> tuple[int, str]:
    """Take out the records whose ids have a wrong length; return how many, and what is wrong with one."""
    rejected, reason = 0, ""
    if signal == "profiles":
        return rejected, reason
    for items in _lists(signal, message):
        for at in reversed(range(len(items))):
            fault = _fault(signal, items[at])
            if fault:
                rejected += _size(signal, items[at])
                reason = fault
                del items[at]
    return rejected, reason


def _fault(signal: ServiceName, item: Any) -> str:
    for holder in _id_holders(signal, item):
        for name, size in ID_BYTES.items():
            length = len(getattr(holder, name, b""))
            if length not in (0, size):
                return f"{name} must be {size} bytes or absent, got {length}"
    return ""


def _id_holders(signal: ServiceName, item: Any) -> Iterator[Any]:
    if signal == "metrics":
        for point in _points(item):
            yield from getattr(point, "exemplars", ())
        return
    yield item
    yield from getattr(item, "links", ())


def drop_last(signal: ServiceName, message: Message, number: int) -> int:
    """Take out the last records, whole metrics at a time; return how many there were to take."""
    dropped = 0
    for items in reversed(list(_lists(signal, message))):
        while items and dropped < number:
            dropped += _size(signal, items[-1])
            del items[-1]
    return dropped


def cut(signal: ServiceName, message: Message) -> tuple[Message, Message]:
    """Return two requests that share the records of one, half and half; envelopes left empty are left out."""
    half = count(signal, message) // 2
    return _slice(signal, message, 0, half), _slice(signal, message, half, 1 << 62)


def _slice(signal: ServiceName, message: Any, first: int, after: int) -> Message:
    resources, scopes, records = LEVELS[signal]
    part = type(message)()
    part.CopyFrom(message)
    at = 0
    for in_resource in getattr(part, resources):
        for in_scope in getattr(in_resource, scopes):
            at = _keep(signal, getattr(in_scope, records), at, first, after)
        _drop_empty(getattr(in_resource, scopes), records)
    _drop_empty(getattr(part, resources), scopes)
    return part


def _keep(signal: ServiceName, items: Any, at: int, first: int, after: int) -> int:
    """Leave only the records first <= number < after, where the first of these has number `at`."""
    if signal == "metrics":
        for metric in items:
            at = _keep_points(metric, at, first, after)
        _drop(items, [not _points(metric) for metric in items])
        return at
    low, high = max(first - at, 0), max(after - at, 0)
    size = len(items)
    del items[high:]
    del items[:low]
    return at + size


def _keep_points(metric: Any, at: int, first: int, after: int) -> int:
    points = _points(metric)
    size = len(points)
    if size:
        del points[max(after - at, 0) :]
        del points[: max(first - at, 0)]
    return at + size


def _drop_empty(items: Any, children: str) -> None:
    _drop(items, [not getattr(item, children) for item in items])


def _drop(items: Any, which: list[bool]) -> None:
    for at in reversed(range(len(which))):
        if which[at]:
            del items[at]
