"""Columns as callers give them: checked once, then plain lists.

A column is anything with one value per row. What is wrong with it is said with its name and its first bad
row.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.display.errors import DisplayError

__all__ = ["check_lengths", "flags", "integers", "levels", "strings"]


def integers(name: str, values: ArrayLike) -> list[int]:
    """Return a column of whole numbers as exact Python integers."""
    array = _one_dimensional(name, values)
    if array.size and array.dtype.kind not in "iu":
        msg = f"{name} has dtype {array.dtype}, expected integers; use {_cure(array)}"
        raise DisplayError(msg)
    return [int(value) for value in array.tolist()]


def flags(name: str, values: ArrayLike | None, length: int) -> list[bool]:
    """Return a column of booleans, all false when it is not given."""
    if values is None:
        return [False] * length
    array = _one_dimensional(name, values)
    if array.size and array.dtype.kind != "b":
        msg = f"{name} has dtype {array.dtype}, expected bool; use {name}.astype(bool)"
        raise DisplayError(msg)
    return [bool(value) for value in array.tolist()]


def levels(name: str, values: ArrayLike | None) -> list[float] | None:
    """Return a column of finite numbers that are not negative, or None when it is not given."""
    if values is None:
        return None
    array = _one_dimensional(name, values)
    if array.size and array.dtype.kind not in "iufb":
        msg = f"{name} has dtype {array.dtype}, expected numbers"
        raise DisplayError(msg)
    numbers: list[float] = array.astype(np.float64).tolist()
    for row, value in enumerate(numbers):
        if not 0 <= value < float("inf"):
            msg = f"{name}[{row}] is {value:g}, expected finite and not negative; drop or clip such rows"
            raise DisplayError(msg)
    return numbers


def strings(name: str, values: Sequence[str]) -> list[str]:
    """Return a column of strings; one string is not a column."""
    if isinstance(values, str):
        msg = f"{name} is one string, {values[:40]!r}, expected a sequence of strings, one for each row"
        raise DisplayError(msg)
    return [str(value) for value in values]


def check_lengths(**columns: Sequence[Any] | None) -> int:
    """Return the number of rows that all given columns share."""
    sizes = {name: len(column) for name, column in columns.items() if column is not None}
    if len(set(sizes.values())) > 1:
        given = ", ".join(f"{name}: {size}" for name, size in sizes.items())
        msg = f"columns differ in length ({given}); give one value for each row in every column"
        raise DisplayError(msg)
    return next(iter(sizes.values()), 0)


def _one_dimensional(name: str, values: ArrayLike) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError as error:
        msg = f"{name} is ragged, expected one value for each row"
        raise DisplayError(msg) from error
    if array.ndim != 1:
        msg = f"{name} has shape {array.shape}, expected one dimension; use {name}.ravel()"
        raise DisplayError(msg)
    return array


def _cure(array: NDArray[Any]) -> str:
    """Say how to make integers of an array."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array))[0])
        return f"only rows that are known (row {row} is {array[row]}), then .astype('int64')"
    return ".astype('int64')"
