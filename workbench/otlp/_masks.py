"""Boolean masks as numpy, Arrow or pandas have them, as one numpy array in which null is false."""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp.errors import MaskError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Mask", "to_mask"]

Mask: TypeAlias = "npt.NDArray[np.bool_] | pa.Array | pa.ChunkedArray | pd.Series | list[bool]"


def to_mask(mask: Any, length: int) -> npt.NDArray[np.bool_]:
    """Return a mask as `(length,) bool`, aligned by position.

    Raises
    ------
    MaskError
        When it is a single boolean, holds other things than booleans, or has another length.
    """
    if isinstance(mask, bool | np.bool_ | pa.BooleanScalar):
        msg = (
            f"expected {length} booleans, got the single value {mask}: "
            "Arrow's == compares whole columns, pyarrow.compute.equal(column, value) compares each"
        )
        raise MaskError(msg)
    column = _to_arrow(mask)
    if not (pa.types.is_boolean(column.type) or (pa.types.is_null(column.type) and length == len(column))):
        msg = f"expected {length} booleans, got values of type {column.type}"
        raise MaskError(msg)
    if len(column) != length:
        msg = f"expected {length} booleans, one for each record, got {len(column)}"
        raise MaskError(msg)
    return np.array(column.cast(pa.bool_()).fill_null(False).to_numpy(zero_copy_only=False), bool)


def _to_arrow(mask: Any) -> pa.Array:
    if isinstance(mask, pa.ChunkedArray):
        return mask.combine_chunks()
    if isinstance(mask, pa.Array):
        return mask
    try:
        column = pa.array(mask, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        msg = f"expected a one-dimensional mask of booleans, got {type(mask).__name__}: {error}"
        raise MaskError(msg) from error
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
