"""What Arrow lays out otherwise: values of mixed types sorted out by type, and texts written one by one."""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import copy32, load32, store32
from workbench.otlp.codec._codes import BOOL, STR, STRINDEX, TYPE_MASK

__all__ = ["place_texts", "sort_out", "write_texts"]


@kernel("void(uint8[::1], int64[::1], uint8[:, ::1], uint8[::1], int32[::1], int64[::1])")
def sort_out(kinds: Any, values: Any, bitmaps: Any, flags: Any, texts: Any, counts: Any) -> None:
    """Set the bit of each row in its type's bitmap, `(9, n / 8)`; count the types, the last being absent.

    `flags` gets the bits of the booleans, `texts` the numbers of the texts; all outputs start as zeros.
    """
    for row in range(len(kinds)):
        kind = kinds[row] & TYPE_MASK
        if kind > STRINDEX:
            counts[STRINDEX + 1] += 1
            continue
        bit = 1 << (row & 7)
        bitmaps[kind, row >> 3] |= bit
        counts[kind] += 1
        if kind == STR:
            texts[row] = values[row]
        elif kind == BOOL and values[row] != 0:
            flags[row >> 3] |= bit


@kernel("int64(int32[::1], int64, int64)")
def place_texts(numbers: Any, offsets: Any, starts: Any) -> Any:
    """Write where each text starts, and the last ends; return how many bytes they have together.

    `offsets` and `starts` are addresses of int32: of the texts by number, and of the result.
    """
    total = 0
    store32(starts, 0)
    for row in range(len(numbers)):
        offset = offsets + 4 * numbers[row]
        total += load32(offset + 4) - load32(offset)
        store32(starts + 4 * row + 4, total)
    return total


@kernel("void(int32[::1], int64, int64, int64)")
def write_texts(numbers: Any, offsets: Any, texts: Any, target: Any) -> None:
    """Write texts one after the other, 32 bytes at a time: there is so much room behind texts and target."""
    for row in range(len(numbers)):
        offset = offsets + 4 * numbers[row]
        source, end = texts + load32(offset), texts + load32(offset + 4)
        after = target + end - source
        while source < end:
            copy32(target, source)
            source += 32
            target += 32
        target = after
