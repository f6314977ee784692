"""Columns to OTLP protobuf, in one pass that writes backwards.

A nested message's length stands before its content, and is known once the content is written; so the last
byte is written first. The output is the canonical form, byte for byte what the official library writes:
fields by number, zeros left out, unknown fields last.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import (
    copy,
    copy16,
    copy32,
    inlined,
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
from workbench.otlp.codec._codes import (
    A_KEY,
    A_KEY_REF,
    A_PARENT,
    A_TABLE,
    A_TYPE,
    A_VALUE,
    ABSENT,
    ATTRIBUTES_SIZE,
    BLOB,
    BOOL,
    BYTES,
    DOUBLE,
    E_ATTRIBUTES,
    E_BLOB_BYTES,
    E_BLOB_OFFSETS,
    E_CURSORS,
    E_FIELDS,
    E_KEY_BYTES,
    E_KEY_OFFSETS,
    E_KINDS,
    E_LOW,
    E_SIDE_COUNT,
    E_SIDES,
    E_TEXT_BYTES,
    E_TEXT_OFFSETS,
    F_AUX,
    F_BIT,
    F_COLUMN,
    F_OP,
    F_OTHERS,
    F_SLOT,
    F_TABLE,
    F_TARGET,
    FIELD_SIZE,
    FIXED_PART,
    FLAG,
    HALF,
    ID,
    INLINE,
    INT,
    K_FIELDS,
    K_FIRST,
    K_PRESENT,
    K_SLOT,
    K_TABLE,
    KEY_VALUE,
    KIND_SIZE,
    PACKED_VARINTS,
    PACKED_VARINTS32,
    PACKED_WORDS,
    PLAIN,
    ROOM,
    ROWS,
    SIDE_SIZE,
    SIDED,
    SLOT_KEY_VALUE,
    SLOT_VALUE,
    STR,
    STRINDEX,
    TEXT,
    TEXTS,
    TYPE_MASK,
    VALUE,
    VARINT32,
    VARINT64,
    WORD,
)

__all__ = ["write_message"]

SIDED_BIT = 1 << 31


@kernel("int64(int64, int64)")
def _long_varint(at: Any, value: Any) -> Any:
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
def _varint(at: Any, value: Any) -> Any:
    """Write a number that ends before `at`; return where it starts."""
    if 0 <= value < 128:
        store8(at - 1, value)
        return at - 1
    if 0 <= value < 16384:
        store16(at - 2, (value & 0x7F) | 0x80 | (value >> 7) << 8)
        return at - 2
    return _long_varint(at, value)


@inlined
def _tag(at: Any, tag: Any) -> Any:
    if tag < 128:
        store8(at - 1, tag)
        return at - 1
    store16(at - 2, (tag & 0x7F) | 0x80 | (tag >> 7) << 8)
    return at - 2


@inlined
def _copy(at: Any, source: Any, size: Any) -> None:
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
def _string(at: Any, number: Any, offsets: Any, texts: Any) -> Any:
    """Write a text with its length."""
    start = load32(offsets + 4 * number)
    size = load32(offsets + 4 * number + 4) - start
    _copy(at, texts + start, size)
    return _varint(at - size, size)


@inlined
def _blob(at: Any, number: Any, control: Any) -> Any:
    """Write a blob, without its length; or ROOM."""
    offsets = load64(control + E_BLOB_OFFSETS) + 8 * number
    start = load64(offsets)
    size = load64(offsets + 8) - start
    if at - size - FIXED_PART < load64(control + E_LOW):
        return ROOM
    _copy(at, load64(control + E_BLOB_BYTES) + start, size)
    return at - size


@kernel("int64(int64, int64, int64, int64, int64)")
def _find_sides(table: Any, row: Any, slot: Any, after: Any, control: Any) -> Any:
    """Return the first side entry at, or behind, those of a row's slot."""
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
def _write_sides(at: Any, table: Any, row: Any, slot: Any, control: Any) -> Any:
    """Write a row's side entries of one slot, as they are."""
    first = _find_sides(table, row, slot, 0, control)
    number = _find_sides(table, row, slot, 1, control)
    while number > first:
        number -= 1
        at = _blob(at, load64(load64(control + E_SIDES) + SIDE_SIZE * number + 24), control)
        if at < 0:
            return at
    return at


@kernel("int64(int64, int64, int64, int64)")
def _write_value(at: Any, kind: Any, value: Any, control: Any) -> Any:
    """Write the one field of an AnyValue."""
    if kind & PLAIN != 0 or kind & TYPE_MASK == BYTES:
        end = at
        at = _blob(at, value, control)
        if at < 0:
            return at
        at = _varint(at, end - at)
        return _tag(at, 58 if kind & TYPE_MASK == BYTES else 10)
    kind &= TYPE_MASK
    if kind == STR:
        offsets, texts = load64(control + E_TEXT_OFFSETS), load64(control + E_TEXT_BYTES)
        size = load32(offsets + 4 * value + 4) - load32(offsets + 4 * value)
        if at - size - FIXED_PART < load64(control + E_LOW):
            return ROOM
        return _tag(_string(at, value, offsets, texts), 10)
    if kind == INT:
        return _tag(_varint(at, value), 24)
    if kind == DOUBLE:
        store64(at - 8, value)
        return _tag(at - 8, 33)
    if kind == BOOL:
        store16(at - 2, 16 | value << 8)
        return at - 2
    if kind == STRINDEX:
        return _tag(_varint(at, value), 64)
    if kind != 0:
        return _blob(at, value, control)
    return at


@kernel("int64(int64, int64, int64, int64, int64)")
def _write_key_value(at: Any, row: Any, attributes: Any, tag: Any, control: Any) -> Any:
    """Write an attribute of any kind."""
    end = at
    if at - FIXED_PART < load64(control + E_LOW):
        return ROOM
    kind = load8(load64(attributes + A_TYPE) + row)
    value = load64(load64(attributes + A_VALUE) + 8 * row)
    table = load64(attributes + A_TABLE)
    if kind & SIDED != 0:
        at = _write_sides(at, table, row, SLOT_KEY_VALUE, control)
        if at < 0:
            return at
    references = load64(attributes + A_KEY_REF)
    if references != 0:
        reference = load32s(references + 4 * row)
        if reference != 0:
            at = _tag(_varint(at, reference), 24)
    if kind & TYPE_MASK != ABSENT:
        inner = at
        if kind & SIDED != 0:
            at = _write_sides(at, table, row, SLOT_VALUE, control)
            if at < 0:
                return at
        at = _write_value(at, kind & ~SIDED, value, control)
        if at < 0:
            return at
        at = _tag(_varint(at, inner - at), 18)
    key = load32(load64(attributes + A_KEY) + 4 * row)
    if key != 0:
        offsets = load64(control + E_KEY_OFFSETS) + 4 * key
        start = load32(offsets)
        size = load32(offsets + 4) - start
        if at - size - FIXED_PART < load64(control + E_LOW):
            return ROOM
        at = _tag(_string(at, key, load64(control + E_KEY_OFFSETS), load64(control + E_KEY_BYTES)), 10)
    return _tag(_varint(at, end - at), tag)


@kernel("int64(int64, int64, int64, int64, int64)")
def _write_key_values(at: Any, field: Any, row: Any, tag: Any, control: Any) -> Any:
    """Write the attributes whose parent is a row; they are the last not yet written of their table.

    Nearly all are short: a key, and a text or a number. Those are written here, all others by
    `_write_key_value`.
    """
    attributes = load64(control + E_ATTRIBUTES) + ATTRIBUTES_SIZE * load64(field + F_TARGET)
    cursor = load64(control + E_CURSORS) + 8 * load64(field + F_TABLE)
    parents, child = load64(attributes + A_PARENT), load64(cursor) - 1
    kinds, values = load64(attributes + A_TYPE), load64(attributes + A_VALUE)
    keys, references = load64(attributes + A_KEY), load64(attributes + A_KEY_REF)
    key_offsets, key_bytes = load64(control + E_KEY_OFFSETS), load64(control + E_KEY_BYTES)
    text_offsets, text_bytes = load64(control + E_TEXT_OFFSETS), load64(control + E_TEXT_BYTES)
    low = load64(control + E_LOW) + FIXED_PART
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
                _copy(at, text_bytes + start, size)
                at -= size + 4
                store32(at, 0x0A0012 | (size + 2) << 8 | size << 24)
        elif usual and kind == INT:
            at = _varint(at, value)
            size = end - at
            at -= 3
            store16(at, 0x12 | (size + 1) << 8)
            store8(at + 2, 24)
        elif usual and kind == BOOL:
            at -= 4
            store32(at, 0x100212 | value << 24)
        else:
            usual = False
        if usual:
            _copy(at, key_bytes + key_start, key_size)
            at -= key_size + 4
            store32(at, tag | (end - at - 2) << 8 | 0x0A0000 | key_size << 24)
        else:
            at = _write_key_value(at, child, attributes, tag, control)
            if at < 0:
                return at
        child -= 1
    store64(cursor, child + 1)
    return at


@kernel("int64(int64, int64, int64, int64, int64)")
def _write_numbers(at: Any, field: Any, row: Any, tag: Any, control: Any) -> Any:
    """Write a row's part of a list, packed."""
    starts = load64(field + F_TARGET) + 8 * row
    first, number = load64(starts), load64(starts + 8)
    if number == first:
        return at
    if at - 10 * (number - first) - FIXED_PART < load64(control + E_LOW):
        return ROOM
    end, op, values = at, load64(field + F_OP), load64(field + F_COLUMN)
    if op == PACKED_WORDS:
        at -= 8 * (number - first)
        copy(at, values + 8 * first, end - at)
    else:
        while number > first:
            number -= 1
            value = load32s(values + 4 * number) if op == PACKED_VARINTS32 else load64(values + 8 * number)
            at = _varint(at, value)
    return _tag(_varint(at, end - at), tag)


@kernel("int64(int64, int64, int64, int64, int64)")
def _write_texts(at: Any, field: Any, row: Any, tag: Any, control: Any) -> Any:
    """Write the texts whose parent is a row."""
    cursor = load64(control + E_CURSORS) + 8 * load64(field + F_TABLE)
    offsets, texts = load64(control + E_TEXT_OFFSETS), load64(control + E_TEXT_BYTES)
    child = load64(cursor) - 1
    while child >= 0 and load32(load64(field + F_COLUMN) + 4 * child) == row:
        text = load32(load64(field + F_AUX) + 4 * child)
        size = load32(offsets + 4 * text + 4) - load32(offsets + 4 * text)
        if at - size - FIXED_PART < load64(control + E_LOW):
            return ROOM
        at = _tag(_string(at, text, offsets, texts), tag)
        child -= 1
    store64(cursor, child + 1)
    return at


@kernel("int64(int64, int64, int64, int64, int64)")
def _write_id(at: Any, field: Any, row: Any, present: Any, control: Any) -> Any:
    """Write an id: of the right size from its column, of another from the side entries."""
    width = load64(field + F_AUX)
    if present & load64(field + F_BIT) != 0:
        at -= width
        source = load64(field + F_COLUMN) + width * row
        if width == 16:
            copy16(at, source)
        else:
            store64(at, load64(source))
        store8(at - 1, width)
        return _tag(at - 1, load64(field + F_OTHERS))
    if present & SIDED_BIT != 0:
        end = at
        at = _write_sides(at, load64(field + F_TABLE), row, load64(field + F_SLOT), control)
        if 0 <= at < end:
            at = _tag(_varint(at, end - at), load64(field + F_OTHERS))
    return at


@kernel("int64(int64, int64, int64, int64)")
def write_message(at: Any, kind: Any, row: Any, control: Any) -> Any:
    """Write a row's message so that it ends before `at`; return where it starts, or ROOM."""
    if at - FIXED_PART < load64(control + E_LOW):
        return ROOM
    record = load64(control + E_KINDS) + KIND_SIZE * kind
    present = load32(load64(record + K_PRESENT) + 4 * row)
    if present & SIDED_BIT != 0:
        at = _write_sides(at, load64(record + K_TABLE), row, load64(record + K_SLOT), control)
        if at < 0:
            return at
    field = load64(control + E_FIELDS) + FIELD_SIZE * load64(record + K_FIRST)
    last = field + FIELD_SIZE * load64(record + K_FIELDS)
    while field < last:
        op, column, tag, bit = (
            load64(field + F_OP),
            load64(field + F_COLUMN),
            load64(field + F_OTHERS),
            load64(field + F_BIT),
        )
        if op == KEY_VALUE:
            at = _write_key_values(at, field, row, tag, control)
        elif op == TEXT:
            text = load32(column + 4 * row)
            if text != 0:
                offsets, texts = load64(control + E_TEXT_OFFSETS), load64(control + E_TEXT_BYTES)
                size = load32(offsets + 4 * text + 4) - load32(offsets + 4 * text)
                if at - size - FIXED_PART < load64(control + E_LOW):
                    return ROOM
                at = _tag(_string(at, text, offsets, texts), tag)
        elif op == WORD:
            word = load64(column + 8 * row)
            if (bit == 0 and word != 0) or present & bit != 0:
                store64(at - 8, word)
                at = _tag(at - 8, tag)
        elif op == VARINT32:
            number = load32(column + 4 * row)
            if number != 0:
                if load64(field + F_AUX) != 0:
                    number = load32s(column + 4 * row)
                at = _tag(_varint(at, number), tag)
        elif op == HALF:
            half = load32(column + 4 * row)
            if half != 0:
                store32(at - 4, half)
                at = _tag(at - 4, tag)
        elif op == ID:
            at = _write_id(at, field, row, present, control)
        elif op == ROWS:
            cursor = load64(control + E_CURSORS) + 8 * load64(field + F_TABLE)
            child = load64(cursor) - 1
            while child >= 0 and load32(column + 4 * child) == row:
                end = at
                at = write_message(at, load64(field + F_TARGET), child, control)
                if at < 0:
                    return at
                at = _tag(_varint(at, end - at), tag)
                child -= 1
            store64(cursor, child + 1)
        elif op == INLINE:
            if present & bit != 0:
                end = at
                at = write_message(at, load64(field + F_TARGET), row, control)
                if at < 0:
                    return at
                at = _tag(_varint(at, end - at), tag)
        elif op == VALUE:
            if present & bit != 0:
                end, found = at, load8(column + row)
                if found & SIDED != 0:
                    at = _write_sides(at, load64(record + K_TABLE), row, load64(field + F_SLOT), control)
                    if at < 0:
                        return at
                at = _write_value(at, found & ~SIDED, load64(load64(field + F_AUX) + 8 * row), control)
                if at < 0:
                    return at
                at = _tag(_varint(at, end - at), tag)
        elif op == PACKED_WORDS or op == PACKED_VARINTS or op == PACKED_VARINTS32:
            at = _write_numbers(at, field, row, tag, control)
        elif op == VARINT64:
            wide = load64(column + 8 * row)
            if wide != 0:
                at = _tag(_varint(at, wide), tag)
        elif op == FLAG:
            if load8(column + row) != 0:
                store8(at - 1, 1)
                at = _tag(at - 1, tag)
        elif op == TEXTS:
            at = _write_texts(at, field, row, tag, control)
        elif op == BLOB:
            blob = load64(column + 8 * row)
            if blob != 0:
                end = at
                at = _blob(at, blob, control)
                if at >= 0:
                    at = _tag(_varint(at, end - at), tag)
        else:
            scaled = load32s(column + 4 * row)
            if scaled != 0:
                at = _tag(_varint(at, ((scaled << 1) ^ (scaled >> 31)) & 0xFFFFFFFF), tag)
        if at < 0:
            return at
        field += FIELD_SIZE
    return at
