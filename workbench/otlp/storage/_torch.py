"""Telemetry as torch tensors, in memory of their own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.otlp.storage._extras import import_extra
from workbench.otlp.storage.errors import TensorError
from workbench.otlp.storage.tensors import Tensors

if TYPE_CHECKING:
    from workbench.otlp.telemetry import Telemetry

__all__ = ["to_torch"]

INTERNAL = {"id", "resource.id", "scope.id"}
MOST_INT64 = (1 << 63) - 1


def to_torch(telemetry: "Telemetry", columns: Sequence[str] | None = None) -> Tensors:
    """Return columns as tensors.

    Raises
    ------
    TensorError
        When a column that was asked for holds lists or structs, or a number beyond 63 bits.
    """
    torch: Any = import_extra("torch", "learning", "to_torch")
    if isinstance(columns, str):
        msg = f"expected a sequence of names, such as [{columns!r}], got {columns!r}"
        raise TypeError(msg)
    names = [name for name in list(telemetry.keys()) if name not in INTERNAL] if columns is None else columns
    made = Tensors({}, {}, {})
    for name in names:
        column = telemetry[name].combine_chunks()
        column = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
        if columns is None and (pa.types.is_nested(column.type) or _is_binary(column.type)):
            continue
        _add(torch, made, name, column)
    return made


def _is_binary(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _add(torch: Any, made: Tensors, name: str, column: pa.Array) -> None:
    values, vocabulary = _values(name, column)
    made._tensors[name] = torch.from_numpy(values)  # noqa: SLF001 - being made
    if vocabulary is not None:
        made.vocabularies[name] = vocabulary
    if column.null_count:
        made.present[name] = torch.from_numpy(np.array(column.is_valid().to_numpy(zero_copy_only=False)))


def _values(name: str, column: pa.Array) -> tuple[Any, list[str] | None]:
    """Return a column as a new array, and its vocabulary."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        encoded = column.cast(pa.string()).dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return codes.astype(np.int64), encoded.dictionary.to_pylist()
    if pa.types.is_boolean(kind):
        return np.array(column.fill_null(False).to_numpy(zero_copy_only=False)), None
    if pa.types.is_floating(kind):
        return np.array(column.to_numpy(zero_copy_only=False), np.float64), None
    if pa.types.is_fixed_size_binary(kind):
        return _bytes(column), None
    if pa.types.is_integer(kind) or pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        return _integers(name, column), None
    msg = f"column {name!r} holds values of type {kind}, which are no tensor; leave it out with columns="
    raise TensorError(msg)


def _bytes(column: pa.Array) -> Any:
    width = column.type.byte_width
    filled = column.fill_null(pa.scalar(bytes(width), column.type))
    raw = filled.buffers()[1]
    if raw is None or not len(filled):
        return np.empty((0, width), np.uint8)
    return np.frombuffer(raw, np.uint8, width * len(filled), width * filled.offset).reshape(-1, width).copy()


def _integers(name: str, column: pa.Array) -> Any:
    if pa.types.is_uint64(column.type):
        most = pc.max(column).as_py()
        if most is not None and most > MOST_INT64:
            msg = f"column {name!r} holds {most}, which is beyond the 63 bits of an int64 tensor"
            raise TensorError(msg)
    if not pa.types.is_integer(column.type):
        column = column.cast(pa.int64())
    return column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
