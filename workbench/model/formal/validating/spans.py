"""Spans as a mapping wants to see them: one object each, with its attributes, its service and its parent."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.model.formal.errors import MappingError

if TYPE_CHECKING:
    from workbench.otlp import Traces

__all__ = ["Recording", "Span", "recorded_traces", "without_repeats"]

Recording: TypeAlias = "Traces | Iterable[Sequence[Span]]"

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")
COLUMN_OF_TYPE = {1: "str", 2: "int", 3: "double", 4: "bool", 7: "bytes"}  # as OTel Arrow numbers them


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """One span.

    Attributes
    ----------
    name : str
    start_ns, end_ns : int
        Nanoseconds since the epoch. A start of zero or less is unset: such a span has no place in time.
    attributes : mapping
        The span's own; those of its resource are left out, but for `service`.
    status : str
        "unset", "ok" or "error".
    kind : str
        "internal", "server", "client", "producer", "consumer" or "unspecified".
    service : str
        The `service.name` of its resource; empty where it has none.
    trace_id, span_id : str
        Hexadecimal digits.
    parent : Span or None
        None for a root, and where the parent was not recorded.
    """

    name: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    status: str = "unset"
    kind: str = "internal"
    service: str = ""
    trace_id: str = ""
    span_id: str = ""
    parent: "Span | None" = None

    def __repr__(self) -> str:
        return f"Span({self.service + ' ' if self.service else ''}{self.name})"


def recorded_traces(recording: Any, by: str | None) -> dict[str, list[Span]]:
    """Return the spans of each trace, or of each value of an attribute, in the order of the recording.

    Parameters
    ----------
    recording : Traces, or an iterable of sequences of Span
        Of the latter, each sequence is a trace; its name is its first span's `trace_id`, or its number: #3.
    by : str, optional
        An attribute whose values are told apart instead; spans without it are left out.
    """
    if not (hasattr(recording, "tables") or isinstance(recording, Iterable)):
        msg = f"expected Traces, or an iterable of sequences of Span, got {recording!r}"
        raise MappingError(msg)
    traces = _by_trace_id(recording) if hasattr(recording, "tables") else _numbered(recording)
    if by is None:
        return traces
    found: dict[str, list[Span]] = {}
    for span in (span for spans in traces.values() for span in spans):
        if by in span.attributes:
            found.setdefault(str(span.attributes[by]), []).append(span)
    return found


def without_repeats(spans: Iterable[Span]) -> list[Span]:
    """Return spans, each once: two with one identity, name, kind and times are one that was sent twice."""
    found: dict[tuple[Any, ...], Span] = {}
    for number, span in enumerate(spans):
        same = span.trace_id, span.span_id, span.name, span.kind, span.service, span.start_ns, span.end_ns
        found.setdefault(same if span.span_id else (number,), span)
    return list(found.values())


def _by_trace_id(traces: Any) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for span in _spans(traces):
        found.setdefault(span.trace_id, []).append(span)
    return found


def _numbered(recording: Iterable[Sequence[Span]]) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for number, spans in enumerate(recording):
        if not isinstance(spans, Sequence) or not all(isinstance(span, Span) for span in spans):
            msg = f"trace {number} must be a sequence of Span, got {spans!r:.80}"
            raise MappingError(msg)
        name = spans[0].trace_id if spans else ""
        found[name if name and name not in found else f"{name}#{number}"] = list(spans)
    return found


def _spans(traces: Any) -> list[Span]:
    """Return all spans of some telemetry, each linked to its parent."""
    import pyarrow as pa  # noqa: PLC0415 - whoever has telemetry has it

    table = traces.spans
    starts = table["start_time_unix_nano"].cast(pa.int64()).to_pylist()
    lengths = table["duration_time_unix_nano"].cast(pa.int64()).to_pylist()
    trace_ids, span_ids, parents = (
        [value.hex() if value else "" for value in table[name].to_pylist()]
        for name in ("trace_id", "span_id", "parent_span_id")
    )
    columns = zip(
        table["name"].to_pylist(),
        starts,
        lengths,
        _attributes(traces),
        [(each or {}).get("code") for each in table["status"].to_pylist()],
        table["kind"].to_pylist(),
        _services(traces),
        trace_ids,
        span_ids,
        strict=True,
    )
    spans = [_span(*values) for values in columns]
    by_id = {(span.trace_id, span.span_id): span for span in spans}
    for span, parent in zip(spans, parents, strict=True):
        object.__setattr__(span, "parent", by_id.get((span.trace_id, parent)))
    return spans


def _span(  # noqa: PLR0913 - a row
    name: str | None,
    start: int | None,
    length: int | None,
    attributes: dict[str, Any],
    status: int | None,
    kind: int | None,
    service: str,
    trace_id: str,
    span_id: str,
) -> Span:
    begin = start or 0
    return Span(
        name or "",
        begin,
        begin + max(length or 0, 0),
        attributes,
        _word(STATUSES, status),
        _word(KINDS, kind),
        service,
        trace_id,
        span_id,
    )


def _word(words: tuple[str, ...], number: int | None) -> str:
    return words[number] if number is not None and 0 <= number < len(words) else words[0]


def _services(traces: Any) -> list[str]:
    from workbench.otlp import UnknownKeyError  # noqa: PLC0415 - whoever has telemetry has it

    try:
        return [value or "" for value in traces["service.name"].to_pylist()]
    except UnknownKeyError:
        return [""] * len(traces)


def _attributes(traces: Any) -> list[dict[str, Any]]:
    """Return the attributes of each span; lists and maps by the column that decodes them."""
    import pyarrow.compute as pc  # noqa: PLC0415 - whoever has telemetry has it

    rows = {number: row for row, number in enumerate(traces.spans["id"].to_pylist())}
    found: list[dict[str, Any]] = [{} for _ in rows]
    table = traces.tables["span_attrs"]
    for number, column in COLUMN_OF_TYPE.items():
        part = table.filter(pc.equal(table["type"], number))
        values = (_listed(part[name]) for name in ("parent_id", "key", column))
        for parent, key, value in zip(*values, strict=True):
            found[rows[parent]][key] = value
    rest = table.filter(pc.invert(pc.is_in(table["type"], value_set=_simple_types(table))))
    for key in sorted(set(rest["key"].to_pylist())):
        decoded = [_decoded(value) for value in traces[key].to_pylist()]
        of_key = rest.filter(pc.equal(rest["key"].cast("string"), key))
        for parent in of_key["parent_id"].to_pylist():
            found[rows[parent]][key] = decoded[rows[parent]]
    return found


def _listed(column: Any) -> list[Any]:
    """Return the values of a column; those of a dictionary share one object each."""
    if not hasattr(column.type, "index_type"):
        values: list[Any] = column.to_pylist()
        return values
    whole = column.unify_dictionaries().combine_chunks()
    words = whole.dictionary.to_pylist()
    return [None if place is None else words[place] for place in whole.indices.to_pylist()]


def _decoded(value: Any) -> Any:
    """Return a list or a map of its text, which is JSON."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _simple_types(table: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - whoever has telemetry has it

    return pa.array(list(COLUMN_OF_TYPE), table["type"].type)
