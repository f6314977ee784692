"""JSON text as RFC 8259 has it: blanks, strings, and whole values that are passed over.

A reader takes the position of a token and returns the position after it; a negative one is the fault that it
met (`_json_codes`), whose place lies in the control block. The text ends in zero bytes, over which no token
goes on: no reader needs to know where the text ends.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import load8, load64, store8
from workbench.kernels.parts import inlined
from workbench.otlp.codec._json_codes import (
    BAD_ESCAPE,
    BAD_NUMBER,
    C_NESTING,
    CONTROL_CHARACTER,
    EXPECTED_COLON,
    EXPECTED_ELEMENT_END,
    EXPECTED_KEY,
    EXPECTED_MEMBER_END,
    EXPECTED_VALUE,
    LONE_SURROGATE,
    MOST_NESTING,
    NOT_UTF8,
    TOO_DEEP,
)
from workbench.otlp.codec._kernel_json_bits import fault, plain_bytes

__all__ = [
    "FALSE",
    "NULL",
    "TRUE",
    "read_string",
    "skip_blanks",
    "skip_key",
    "skip_number",
    "skip_utf8",
    "skip_value",
]

QUOTE, BACKSLASH, COMMA, COLON, MINUS, PLUS, POINT = 0x22, 0x5C, 0x2C, 0x3A, 0x2D, 0x2B, 0x2E
OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = 0x7B, 0x7D, 0x5B, 0x5D
SPACES = 0x2020202020202020
NULL, TRUE, ALSE = 0x6C6C756E, 0x65757274, 0x65736C61  # "null", "true", "alse", read as numbers
FALSE = ALSE  # behind its first letter
FOUR_BYTES = 0xFFFFFFFF
IN_OBJECT, IN_ARRAY = 1, 2


@kernel("int64(int64)")
def _skip_blanks(at: Any) -> Any:
    while True:
        if load64(at) == SPACES:
            at += 8
            continue
        byte = load8(at)
        if byte != 0x20 and byte != 0x0A and byte != 0x0D and byte != 0x09:
            return at
        at += 1


@inlined
def skip_blanks(at: Any) -> Any:
    """Return the position of what comes after blanks."""
    return at if load8(at) > 0x20 else _skip_blanks(at)


@kernel("int64(int64)")
def skip_utf8(at: Any) -> Any:
    """Return the position after a character beyond ASCII, or one below where its bytes are not UTF-8."""
    byte, second = load8(at), load8(at + 1)
    if byte < 0xC2 or byte > 0xF4 or second & 0xC0 != 0x80:
        return -1
    if byte < 0xE0:
        return at + 2
    if load8(at + 2) & 0xC0 != 0x80:
        return -1
    if byte < 0xF0:
        overlong, surrogate = byte == 0xE0 and second < 0xA0, byte == 0xED and second > 0x9F
        return -1 if overlong or surrogate else at + 3
    overlong, beyond = byte == 0xF0 and second < 0x90, byte == 0xF4 and second > 0x8F
    return -1 if overlong or beyond or load8(at + 3) & 0xC0 != 0x80 else at + 4


@kernel("int64(int64)")
def _four_digits(at: Any) -> Any:
    """Return what four hexadecimal digits mean, or -1."""
    value = 0
    for place in range(4):
        byte = load8(at + place)
        if 0x30 <= byte <= 0x39:
            digit = byte - 0x30
        elif 0x41 <= byte <= 0x46 or 0x61 <= byte <= 0x66:
            digit = (byte & 0x0F) + 9
        else:
            return -1
        value = value << 4 | digit
    return value


@kernel("int64(int64, int64)")
def _write_utf8(code: Any, out: Any) -> Any:
    if code < 0x80:
        store8(out, code)
        return out + 1
    if code < 0x800:
        store8(out, 0xC0 | code >> 6)
        store8(out + 1, 0x80 | code & 0x3F)
        return out + 2
    if code < 0x10000:
        store8(out, 0xE0 | code >> 12)
        store8(out + 1, 0x80 | code >> 6 & 0x3F)
        store8(out + 2, 0x80 | code & 0x3F)
        return out + 3
    store8(out, 0xF0 | code >> 18)
    store8(out + 1, 0x80 | code >> 12 & 0x3F)
    store8(out + 2, 0x80 | code >> 6 & 0x3F)
    store8(out + 3, 0x80 | code & 0x3F)
    return out + 4


@kernel("Tuple((int64, int64))(int64, int64, int64)")
def _read_escape(at: Any, out: Any, control: Any) -> Any:
    byte = load8(at + 1)
    if byte == 0x75:  # u
        code = _four_digits(at + 2)
        if code < 0:
            return fault(BAD_ESCAPE, at, control), out
        size = 6
        if 0xD800 <= code < 0xE000:
            low = _four_digits(at + 8) if load8(at + 6) == BACKSLASH and load8(at + 7) == 0x75 else -1
            if code >= 0xDC00 or low < 0xDC00 or low > 0xDFFF:
                return fault(LONE_SURROGATE, at, control), out
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
            size = 12
        return at + size, _write_utf8(code, out)
    if byte == 0x6E:  # n
        byte = 0x0A
    elif byte == 0x74:  # t
        byte = 0x09
    elif byte == 0x72:  # r
        byte = 0x0D
    elif byte == 0x62:  # b
        byte = 0x08
    elif byte == 0x66:  # f
        byte = 0x0C
    elif byte != QUOTE and byte != BACKSLASH and byte != 0x2F:
        return fault(BAD_ESCAPE, at, control), out
    store8(out, byte)
    return at + 2, out + 1


@kernel("Tuple((int64, int64))(int64, int64, int64)")
def _read_special(at: Any, out: Any, control: Any) -> Any:
    """Read an escape, or characters beyond ASCII."""
    byte = load8(at)
    if byte == BACKSLASH:
        return _read_escape(at, out, control)
    if byte < 0x20:
        return fault(CONTROL_CHARACTER, at, control), out
    while byte >= 0x80:
        after = skip_utf8(at)
        if after < 0:
            return fault(NOT_UTF8, at, control), out
        while at < after:
            store8(out, load8(at))
            at += 1
            out += 1
        byte = load8(at)
    return at, out


@kernel("Tuple((int64, int64))(int64, int64, int64)")
def read_string(at: Any, out: Any, control: Any) -> Any:
    """Write what a string says; return the positions after its closing quote and after what was written.

    `at` is behind the opening quote. As many bytes as are left of the text, and 32, may be written.
    """
    while True:
        size = plain_bytes(out, at)
        at += size
        out += size
        if size == 32:
            continue
        if load8(at) == QUOTE:
            return at + 1, out
        at, out = _read_special(at, out, control)
        if at < 0:
            return at, out


@kernel("int64(int64)")
def _skip_digits(at: Any) -> Any:
    while 0x30 <= load8(at) <= 0x39:
        at += 1
    return at


@kernel("int64(int64, int64)")
def skip_number(at: Any, control: Any) -> Any:
    """Return the position after a number."""
    at += load8(at) == MINUS
    after = _skip_digits(at)
    if after == at or (load8(at) == 0x30 and after - at > 1):
        return fault(BAD_NUMBER, at, control)
    at = after
    if load8(at) == POINT:
        after = _skip_digits(at + 1)
        if after == at + 1:
            return fault(BAD_NUMBER, after, control)
        at = after
    if load8(at) | 0x20 == 0x65:  # e, E
        at += 1
        at += load8(at) == PLUS or load8(at) == MINUS
        after = _skip_digits(at)
        if after == at:
            return fault(BAD_NUMBER, after, control)
        at = after
    return at


@kernel("int64(int64, int64, int64)")
def _skip_scalar(at: Any, scratch: Any, control: Any) -> Any:
    byte, word = load8(at), load64(at)
    if byte == QUOTE:
        return read_string(at + 1, scratch, control)[0]
    if byte == MINUS or 0x30 <= byte <= 0x39:
        return skip_number(at, control)
    if word & FOUR_BYTES == NULL or word & FOUR_BYTES == TRUE:
        return at + 4
    if byte == 0x66 and word >> 8 & FOUR_BYTES == ALSE:  # f
        return at + 5
    return fault(EXPECTED_VALUE, at, control)


@kernel("int64(int64, int64, int64)")
def skip_key(at: Any, scratch: Any, control: Any) -> Any:
    """Return the position of a member's value."""
    if load8(at) != QUOTE:
        return fault(EXPECTED_KEY, at, control)
    at, _ = read_string(at + 1, scratch, control)
    if at < 0:
        return at
    at = skip_blanks(at)
    if load8(at) != COLON:
        return fault(EXPECTED_COLON, at, control)
    return skip_blanks(at + 1)


@kernel("int64(int64, int64, int64)")
def skip_value(at: Any, scratch: Any, control: Any) -> Any:
    """Return the position after a value of any kind; its longest string is written to `scratch`."""
    open_values = load64(control + C_NESTING)
    depth = 0
    while True:
        byte = load8(at)
        if byte == OPEN_OBJECT or byte == OPEN_ARRAY:
            if depth == MOST_NESTING:
                return fault(TOO_DEEP, at, control)
            depth += 1
            store8(open_values + depth, IN_OBJECT if byte == OPEN_OBJECT else IN_ARRAY)
            at = skip_blanks(at + 1)
            if byte == OPEN_OBJECT and load8(at) != CLOSE_OBJECT:
                at = skip_key(at, scratch, control)
                if at < 0:
                    return at
                continue
            if byte == OPEN_ARRAY and load8(at) != CLOSE_ARRAY:
                continue
        else:
            at = _skip_scalar(at, scratch, control)
            if at < 0:
                return at
        while depth > 0:
            at = skip_blanks(at)
            byte, inside = load8(at), load8(open_values + depth)
            at += 1
            if byte == COMMA:
                at = skip_blanks(at)
                if inside == IN_OBJECT:
                    at = skip_key(at, scratch, control)
                    if at < 0:
                        return at
                break
            if inside == IN_OBJECT and byte != CLOSE_OBJECT:
                return fault(EXPECTED_MEMBER_END, at - 1, control)
            if inside == IN_ARRAY and byte != CLOSE_ARRAY:
                return fault(EXPECTED_ELEMENT_END, at - 1, control)
            depth -= 1
        if depth == 0:
            return at
