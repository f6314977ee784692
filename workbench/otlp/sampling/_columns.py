"""Spans as columns that samplers decide on: trace ids as bytes and numbers, tracestates, typed attributes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.otlp._schema import ValueType
from workbench.otlp.sampling.errors import TraceStateError
from workbench.otlp.sampling.tracestate import OtelTraceState

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = [
    "NONE",
    "TraceStates",
    "attribute_matches",
    "is_root",
    "randomness",
    "trace_id_bytes",
    "trace_state_texts",
    "with_trace_states",
]

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

NONE = -1  # where a tracestate has no threshold or no randomness
RANDOM_BITS = np.uint64((1 << 56) - 1)


def trace_id_bytes(traces: "Traces") -> npt.NDArray[np.uint8]:
    """Return the trace ids, `(n, 16) uint8`; a missing one is all zeros."""
    column = traces.spans["trace_id"]
    filled = column.fill_null(pa.scalar(bytes(16), column.type)).combine_chunks()
    raw = np.frombuffer(filled.buffers()[1], np.uint8) if len(filled) else np.empty(0, np.uint8)
    return np.ascontiguousarray(raw.reshape(-1, 16)[filled.offset : filled.offset + len(filled)])


def low_words(traces: "Traces") -> Words:
    """Return the last 8 bytes of the trace ids as numbers, `(n,) uint64`."""
    return np.ascontiguousarray(trace_id_bytes(traces)[:, 8:]).view(">u8").ravel().astype(np.uint64)


def is_root(traces: "Traces") -> Mask:
    """Tell which spans name no parent; the invalid id of zeros names none."""
    column = traces.spans["parent_span_id"]
    nothing = pa.scalar(bytes(8), column.type)
    return np.array(pc.equal(column.fill_null(nothing), nothing).to_numpy(), bool)


def trace_state_texts(traces: "Traces") -> pa.DictionaryArray:
    """Return the tracestates with each distinct text once."""
    texts = traces.spans["trace_state"].cast(pa.string()).fill_null("")
    return texts.combine_chunks().dictionary_encode()


@dataclass(frozen=True, slots=True)
class TraceStates:
    """The tracestates of some spans.

    Attributes
    ----------
    distinct : list of OtelTraceState or None
        None where the text is malformed.
    code : (n,) int64
        Position in `distinct` of each span's state.
    """

    distinct: list[OtelTraceState | None]
    code: Rows

    @classmethod
    def of(cls, traces: "Traces") -> "TraceStates":
        """Parse each distinct tracestate once."""
        texts = trace_state_texts(traces)
        distinct = [_parsed(text) for text in texts.dictionary.to_pylist()]
        return cls(distinct, texts.indices.to_numpy().astype(np.int64))

    def each(self, value: Callable[[OtelTraceState | None], int | None]) -> Rows:
        """Return a number of each span's state, `(n,) int64`, NONE where it has none."""
        numbers = [value(state) for state in self.distinct]
        return np.array([NONE if number is None else number for number in numbers], np.int64)[self.code]

    @property
    def malformed(self) -> Mask:
        """Which spans have a tracestate that cannot be read."""
        return np.array([state is None for state in self.distinct], bool)[self.code]

    @property
    def threshold(self) -> Rows:
        """T of each span, NONE where it has none."""
        return self.each(lambda state: state.threshold if state else None)

    @property
    def randomness(self) -> Rows:
        """R of each span where it is explicit, else NONE."""
        return self.each(lambda state: state.randomness if state else None)


def _parsed(text: str) -> OtelTraceState | None:
    try:
        return OtelTraceState.parse(text)
    except TraceStateError:
        return None


def randomness(traces: "Traces", states: TraceStates) -> Rows:
    """Return R of each span: explicit, or the last 7 bytes of its trace id, `(n,) int64`."""
    explicit = states.randomness
    return np.where(explicit == NONE, (low_words(traces) & RANDOM_BITS).astype(np.int64), explicit)


def with_trace_states(
    traces: "Traces",
    states: TraceStates,
    key: Rows,
    new: Callable[[OtelTraceState, int], OtelTraceState],
) -> "Traces":
    """Return the same spans with other tracestates.

    Parameters
    ----------
    key : (n,) int64
        What a span's new state depends on besides its old one.
    new : callable
        Called with each distinct pair of a state and a key; malformed states stay as they are.
    """
    pairs, inverse = np.unique(np.column_stack([states.code, key]), axis=0, return_inverse=True)
    old = trace_state_texts(traces).dictionary.to_pylist()
    texts = []
    for code, value in pairs.tolist():
        state = states.distinct[code]
        texts.append(old[code] if state is None else str(new(state, value)))
    column = pa.array(texts, pa.string()).take(pa.array(inverse.ravel()))
    return _replaced(traces, "trace_state", column)


def _replaced(traces: "Traces", name: str, column: pa.Array) -> "Traces":
    spans = traces.spans
    at = spans.schema.get_field_index(name)
    changed = spans.set_column(at, spans.schema.field(at), column.cast(spans.schema.field(at).type))
    tables = {**traces.tables, "spans": changed}
    return type(traces)(tables, traces.skipped, frozenset(traces.keys()))


@dataclass(frozen=True, slots=True)
class AttributeValues:
    """The values of one key at one level: whose they are, and what they are.

    Attributes
    ----------
    owner : (k,) int64
        Row of the span, or id of the resource.
    kind : (k,) int64
        ValueType.
    values : pyarrow.Table
        Columns ``str``, ``int``, ``double`` and ``bool``.
    """

    owner: Rows
    kind: Rows
    values: pa.Table

    def texts(self) -> tuple[list[str], Rows]:
        """Return the distinct texts and each value's position in them; what is no text reads as empty."""
        column = self.values["str"].cast(pa.string())
        kept = pc.if_else(pa.array(self.kind == ValueType.STR), column, "").fill_null("")
        encoded = pa.chunked_array([kept]) if isinstance(kept, pa.Array) else kept
        encoded = encoded.combine_chunks().dictionary_encode()
        return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)

    def integers(self) -> Rows:
        """Return the values; what is no integer reads as 0."""
        values = self.values["int"].fill_null(0).to_numpy()
        return np.where(self.kind == ValueType.INT, values, 0)

    def booleans(self) -> Mask:
        """Return the values; what is no boolean reads as false."""
        values = np.array(self.values["bool"].fill_null(False).to_numpy(zero_copy_only=False), bool)
        return values & (self.kind == ValueType.BOOL)


def attribute_values(traces: "Traces", table: str, key: str) -> AttributeValues:
    """Return the values of `key` in a table of attributes, the first for each owner."""
    attributes = traces.tables[table]
    found = attributes.filter(pc.equal(attributes["key"].cast(pa.string()), key))
    owner, first = np.unique(found["parent_id"].to_numpy().astype(np.int64), return_index=True)
    found = found.take(pa.array(first))
    return AttributeValues(owner, found["type"].to_numpy().astype(np.int64), found)


def attribute_matches(
    traces: "Traces",
    key: str,
    of_span: Callable[[AttributeValues], Mask],
    of_resource: Callable[[AttributeValues], Mask],
) -> Mask:
    """Tell which spans have an attribute that matches, or a resource that does, `(n,) bool`."""
    matches = np.zeros(len(traces), bool)
    spans = attribute_values(traces, "span_attrs", key)
    matches[spans.owner[of_span(spans)]] = True
    resources = attribute_values(traces, "resource_attrs", key)
    matching = resources.owner[of_resource(resources)]
    return matches | np.isin(resource_ids(traces), matching)


def resource_ids(traces: "Traces") -> Rows:
    """Return the id of each span's resource, `(n,) int64`."""
    ids = pc.struct_field(traces.spans["resource"], "id")
    return ids.fill_null(0).to_numpy().astype(np.int64)
