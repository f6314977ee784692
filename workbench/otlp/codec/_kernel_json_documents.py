"""Where the documents of a JSON file begin and end, by brackets and strings alone; and what a document names.

Whether a document is sound is not asked here. But a damaged one must not take its neighbours with it: what
cannot be inside one (a line's end in a string, an object right behind a value) ends the attempt.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from workbench.kernels import kernel
from workbench.kernels.memory import inlined, load8, load64, store64
from workbench.otlp.codec._json_codes import (
    C_FIELDS,
    C_MESSAGES,
    EXPECTED_MEMBER_END,
    EXPECTED_OBJECT,
    P_SIZE,
)
from workbench.otlp.codec._kernel_json_parse import find_field
from workbench.otlp.codec._kernel_json_scan import fault, read_string, skip_blanks, skip_key, skip_value

__all__ = ["find_known_key", "split_documents"]

QUOTE, BACKSLASH, COMMA, COLON, NEWLINE = 0x22, 0x5C, 0x2C, 0x3A, 0x0A
OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = 0x7B, 0x7D, 0x5B, 0x5D
LINE = 64
MOST_DEPTH = 10_000
MOST_ATTEMPTS = 16  # documents over several lines that never end: after these, each line is one
DAMAGED, UNFINISHED = -1, -2


def _first_of(least: int, stops: bytes) -> Any:
    """Return an operation that counts, of 64 bytes, those before the first that is a stop or below `least`."""

    @intrinsic
    def count(_context: Any, _address: Any) -> Any:
        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            kind = ir.VectorType(ir.IntType(8), LINE)
            text = builder.load(builder.inttoptr(arguments[0], kind.as_pointer()))
            text.align = 1
            found = builder.icmp_unsigned("<", text, ir.Constant(kind, [ir.Constant(kind.element, least)] * LINE))
            for stop in stops:
                same = ir.Constant(kind, [ir.Constant(kind.element, stop)] * LINE)
                found = builder.or_(found, builder.icmp_unsigned("==", text, same))
            mask = builder.bitcast(found, ir.IntType(LINE))
            return builder.cttz(mask, ir.Constant(ir.IntType(1), 0))

        return types.int64(types.int64), generate

    return count


_to_string_stop = _first_of(0x20, b'"\\')
_to_bracket = _first_of(0, b'"{}[]')
_to_newline = _first_of(0, b"\n")


@kernel("int64(int64, int64)")
def _string_stop(at: Any, end: Any) -> Any:
    """Return the position of the next quote, backslash or control character, or the end."""
    while end - at >= LINE:
        size = _to_string_stop(at)
        at += size
        if size < LINE:
            return at
    while at < end and load8(at) != QUOTE and load8(at) != BACKSLASH and load8(at) >= 0x20:
        at += 1
    return at


@kernel("int64(int64, int64)")
def _bracket(at: Any, end: Any) -> Any:
    """Return the position of the next quote or bracket, or the end."""
    while end - at >= LINE:
        size = _to_bracket(at)
        at += size
        if size < LINE:
            return at
    while at < end:
        byte = load8(at)
        if byte == QUOTE or byte | 0x20 == OPEN_OBJECT or byte | 0x20 == CLOSE_OBJECT:
            return at
        at += 1
    return at


@kernel("int64(int64, int64)")
def _line_end(at: Any, end: Any) -> Any:
    """Return the position after the next line's end, or the end."""
    while end - at >= LINE:
        size = _to_newline(at)
        at += size
        if size < LINE:
            return at + 1
    while at < end:
        at += 1
        if load8(at - 1) == NEWLINE:
            return at
    return at


@inlined
def _is_blank(byte: Any) -> Any:
    return byte == 0x20 or byte == NEWLINE or byte == 0x0D or byte == 0x09


@kernel("int64(int64, int64)")
def _document_end(start: Any, end: Any) -> Any:
    """Return the position after the object or array that starts here, or why there is none."""
    at, depth = start, 0
    while True:
        at = _bracket(at, end)
        if at == end:
            return UNFINISHED
        byte = load8(at)
        if byte == QUOTE:
            at = _string_stop(at + 1, end)
            while at < end and load8(at) == BACKSLASH:
                at = _string_stop(min(at + 2, end), end)
            if at == end:
                return UNFINISHED
            if load8(at) != QUOTE:
                return DAMAGED
        elif byte == OPEN_OBJECT or byte == OPEN_ARRAY:
            before = at - 1
            while depth > 0 and _is_blank(load8(before)):
                before -= 1
            if depth > 0:
                byte = load8(before)
                if byte != COMMA and byte != COLON and byte != OPEN_ARRAY:
                    return DAMAGED
            depth += 1
            if depth > MOST_DEPTH:
                return DAMAGED
        else:
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1


@kernel("Tuple((int64, int64, int64))(int64, int64, int64, int64, int64)")
def split_documents(at: Any, end: Any, found: Any, room: Any, attempts: Any) -> Any:
    """Write the address and size of each document to `found`, until there is no room.

    Return how many there are, where to go on, and how many of them never ended.
    """
    count = 0
    while count < room:
        while at < end and _is_blank(load8(at)):
            at += 1
        if at == end:
            break
        line_end = _line_end(at, end)
        stop = DAMAGED
        if load8(at) == OPEN_OBJECT or load8(at) == OPEN_ARRAY:
            stop = _document_end(at, end if attempts < MOST_ATTEMPTS else line_end)
            if stop == UNFINISHED and line_end < end:
                attempts += 1
        if stop < 0:
            stop = line_end
            while _is_blank(load8(stop - 1)):
                stop -= 1
        store64(found + 16 * count, at)
        store64(found + 16 * count + 8, stop - at)
        count += 1
        at = stop
    return count, at, attempts


@kernel("int64(int64, int64, int64)")
def find_known_key(at: Any, scratch: Any, control: Any) -> Any:
    """Return the number of the first key of an object that is known, 0 if none is, or a fault."""
    at = skip_blanks(at)
    if load8(at) != OPEN_OBJECT:
        return fault(EXPECTED_OBJECT, at, control)
    at = skip_blanks(at + 1)
    if load8(at) == CLOSE_OBJECT:
        return 0
    while True:
        after = skip_key(at, scratch, control)
        if after < 0:
            return after
        _, stop = read_string(at + 1, scratch, control)
        for word in range(3):
            store64(stop + 8 * word, QUOTE if word == 0 else 0)
        field = find_field(scratch, load64(control + C_MESSAGES), load64(control + C_FIELDS))
        if field != 0:
            return (field - load64(control + C_FIELDS)) // P_SIZE
        at = skip_value(after, scratch, control)
        if at < 0:
            return at
        at = skip_blanks(at)
        if load8(at) == CLOSE_OBJECT:
            return 0
        if load8(at) != COMMA:
            return fault(EXPECTED_MEMBER_END, at, control)
        at = skip_blanks(at + 1)
