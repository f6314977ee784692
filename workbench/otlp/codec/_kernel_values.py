"""AnyValue, from bytes to a type and a number.

Nested values (arrays and maps) are checked, and kept as the bytes of their AnyValue in shortest form, fields
in order. Where the input has another form the decoder asks for a rewrite (`C_REWRITE`).
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import copy, load8, load64, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import (
    BOOL,
    BYTES,
    C_BLOBS,
    C_KEEP,
    C_LIMIT,
    C_NESTED_UNKNOWN,
    C_REWRITE,
    C_SIDES,
    C_STACK,
    C_TEXTS,
    C_UNKNOWN,
    DOUBLE,
    EMPTY,
    H_BYTES,
    H_BYTES_ROOM,
    H_COUNT,
    H_OFFSETS,
    H_ROOM,
    INT,
    MAP,
    PLAIN,
    RECURSION_LIMIT,
    S_COUNT,
    S_ENTRIES,
    S_ROOM,
    SIDE_SIZE,
    SIDED,
    SLICE,
    STR,
    STRINDEX,
)
from workbench.otlp.codec._kernel_dictionary import find_text
from workbench.otlp.codec._kernel_hints import stay_apart
from workbench.otlp.codec._kernel_wire import (
    is_utf8,
    read_length,
    read_tag,
    read_varint,
    skip_field,
    varint_size,
)

__all__ = ["append_blob", "append_side", "read_value"]

IN_VALUE, IN_ARRAY, IN_MAP, IN_PAIR = 0, 1, 2, 3
MALFORMED_VALUE = -1
AFTER_UNKNOWN = 1 << 32  # instead of the last field's number: an unknown one came


@kernel("int64(int64, int64, int64)")
def append_blob(control: Any, at: Any, size: Any) -> Any:
    """Copy bytes to the end of the heap and return their number; count on where there is no room."""
    heap = load64(control + C_BLOBS)
    number = load64(heap + H_COUNT)
    store64(heap + H_COUNT, number + 1)
    if number >= load64(heap + H_ROOM):
        return 0
    offsets = load64(heap + H_OFFSETS) + 8 * number
    start = load64(offsets)
    if start + size > load64(heap + H_BYTES_ROOM):
        store64(heap + H_COUNT, load64(heap + H_ROOM) + 1)
        return 0
    copy(load64(heap + H_BYTES) + start, at, size)
    store64(offsets + 8, start + size)
    return number


@kernel("void(int64, int64, int64, int64, int64, int64)")
def append_side(control: Any, table: Any, row: Any, slot: Any, at: Any, size: Any) -> None:
    """Keep bytes that no column holds: unknown fields, and ids of other lengths."""
    stay_apart()
    sides = load64(control + C_SIDES)
    number = load64(sides + S_COUNT)
    store64(sides + S_COUNT, number + 1)
    if number >= load64(sides + S_ROOM):
        return
    entry = load64(sides + S_ENTRIES) + SIDE_SIZE * number
    store64(entry, table)
    store64(entry + 8, row)
    store64(entry + 16, slot)
    store64(entry + 24, append_blob(control, at, size))


@inlined
def _ask_rewrite(control: Any) -> None:
    store64(control + C_REWRITE, 1)


@inlined
def _inner(what: Any, tag: Any) -> Any:
    """Return what a field of a nested message holds, or -1 for a scalar."""
    if what == IN_VALUE:
        return IN_ARRAY if tag == 42 else (IN_MAP if tag == 50 else -1)
    if what == IN_ARRAY:
        return IN_VALUE if tag == 10 else -1
    if what == IN_MAP:
        return IN_PAIR if tag == 10 else -1
    return IN_VALUE if tag == 18 else -1


@inlined
def _is_known(what: Any, tag: Any) -> Any:
    if what == IN_VALUE:
        return (
            tag == 10
            or tag == 16
            or tag == 24
            or tag == 33
            or (tag >= 42 and tag <= 64 and tag & 7 == 2)
            or tag == 64
        )
    if what == IN_PAIR:
        return tag == 10 or tag == 18 or tag == 24
    return tag == 10


@inlined
def _check_number(at: Any, end: Any, tag: Any, what: Any, control: Any) -> Any:
    """Check a number of a nested message; return the position after it."""
    start = at
    value, at = read_varint(at, end)
    if at > end:
        return at
    shortest = value
    if tag == 16:
        shortest = 1 if value != 0 else 0
    elif tag == 64 or what == IN_PAIR:
        shortest = (value << 32) >> 32
    size = at - start
    if (
        shortest != value
        or size > varint_size(value)
        or (value == 0 and what == IN_PAIR)
        or (size == 10 and load8(at - 1) != 1)
    ):
        _ask_rewrite(control)
    return at


@kernel("int64(int64, int64, int64, int64, int64)")
def _check(at: Any, end: Any, what: Any, depth: Any, control: Any) -> Any:
    """Check a nested message; return 0, or -1 where the official parsers refuse it.

    The messages around are on a stack: end, what it is, and the number of its last field.
    """
    stay_apart()
    stack, bottom, last = load64(control + C_STACK), depth, 0
    while True:
        while at < end:
            start = at
            tag, at = read_tag(at, end)
            if at > end:
                return MALFORMED_VALUE
            if not _is_known(what, tag):
                at = skip_field(tag, at, end, depth)
                if at > end:
                    return MALFORMED_VALUE
                last = AFTER_UNKNOWN
                store64(control + C_UNKNOWN, load64(control + C_UNKNOWN) + 1)
                store64(control + C_NESTED_UNKNOWN, 1)
                continue
            if at - start > varint_size(tag):  # an unknown field is kept as it is
                _ask_rewrite(control)
            repeated = what == IN_ARRAY or what == IN_MAP
            if last == AFTER_UNKNOWN or (
                last != 0 and not repeated and (what == IN_VALUE or tag >> 3 <= last)
            ):
                _ask_rewrite(control)
            if last != AFTER_UNKNOWN:
                last = tag >> 3
            if tag & 7 == 2:
                size_at = at
                size, at = read_length(at, end)
                if at > end:
                    return MALFORMED_VALUE
                if at - size_at > varint_size(size):
                    _ask_rewrite(control)
                inner = _inner(what, tag)
                if inner >= 0:
                    frame = stack + 24 * depth
                    store64(frame, end)
                    store64(frame + 8, what)
                    store64(frame + 16, last)
                    end, what, last = at + size, inner, 0
                    depth += 1
                    if depth > RECURSION_LIMIT:
                        return MALFORMED_VALUE
                else:
                    if tag == 10 and not is_utf8(at, size):
                        return MALFORMED_VALUE
                    if tag == 10 and size == 0 and what == IN_PAIR:
                        _ask_rewrite(control)
                    at += size
            elif tag == 33:
                at += 8
            else:
                at = _check_number(at, end, tag, what, control)
            if at > end:
                return MALFORMED_VALUE
        if depth == bottom:
            return 0
        depth -= 1
        frame = stack + 24 * depth
        end, what, last = load64(frame), load64(frame + 8), load64(frame + 16)


@inlined
def read_value(
    at: Any, end: Any, depth: Any, control: Any, table: Any, row: Any, slot: Any, plain: Any
) -> Any:
    """Return the type and the value of an AnyValue, and 0 or -1; `plain` texts become blobs."""
    kind, value, nested, flags = EMPTY, 0, False, 0
    limit = load64(control + C_LIMIT)
    while at < end:
        start = at
        tag, at = read_tag(at, end)
        if at > end:
            return 0, 0, MALFORMED_VALUE
        if tag == 10:
            size, at = read_length(at, end)
            if at > end:
                return 0, 0, MALFORMED_VALUE
            if nested:
                _ask_rewrite(control)
            if plain:
                if not is_utf8(at, size):
                    return 0, 0, MALFORMED_VALUE
                value = append_blob(control, at, size)
                kind = STR | PLAIN
            else:
                value = find_text(load64(control + C_TEXTS), at, size, limit)
                kind = STR
            at += size
        elif tag == 24:
            value, at = read_varint(at, end)
            kind = INT
        elif tag == 16:
            value, at = read_varint(at, end)
            value = 1 if value != 0 else 0
            kind = BOOL
        elif tag == 33:
            if end - at < 8:
                return 0, 0, MALFORMED_VALUE
            value = load64(at)
            at += 8
            kind = DOUBLE
        elif tag == 58:
            size, at = read_length(at, end)
            if at > end:
                return 0, 0, MALFORMED_VALUE
            value = append_blob(control, at, size)
            kind = BYTES
            at += size
        elif tag == 42 or tag == 50:
            size_at = at
            size, at = read_length(at, end)
            if at > end:
                return 0, 0, MALFORMED_VALUE
            inner = IN_ARRAY if tag == 42 else IN_MAP
            if depth + 1 > RECURSION_LIMIT or _check(at, at + size, inner, depth + 1, control) < 0:
                return 0, 0, MALFORMED_VALUE
            if nested or size_at - start > 1 or at - size_at > varint_size(size):
                _ask_rewrite(control)
            at += size
            value = append_blob(control, start, at - start)
            kind = SLICE if tag == 42 else MAP
        elif tag == 64:
            value, at = read_varint(at, end)
            value = (value << 32) >> 32
            kind = STRINDEX
        else:
            at = skip_field(tag, at, end, depth)
            if at > end:
                return 0, 0, MALFORMED_VALUE
            store64(control + C_UNKNOWN, load64(control + C_UNKNOWN) + 1)
            if load64(control + C_KEEP) != 0:
                append_side(control, table, row, slot, start, at - start)
                flags = SIDED
            continue
        if at > end:
            return 0, 0, MALFORMED_VALUE
        if nested:
            _ask_rewrite(control)
        nested = tag == 42 or tag == 50
    return kind | flags, value, 0
