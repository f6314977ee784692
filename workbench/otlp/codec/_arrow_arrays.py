"""Flat columns as single Arrow arrays, sharing their memory wherever Arrow's layout allows."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp._schema import ValueType
from workbench.otlp.codec import _codes as codes
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


def arrow_values(star: Star, kinds: Array, values: Array) -> dict[str, pa.Array]:
    """Return the columns of values but for texts: each shares the memory of all, valid at its type."""
    nested = (kinds == ValueType.MAP) | (kinds == ValueType.SLICE)
    return {
        "type": arrow_array(kinds, pa.uint8(), kinds != codes.ABSENT),
        "int": arrow_array(values, pa.int64(), (kinds == ValueType.INT) | (kinds == ValueType.STRINDEX)),
        "double": arrow_array(values, pa.float64(), kinds == ValueType.DOUBLE),
        "bool": pa.array(values != 0, mask=kinds != ValueType.BOOL),
        "bytes": arrow_binaries(star.blobs, values, kinds == ValueType.BYTES),
        "ser": arrow_binaries(star.blobs, values, nested),
    }


def take_struct(table: pa.Table, names: tuple[str, ...], rows: Array) -> pa.Array:
    taken = pa.array(rows)
    columns = [table[name].combine_chunks().take(taken) for name in names]
    return pa.StructArray.from_arrays(columns, fields=[table.schema.field(name) for name in names])
