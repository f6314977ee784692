"""Where the documents of a JSON file begin and end, by brackets and strings alone; and what a document names.

Whether a document is sound is not asked here. But a damaged one must not take its neighbours with it: what
cannot be inside one (a line's end in a string, an object right behind a value) ends the attempt.
"""

from typing import Any

from llvmlite import ir
from numba import extending, types

from workbench.kernels import kernel
from workbench.kernels.memory import load8, load64, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._json_codes import (
    C_FIELDS,
    C_MESSAGES,
    EXPECTED_MEMBER_END,
    EXPECTED_OBJECT,
    P_SIZE,
)
from workbench.otlp.codec._kernel_json_bits import fault, trailing_zeros
from workbench.otlp.codec._kernel_json_parse import find_field
from workbench.otlp.codec._kernel_json_scan import read_string, skip_blanks, skip_key, skip_value

__all__ = ["find_known_key", "split_documents"]

intrinsic: Any = extending.intrinsic
QUOTE, BACKSLASH, COMMA, COLON, NEWLINE = 0x22, 0x5C, 0x2C, 0x3A, 0x0A
OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = 0x7B, 0x7D, 0x5B, 0x5D
LINE = 64
MOST_DEPTH = 10_000
MARKS = b'"\\{}[]'


@intrinsic
def _marks_of_line(_context: Any, _address: Any) -> Any:
    """Look at 64 bytes: bit i says if byte i is a bracket, a quote, a backslash or a control character."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(8), LINE)
        text = builder.load(builder.inttoptr(arguments[0], kind.as_pointer()))
        text.align = 1
        found = builder.icmp_unsigned("<", text, ir.Constant(kind, [ir.Constant(kind.element, 0x20)] * LINE))
        for mark in MARKS:
            same = ir.Constant(kind, [ir.Constant(kind.element, mark)] * LINE)
            found = builder.or_(found, builder.icmp_unsigned("==", text, same))
        return builder.bitcast(found, ir.IntType(LINE))

    return types.int64(types.int64), generate


@kernel("int64(int64, int64)")
def _marks(at: Any, end: Any) -> Any:
    """Return the marks of the next 64 bytes, or of fewer that are left."""
    if end - at >= LINE:
        return _marks_of_line(at)
    marks = 0
    for place in range(end - at):
        byte = load8(at + place)
        bracket = byte | 0x20 == OPEN_OBJECT or byte | 0x20 == CLOSE_OBJECT
        if bracket or byte == QUOTE or byte == BACKSLASH or byte < 0x20:
            marks |= 1 << place
    return marks


@kernel("int64(int64, int64)")
def _line_end(at: Any, end: Any) -> Any:
    """Return the position after the next line's end, or the end."""
    while at < end:
        marks = _marks(at, end)
        while marks != 0:
            place = at + trailing_zeros(marks)
            if load8(place) == NEWLINE:
                return place + 1
            marks &= marks - 1
        at += LINE
    return end


@inlined
def _is_blank(byte: Any) -> Any:
    return byte == 0x20 or byte == NEWLINE or byte == 0x0D or byte == 0x09


@inlined
def _may_open(at: Any) -> Any:
    """Tell whether an object or array may stand here, behind what is before it."""
    before = at - 1
    while _is_blank(load8(before)):
        before -= 1
    byte = load8(before)
    return byte == COMMA or byte == COLON or byte == OPEN_ARRAY


@kernel("int64(int64, int64)")
def _document_end(start: Any, end: Any) -> Any:
    """Return the position after the object or array that starts here, or minus where it proved damaged."""
    block, depth, escaped, in_string = start, 0, -1, False
    while block < end:
        marks = _marks(block, end)
        while marks != 0:
            at = block + trailing_zeros(marks)
            marks &= marks - 1
            byte = load8(at)
            if in_string:
                if at == escaped:
                    continue
                if byte == BACKSLASH:
                    escaped = at + 1
                elif byte == QUOTE:
                    in_string = False
                elif byte < 0x20:
                    return -at
            elif byte == QUOTE:
                in_string = True
            elif byte == OPEN_OBJECT or byte == OPEN_ARRAY:
                if depth == MOST_DEPTH or (depth > 0 and not _may_open(at)):
                    return -at
                depth += 1
            elif byte == CLOSE_OBJECT or byte == CLOSE_ARRAY:
                depth -= 1
                if depth == 0:
                    return at + 1
        block += LINE
    return -end


@kernel("Tuple((int64, int64, int64))(int64, int64, int64, int64, int64, boolean)")
def split_documents(at: Any, end: Any, found: Any, room: Any, patience: Any, is_all: Any) -> Any:
    """Write the address and size of each document to `found`, until there is no room.

    Return how many there are, where to go on, and what is left of the bytes that may be looked at in vain:
    behind the line of a document that never ended. Once they are used up, each line is a document. If this
    is not all of the text, a document that the end cuts is left to a later call.
    """
    count = 0
    while count < room:
        while at < end and _is_blank(load8(at)):
            at += 1
        if at == end:
            break
        stop = -at
        if load8(at) == OPEN_OBJECT or load8(at) == OPEN_ARRAY:
            stop = _document_end(at, end if patience > 0 else _line_end(at, end))
            if stop == -end and not is_all and patience > 0:
                break
        if stop < 0:
            line_end = _line_end(at, end)
            if line_end == end and not is_all:
                break
            patience -= max(-stop - line_end, 0)
            stop = line_end
            while _is_blank(load8(stop - 1)):
                stop -= 1
        store64(found + 16 * count, at)
        store64(found + 16 * count + 8, stop - at)
        count += 1
        at = stop
    return count, at, patience


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
