"""Canonical OTLP protobuf to OTLP/JSON in one pass, directed by tables that describe the messages.

The input must be canonical, so that the elements of a list lie side by side and every field is there once.
What is not is told to the caller (`NOT_CANONICAL`), who puts it in order first.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import copy16, load8, load16, load32, load64, store8, store32, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._json_codes import (
    BAD_TEXT,
    BAD_WIRE,
    BASE64,
    BITS64,
    BOOL,
    C_DISPATCH,
    C_END,
    C_FAULT_FIELD,
    C_FAULT_FRAME,
    C_FAULT_INDEX,
    C_FIELDS,
    C_HEX,
    C_LIMIT,
    C_PAIRS,
    C_STACK,
    C_UNKNOWN,
    DOUBLE,
    FIXED32,
    FIXED64,
    FRAME_SIZE,
    HEX,
    MESSAGE,
    MOST_MESSAGES,
    NOT_CANONICAL,
    ODD,
    R_END,
    R_FIELD,
    R_INDEX,
    R_LAST,
    R_MESSAGE,
    R_OPEN,
    R_SEEN,
    ROOM,
    SLACK,
    TEXT,
    TOO_DEEP,
    UNSIGNED,
    W_BIT,
    W_FORM,
    W_LENGTH,
    W_NAME,
    W_NUMBER,
    W_OP,
    W_OTHERS,
    W_PRESENT,
    W_REPEATED,
    W_SIZE,
    W_TARGET,
    ZIGZAG,
)
from workbench.otlp.codec._kernel_json_bits import fault, plain_bytes, to_hex8
from workbench.otlp.codec._kernel_json_digits import write_double, write_integer
from workbench.otlp.codec._kernel_json_scan import skip_utf8
from workbench.otlp.codec._kernel_wire import read_length, read_tag, read_varint, skip_field

__all__ = ["print_message"]

QUOTE, COMMA, BACKSLASH, MINUS, EQUALS = 0x22, 0x2C, 0x5C, 0x2D, 0x3D
OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = 0x7B, 0x7D, 0x5B, 0x5D
TRUE_TEXT, ALSE_TEXT = 0x65757274, 0x65736C61
DISPATCH_SIZE = 512
ESCAPED = 6  # bytes of the longest escape: \u0001
FOUR_BYTES = 0xFFFFFFFF
BASE64_DIGITS = 16  # in the table of digits, behind the hexadecimal ones


@kernel("int64(int64, int64, int64)")
def _write_special(out: Any, byte: Any, hexadecimal: Any) -> Any:
    """Write the escape of a quote, a backslash or a control character."""
    store8(out, BACKSLASH)
    short = byte
    if byte == 0x0A:
        short = 0x6E  # n
    elif byte == 0x0D:
        short = 0x72  # r
    elif byte == 0x09:
        short = 0x74  # t
    elif byte == 0x08:
        short = 0x62  # b
    elif byte == 0x0C:
        short = 0x66  # f
    elif byte != QUOTE and byte != BACKSLASH:
        store32(out + 1, 0x30303075)  # u000
        store8(out + 4, 0x30 + (byte >> 4))
        store8(out + 5, load8(hexadecimal + (byte & 15)))
        return out + 6
    store8(out + 1, short)
    return out + 2


@kernel("int64(int64, int64, int64, int64)")
def _write_text(at: Any, end: Any, out: Any, control: Any) -> Any:
    """Write a text in quotes; return where the output ends, or a fault."""
    store8(out, QUOTE)
    out += 1
    while at < end:
        size = plain_bytes(out, at)
        if size >= end - at:
            out += end - at
            break
        at += size
        out += size
        if size == 32:
            continue
        byte = load8(at)
        if byte < 0x80:
            out = _write_special(out, byte, load64(control + C_HEX))
            at += 1
            continue
        while byte >= 0x80 and at < end:
            after = skip_utf8(at)
            if after < 0 or after > end:
                return fault(BAD_TEXT, at, control)
            store32(out, load32(at))
            out += after - at
            at = after
            byte = load8(at)
    store8(out, QUOTE)
    return out + 1


@kernel("int64(int64, int64, int64, int64)")
def _write_hex(at: Any, end: Any, out: Any, control: Any) -> Any:
    digits = load64(control + C_HEX)
    store8(out, QUOTE)
    out += 1
    while end - at >= 8:
        to_hex8(out, at)
        at += 8
        out += 16
    while at < end:
        byte = load8(at)
        store8(out, load8(digits + (byte >> 4)))
        store8(out + 1, load8(digits + (byte & 15)))
        at += 1
        out += 2
    store8(out, QUOTE)
    return out + 1


@kernel("int64(int64, int64, int64, int64)")
def _write_base64(at: Any, end: Any, out: Any, control: Any) -> Any:
    digits = load64(control + C_HEX) + BASE64_DIGITS
    store8(out, QUOTE)
    out += 1
    while at < end:
        left = end - at
        group = load8(at) << 16
        if left > 1:
            group |= load8(at + 1) << 8
        if left > 2:
            group |= load8(at + 2)
        for place in range(4):
            store8(out + place, load8(digits + (group >> (18 - 6 * place) & 63)))
        if left < 3:
            store8(out + 3, EQUALS)
            if left < 2:
                store8(out + 2, EQUALS)
        at += 3
        out += 4
    store8(out, QUOTE)
    return out + 1


@kernel("int64(int64, int64, int64, int64)")
def _write_number(value: Any, field: Any, out: Any, control: Any) -> Any:
    """Write a number, as it was read from protobuf, in its field's form."""
    op, form = load64(field + W_OP), load64(field + W_FORM)
    if op == DOUBLE:
        return write_double(out, value, control)
    if op == BOOL:
        store32(out, TRUE_TEXT)
        if value == 0:
            store8(out, 0x66)  # f
            store32(out + 1, ALSE_TEXT)
        return out + (4 if value != 0 else 5)
    wide = form & BITS64 != 0
    if wide:
        store8(out, QUOTE)
        out += 1
    if form & UNSIGNED == 0 and value < 0:
        store8(out, MINUS)
        out += 1
        value = -value
    out = write_integer(out, value, load64(control + C_PAIRS))
    store8(out, QUOTE)
    return out + wide


@inlined
def _read_number(op: Any, form: Any, at: Any, end: Any) -> Any:
    """Return a number of any wire type and the position after it."""
    if op == FIXED64 or op == DOUBLE:
        return load64(at), at + 8
    if op == FIXED32:
        return load32(at), at + 4
    value, at = read_varint(at, end)
    if op == BOOL:
        value = 1 if value != 0 else 0
    elif op == ZIGZAG:
        value &= FOUR_BYTES
        value = (value >> 1) ^ -(value & 1)
    elif form & BITS64 == 0:
        value &= FOUR_BYTES
        if form & UNSIGNED == 0 and value > 0x7FFFFFFF:
            value -= 1 << 32
    return value, at


@kernel("int64(int64, int64, int64, int64, int64)")
def _write_numbers(at: Any, end: Any, field: Any, out: Any, control: Any) -> Any:
    """Write packed numbers as an array."""
    limit, op, form = load64(control + C_LIMIT), load64(field + W_OP), load64(field + W_FORM)
    store8(out, OPEN_ARRAY)
    out += 1
    while at < end:
        if out + SLACK > limit:
            return fault(ROOM, at, control)
        start = at
        value, at = _read_number(op, form, at, end)
        if at > end:
            return fault(BAD_WIRE, start, control)
        out = _write_number(value, field, out, control)
        store8(out, COMMA)
        out += 1
    store8(out - 1, CLOSE_ARRAY)
    return out


@kernel("int64(int64, int64, int64, int64, int64)")
def _write_content(at: Any, end: Any, field: Any, out: Any, control: Any) -> Any:
    """Write the content of a length-delimited field that is no message."""
    op = load64(field + W_OP)
    if op == TEXT:
        return _write_text(at, end, out, control)
    if op == HEX:
        return _write_hex(at, end, out, control)
    if op == BASE64:
        return _write_base64(at, end, out, control)
    return _write_numbers(at, end, field, out, control)


@inlined
def _write_name(out: Any, field: Any) -> Any:
    """Write a field's name, without its comma where an object has just been opened."""
    first = load8(out - 1) == OPEN_OBJECT
    copy16(out, field + W_NAME + first)
    copy16(out + 16, field + W_NAME + first + 16)
    return out + load64(field + W_LENGTH) - first


@kernel("int64(int64, int64, int64, int64)")
def _failed(code: Any, frame: Any, field: Any, control: Any) -> Any:
    """Note in which message and field something is wrong, and return what."""
    store64(control + C_FAULT_FRAME, frame)
    store64(control + C_FAULT_FIELD, field - load64(control + C_FIELDS))
    return code


@kernel("int64(int64, int64, int64)")
def print_message(at: Any, out: Any, control: Any) -> Any:
    """Write a protobuf message as JSON; return where the output ends, or minus what is wrong."""
    fields, limit, end = load64(control + C_FIELDS), load64(control + C_LIMIT), load64(control + C_END)
    bottom = load64(control + C_STACK)
    frame, top = bottom, bottom + FRAME_SIZE * (MOST_MESSAGES - 1)
    store64(control + C_FAULT_INDEX, -1)
    dispatch = load64(control + C_DISPATCH)
    message, seen, last = 0, 0, 0
    opened, index = 0, 0  # the list that is not closed yet: its field, and how many elements it has
    store8(out, OPEN_OBJECT)
    out += 1
    while True:
        if at == end:
            if opened != 0:
                store8(out, CLOSE_ARRAY)
                out += 1
            store8(out, CLOSE_OBJECT)
            out += 1
            if frame == bottom:
                return out
            field = fields + load64(frame + R_FIELD)
            message, seen = load64(frame + R_MESSAGE), load64(frame + R_SEEN)
            last, end = load64(frame + R_LAST), load64(frame + R_END)
            opened, index = load64(frame + R_OPEN), load64(frame + R_INDEX) + 1
            frame -= FRAME_SIZE
            continue
        if out + SLACK > limit:
            return _failed(fault(ROOM, at, control), frame, fields, control)
        start = at
        tag, at = read_tag(at, end)
        if at > end:
            return _failed(fault(BAD_WIRE, start, control), frame, fields, control)
        number = load16(dispatch + DISPATCH_SIZE * message + 2 * tag) if tag < 256 else 0
        if number == 0:
            depth = (frame - bottom) // FRAME_SIZE
            at = skip_field(tag, at, end, depth)
            if at > end:
                return _failed(fault(BAD_WIRE, start, control), frame, fields, control)
            store64(control + C_UNKNOWN, load64(control + C_UNKNOWN) + 1)
            continue
        field = fields + W_SIZE * number
        op, bit, repeated = load64(field + W_OP), load64(field + W_BIT), load64(field + W_REPEATED)
        packed = repeated and op >= BOOL
        again = field == opened
        order = load64(field + W_NUMBER)
        if op == ODD or order < last or (order == last and not again) or seen & load64(field + W_OTHERS) != 0:
            return _failed(fault(NOT_CANONICAL, start, control), frame, fields, control)
        last = order
        seen |= bit
        if opened != 0 and not again:
            store8(out, CLOSE_ARRAY)
            out += 1
            opened = 0
        if tag & 7 != 2:
            value, at = _read_number(op, load64(field + W_FORM), at, end)
            if at > end:
                return _failed(fault(BAD_WIRE, start, control), frame, field, control)
            if value != 0 or load64(field + W_PRESENT) != 0:
                out = _write_number(value, field, _write_name(out, field), control)
            continue
        size, at = read_length(at, end)
        if at > end:
            return _failed(fault(BAD_WIRE, start, control), frame, field, control)
        if op != MESSAGE and out + ESCAPED * size + SLACK > limit and not packed:
            return _failed(fault(ROOM, at, control), frame, fields, control)
        if repeated and not packed:
            if again:
                store8(out, COMMA)
                out += 1
            else:
                out = _write_name(out, field)
                store8(out, OPEN_ARRAY)
                out += 1
                opened, index = field, 0
        elif size != 0 or load64(field + W_PRESENT) != 0:
            out = _write_name(out, field)
        else:
            continue
        if op != MESSAGE:
            out = _write_content(at, at + size, field, out, control)
            if out < 0:
                store64(control + C_FAULT_INDEX, index if repeated and not packed else -1)
                return _failed(out, frame, field, control)
            at += size
            index += 1
            continue
        if frame == top:
            return _failed(fault(TOO_DEEP, at, control), frame, field, control)
        frame += FRAME_SIZE
        store64(frame + R_FIELD, field - fields)
        store64(frame + R_INDEX, index if repeated else -1)
        store64(frame + R_END, end)
        store64(frame + R_MESSAGE, message)
        store64(frame + R_SEEN, seen)
        store64(frame + R_LAST, last)
        store64(frame + R_OPEN, opened)
        message, seen, last, opened = load64(field + W_TARGET), 0, 0, 0
        end = at + size
        store8(out, OPEN_OBJECT)
        out += 1
