"""A column of texts as flat arrays: the data and offsets of each chunk, where Arrow keeps them."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.errors import WorkbenchError

__all__ = ["Column", "TextColumnError", "as_text", "is_text", "layout"]

Column: TypeAlias = pa.ChunkedArray | pa.Array
Layout: TypeAlias = tuple[
    npt.NDArray[np.uint8], npt.NDArray[Any]
]  # data (m,), offsets (n + 1,) int32 or int64


class TextColumnError(WorkbenchError, TypeError):
    """Raised when a column that is to be searched, or mined, holds no texts."""


def as_text(column: Any) -> pa.ChunkedArray:
    """Return a column of texts as chunks of an Arrow type that has offsets, or of dictionaries of such.

    Raises
    ------
    TextColumnError
        When it is no column, or one of numbers, times or structs.
    """
    chunked = _chunked(column)
    kind = chunked.type
    if pa.types.is_null(kind):
        return chunked.cast(pa.string())
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return chunked.cast(pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary())
    values = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not is_text(values):
        msg = f"expected a column of texts, got one of {kind}; column.cast('string') makes texts of numbers"
        raise TextColumnError(msg)
    return chunked


def is_text(kind: pa.DataType) -> bool:
    """Tell whether values of a type are bytes behind offsets."""
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _chunked(column: Any) -> pa.ChunkedArray:
    if isinstance(column, pa.ChunkedArray):
        return column
    if isinstance(column, str | bytes):
        msg = f"expected a column of texts, such as [{column!r}], got {column!r}"
        raise TextColumnError(msg)
    try:
        array = column if isinstance(column, pa.Array) else pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        msg = f"expected a column of texts, such as logs['body'], got {type(column).__name__}: {error}"
        raise TextColumnError(msg) from error
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def layout(chunk: pa.Array) -> Layout:
    """Return the data and offsets of one chunk, not copied; null rows may hold anything."""
    wide = pa.types.is_large_string(chunk.type) or pa.types.is_large_binary(chunk.type)
    _, bounds, data = chunk.buffers()
    offsets = np.frombuffer(bounds, np.int64 if wide else np.int32) if bounds else np.zeros(1, np.int64)
    if len(chunk) == 0:
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    raw = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
    return raw, offsets[chunk.offset : chunk.offset + len(chunk) + 1]
