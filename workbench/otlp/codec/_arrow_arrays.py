"""Flat columns as single Arrow arrays, sharing their memory wherever Arrow's layout allows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp._schema import ValueType
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._kernel_arrow import sort_out
from workbench.otlp.codec._star import Star, Strings

__all__ = ["arrow_array", "arrow_binaries", "arrow_strings", "arrow_values", "take_struct"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


def arrow_array(values: Array, kind: pa.DataType, valid: Mask | None = None) -> pa.Array:
    """Return a column's memory as an Arrow array of a type of the same width."""
    contiguous = np.ascontiguousarray(values)
    bitmap = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [bitmap, pa.py_buffer(contiguous)])


def arrow_strings(strings: Strings) -> pa.Array:
    """Return texts as an Arrow array that shares their memory."""
    used = strings.data[: int(strings.offsets[-1])]
    buffers = [None, pa.py_buffer(np.ascontiguousarray(strings.offsets)), pa.py_buffer(used)]
    return pa.Array.from_buffers(pa.string(), len(strings), buffers)


def arrow_binaries(blobs: Strings, numbers: Array, valid: Mask) -> pa.Array:
    """Return some blobs, null where they are not valid."""
    if not valid.any():
        return pa.nulls(len(numbers), pa.binary())
    buffers = [
        None,
        pa.py_buffer(np.ascontiguousarray(blobs.offsets)),
        pa.py_buffer(blobs.data[: int(blobs.offsets[-1])]),
    ]
    pool = pa.Array.from_buffers(pa.large_binary(), len(blobs), buffers)
    return pool.take(pa.array(numbers.astype(np.int64), mask=~valid)).cast(pa.binary())


@dataclass(frozen=True, slots=True)
class ArrowValues:
    """Values of mixed types as Arrow's columns: each shares the memory of all, and is valid at its type."""

    columns: dict[str, pa.Array]
    texts: pa.Array  # numbers of texts, int32, null where there is none


def arrow_values(star: Star, kinds: Array, values: Array) -> ArrowValues:
    """Return the columns of values, and which are texts."""
    size = len(kinds)
    bitmaps = np.zeros((ValueType.STRINDEX + 1, -(-size // 8)), np.uint8)
    flags, texts = np.zeros(bitmaps.shape[1], np.uint8), np.zeros(size, np.int32)
    counts = np.zeros(ValueType.STRINDEX + 2, np.int64)
    sort_out(np.ascontiguousarray(kinds), np.ascontiguousarray(values), bitmaps, flags, texts, counts)

    def column(kind: pa.DataType, data: Array, *types: ValueType) -> pa.Array:
        if not counts[list(types)].any():
            return pa.nulls(size, kind)
        valid = pa.py_buffer(np.bitwise_or.reduce(bitmaps[list(types)]))
        return pa.Array.from_buffers(kind, size, [valid, pa.py_buffer(data)])

    def blobs(*types: ValueType) -> pa.Array:
        if not counts[list(types)].any():
            return pa.nulls(size, pa.binary())
        return arrow_binaries(star.blobs, values, np.isin(kinds & codes.TYPE_MASK, types))

    present = None if not counts[-1] else kinds & codes.TYPE_MASK != codes.ABSENT
    columns = {
        "type": arrow_array(kinds & codes.TYPE_MASK, pa.uint8(), present),
        "int": column(pa.int64(), np.ascontiguousarray(values), ValueType.INT, ValueType.STRINDEX),
        "double": column(pa.float64(), np.ascontiguousarray(values), ValueType.DOUBLE),
        "bool": column(pa.bool_(), flags, ValueType.BOOL),
        "bytes": blobs(ValueType.BYTES),
        "ser": blobs(ValueType.MAP, ValueType.SLICE),
    }
    return ArrowValues(columns, column(pa.int32(), texts, ValueType.STR))


def take_struct(table: pa.Table, names: tuple[str, ...], rows: Array) -> pa.Array:
    taken = pa.array(rows)
    columns = [table[name].combine_chunks().take(taken) for name in names]
    return pa.StructArray.from_arrays(columns, fields=[table.schema.field(name) for name in names])
