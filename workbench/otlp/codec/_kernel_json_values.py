"""Values of JSON to the bytes of protobuf: texts, ids, base64, numbers, and lists of them.

A writer takes the position of a value in the text and of the output, and returns the positions after both; a
negative one is a fault. Room for the value was made sure of by the caller, except for packed lists, whose
elements are longer in protobuf than in JSON.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import load8, load64, move, shift_right, store8, store16, store32, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._json_codes import (
    BAD_BASE64,
    BAD_HEX,
    BASE64,
    BOOL,
    C_END,
    C_ESCAPED,
    C_FAULT_AT,
    C_FAULT_INDEX,
    C_LIMIT,
    C_ZERO,
    DOUBLE,
    EXPECTED_ARRAY,
    EXPECTED_BOOL,
    EXPECTED_ELEMENT_END,
    EXPECTED_STRING,
    FIXED32,
    FIXED64,
    HEX,
    NULL_ELEMENT,
    P_HINT,
    P_OP,
    P_PRESENT,
    P_TAG,
    ROOM,
    SLACK,
    TEXT,
    ZIGZAG,
)
from workbench.otlp.codec._kernel_json_bits import fault, from_hex16
from workbench.otlp.codec._kernel_json_numbers import read_double, read_integer
from workbench.otlp.codec._kernel_json_scan import FALSE, NULL, TRUE, read_string, skip_blanks
from workbench.otlp.codec._kernel_wire import varint_size

__all__ = ["close_length", "write_list", "write_tag", "write_value"]

QUOTE, COMMA, OPEN_ARRAY, CLOSE_ARRAY, EQUALS = 0x22, 0x2C, 0x5B, 0x5D, 0x3D
FOUR_BYTES = 0xFFFFFFFF
BESIDE = 128  # bytes from a value's output to the text that it is read from, its escapes read


@inlined
def write_tag(out: Any, tag: Any) -> Any:
    """Write a tag of one or two bytes, as they were laid out in its record."""
    store16(out, tag)
    return out + 1 + (tag > 0xFF)


@kernel("int64(int64, int64)")
def write_varint(out: Any, value: Any) -> Any:
    """Write a number in its shortest form."""
    while shift_right(value, 7) != 0:
        store8(out, (value & 0x7F) | 0x80)
        value = shift_right(value, 7)
        out += 1
    store8(out, value)
    return out + 1


@kernel("int64(int64, int64, int64)")
def _move_content(start: Any, reserved: Any, out: Any) -> Any:
    size = out - start
    needed = varint_size(size)
    if needed != reserved:
        move(start + needed - reserved, start, size)
    write_varint(start - reserved, size)
    return out + needed - reserved


@inlined
def close_short_length(start: Any, out: Any) -> Any:
    """Write a length for which one byte was reserved."""
    size = out - start
    if size < 128:
        store8(start - 1, size)
        return out
    return _move_content(start, start - (start - 1), out)


@inlined
def close_length(start: Any, reserved: Any, out: Any) -> Any:
    """Write the length of what lies between `start` and `out` before it, moving it if the guess was wrong."""
    size = out - start
    if size < 128 and reserved == 1:
        store8(start - 1, size)
        return out
    return _move_content(start, reserved, out)


@kernel("Tuple((int64, int64))(int64, int64, int64)")
def _read_hex(at: Any, out: Any, control: Any) -> Any:
    """Read the hexadecimal digits of an id, behind its opening quote."""
    while from_hex16(out, at) == 0:
        at += 16
        out += 8
    while load8(at) != QUOTE:
        byte = 0
        for place in range(2):
            digit = load8(at + place)
            if 0x30 <= digit <= 0x39:
                digit -= 0x30
            elif 0x41 <= digit <= 0x46 or 0x61 <= digit <= 0x66:
                digit = (digit & 0x0F) + 9
            else:
                return fault(BAD_HEX, at + place, control), out
            byte = byte << 4 | digit
        store8(out, byte)
        at += 2
        out += 1
    return at + 1, out


@inlined
def _sextet(byte: Any) -> Any:
    """Return what a digit of base64 means, in either alphabet; -1 for others."""
    if 0x41 <= byte <= 0x5A:
        return byte - 0x41
    if 0x61 <= byte <= 0x7A:
        return byte - 0x47
    if 0x30 <= byte <= 0x39:
        return byte + 4
    if byte == 0x2B or byte == 0x2D:
        return 62
    if byte == 0x2F or byte == 0x5F:
        return 63
    return -1


@kernel("Tuple((int64, int64))(int64, int64, int64)")
def _read_base64(at: Any, out: Any, control: Any) -> Any:
    """Read base64 behind its opening quote: either alphabet, with padding or without."""
    value, digits = 0, 0
    while True:
        digit = _sextet(load8(at))
        if digit < 0:
            break
        value = value << 6 | digit
        digits += 1
        at += 1
        if digits == 4:
            store8(out, value >> 16)
            store8(out + 1, value >> 8)
            store8(out + 2, value)
            out += 3
            value, digits = 0, 0
    if load8(at) == EQUALS and digits >= 2:
        at += 1
        if digits == 2 and load8(at) == EQUALS:
            at += 1
        elif digits == 2:
            return fault(BAD_BASE64, at, control), out
    if load8(at) != QUOTE or digits == 1:
        return fault(BAD_BASE64, at, control), out
    if digits >= 2:
        store8(out, value >> (4 if digits == 2 else 10))
        out += 1
    if digits == 3:
        store8(out, value >> 2)
        out += 1
    return at + 1, out


@kernel("Tuple((int64, int64))(int64, int64, int64, int64)")
def _read_bytes(op: Any, at: Any, out: Any, control: Any) -> Any:
    """Read the string of a text, an id or bytes."""
    if load8(at) != QUOTE:
        return fault(EXPECTED_STRING, at, control), out
    if op == TEXT:
        return read_string(at + 1, out, control)
    if op == HEX:
        return _read_hex(at + 1, out, control)
    return _read_base64(at + 1, out, control)


@kernel("Tuple((int64, int64))(int64, int64, int64)")
def _read_number(at: Any, field: Any, control: Any) -> Any:
    """Return a number or truth value as it is written to protobuf."""
    op = load64(field + P_OP)
    if op == BOOL:
        word = load64(at)
        if word & FOUR_BYTES == TRUE:
            return 1, at + 4
        if word & 0xFF == 0x66 and word >> 8 & FOUR_BYTES == FALSE:
            return 0, at + 5
        return 0, fault(EXPECTED_BOOL, at, control)
    if op == DOUBLE:
        return read_double(at, control)
    value, at = read_integer(at, field, control)
    if op == ZIGZAG:
        value = ((value << 1) ^ (value >> 31)) & FOUR_BYTES
    return value, at


@kernel("Tuple((int64, int64))(int64, int64, int64, int64)")
def _read_once(at: Any, out: Any, field: Any, control: Any) -> Any:
    """Write a value without its tag: the content of a string, or a number."""
    op = load64(field + P_OP)
    if op <= BASE64:
        return _read_bytes(op, at, out, control)
    value, at = _read_number(at, field, control)
    if at < 0:
        return at, out
    store64(control + C_ZERO, value == 0)
    if op == DOUBLE or op == FIXED64:
        store64(out, value)
        return at, out + 8
    if op == FIXED32:
        store32(out, value)
        return at, out + 4
    return at, write_varint(out, value)


@kernel("Tuple((int64, int64))(int64, int64, int64, int64)")
def _read_escaped(at: Any, out: Any, field: Any, control: Any) -> Any:
    """Write a value that is a string with escapes where none are needed, once they are read; or a fault."""
    place = load64(control + C_FAULT_AT)
    text = out + BESIDE
    after, stop = read_string(at + 1, text, control)
    if after < 0 or stop - text == after - at - 2:
        store64(control + C_FAULT_AT, place)
        return 0, out
    store8(text - 1, QUOTE)
    store64(stop, QUOTE)
    store64(control + C_ESCAPED, at)
    read, out = _read_once(text - 1, out, field, control)
    store64(control + C_ESCAPED, 0)
    store64(control + C_FAULT_AT, at)
    return (after if read == stop + 1 else 0), out


@kernel("Tuple((int64, int64))(int64, int64, int64, int64)")
def _read(at: Any, out: Any, field: Any, control: Any) -> Any:
    """Write a value without its tag, whether its string has escapes or not."""
    after, stop = _read_once(at, out, field, control)
    if after < 0 and load8(at) == QUOTE and load64(field + P_OP) != TEXT:
        again, stop = _read_escaped(at, out, field, control)
        if again > 0:
            after = again
    return after, stop


@kernel("Tuple((int64, int64))(int64, int64, int64, int64)")
def write_value(at: Any, out: Any, field: Any, control: Any) -> Any:
    """Write a field that is no message: nothing if it is zero and its presence says nothing."""
    present = load64(field + P_PRESENT)
    begin = write_tag(out, load64(field + P_TAG))
    if load64(field + P_OP) <= BASE64:
        at, stop = _read(at, begin + 1, field, control)
        if at < 0 or (stop == begin + 1 and present == 0):
            return at, out
        return at, close_short_length(begin + 1, stop)
    at, stop = _read(at, begin, field, control)
    if at < 0 or (load64(control + C_ZERO) != 0 and present == 0):
        return at, out
    return at, stop


@kernel("Tuple((int64, int64))(int64, int64, int64, int64)")
def write_list(at: Any, out: Any, field: Any, control: Any) -> Any:
    """Write the elements of a list of texts, or the packed numbers of a list of numbers."""
    packed, index = load64(field + P_OP) >= BOOL, 0
    if load8(at) != OPEN_ARRAY:
        return fault(EXPECTED_ARRAY, at, control), out
    at = skip_blanks(at + 1)
    if load8(at) == CLOSE_ARRAY:
        return at + 1, out
    reserved = load64(field + P_HINT)
    if packed:
        out = write_tag(out, load64(field + P_TAG)) + reserved
    start = out
    while True:
        store64(control + C_FAULT_INDEX, index)
        if out + (load64(control + C_END) - at) + SLACK > load64(control + C_LIMIT):
            return fault(ROOM, at, control), out
        if load64(at) & FOUR_BYTES == NULL:
            return fault(NULL_ELEMENT, at, control), out
        body = out if packed else write_tag(out, load64(field + P_TAG)) + 1
        at, out = _read(at, body, field, control)
        if not packed and at >= 0:
            out = close_short_length(body, out)
        if at < 0:
            return at, out
        at = skip_blanks(at)
        byte = load8(at)
        if byte == CLOSE_ARRAY:
            break
        if byte != COMMA:
            return fault(EXPECTED_ELEMENT_END, at, control), out
        at = skip_blanks(at + 1)
        index += 1
    if packed:
        store64(field + P_HINT, varint_size(out - start))
        out = close_length(start, reserved, out)
    store64(control + C_FAULT_INDEX, -1)
    return at + 1, out
