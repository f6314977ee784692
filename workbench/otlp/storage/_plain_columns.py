"""Columns as other libraries like them: ids as hexadecimal digits, times and durations without ado."""

import numpy as np
import pyarrow as pa

__all__ = ["hexadecimal", "with_hexadecimal_ids", "with_plain_times"]

PAIRS = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), "<u2")


def hexadecimal(ids: pa.ChunkedArray) -> pa.Array:
    r"""Return binary values of one width as lower-case hexadecimal digits.

    Examples
    --------
    >>> import pyarrow as pa
    >>> hexadecimal(pa.chunked_array([pa.array([b"\x01\xfe", None], pa.binary(2))])).to_pylist()
    ['01fe', None]
    """
    chunks = [_hexadecimal(chunk) for chunk in ids.chunks]
    return pa.chunked_array(chunks, pa.large_string()).cast(pa.string())


def _hexadecimal(ids: pa.Array) -> pa.Array:
    width = ids.type.byte_width
    size = width * len(ids)
    raw = (
        np.frombuffer(ids.buffers()[1], np.uint8, size, ids.offset * width) if size else np.empty(0, np.uint8)
    )
    offsets = np.arange(len(ids) + 1, dtype=np.int64) * (2 * width)
    valid = np.packbits(ids.is_valid().to_numpy(zero_copy_only=False), bitorder="little")
    buffers = [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(PAIRS[raw])]
    return pa.Array.from_buffers(pa.large_string(), len(ids), buffers)


def with_hexadecimal_ids(table: pa.Table) -> pa.Table:
    """Return a table with its trace and span ids as text."""
    for at, field in enumerate(table.schema):
        if pa.types.is_fixed_size_binary(field.type):
            table = table.set_column(at, field.name, hexadecimal(table[field.name]))
    return table


def with_plain_times(table: pa.Table) -> pa.Table:
    """Return a table with durations as nanoseconds, and times, which are UTC, without a zone."""
    for at, field in enumerate(table.schema):
        if pa.types.is_duration(field.type):
            table = table.set_column(at, field.name, table[field.name].cast(pa.int64()))
        elif pa.types.is_timestamp(field.type):
            table = table.set_column(at, field.name, table[field.name].cast(pa.timestamp(field.type.unit)))
    return table
