"""Flat columns as single Arrow arrays, sharing their memory wherever Arrow's layout allows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp._schema import ValueType
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._kernel_arrow import place_texts, sort_out, write_texts
from workbench.otlp.codec._star import BEHIND, Star, Strings, address_of

__all__ = ["arrow_array", "arrow_binaries", "arrow_strings", "arrow_texts", "arrow_values"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
MOST_BYTES = 2**31 - 1


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


def arrow_texts(strings: Strings, numbers: Array) -> pa.Array:
    """Return some texts, written out.

    Raises
    ------
    OverflowError
        When they have more bytes than Arrow's strings can.
    """
    chosen = np.ascontiguousarray(numbers, np.int32)
    starts = np.empty(len(chosen) + 1, np.int32)
    offsets = address_of(strings.offsets)
    size = place_texts(chosen, offsets, address_of(starts))
    if size > MOST_BYTES:
        msg = f"texts of {size:,} bytes exceed one column's {MOST_BYTES:,}; convert fewer records at once"
        raise OverflowError(msg)
    data = np.empty(size + BEHIND, np.uint8)
    write_texts(chosen, offsets, address_of(strings.data), address_of(data))
    buffers = [None, pa.py_buffer(starts), pa.py_buffer(data[:size])]
    return pa.Array.from_buffers(pa.string(), len(chosen), buffers)


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

    def is_any_of(types: tuple[ValueType, ...]) -> Array:
        return np.bitwise_or.reduce(bitmaps[list(types)])

    def column(kind: pa.DataType, data: Array, *types: ValueType) -> pa.Array:
        if not counts[list(types)].any():
            return pa.nulls(size, kind)
        return pa.Array.from_buffers(kind, size, [pa.py_buffer(is_any_of(types)), pa.py_buffer(data)])

    def blobs(*types: ValueType) -> pa.Array:
        if not counts[list(types)].any():
            return pa.nulls(size, pa.binary())
        valid = np.unpackbits(is_any_of(types), count=size, bitorder="little").view(np.bool_)
        return arrow_binaries(star.blobs, values, valid)

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
