"""The records inside an official request: count them, cut a request in pieces, take out what cannot be used.

A record is what OTLP's partial success counts: a span, a metric data point, a log record, a profile.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from google.protobuf.message import Message

from workbench.otlp.transport._services import ServiceName

__all__ = ["count", "drop_last", "pieces", "screen"]

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


def pieces(signal: ServiceName, message: Message, most: int) -> Iterator[tuple[Message, int]]:
    """Yield requests of so many of a request's records each, the last one maybe fewer, and how many.

    The request is taken apart for it, so that each record is copied once; envelopes left empty are left out.
    """
    runs = _runs(signal, message)
    first = next(runs, None)  # from here on `message` is the mere envelope of all
    filling = _Filling(signal, message, most)
    for envelopes, records in () if first is None else chain([first], runs):
        at = 0
        while at < len(records):
            if not filling.room:
                yield filling.piece, most
                filling = _Filling(signal, message, most)
            at += filling.put(envelopes, records[at : at + filling.room])
    if filling.room < most:
        yield filling.piece, most - filling.room


def _runs(signal: ServiceName, message: Any) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
    """Take the records out of their envelopes; yield the emptied envelopes of each run of them."""
    resources, scopes, records = LEVELS[signal]
    for in_resource in _taken(getattr(message, resources)):
        for in_scope in _taken(getattr(in_resource, scopes)):
            items = _taken(getattr(in_scope, records))
            if signal != "metrics":
                yield (in_resource, in_scope), items
                continue
            for metric in items:
                yield (in_resource, in_scope, metric), _taken(_points(metric) or [])


def _taken(items: Any) -> list[Any]:
    found = list(items)
    del items[:]
    return found


class _Filling:
    """A request that is being filled."""

    def __init__(self, signal: ServiceName, envelope: Message, room: int) -> None:
        self.piece: Any = type(envelope)()
        self.piece.CopyFrom(envelope)
        self.room = room
        self._signal = signal
        self._opened: list[tuple[Any, Any]] = []  # envelopes and their copies in the piece

    def put(self, envelopes: tuple[Any, ...], records: list[Any]) -> int:
        """Add records behind those of the same envelopes; return how many."""
        same = 0
        while same < len(self._opened) and self._opened[same][0] is envelopes[same]:
            same += 1
        del self._opened[same:]
        for level in range(same, len(envelopes)):
            within = self._opened[-1][1] if self._opened else self.piece
            copy = getattr(within, LEVELS[self._signal][level]).add()
            copy.CopyFrom(envelopes[level])
            self._opened.append((envelopes[level], copy))
        last = self._opened[-1][1]
        place = _points(last) if self._signal == "metrics" else getattr(last, LEVELS[self._signal][2])
        place.extend(records)
        self.room -= len(records)
        return len(records)
