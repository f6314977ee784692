"""Attributes and values to OTLP protobuf, written backwards: what each writes ends before `at`.

A writer returns where what it wrote starts, or ROOM.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import (
    copy32,
    load8,
    load32,
    load32s,
    load64,
    shift_right,
    store8,
    store16,
    store32,
    store64,
)
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import (
    A_KEY,
    A_KEY_REF,
    A_PARENT,
    A_TABLE,
    A_TYPE,
    A_VALUE,
    ABSENT,
    ATTRIBUTES_SIZE,
    BOOL,
    BYTES,
    DOUBLE,
    E_ATTRIBUTES,
    E_BLOB_BYTES,
    E_BLOB_OFFSETS,
    E_CURSORS,
    E_KEY_BYTES,
    E_KEY_OFFSETS,
    E_LOW,
    E_SIDE_COUNT,
    E_SIDES,
    E_TEXT_BYTES,
    E_TEXT_OFFSETS,
    F_TABLE,
    F_TARGET,
    FIXED_PART,
    INT,
    PLAIN,
    ROOM,
    SIDE_SIZE,
    SIDED,
    SLOT_KEY_VALUE,
    SLOT_VALUE,
    STR,
    STRINDEX,
    TYPE_MASK,
)
from workbench.otlp.codec._kernel_hints import stay_apart

__all__ = [
    "SIDED_BIT",
    "attribute_columns",
    "put_blob",
    "put_copy",
    "put_key_values",
    "put_string",
    "put_tag",
    "put_varint",
    "write_key_values",
    "write_sides",
    "write_value",
]

SIDED_BIT = 1 << 31


@kernel("int64(int64, int64)")
def _long_varint(at: Any, value: Any) -> Any:
    stay_apart()
    size, rest = 1, shift_right(value, 7)
    while rest != 0:
        size += 1
        rest = shift_right(rest, 7)
    at -= size
    for place in range(size - 1):
        store8(at + place, (value & 0x7F) | 0x80)
        value = shift_right(value, 7)
    store8(at + size - 1, value)
    return at


@inlined
def put_varint(at: Any, value: Any) -> Any:
    """Write a number that ends before `at`; return where it starts."""
    if 0 <= value < 128:
        store8(at - 1, value)
        return at - 1
    if 0 <= value < 16384:
        store16(at - 2, (value & 0x7F) | 0x80 | (value >> 7) << 8)
        return at - 2
    return _long_varint(at, value)


@inlined
def put_tag(at: Any, tag: Any) -> Any:
    if tag < 128:
        store8(at - 1, tag)
        return at - 1
    store16(at - 2, (tag & 0x7F) | 0x80 | (tag >> 7) << 8)
    return at - 2


@inlined
def put_copy(at: Any, source: Any, size: Any) -> None:
    """Copy bytes so that they end before `at`, 32 at a time; what lies before them is overwritten later."""
    target, source = at - 32, source + size - 32
    copy32(target, source)
    size -= 32
    while size > 0:
        target -= 32
        source -= 32
        copy32(target, source)
        size -= 32


@inlined
def put_string(at: Any, number: Any, offsets: Any, texts: Any) -> Any:
    """Write a text with its length."""
    start = load32(offsets + 4 * number)
    size = load32(offsets + 4 * number + 4) - start
    put_copy(at, texts + start, size)
    return put_varint(at - size, size)


@inlined
def put_blob(at: Any, number: Any, control: Any) -> Any:
    """Write a blob, without its length; or ROOM."""
    offsets = load64(control + E_BLOB_OFFSETS) + 8 * number
    start = load64(offsets)
    size = load64(offsets + 8) - start
    if at - size - FIXED_PART < load64(control + E_LOW):
        return ROOM
    put_copy(at, load64(control + E_BLOB_BYTES) + start, size)
    return at - size


@kernel("int64(int64, int64, int64, int64, int64)")
def _find_sides(table: Any, row: Any, slot: Any, after: Any, control: Any) -> Any:
    """Return the first side entry at, or behind, those of a row's slot."""
    stay_apart()
    entries = load64(control + E_SIDES)
    low, high = 0, load64(control + E_SIDE_COUNT)
    while low < high:
        middle = (low + high) >> 1
        entry = entries + SIDE_SIZE * middle
        less = load64(entry) < table
        if load64(entry) == table:
            less = load64(entry + 8) < row
            if load64(entry + 8) == row:
                less = load64(entry + 16) < slot + after
        if less:
            low = middle + 1
        else:
            high = middle
    return low


@kernel("int64(int64, int64, int64, int64, int64)")
def write_sides(at: Any, table: Any, row: Any, slot: Any, control: Any) -> Any:
    """Write a row's side entries of one slot, as they are."""
    stay_apart()
    first = _find_sides(table, row, slot, 0, control)
    number = _find_sides(table, row, slot, 1, control)
    while number > first:
        number -= 1
        at = put_blob(at, load64(load64(control + E_SIDES) + SIDE_SIZE * number + 24), control)
        if at < 0:
            return at
    return at


@kernel("int64(int64, int64, int64, int64)")
def write_value(at: Any, kind: Any, value: Any, control: Any) -> Any:
    """Write the one field of an AnyValue."""
    stay_apart()
    if kind & PLAIN != 0 or kind & TYPE_MASK == BYTES:
        end = at
        at = put_blob(at, value, control)
        if at < 0:
            return at
        at = put_varint(at, end - at)
        return put_tag(at, 58 if kind & TYPE_MASK == BYTES else 10)
    kind &= TYPE_MASK
    if kind == STR:
        offsets, texts = load64(control + E_TEXT_OFFSETS), load64(control + E_TEXT_BYTES)
        size = load32(offsets + 4 * value + 4) - load32(offsets + 4 * value)
        if at - size - FIXED_PART < load64(control + E_LOW):
            return ROOM
        return put_tag(put_string(at, value, offsets, texts), 10)
    if kind == INT:
        return put_tag(put_varint(at, value), 24)
    if kind == DOUBLE:
        store64(at - 8, value)
        return put_tag(at - 8, 33)
    if kind == BOOL:
        store16(at - 2, 16 | value << 8)
        return at - 2
    if kind == STRINDEX:
        return put_tag(put_varint(at, value), 64)
    if kind != 0:
        return put_blob(at, value, control)
    return at


@kernel("int64(int64, int64, int64, int64, int64)")
def _write_key_value(at: Any, row: Any, attributes: Any, tag: Any, control: Any) -> Any:
    """Write an attribute of any kind."""
    stay_apart()
    end = at
    if at - FIXED_PART < load64(control + E_LOW):
        return ROOM
    kind = load8(load64(attributes + A_TYPE) + row)
    value = load64(load64(attributes + A_VALUE) + 8 * row)
    table = load64(attributes + A_TABLE)
    if kind & SIDED != 0:
        at = write_sides(at, table, row, SLOT_KEY_VALUE, control)
        if at < 0:
            return at
    references = load64(attributes + A_KEY_REF)
    if references != 0:
        reference = load32s(references + 4 * row)
        if reference != 0:
            at = put_tag(put_varint(at, reference), 24)
    if kind & TYPE_MASK != ABSENT:
        inner = at
        if kind & SIDED != 0:
            at = write_sides(at, table, row, SLOT_VALUE, control)
            if at < 0:
                return at
        at = write_value(at, kind & ~SIDED, value, control)
        if at < 0:
            return at
        at = put_tag(put_varint(at, inner - at), 18)
    key = load32(load64(attributes + A_KEY) + 4 * row)
    if key != 0:
        offsets = load64(control + E_KEY_OFFSETS) + 4 * key
        start = load32(offsets)
        size = load32(offsets + 4) - start
        if at - size - FIXED_PART < load64(control + E_LOW):
            return ROOM
        at = put_tag(put_string(at, key, load64(control + E_KEY_OFFSETS), load64(control + E_KEY_BYTES)), 10)
    return put_tag(put_varint(at, end - at), tag)


@inlined
def attribute_columns(number: Any, control: Any) -> Any:
    """Return the record and the columns of a table of attributes, and where their texts are."""
    attributes = load64(control + E_ATTRIBUTES) + ATTRIBUTES_SIZE * number
    return (
        attributes,
        load64(attributes + A_PARENT),
        load64(attributes + A_TYPE),
        load64(attributes + A_VALUE),
        load64(attributes + A_KEY),
        load64(control + E_KEY_OFFSETS),
        load64(control + E_KEY_BYTES),
        load64(control + E_TEXT_OFFSETS),
        load64(control + E_TEXT_BYTES),
    )


@inlined
def put_key_values(at: Any, columns: Any, child: Any, row: Any, tag: Any, control: Any) -> Any:
    """Write the attributes, up to `child`, whose parent is a row; return where they start and the one before.

    Nearly all are short: a key, and a text or a number. Those are written here, all others by
    `_write_key_value`.
    """
    attributes, parents, kinds, values, keys, key_offsets, key_bytes, text_offsets, text_bytes = columns
    low = load64(control + E_LOW) + FIXED_PART
    references = load64(attributes + A_KEY_REF)
    while child >= 0 and load32(parents + 4 * child) == row:
        kind, value, key = load8(kinds + child), load64(values + 8 * child), load32(keys + 4 * child)
        key_start = load32(key_offsets + 4 * key)
        key_size = load32(key_offsets + 4 * key + 4) - key_start
        end = at
        usual = references == 0 and 0 < key_size < 64 and at > low
        if usual and kind == STR:
            start = load32(text_offsets + 4 * value)
            size = load32(text_offsets + 4 * value + 4) - start
            usual = size < 120 and key_size + size < 118
            if usual:
                put_copy(at, text_bytes + start, size)
                at -= size + 4
                store32(at, 0x0A0012 | (size + 2) << 8 | size << 24)
        elif usual and kind == INT:
            at = put_varint(at, value)
            size = end - at
            at -= 3
            store16(at, 0x12 | (size + 1) << 8)
            store8(at + 2, 24)
        elif usual and kind == DOUBLE:
            store64(at - 8, value)
            at -= 11
            store16(at, 0x0912)
            store8(at + 2, 33)
        else:
            usual = False
        if usual:
            put_copy(at, key_bytes + key_start, key_size)
            at -= key_size + 4
            store32(at, tag | (end - at - 2) << 8 | 0x0A0000 | key_size << 24)
        else:
            at = _write_key_value(at, child, attributes, tag, control)
            if at < 0:
                return at, child
        child -= 1
    return at, child


@kernel("int64(int64, int64, int64, int64, int64)")
def write_key_values(at: Any, field: Any, row: Any, tag: Any, control: Any) -> Any:
    """Write the attributes whose parent is a row; they are the last not yet written of their table."""
    stay_apart()
    cursor = load64(control + E_CURSORS) + 8 * load64(field + F_TABLE)
    columns, child = attribute_columns(load64(field + F_TARGET), control), load64(cursor) - 1
    at, child = put_key_values(at, columns, child, row, tag, control)
    store64(cursor, child + 1)
    return at
