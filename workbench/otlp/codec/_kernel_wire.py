"""The wire format of protocol buffers: numbers, tags, lengths, groups, UTF-8.

A reader takes the position and the end, and returns the position after what it read; a position behind the
end says that it was malformed. The limits are those of the official parsers: tags and lengths of at most
five bytes, numbers of at most ten.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from typing import Any

import numpy as np

from workbench.kernels import kernel
from workbench.kernels.memory import equal_bytes, leading_zeros, load8, load64, shift_right
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import RECURSION_LIMIT
from workbench.otlp.codec._kernel_hints import stay_apart

__all__ = [
    "HIGH_BITS",
    "is_utf8",
    "read_length",
    "read_tag",
    "read_varint",
    "same",
    "short_varint",
    "skip_field",
    "varint_size",
]

HIGH_BITS = -9187201950435737472  # 0x8080808080808080: the bits that ASCII leaves clear


@kernel("Tuple((int64, int64))(int64, int64)")
def _long_varint(at: Any, end: Any) -> Any:
    stay_apart()
    value, shift = 0, 0
    while at < end and shift < 70:
        byte = load8(at)
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 128:
            return value, at
        shift += 7
    return 0, end + 1


@inlined
def read_varint(at: Any, end: Any) -> Any:
    """Return a number and the position after it."""
    if at < end:
        byte = load8(at)
        if byte < 128:
            return byte, at + 1
    return _long_varint(at, end)


@kernel("Tuple((int64, int64))(int64, int64)")
def _long_length(at: Any, end: Any) -> Any:
    stay_apart()
    length, after = _long_varint(at, end)
    if after - at > 5 or length > end - after:
        return 0, end + 1
    return length, after


@inlined
def short_varint(at: Any, size: Any) -> Any:
    """Return the number that exactly 1 to 8 bytes are, or -1 where they are none; 8 bytes are read.

    How many bytes a number has is hard to guess, so nothing branches on it.
    """
    bits = shift_right(-1, 64 - 8 * size)
    word = load64(at) & bits
    if word & HIGH_BITS != shift_right(bits, 8) & HIGH_BITS:  # all but the last byte say that more follow
        return -1
    word = (word & 0x007F007F007F007F) | (word & 0x7F007F007F007F00) >> 1
    word = (word & 0x00003FFF00003FFF) | (word & 0x3FFF00003FFF0000) >> 2
    return (word & 0x0FFFFFFF) | (word & 0x0FFFFFFF00000000) >> 4


@inlined
def read_length(at: Any, end: Any) -> Any:
    """Return a length that fits before the end, and the position after it."""
    if at < end:
        byte = load8(at)
        if byte < 128 and byte < end - at:
            return byte, at + 1
        if end - at > 2:
            high = load8(at + 1)
            length = (byte & 127) | high << 7
            if byte > 127 and high < 128 and length <= end - at - 2:
                return length, at + 2
    return _long_length(at, end)


@kernel("Tuple((int64, int64))(int64, int64)")
def _long_tag(at: Any, end: Any) -> Any:
    stay_apart()
    tag, after = _long_varint(at, end)
    if after - at > 5 or tag >= 1 << 32:
        return 0, end + 1
    return tag, after


@inlined
def read_tag(at: Any, end: Any) -> Any:
    """Return a tag and the position after it."""
    byte = load8(at)
    if byte < 128:
        return byte, at + 1
    return _long_tag(at, end)


@kernel("int64(int64, int64, int64)")
def _skip_scalar(wire_type: Any, at: Any, end: Any) -> Any:
    if wire_type == 0:
        return _long_varint(at, end)[1]
    if wire_type == 1:
        return at + 8
    if wire_type == 5:
        return at + 4
    length, at = _long_length(at, end)
    return at + length


@kernel("int64(int64, int64, int64, int64)")
def _skip_group(number: Any, at: Any, end: Any, depth: Any) -> Any:
    """Return the position after a group; the numbers of the groups around are on a stack."""
    open_groups = np.empty(RECURSION_LIMIT + 1, np.int64)
    top = depth
    if top > RECURSION_LIMIT:
        return end + 1
    open_groups[top] = number
    while at < end:
        tag, at = read_tag(at, end)
        wire_type = tag & 7
        if at > end or wire_type > 5:
            return end + 1
        if wire_type == 3:
            top += 1
            if top > RECURSION_LIMIT:
                return end + 1
            open_groups[top] = tag >> 3
        elif wire_type == 4:
            if tag >> 3 != open_groups[top]:
                return end + 1
            top -= 1
            if top < depth:
                return at
        else:
            at = _skip_scalar(wire_type, at, end)
            if at > end:
                return end + 1
    return end + 1


@kernel("int64(int64, int64, int64, int64)")
def skip_field(tag: Any, at: Any, end: Any, depth: Any) -> Any:
    """Return the position after a field of any number, given its tag and the depth of its message."""
    stay_apart()
    wire_type = tag & 7
    if tag >> 3 == 0 or wire_type == 4 or wire_type > 5:
        return end + 1
    if wire_type == 3:
        return _skip_group(tag >> 3, at, end, depth + 1)
    return _skip_scalar(wire_type, at, end)


@inlined
def varint_size(value: Any) -> Any:
    """Return how many bytes the shortest encoding of a number has."""
    return (70 - leading_zeros(value | 1)) // 7


@kernel("boolean(int64, int64, int64)")
def _same_far(left: Any, right: Any, size: Any) -> Any:
    """Tell whether two byte strings of one size are equal, and read no bytes but theirs."""
    stay_apart()
    if size >= 64:
        for at in range(0, size - 64, 64):
            if equal_bytes(left + at, right + at) != -1:
                return False
        return equal_bytes(left + size - 64, right + size - 64) == -1
    if size >= 8:
        for at in range(0, size - 8, 8):
            if load64(left + at) != load64(right + at):
                return False
        return load64(left + size - 8) == load64(right + size - 8)
    for at in range(size):  # noqa: SIM110 - compiled
        if load8(left + at) != load8(right + at):
            return False
    return True


@inlined
def same(left: Any, right: Any, size: Any, limit: Any) -> Any:
    """Tell whether two byte strings of one size are equal; 64 bytes may be read from `left` up to `limit`.

    What is compared with the input (`left`) lies before it in the same input, or has room behind it.
    """
    if size <= 64 and left <= limit:
        differ = ~equal_bytes(left, right)
        return size == 0 or differ << (64 - size) == 0
    return _same_far(left, right, size)


@kernel("boolean(int64, int64)")
def _is_utf8(at: Any, end: Any) -> Any:
    stay_apart()
    while at < end:
        if end - at >= 8 and load64(at) & HIGH_BITS == 0:
            at += 8
            continue
        byte = load8(at)
        at += 1
        if byte < 0x80:
            continue
        if byte < 0xC2 or byte > 0xF4:
            return False
        more = 1 if byte < 0xE0 else (2 if byte < 0xF0 else 3)
        if end - at < more:
            return False
        second = load8(at)
        low, high = 0x80, 0xBF
        if byte == 0xE0:
            low = 0xA0  # shorter forms exist
        elif byte == 0xED:
            high = 0x9F  # surrogates
        elif byte == 0xF0:
            low = 0x90
        elif byte == 0xF4:
            high = 0x8F  # beyond U+10FFFF
        if second < low or second > high:
            return False
        for further in range(1, more):
            if load8(at + further) & 0xC0 != 0x80:
                return False
        at += more
    return True


@inlined
def is_utf8(at: Any, size: Any) -> Any:
    """Tell whether bytes are UTF-8 without surrogates and overlong forms (RFC 3629)."""
    return size == 0 or _is_utf8(at, at + size)
