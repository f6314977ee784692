"""Ids of spans as numbers, and which of them name each other."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.kernels import find_rows

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = ["find_named_parents", "first_rows", "has_parent_id", "id_words"]

Words = npt.NDArray[np.uint64]


def id_words(traces: "Traces", name: str) -> Words:
    """Return the ids of a column as `(n, words) uint64`; a missing one is all zeros, which is no valid id."""
    ids = traces[name]
    size = ids.type.byte_width
    filled = ids.fill_null(pa.scalar(bytes(size), ids.type)).combine_chunks()
    if not len(filled):
        return np.empty((0, size // 8), np.uint64)
    data = np.frombuffer(filled.buffers()[1], np.uint8)
    part = data[filled.offset * size : (filled.offset + len(filled)) * size]
    return part.view(np.uint64).reshape(-1, size // 8)


def has_parent_id(traces: "Traces") -> npt.NDArray[np.bool_]:
    """Return whether each span names a parent, `(n,) bool`."""
    found: npt.NDArray[np.bool_] = (id_words(traces, "parent_span_id") != 0).any(axis=1)
    return found


def first_rows(traces: "Traces") -> npt.NDArray[np.int64]:
    """Return for each span the first row with its ids, `(n,) int64`: another row for a duplicate."""
    ids = np.hstack([id_words(traces, "trace_id"), id_words(traces, "span_id")])
    return find_rows(ids, ids)


def find_named_parents(traces: "Traces") -> npt.NDArray[np.int64]:
    """Return the row of the span that each names as parent, or -1, `(n,) int64`; cycles are as recorded."""
    trace, above = id_words(traces, "trace_id"), id_words(traces, "parent_span_id")
    rows = find_rows(np.hstack([trace, id_words(traces, "span_id")]), np.hstack([trace, above]))
    rows[(above == 0).all(axis=1)] = -1
    return rows
