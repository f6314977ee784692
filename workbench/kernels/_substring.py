"""Which rows hold a given text? Answered at the speed at which memory is read.

The data of all rows is one run of bytes, and is scanned as that, four windows of 64 bytes at a time and
across the rows: each is compared with the needle's two rarest bytes at their places, and only where both are
right is the whole needle compared. A match is given to its row by a cursor that moves along with it, and the
rest of that row is passed over; one that straddles two rows is none. Memory is asked for `AHEAD` bytes early,
so that it arrives while matches are looked at. Cost O(bytes + rows), about that of reading the bytes once.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels._registry import kernel
from workbench.kernels._simd import (
    WINDOW,
    clear_lowest_bit,
    equal_byte,
    equal_bytes,
    lowest_bit,
    lowest_bits,
    prefetch,
)
from workbench.kernels._strings import Needle, Strings, checked_strings, offset
from workbench.kernels.memory import inlined, load8

__all__ = ["AHEAD", "ALL", "contains", "equal_at", "find_between", "rows_with"]

ALL = -1  # a mask in which all 64 bits are set
NOWHERE = -1
AHEAD = 4096  # bytes


def contains(
    data: npt.ArrayLike, offsets: npt.ArrayLike, needle: str | bytes, *, ignore_case: bool = False
) -> npt.NDArray[np.bool_]:
    """Tell for each row whether it holds a text; every row holds the empty text.

    Parameters
    ----------
    data : (m,) uint8
    offsets : (n + 1,) int32 or int64, ascending
        Row ``i`` is ``data[offsets[i] : offsets[i + 1]]``, as in Arrow's strings.
    needle : str or bytes
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
    >>> data = np.frombuffer(b"connection timeoutretry", np.uint8)
    >>> contains(data, [0, 18, 23], "TIME", ignore_case=True).tolist()
    [True, False]
    """
    return rows_with(checked_strings(data, offsets), needle, ignore_case=ignore_case)


def rows_with(strings: Strings, needle: str | bytes, *, ignore_case: bool) -> npt.NDArray[np.bool_]:
    """Tell for each row of checked strings whether it holds a text."""
    wanted = Needle.of(needle, ignore_case=ignore_case, frequencies=strings.frequencies())
    if wanted.length == 0:
        return np.ones(len(strings), np.bool_)
    found = np.zeros(len(strings), np.bool_)
    _contains(*strings.addresses, *wanted.addresses, found)
    return found


@inlined
def _equal_slowly(place: Any, text: Any, folds: Any, length: Any) -> Any:
    for k in range(length):  # noqa: SIM110 - compiled
        if load8(place + k) | load8(folds + k) != load8(text + k):
            return False
    return True


@inlined
def _equal_windows(place: Any, text: Any, folds: Any, length: Any) -> Any:
    """Compare whole windows; reads up to 63 bytes behind the match."""
    for k in range(0, length, WINDOW):  # noqa: SIM110 - compiled
        if equal_bytes(place + k, text + k, folds + k) != ALL:
            return False
    return True


@inlined
def equal_at(place: Any, end: Any, text: Any, folds: Any, length: Any) -> Any:
    """Tell whether the needle lies at an address; nothing is read at the address `end` and behind."""
    if place + (length + WINDOW - 1) // WINDOW * WINDOW <= end:
        return _equal_windows(place, text, folds, length)
    return _equal_slowly(place, text, folds, length)


@inlined
def _both(address: Any, first: Any, first_fold: Any, distance: Any, second: Any, second_fold: Any) -> Any:
    """Return where, of 64 places, both rare bytes are right."""
    return equal_byte(address, first, first_fold) & equal_byte(address + distance, second, second_fold)


@inlined
def _row_of(offsets: Any, wide: Any, rows: Any, row: Any, place: Any, mean: Any) -> Any:
    """Return the row of a place: guess by the mean length of a row, then walk."""
    row = min(rows - 1, max(0, row + (place - offset(offsets, wide, row)) // mean))
    while offset(offsets, wide, row) > place:
        row -= 1
    while offset(offsets, wide, row + 1) <= place:
        row += 1
    return row


@kernel("void(int64, int64, int64, boolean, int64, int64, int64, int64, int64, int64, boolean[::1])")
def _contains(  # noqa: C901 - one loop, whose parts share all that it knows
    data: Any,
    size: Any,
    offsets: Any,
    wide: Any,
    rows: Any,
    text: Any,
    folds: Any,
    length: Any,
    first: Any,
    second: Any,
    found: Any,
) -> None:
    a, a_fold, b, b_fold = (
        load8(text + first),
        load8(folds + first),
        load8(text + second),
        load8(folds + second),
    )
    rare, apart = data + first, second - first
    at, stop = offset(offsets, wide, 0), offset(offsets, wide, rows)
    mean = max(1, (stop - at) // max(1, rows))
    last = stop - length  # where a match can begin
    last_window = min(last, size - (WINDOW - 1) - (length + WINDOW - 1) // WINDOW * WINDOW)
    row, passed = 0, at
    mask1, mask2, mask3 = 0, 0, 0
    while at <= last_window:
        base = at
        mask = _both(rare + at, a, a_fold, apart, b, b_fold)
        if at <= last_window - 3 * WINDOW:
            for line in range(4):
                prefetch(rare + at + AHEAD + line * WINDOW)
            mask1 = _both(rare + at + WINDOW, a, a_fold, apart, b, b_fold)
            mask2 = _both(rare + at + 2 * WINDOW, a, a_fold, apart, b, b_fold)
            mask3 = _both(rare + at + 3 * WINDOW, a, a_fold, apart, b, b_fold)
            at += 4 * WINDOW
            if mask | mask1 | mask2 | mask3 == 0:
                continue
        else:
            at += WINDOW
        while base < at:
            while mask != 0:
                place = base + lowest_bit(mask)
                mask = clear_lowest_bit(mask)
                if passed <= place <= last and _equal_windows(data + place, text, folds, length):
                    row = _row_of(offsets, wide, rows, row, place, mean)
                    if place + length <= offset(offsets, wide, row + 1):
                        found[row] = True
                        passed = offset(offsets, wide, row + 1)
            base += WINDOW
            mask, mask1, mask2 = mask1, mask2, mask3
    for place in range(max(at, passed), last + 1):
        if _equal_slowly(data + place, text, folds, length):
            row = _row_of(offsets, wide, rows, row, place, mean)
            found[row] |= place + length <= offset(offsets, wide, row + 1)


@inlined
def find_between(
    start: Any, stop: Any, end: Any, text: Any, folds: Any, length: Any, first: Any, second: Any
) -> Any:
    """Return the first address of the needle in ``[start, stop)``, or -1; nothing is read from `end` on."""
    a, a_fold, b, b_fold = (
        load8(text + first),
        load8(folds + first),
        load8(text + second),
        load8(folds + second),
    )
    last = stop - length
    last_window = min(last, end - (WINDOW - 1) - (length + WINDOW - 1) // WINDOW * WINDOW)
    at = start
    while at <= last_window:
        mask = _both(at + first, a, a_fold, second - first, b, b_fold)
        if last - at < WINDOW - 1:
            mask &= lowest_bits(last - at + 1)
        while mask != 0:
            place = at + lowest_bit(mask)
            mask = clear_lowest_bit(mask)
            if _equal_windows(place, text, folds, length):
                return place
        at += WINDOW
    while at <= last:
        if _equal_slowly(at, text, folds, length):
            return at
        at += 1
    return NOWHERE
