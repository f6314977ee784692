"""Columns to OTLP protobuf, in one pass that writes backwards.

A nested message's length stands before its content, and is known once the content is written; so the last
byte is written first. The output is the canonical form, byte for byte what the official library writes:
fields by number, zeros left out, unknown fields last.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import (
    copy16,
    load8,
    load32,
    load32s,
    load64,
    store32,
    store64,
)
from workbench.otlp.codec._codes import (
    BLOB,
    E_CURSORS,
    E_FIELDS,
    E_KINDS,
    E_LOW,
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
    POINTS,
    ROOM,
    ROWS,
    SIDED,
    TEXT,
    TEXTS,
    VALUE,
    VARINT32,
    VARINT64,
    WORD,
)
from workbench.otlp.codec._kernel_encode_points import OTHER_FIELDS, put_words, write_points
from workbench.otlp.codec._kernel_encode_values import (
    SIDED_BIT,
    put_blob,
    put_copy,
    put_string,
    put_tag,
    put_varint,
    write_key_values,
    write_sides,
    write_value,
)
from workbench.otlp.codec._kernel_hints import stay_apart

__all__ = ["write_message"]


@kernel("int64(int64, int64, int64, int64, int64)")
def _write_numbers(at: Any, field: Any, row: Any, tag: Any, control: Any) -> Any:
    """Write a row's part of a list, packed."""
    stay_apart()
    starts = load64(field + F_TARGET) + 8 * row
    first, number = load64(starts), load64(starts + 8)
    if number == first:
        return at
    if at - 10 * (number - first) - FIXED_PART < load64(control + E_LOW):
        return ROOM
    end, op, values = at, load64(field + F_OP), load64(field + F_COLUMN)
    if op == PACKED_WORDS:
        at = put_words(at, first, number, values)
    else:
        while number > first:
            number -= 1
            value = load32s(values + 4 * number) if op == PACKED_VARINTS32 else load64(values + 8 * number)
            at = put_varint(at, value)
    return put_tag(put_varint(at, end - at), tag)


@kernel("int64(int64, int64, int64, int64, int64)")
def _write_texts(at: Any, field: Any, row: Any, tag: Any, control: Any) -> Any:
    """Write the texts whose parent is a row."""
    stay_apart()
    cursor = load64(control + E_CURSORS) + 8 * load64(field + F_TABLE)
    offsets, texts = load64(control + E_TEXT_OFFSETS), load64(control + E_TEXT_BYTES)
    child = load64(cursor) - 1
    while child >= 0 and load32(load64(field + F_COLUMN) + 4 * child) == row:
        text = load32(load64(field + F_AUX) + 4 * child)
        size = load32(offsets + 4 * text + 4) - load32(offsets + 4 * text)
        if at - size - FIXED_PART < load64(control + E_LOW):
            return ROOM
        at = put_tag(put_string(at, text, offsets, texts), tag)
        child -= 1
    store64(cursor, child + 1)
    return at


@kernel("int64(int64, int64, int64, int64, int64)")
def _write_value_of_row(at: Any, field: Any, record: Any, row: Any, control: Any) -> Any:
    """Write a row's AnyValue, without its length."""
    stay_apart()
    kind = load8(load64(field + F_COLUMN) + row)
    if kind & SIDED != 0:
        at = write_sides(at, load64(record + K_TABLE), row, load64(field + F_SLOT), control)
        if at < 0:
            return at
    return write_value(at, kind & ~SIDED, load64(load64(field + F_AUX) + 8 * row), control)


@kernel("int64(int64, int64, int64, int64)")
def _write_rare(at: Any, field: Any, row: Any, control: Any) -> Any:
    """Write a field of a rare kind."""
    stay_apart()
    op, column, tag = load64(field + F_OP), load64(field + F_COLUMN), load64(field + F_OTHERS)
    if op == TEXTS:
        return _write_texts(at, field, row, tag, control)
    if op == FLAG:
        number = load8(column + row)
    elif op == VARINT64:
        number = load64(column + 8 * row)
    elif op == BLOB:
        number = load64(column + 8 * row)
        if number != 0:
            end = at
            at = put_blob(at, number, control)
            if at < 0:
                return at
            number = end - at
    else:
        number = load32s(column + 4 * row)
        number = ((number << 1) ^ (number >> 31)) & 0xFFFFFFFF
    return put_tag(put_varint(at, number), tag) if number != 0 else at


@kernel("int64(int64, int64, int64, int64)")
def write_message(at: Any, kind: Any, row: Any, control: Any) -> Any:
    """Write a row's message so that it ends before `at`; return where it starts, or ROOM."""
    if at - FIXED_PART < load64(control + E_LOW):
        return ROOM
    record = load64(control + E_KINDS) + KIND_SIZE * kind
    present = load32(load64(record + K_PRESENT) + 4 * row)
    if present & SIDED_BIT != 0:
        at = write_sides(at, load64(record + K_TABLE), row, load64(record + K_SLOT), control)
        if at < 0:
            return at
    field = load64(control + E_FIELDS) + FIELD_SIZE * load64(record + K_FIRST)
    last = field + FIELD_SIZE * load64(record + K_FIELDS)
    while field < last:
        op, column, tag = load64(field + F_OP), load64(field + F_COLUMN), load64(field + F_OTHERS)
        end, number = at, 0  # what follows the tag: a number or the length of what is written already
        if op == KEY_VALUE:
            at = write_key_values(at, field, row, tag, control)
            if at < 0:
                return at
        elif op == TEXT:
            text = load32(column + 4 * row)
            if text != 0:
                offsets = load64(control + E_TEXT_OFFSETS) + 4 * text
                start = load32(offsets)
                number = load32(offsets + 4) - start
                if at - number - FIXED_PART < load64(control + E_LOW):
                    return ROOM
                put_copy(at, load64(control + E_TEXT_BYTES) + start, number)
                at -= number
        elif op == WORD:
            word, bit = load64(column + 8 * row), load64(field + F_BIT)
            if (bit == 0 and word != 0) or present & bit != 0:
                store64(at - 8, word)
                at = put_tag(at - 8, tag)
        elif op == VARINT32:
            number = load32(column + 4 * row)
            if load64(field + F_AUX) != 0:
                number = load32s(column + 4 * row)
        elif op == HALF:
            half = load32(column + 4 * row)
            if half != 0:
                store32(at - 4, half)
                at = put_tag(at - 4, tag)
        elif op == ID:
            if present & load64(field + F_BIT) != 0:
                number = load64(field + F_AUX)
                at -= number
                source = column + number * row
                if number == 16:
                    copy16(at, source)
                else:
                    store64(at, load64(source))
            elif present & SIDED_BIT != 0:
                at = write_sides(at, load64(field + F_TABLE), row, load64(field + F_SLOT), control)
                if at < 0:
                    return at
                number = end - at
        elif op == ROWS or op == POINTS:
            if op == POINTS:
                start = write_points(at, field, row, tag, control)
                if start < 0:
                    return start
                if start != OTHER_FIELDS:
                    at = start
                    field += FIELD_SIZE
                    continue
            cursor = load64(control + E_CURSORS) + 8 * load64(field + F_TABLE)
            child = load64(cursor) - 1
            while child >= 0 and load32(column + 4 * child) == row:
                end = at
                at = write_message(at, load64(field + F_TARGET), child, control)
                if at < 0:
                    return at
                at = put_tag(put_varint(at, end - at), tag)
                child -= 1
            store64(cursor, child + 1)
        elif op == INLINE:
            if present & load64(field + F_BIT) != 0:
                at = write_message(at, load64(field + F_TARGET), row, control)
                if at < 0:
                    return at
                at = put_tag(put_varint(at, end - at), tag)
        elif op == VALUE:
            if present & load64(field + F_BIT) != 0:
                at = _write_value_of_row(at, field, record, row, control)
                if at < 0:
                    return at
                at = put_tag(put_varint(at, end - at), tag)
        elif op == PACKED_WORDS or op == PACKED_VARINTS or op == PACKED_VARINTS32:
            at = _write_numbers(at, field, row, tag, control)
            if at < 0:
                return at
        else:
            at = _write_rare(at, field, row, control)
            if at < 0:
                return at
        if number != 0:
            at = put_tag(put_varint(at, number), tag)
        field += FIELD_SIZE
    return at
