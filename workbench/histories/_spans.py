"""Histories from spans, and spans from histories.

A span that `to_traces` writes is named as the operation, and has these attributes::

    history.process, history.input, history.output    Python literals
    history.call_s, history.return_s                  the exact times, float64

Its own times are the same, in nanoseconds after the Unix epoch's second 1; where an operation never returned,
the span has no end.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from workbench.histories._literals import from_text, to_text
from workbench.histories._succession import Draft, succeeding
from workbench.histories.errors import MappingError
from workbench.histories.history import History
from workbench.histories.operation import Operation
from workbench.otlp import Traces

__all__ = ["operations_of_spans", "spans_of_history"]

Row: TypeAlias = Mapping[str, Any]
Getter: TypeAlias = Callable[[Row], Any]
ASKED = ("process", "input", "output")
TIMES = ("call_s", "return_s")
ERROR_STATUS = 2  # Status.code
INTERNAL = 1  # SpanKind
EPOCH_NS = 1_000_000_000  # a start of 0 is unset


def operations_of_spans(traces: Traces, mapping: Mapping[str, Any] | None) -> list[Operation]:
    """Return the operations that spans were; see `History.from_traces`."""
    rows = traces.to_arrow().to_pylist()
    if mapping is None:
        return [_written(number, row) for number, row in enumerate(rows)]
    getters = _getters(mapping, set(traces.keys()))
    drafts = [_draft(row, times, getters) for row, times in zip(rows, _times(traces), strict=True)]
    return [Operation(*draft) for draft in succeeding([draft for draft in drafts if draft is not None])]


def spans_of_history(history: History) -> Traces:
    """Return one span an operation; see `History.to_traces`."""
    return Traces.from_otlp(_message(history))


def _message(history: History) -> bytes:
    from opentelemetry.proto.trace.v1 import trace_pb2  # noqa: PLC0415 - only for those who write spans

    first = min((operation.call_s for operation in history), default=0.0)
    data = trace_pb2.TracesData()
    spans = data.resource_spans.add().scope_spans.add().spans
    for number, operation in enumerate(history, start=1):
        span = spans.add(name=operation.name, kind=INTERNAL)
        span.trace_id, span.span_id = number.to_bytes(16, "big"), number.to_bytes(8, "big")
        span.start_time_unix_nano = EPOCH_NS + round((operation.call_s - first) * 1e9)
        if operation.return_s is not None:
            span.end_time_unix_nano = EPOCH_NS + round((operation.return_s - first) * 1e9)
        _describe(span, operation)
    return data.SerializeToString()


def _describe(span: Any, operation: Operation) -> None:
    for name in ASKED:
        span.attributes.add(key=f"history.{name}").value.string_value = to_text(getattr(operation, name))
    for name in TIMES:
        time_s = getattr(operation, name)
        if time_s is not None:
            span.attributes.add(key=f"history.{name}").value.double_value = time_s


def _written(number: int, row: Row) -> Operation:
    """Return the operation that `to_traces` wrote as a span."""
    missing = [
        name for name in ("process", "input", "output", "call_s") if row.get(f"history.{name}") is None
    ]
    if missing:
        msg = (
            f"span {number} ({row.get('name')!r}) has no attribute history.{missing[0]}: for spans that "
            f"to_traces() has not written, say by mapping= what they mean"
        )
        raise MappingError(msg)
    process, asked, told = (from_text(row[f"history.{name}"]) for name in ASKED)
    return Operation(process, row["history.call_s"], row.get("history.return_s"), asked, told)


def _getters(mapping: Mapping[str, Any], columns: set[str]) -> dict[str, Getter]:
    unknown = set(mapping).difference(ASKED, TIMES)
    absent = set(ASKED).difference(mapping)
    if unknown or absent:
        what = f"does not know {sorted(unknown)}" if unknown else f"lacks {sorted(absent)}"
        msg = f"the mapping {what}; expected process, input and output, and perhaps call_s and return_s"
        raise MappingError(msg)
    return {name: _getter(name, wanted, columns) for name, wanted in mapping.items()}


def _getter(name: str, wanted: Any, columns: set[str]) -> Getter:
    if callable(wanted):
        return wanted
    if not isinstance(wanted, str):
        msg = f"{name} must be a column's name or a function of a span, got {wanted!r}"
        raise MappingError(msg)
    if wanted not in columns:
        msg = f"the spans have no column {wanted!r} for {name}; they have {', '.join(sorted(columns))}"
        raise MappingError(msg)
    return lambda row: row.get(wanted)


def _times(traces: Traces) -> list[tuple[float | None, float | None]]:
    """Return when spans start and end, in seconds after the first start; None where they do not say."""
    starts = np.array(traces["start_time_unix_nano"].cast(pa.int64()).fill_null(0), np.int64)
    ends = np.array(traces["end_time_unix_nano"].cast(pa.int64()).fill_null(0), np.int64)
    first = starts[starts != 0].min(initial=np.iinfo(np.int64).max)
    return [
        (None if start == 0 else (start - first) / 1e9, None if end == 0 else (end - first) / 1e9)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def _draft(row: Row, times: tuple[float | None, float | None], getters: Mapping[str, Getter]) -> Draft | None:
    """Return the operation that a span was; None where it was none."""
    asked = getters["input"](row)
    if asked is None:
        return None
    process: Hashable = getters["process"](row)
    if process is None:
        msg = f"the span {row.get('name')!r} with input {asked!r} says no process"
        raise MappingError(msg)
    call_s = getters["call_s"](row) if "call_s" in getters else times[0]
    if call_s is None:
        msg = f"the span {row.get('name')!r} of process {process!r} has no start time"
        raise MappingError(msg)
    ended = getters["return_s"](row) if "return_s" in getters else times[1]
    return_s = None if row["status.code"] == ERROR_STATUS else ended
    told = None if return_s is None else getters["output"](row)
    return Draft(process, call_s, return_s, asked if isinstance(asked, tuple) else (asked,), told)
