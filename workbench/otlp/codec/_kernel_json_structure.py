"""Where a JSON object or array ends, by its brackets and strings alone, in text that may be broken."""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import load8, store8

__all__ = ["bracket_end"]

QUOTE, BACKSLASH = 0x22, 0x5C
OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = 0x7B, 0x7D, 0x5B, 0x5D
TO_CLOSING = 2  # from an opening bracket's code to its closing one's


@kernel("int64(int64, int64)")
def _string_end(at: Any, stop: Any) -> Any:
    """Return the position of the quote that ends a string, or `stop` where none does."""
    at += 1
    while at < stop:
        byte = load8(at)
        if byte == QUOTE:
            return at
        at += 2 if byte == BACKSLASH else 1
    return stop


@kernel("int64(int64, int64, int64)")
def bracket_end(at: Any, stop: Any, expected: Any) -> Any:
    """Return the position after the object or array that starts here, or -1 where its brackets do not match.

    At `expected` there is room for as many bytes as the text has.
    """
    bottom = expected
    while at < stop:
        byte = load8(at)
        if byte == QUOTE:
            at = _string_end(at, stop)
            if at == stop:
                return -1
        elif byte == OPEN_OBJECT or byte == OPEN_ARRAY:
            store8(expected, byte + TO_CLOSING)
            expected += 1
        elif byte == CLOSE_OBJECT or byte == CLOSE_ARRAY:
            expected -= 1
            if expected < bottom or load8(expected) != byte:
                return -1
            if expected == bottom:
                return at + 1
        at += 1
    return -1
