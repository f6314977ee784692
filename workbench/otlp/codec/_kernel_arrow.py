"""Values of mixed types sorted out for Arrow: one validity bitmap for each type, in one pass."""

from typing import Any

from workbench.kernels import kernel
from workbench.otlp.codec._codes import BOOL, STR, STRINDEX, TYPE_MASK

__all__ = ["sort_out"]


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
