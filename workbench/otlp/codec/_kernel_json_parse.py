"""OTLP/JSON to canonical protobuf in one pass, directed by tables that describe the messages.

Messages that are open lie on a stack. Each reserves bytes for its length, as many as the last one of its
field took; where the guess is wrong the content is moved. Where a message's members came in another order
than their numbers, its fields are put in order when it closes.

Writers of JSON repeat themselves: after a member, the one that followed it last time is tried first.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import copy, load8, load64, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._json_codes import (
    C_END,
    C_FAULT_FIELD,
    C_FAULT_FRAME,
    C_FAULT_INDEX,
    C_FIELDS,
    C_LIMIT,
    C_MESSAGES,
    C_STACK,
    C_UNKNOWN,
    DUPLICATE,
    EXPECTED_ARRAY,
    EXPECTED_COLON,
    EXPECTED_ELEMENT_END,
    EXPECTED_KEY,
    EXPECTED_MEMBER_END,
    EXPECTED_OBJECT,
    FRAME_SIZE,
    M_END,
    M_FIELDS,
    M_FIRST,
    MESSAGE,
    MOST_MESSAGES,
    NULL_ELEMENT,
    OK,
    P_BIT,
    P_HINT,
    P_LENGTH,
    P_MASK,
    P_NAME,
    P_NEXT,
    P_NUMBER,
    P_OP,
    P_OTHERS,
    P_REPEATED,
    P_SIZE,
    P_TAG,
    P_TARGET,
    ROOM,
    S_FIELD,
    S_INDEX,
    S_LAST,
    S_MESSAGE,
    S_RESERVED,
    S_SEEN,
    S_START,
    SECOND_OF_ONEOF,
    SLACK,
    TOO_DEEP,
    TRAILING,
)
from workbench.otlp.codec._kernel_json_bits import fault
from workbench.otlp.codec._kernel_json_scan import NULL, read_string, skip_blanks, skip_value
from workbench.otlp.codec._kernel_json_values import close_length, write_list, write_tag, write_value
from workbench.otlp.codec._kernel_wire import read_varint

__all__ = ["find_field", "parse_message"]

QUOTE, COMMA, COLON = 0x22, 0x2C, 0x3A
OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = 0x7B, 0x7D, 0x5B, 0x5D
FOUR_BYTES = 0xFFFFFFFF
UNORDERED = 1 << 20  # beside the number of the last field: one came late
NUMBERS = 32  # more than the highest number of a field


@inlined
def _matches(at: Any, field: Any) -> Any:
    """Tell whether a key and its closing quote are a field's."""
    differ = (load64(at) ^ load64(field + P_NAME)) & load64(field + P_MASK)
    differ |= (load64(at + 8) ^ load64(field + P_NAME + 8)) & load64(field + P_MASK + 8)
    differ |= (load64(at + 16) ^ load64(field + P_NAME + 16)) & load64(field + P_MASK + 16)
    return differ == 0


@kernel("int64(int64, int64, int64)")
def find_field(at: Any, message: Any, fields: Any) -> Any:
    """Return the field that a key names, or 0."""
    for offset in range(load64(message + M_FIELDS), load64(message + M_END), P_SIZE):
        if _matches(at, fields + offset):
            return fields + offset
    return 0


@kernel("Tuple((int64, int64))(int64, int64, int64, int64)")
def _read_key(at: Any, out: Any, message: Any, control: Any) -> Any:
    """Return the field that a key names once its escapes are read, or 0, and the position after it."""
    after, stop = read_string(at, out, control)
    if after < 0 or stop - out == after - 1 - at:
        return 0, after
    for place in range(3):
        store64(stop + 8 * place, QUOTE if place == 0 else 0)
    return find_field(out, message, load64(control + C_FIELDS)), after


@kernel("Tuple((int64, int64))(int64, int64)")
def _next_field(at: Any, end: Any) -> Any:
    """Return the number of a field that was written here, and so is sound, and the position after it."""
    tag, at = read_varint(at, end)
    if tag & 7 == 1:
        return tag >> 3, at + 8
    if tag & 7 == 5:
        return tag >> 3, at + 4
    value, at = read_varint(at, end)
    return tag >> 3, at + value if tag & 7 == 2 else at


@kernel("int64(int64, int64, int64)")
def _put_in_order(start: Any, out: Any, control: Any) -> Any:
    """Sort the fields of a message by number, those of one number staying in their order."""
    places = out + NUMBERS  # of each number's fields in the sorted copy; the copy follows
    copied = places + 8 * NUMBERS
    if copied + (out - start) + SLACK > load64(control + C_LIMIT):
        return fault(ROOM, start, control)
    for number in range(NUMBERS):
        store64(places + 8 * number, 0)
    at = start
    while at < out:
        number, after = _next_field(at, out)
        place = places + 8 * number
        store64(place, load64(place) + after - at)
        at = after
    end = copied
    for number in range(NUMBERS):
        size = load64(places + 8 * number)
        store64(places + 8 * number, end)
        end += size
    at = start
    while at < out:
        number, after = _next_field(at, out)
        place = places + 8 * number
        copy(load64(place), at, after - at)
        store64(place, load64(place) + after - at)
        at = after
    copy(start, copied, out - start)
    return OK


@kernel("int64(int64, int64, int64, int64)")
def _failed(code: Any, frame: Any, field: Any, control: Any) -> Any:
    """Note in which message and field something is wrong, and return what."""
    store64(control + C_FAULT_FRAME, frame)
    store64(control + C_FAULT_FIELD, field - load64(control + C_FIELDS))
    return code


@inlined
def _open(frame: Any, out: Any, field: Any) -> Any:
    """Write a message's tag, reserve its length, and return where its content starts."""
    reserved = load64(field + P_HINT)
    start = write_tag(out, load64(field + P_TAG)) + reserved
    store64(frame + S_START, start)
    store64(frame + S_RESERVED, reserved)
    return start


@kernel("int64(int64, int64, int64)")
def parse_message(at: Any, out: Any, control: Any) -> Any:
    """Write a JSON document as protobuf; return where the output ends, or minus what is wrong."""
    fields, messages = load64(control + C_FIELDS), load64(control + C_MESSAGES)
    limit, end = load64(control + C_LIMIT), load64(control + C_END)
    bottom = load64(control + C_STACK)
    frame, top = bottom, bottom + FRAME_SIZE * (MOST_MESSAGES - 1)
    store64(control + C_FAULT_INDEX, -1)
    store64(frame + S_START, out)
    at = skip_blanks(at)
    if load8(at) != OPEN_OBJECT:
        return _failed(fault(EXPECTED_OBJECT, at, control), frame, fields, control)
    at = skip_blanks(at + 1)
    message, seen, last = messages, 0, 0
    link = message + M_FIRST
    begun = True
    while True:
        if not (begun and load8(at) == CLOSE_OBJECT):
            if out + (end - at) + SLACK > limit:
                return _failed(fault(ROOM, at, control), frame, fields, control)
            if load8(at) != QUOTE:
                return _failed(fault(EXPECTED_KEY, at, control), frame, fields, control)
            key = at
            at += 1
            field = fields + load64(link)
            if not _matches(at, field):
                field = find_field(at, message, fields)
            if field != 0:
                at += load64(field + P_LENGTH)
            else:
                field, at = _read_key(at, out, message, control)
                if at < 0:
                    return _failed(at, frame, fields, control)
            at = skip_blanks(at)
            if load8(at) != COLON:
                return _failed(fault(EXPECTED_COLON, at, control), frame, fields, control)
            at = skip_blanks(at + 1)
            if field == 0:
                at = skip_value(at, out, control)
                if at < 0:
                    return _failed(at, frame, fields, control)
                store64(control + C_UNKNOWN, load64(control + C_UNKNOWN) + 1)
            else:
                bit, number = load64(field + P_BIT), load64(field + P_NUMBER)
                store64(link, field - fields)
                link = field + P_NEXT
                if seen & bit != 0:
                    return _failed(fault(DUPLICATE, key, control), frame, field, control)
                seen |= bit
                if load64(at) & FOUR_BYTES == NULL:
                    at += 4
                else:
                    if seen & load64(field + P_OTHERS) != 0:
                        return _failed(fault(SECOND_OF_ONEOF, key, control), frame, field, control)
                    seen |= bit << NUMBERS
                    last = last | UNORDERED if number < last & 0xFF else (last & UNORDERED) | number
                    repeated = load64(field + P_REPEATED)
                    if load64(field + P_OP) != MESSAGE:
                        if repeated:
                            at, out = write_list(at, out, field, control)
                        else:
                            at, out = write_value(at, out, field, control)
                        if at < 0:
                            return _failed(at, frame, field, control)
                    else:
                        if repeated:
                            if load8(at) != OPEN_ARRAY:
                                return _failed(fault(EXPECTED_ARRAY, at, control), frame, field, control)
                            at = skip_blanks(at + 1)
                        if repeated and load8(at) == CLOSE_ARRAY:
                            at += 1
                        else:
                            if load8(at) != OPEN_OBJECT:
                                store64(control + C_FAULT_INDEX, repeated - 1)
                                null = repeated and load64(at) & FOUR_BYTES == NULL
                                code = NULL_ELEMENT if null else EXPECTED_OBJECT
                                return _failed(fault(code, at, control), frame, field, control)
                            if frame == top:
                                return _failed(fault(TOO_DEEP, at, control), frame, field, control)
                            frame += FRAME_SIZE
                            store64(frame + S_FIELD, field - fields)
                            store64(frame + S_INDEX, repeated - 1)
                            store64(frame + S_MESSAGE, message)
                            store64(frame + S_SEEN, seen)
                            store64(frame + S_LAST, last)
                            out = _open(frame, out, field)
                            message, seen, last = messages + load64(field + P_TARGET), 0, 0
                            link = message + M_FIRST
                            at = skip_blanks(at + 1)
                            begun = True
                            continue
        while True:
            at = skip_blanks(at)
            byte = load8(at)
            if byte == COMMA:
                at = skip_blanks(at + 1)
                begun = False
                break
            if byte != CLOSE_OBJECT:
                return _failed(fault(EXPECTED_MEMBER_END, at, control), frame, fields, control)
            at += 1
            start = load64(frame + S_START)
            if last & UNORDERED != 0 and _put_in_order(start, out, control) != OK:
                return _failed(fault(ROOM, at, control), frame, fields, control)
            if frame == bottom:
                at = skip_blanks(at)
                return out if at == end else _failed(fault(TRAILING, at, control), frame, fields, control)
            field = fields + load64(frame + S_FIELD)
            closed = close_length(start, load64(frame + S_RESERVED), out)
            store64(field + P_HINT, load64(frame + S_RESERVED) + closed - out)
            out = closed
            index = load64(frame + S_INDEX)
            if index >= 0:
                at = skip_blanks(at)
                byte = load8(at)
                if byte == COMMA:
                    at = skip_blanks(at + 1)
                    if load8(at) != OPEN_OBJECT:
                        store64(control + C_FAULT_INDEX, index + 1)
                        null = load64(at) & FOUR_BYTES == NULL
                        code = NULL_ELEMENT if null else EXPECTED_OBJECT
                        return _failed(fault(code, at, control), frame - FRAME_SIZE, field, control)
                    if out + (end - at) + SLACK > limit:
                        return _failed(fault(ROOM, at, control), frame, fields, control)
                    store64(frame + S_INDEX, index + 1)
                    out = _open(frame, out, field)
                    seen, last = 0, 0
                    link = message + M_FIRST
                    at = skip_blanks(at + 1)
                    if load8(at) == CLOSE_OBJECT:
                        continue
                    begun = True
                    break
                if byte != CLOSE_ARRAY:
                    store64(control + C_FAULT_INDEX, -1)
                    return _failed(
                        fault(EXPECTED_ELEMENT_END, at, control), frame - FRAME_SIZE, field, control
                    )
                at += 1
            message = load64(frame + S_MESSAGE)
            seen, last = load64(frame + S_SEEN), load64(frame + S_LAST)
            link = field + P_NEXT
            frame -= FRAME_SIZE
