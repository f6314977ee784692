"""How many bytes spans take as protobuf, computed from their columns.

Each span counts its own message with tag and length. The first of a trace to arrive from one
``ResourceSpans`` or ``ScopeSpans`` also counts what surrounds it: resource, scope and schema URLs, and tags
with lengths of two bytes for the envelopes (exact for envelopes of 128 to 16,383 bytes, else a byte or two
off).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.otlp._schema import ValueType

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = ["arrival_bytes", "span_bytes"]

Rows = npt.NDArray[np.int64]
ENVELOPE = 3  # a tag, and a length of two bytes
FIXED64, FIXED32 = 9, 5  # with their tags


def arrival_bytes(traces: "Traces", trace: Rows, order: Rows) -> Rows:
    """Return what each span adds to the size of its trace when it arrives, `(n,) int64`.

    Parameters
    ----------
    trace : (n,) int64
        Number of each span's trace.
    order : (n,) int64
        Rows in order of arrival.
    """
    bytes_ = span_bytes(traces)
    for struct, own in (("resource", _resource_bytes(traces)), ("scope", _scope_bytes(traces))):
        ids = _struct(traces, struct, "id")
        envelope = np.column_stack([trace, ids])[order]
        first = order[np.unique(envelope, axis=0, return_index=True)[1]]
        bytes_[first] += ENVELOPE + own[first]
    return bytes_


def span_bytes(traces: "Traces") -> Rows:
    """Return the size of each span's message with its tag and length, `(n,) int64`."""
    spans = traces.spans
    attributes = _attribute_bytes(traces.tables["span_attrs"], len(spans))
    start = spans["start_time_unix_nano"].cast(pa.int64()).fill_null(0).to_numpy()
    end = start + spans["duration_time_unix_nano"].cast(pa.int64()).fill_null(0).to_numpy()
    body = attributes + _children_bytes(traces, "span_events", _event_bytes)
    body += _children_bytes(traces, "span_links", _link_bytes)
    body += _bytes_fields(spans, "trace_id", "span_id", "parent_span_id", "trace_state", "name")
    counts = ("dropped_attributes_count", "dropped_events_count", "dropped_links_count", "kind")
    for name in counts:
        body += _varint_field(_integers(spans[name]))
    body += FIXED64 * ((start != 0).astype(np.int64) + (end != 0))
    body += (FIXED32 + 1) * (_integers(spans["flags"]) != 0)
    body += _status_bytes(spans["status"])
    return _delimited(body)


def _status_bytes(status: pa.ChunkedArray) -> Rows:
    text = _bytes_field(pc.struct_field(status, "status_message"))
    inside = text + _varint_field(_integers(pc.struct_field(status, "code")))
    return np.where(status.is_valid().to_numpy(), _delimited(inside), 0)


def _event_bytes(traces: "Traces", events: pa.Table) -> Rows:
    time = events["time_unix_nano"].cast(pa.int64()).fill_null(0).to_numpy()
    body = _attribute_bytes(traces.tables["span_event_attrs"], len(events)) + _bytes_field(events["name"])
    return body + FIXED64 * (time != 0) + _varint_field(_integers(events["dropped_attributes_count"]))


def _link_bytes(traces: "Traces", links: pa.Table) -> Rows:
    body = _attribute_bytes(traces.tables["span_link_attrs"], len(links))
    body += _bytes_fields(links, "trace_id", "span_id", "trace_state")
    return (
        body
        + FIXED32 * (_integers(links["flags"]) != 0)
        + _varint_field(_integers(links["dropped_attributes_count"]))
    )


def _children_bytes(traces: "Traces", table: str, measure: Callable[["Traces", pa.Table], Rows]) -> Rows:
    children = traces.tables[table]
    bytes_ = _delimited(measure(traces, children))
    parents = children["parent_id"].to_numpy()
    return np.bincount(parents, bytes_, len(traces)).astype(np.int64)


def _resource_bytes(traces: "Traces") -> Rows:
    """Return what a ``ResourceSpans`` adds to its scopes, for each span's."""
    ids = _struct(traces, "resource", "id")
    own = _attribute_bytes(traces.tables["resource_attrs"], int(ids.max(initial=-1)) + 1)[ids]
    own += _varint_field(_struct(traces, "resource", "dropped_attributes_count"))
    return _delimited(own) + _bytes_field(pc.struct_field(traces.spans["resource"], "schema_url"))


def _scope_bytes(traces: "Traces") -> Rows:
    """Return what a ``ScopeSpans`` adds to its spans, for each span's."""
    scope, ids = traces.spans["scope"], _struct(traces, "scope", "id")
    own = _attribute_bytes(traces.tables["scope_attrs"], int(ids.max(initial=-1)) + 1)[ids]
    own += _bytes_field(pc.struct_field(scope, "name")) + _bytes_field(pc.struct_field(scope, "version"))
    own += _varint_field(_struct(traces, "scope", "dropped_attributes_count"))
    return _delimited(own) + _bytes_field(traces.spans["schema_url"])


def _attribute_bytes(attributes: pa.Table, owners: int) -> Rows:
    """Return the size of each owner's attributes with their tags and lengths."""
    kind = attributes["type"].to_numpy()
    value = np.zeros(len(attributes), np.int64)
    fixed = np.ones(len(attributes), np.int64)
    sizes: dict[ValueType, Callable[[], Rows]] = {
        ValueType.STR: lambda: _delimited(_lengths(attributes["str"])),
        ValueType.INT: lambda: 1 + _varint(_integers(attributes["int"])),
        ValueType.DOUBLE: lambda: FIXED64 * fixed,
        ValueType.BOOL: lambda: 2 * fixed,
        ValueType.BYTES: lambda: _delimited(_lengths(attributes["bytes"])),
        ValueType.MAP: lambda: _lengths(attributes["ser"]),
        ValueType.SLICE: lambda: _lengths(attributes["ser"]),
    }
    for known, measure in sizes.items():
        chosen = kind == known
        if chosen.any():
            value = np.where(chosen, measure(), value)
    pairs = _bytes_field(attributes["key"]) + _delimited(value)
    return np.bincount(attributes["parent_id"].to_numpy(), _delimited(pairs), owners).astype(np.int64)


def _struct(traces: "Traces", struct: str, field: str) -> Rows:
    return _integers(pc.struct_field(traces.spans[struct], field))


def _integers(column: pa.ChunkedArray) -> Rows:
    return column.fill_null(0).to_numpy().astype(np.int64)


def _lengths(column: pa.ChunkedArray) -> Rows:
    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    if pa.types.is_fixed_size_binary(plain.type):
        return plain.is_valid().to_numpy().astype(np.int64) * plain.type.byte_width
    return pc.binary_length(plain).fill_null(0).to_numpy().astype(np.int64)


def _bytes_field(column: pa.ChunkedArray) -> Rows:
    """Return the size of a string or bytes field; an empty one is not written."""
    length = _lengths(column)
    return np.where(length > 0, _delimited(length), 0)


def _bytes_fields(table: pa.Table, *names: str) -> Rows:
    fields = [_bytes_field(table[name]) for name in names]
    return np.sum(fields, axis=0, dtype=np.int64)


def _varint_field(values: Rows) -> Rows:
    return np.where(values != 0, 1 + _varint(values), 0)


def _delimited(body: Rows) -> Rows:
    return 1 + _with_length(body)


def _with_length(body: Rows) -> Rows:
    return body + _varint(body)


def _varint(values: Rows) -> Rows:
    """Return how many bytes each number takes; a negative one takes ten."""
    bytes_, largest = np.ones(len(values), np.int64), int(values.max(initial=0))
    for shift in range(7, largest.bit_length(), 7):
        bytes_ += values >= 1 << shift
    return np.where(values < 0, 10, bytes_)
