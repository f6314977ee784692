"""Which rows hold a given text? Answered at the speed at which memory is read.

The data of all rows is one run of bytes, and is scanned as that, in blocks of windows of 64 bytes and across
the rows: each window is compared with the needle's two rarest bytes at their places, and those where both are
right somewhere are noted, without a branch. Then the whole needle is compared at the places noted. For each
match the row is guessed from the mean length, the offsets there are asked for, and looked up when the next
block has been scanned: by then they have arrived. A match that straddles two rows is none. The shorter the
block, the nearer is the last row that is known, and the better the guess.

Where many windows of a block are noted, a match is given to its row at once, by a cursor that moves along,
and the rest of that row is passed over. Cost O(bytes + rows), about that of reading the bytes.

Memory is asked for early, twice: shortly before it is read for the first cache, and from afar for the second,
so that it goes on arriving while matches are looked at. From afar it is asked for in an order of its own, a
line of each of four pages in turn. The processor's own prefetching does not cross pages of 4 KiB (Intel's
optimisation manual): in order it starts anew at each page, and each is waited for to be translated; where
four are under way these waits can overlap. Loops in C that only read, on one core of a virtual machine, read
pages of 4 KiB at 13.1 GB/s in order and at 14.1 in turn. With huge pages, which Arrow and numpy ask for, the
two do not differ, 14.3 and 14.1: that is about as fast as one core gets them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels._registry import kernel
from workbench.kernels._simd import (
    NUMBERS,
    WINDOW,
    clear_lowest_bit,
    count_at_most32,
    count_at_most64,
    equal_byte,
    equal_bytes,
    lowest_bit,
    lowest_bits,
    prefetch,
    prefetch_early,
)
from workbench.kernels._strings import Needle, Strings, checked_strings, offset
from workbench.kernels.memory import load8, load64, store64
from workbench.kernels.parts import inlined

__all__ = ["AHEAD", "ALL", "contains", "equal_at", "find_between", "rows_with"]

ALL = -1  # a mask in which all 64 bits are set
NOWHERE = -1
AHEAD = 4096  # bytes
PAGE = 4096  # bytes
PAGES = 4  # read in turn: as many as `_scan` compares windows at once
LINES = PAGE // WINDOW  # of a page
BLOCK = 64  # windows
MANY = 24  # noted windows of a block
NOTE = 16  # bytes: two numbers
NEAR = NUMBERS  # rows


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
    notes, matches = np.empty((BLOCK, 2), np.int64), np.empty((MANY * WINDOW, 2), np.int64)
    _contains(*strings.addresses, *wanted.addresses, notes.ctypes.data, matches.ctypes.data, found)
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
def _note(notes: Any, count: Any, first: Any, second: Any) -> None:
    store64(notes + NOTE * count, first)
    store64(notes + NOTE * count + NOTE // 2, second)


@inlined
def _note_window(notes: Any, count: Any, rare: Any, at: Any, pair: Any) -> Any:
    """Note in which of 64 places both rare bytes are right; the next note overwrites it where none is."""
    mask = _both(rare + at, *pair)
    _note(notes, count, mask, at)
    return count + (mask != 0)


@inlined
def _prefetch_in_turn(data: Any, at: Any) -> None:
    """Ask for one line of each of the next four pages; when they are reached, all their lines have been."""
    group, step = at // (PAGES * PAGE), at // (PAGES * WINDOW) % LINES
    ahead = data + (group + 1) * PAGES * PAGE + step * WINDOW
    for page in range(PAGES):
        prefetch_early(ahead + page * PAGE)


@inlined
def _scan(rare: Any, at: Any, end: Any, pair: Any, notes: Any) -> Any:
    """Note the windows from a place on in which both rare bytes are right somewhere; return how many."""
    count = 0
    while at <= end - 4 * WINDOW:
        _prefetch_in_turn(rare, at)
        for line in range(4):
            prefetch(rare + at + AHEAD + line * WINDOW)
        count = _note_window(notes, count, rare, at, pair)
        count = _note_window(notes, count, rare, at + WINDOW, pair)
        count = _note_window(notes, count, rare, at + 2 * WINDOW, pair)
        count = _note_window(notes, count, rare, at + 3 * WINDOW, pair)
        at += 4 * WINDOW
    while at < end:
        count = _note_window(notes, count, rare, at, pair)
        at += WINDOW
    return count


@inlined
def _row_of(offsets: Any, wide: Any, rows: Any, row: Any, place: Any, mean: Any) -> Any:
    """Return the row of a place: guess by the mean length of a row, then walk."""
    row = min(rows - 1, max(0, row + (place - offset(offsets, wide, row)) // mean))
    while offset(offsets, wide, row) > place:
        row -= 1
    while offset(offsets, wide, row + 1) <= place:
        row += 1
    return row


@inlined
def _count_at_most(offsets: Any, wide: Any, first: Any, place: Any) -> Any:
    """Return how many of `NEAR` rows start at or before a place."""
    if wide:
        return count_at_most64(offsets + 8 * first, place)
    return count_at_most32(offsets + 4 * first, place)


@inlined
def _row_near(offsets: Any, wide: Any, rows: Any, guess: Any, place: Any) -> Any:
    """Return the row of a place if it is one of `NEAR` rows around a guess, or -1; nothing branches."""
    if rows < NEAR:
        return NOWHERE
    first = min(max(guess - NEAR // 2, 0), rows - NEAR)
    row = first - 1 + _count_at_most(offsets, wide, first, place)
    if row < first or offset(offsets, wide, row + 1) <= place:
        return NOWHERE
    return row


@inlined
def _find_rows(
    offsets: Any, wide: Any, rows: Any, row: Any, mean: Any, matches: Any, count: Any, length: Any, found: Any
) -> Any:
    """Give matches to their rows, which have been guessed; return the last of these rows."""
    for number in range(count):
        place, guess = load64(matches + NOTE * number), load64(matches + NOTE * number + NOTE // 2)
        near = _row_near(offsets, wide, rows, guess, place)
        row = _row_of(offsets, wide, rows, row, place, mean) if near == NOWHERE else near
        if place + length <= offset(offsets, wide, row + 1):
            found[row] = True
    return row


@kernel(
    "void(int64, int64, int64, boolean, int64, int64, int64, int64, int64, int64, int64, int64, boolean[::1])"
)
def _contains(
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
    notes: Any,
    matches: Any,
    found: Any,
) -> None:
    byte, fold, other, other_fold = (
        load8(text + first),
        load8(folds + first),
        load8(text + second),
        load8(folds + second),
    )
    rare, pair = data + first, (byte, fold, second - first, other, other_fold)
    at, stop = offset(offsets, wide, 0), offset(offsets, wide, rows)
    mean = max(1, (stop - at) // max(1, rows))
    density = rows / max(1, stop - at)
    last = stop - length  # where a match can begin
    last_window = min(last, size - (WINDOW - 1) - (length + WINDOW - 1) // WINDOW * WINDOW)
    row, matched, passed = 0, 0, at
    while at <= last_window or matched > 0:
        windows = min(BLOCK, (last_window - at) // WINDOW + 1) if at <= last_window else 0
        noted = _scan(rare, at, at + windows * WINDOW, pair, notes)
        at += windows * WINDOW
        row = _find_rows(offsets, wide, rows, row, mean, matches, matched, length, found)
        known, matched = offset(offsets, wide, row), 0
        for number in range(noted):
            mask, base = load64(notes + NOTE * number), load64(notes + NOTE * number + NOTE // 2)
            while mask != 0:
                place = base + lowest_bit(mask)
                mask = clear_lowest_bit(mask)
                if place < passed or place > last or not _equal_windows(data + place, text, folds, length):
                    continue
                if noted <= MANY:
                    guess = row + int((place - known) * density)
                    for side in range(-NEAR // 2, NEAR, NEAR):
                        prefetch(offsets + (guess + side) * (8 if wide else 4))
                    _note(matches, matched, place, guess)
                    matched += 1
                else:
                    row = _row_of(offsets, wide, rows, row, place, mean)
                    if place + length <= offset(offsets, wide, row + 1):
                        found[row] = True
                        passed = offset(offsets, wide, row + 1)
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
