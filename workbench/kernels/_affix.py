"""Which rows start, or end, with a given text.

Each row costs one comparison of 64 bytes, made whether it can be right or not: a branch that half of the rows
take costs more. Only longer texts, and rows within 64 bytes of the data's end, are looked at again.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels._registry import kernel
from workbench.kernels._simd import WINDOW, equal_bytes, prefetch
from workbench.kernels._strings import Needle, checked_strings, offset
from workbench.kernels._substring import AHEAD, ALL, equal_at

__all__ = ["affixes", "ends_with", "starts_with"]


def starts_with(
    data: npt.ArrayLike, offsets: npt.ArrayLike, prefix: str | bytes, *, ignore_case: bool = False
) -> npt.NDArray[np.bool_]:
    """Tell for each row whether it starts with a text; every row starts with the empty text.

    Parameters
    ----------
    data : (m,) uint8
    offsets : (n + 1,) int32 or int64, ascending
        Row ``i`` is ``data[offsets[i] : offsets[i + 1]]``, as in Arrow's strings.
    prefix : str or bytes
        A str is looked for as UTF-8.
    ignore_case : bool
        Take the ASCII letters A-Z and a-z for the same; others stay as they are.

    Returns
    -------
    (n,) bool

    Raises
    ------
    KernelError
        When offsets point outside of the data.

    Examples
    --------
    >>> data = np.frombuffer(b"GET /cartPOST /pay", np.uint8)
    >>> starts_with(data, [0, 9, 18], "GET ").tolist()
    [True, False]
    """
    return _affixed(data, offsets, Needle.of(prefix, ignore_case=ignore_case), from_end=False)


def ends_with(
    data: npt.ArrayLike, offsets: npt.ArrayLike, suffix: str | bytes, *, ignore_case: bool = False
) -> npt.NDArray[np.bool_]:
    """Tell for each row whether it ends with a text; as `starts_with`, from the other end.

    Examples
    --------
    >>> data = np.frombuffer(b"GET /cartPOST /pay", np.uint8)
    >>> ends_with(data, [0, 9, 18], "/pay").tolist()
    [False, True]
    """
    return _affixed(data, offsets, Needle.of(suffix, ignore_case=ignore_case), from_end=True)


def _affixed(
    data: npt.ArrayLike, offsets: npt.ArrayLike, affix: Needle, *, from_end: bool
) -> npt.NDArray[np.bool_]:
    strings = checked_strings(data, offsets)
    found = np.empty(len(strings), np.bool_)
    affixes(*strings.addresses, *affix.addresses[:3], from_end, found)
    return found


@kernel("void(int64, int64, int64, boolean, int64, int64, int64, int64, boolean, boolean[::1])")
def affixes(
    data: Any,
    size: Any,
    offsets: Any,
    wide: Any,
    rows: Any,
    text: Any,
    folds: Any,
    length: Any,
    from_end: Any,
    found: Any,
) -> None:
    last_window = size - WINDOW  # the last place at which a whole window can be read
    for row in range(rows):
        start, stop = offset(offsets, wide, row), offset(offsets, wide, row + 1)
        place = stop - length if from_end else start
        fits = (start >= 0) & (stop <= size) & (stop - start >= length)
        if last_window < 0 or length == 0:
            found[row] = fits and equal_at(data + place, data + size, text, folds, length)
            continue
        prefetch(data + place + AHEAD)
        readable = min(max(place, 0), last_window)
        same = fits & (equal_bytes(data + readable, text, folds) == ALL)
        found[row] = same
        if fits & (readable != place) | same & (length > WINDOW):
            found[row] = equal_at(data + place, data + size, text, folds, length)
