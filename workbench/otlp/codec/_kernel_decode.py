"""OTLP protobuf to columns, by tables that describe the messages (`_plan`).

One pass counts rows and list elements, where no earlier message tells how many to expect; the other fills
the columns. Both walk the same messages by the same rules. A field's tag leads to its record, the record says
what to do (`_codes`), and has the column's address.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import copy16, load8, load16, load32, load64, store8, store32, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import (
    BLOB,
    C_DISPATCH,
    C_FIELDS,
    C_KEEP,
    C_KINDS,
    C_LIMIT,
    C_LIST_ROOM,
    C_LISTS,
    C_NEXT_TEXTS,
    C_QUEUE,
    C_REWRITE,
    C_ROWS,
    C_TEXTS,
    C_UNKNOWN,
    DISPATCH_SIZE,
    F_AUX,
    F_BIT,
    F_COLUMN,
    F_LAST_TEXT,
    F_OP,
    F_OTHERS,
    F_SLOT,
    F_TABLE,
    F_TARGET,
    FIELD_SIZE,
    FLAG,
    HALF,
    ID,
    INLINE,
    K_DEPTH,
    K_PRESENT,
    K_SLOT,
    K_TABLE,
    KEY_VALUE,
    KIND_SIZE,
    MALFORMED,
    OK,
    ONE_VARINT,
    ONE_VARINT32,
    ONE_WORD,
    PACKED_VARINTS,
    PACKED_VARINTS32,
    PACKED_WORDS,
    POINTS,
    QUEUED_SIZE,
    ROOM,
    ROWS,
    SIDED,
    TEXT,
    TEXTS,
    UNKNOWN,
    VALUE,
    VARINT32,
    VARINT64,
    WORD,
)
from workbench.otlp.codec._kernel_attributes import queue_row, read_key_values
from workbench.otlp.codec._kernel_dictionary import find_text, is_text
from workbench.otlp.codec._kernel_hints import stay_apart
from workbench.otlp.codec._kernel_points import repeat_points
from workbench.otlp.codec._kernel_rows import append_words, next_row, start_lists
from workbench.otlp.codec._kernel_values import append_blob, append_side, read_value
from workbench.otlp.codec._kernel_wire import read_length, read_tag, read_varint, skip_field

__all__ = ["count_rows", "fill_columns"]

SIDED_BIT = 1 << 31  # of the presence bits: the row has side entries


@kernel("int64(int64, int64, int64, int64)")
def count_rows(at: Any, end: Any, kind: Any, control: Any) -> Any:
    """Count the rows of each table (`C_ROWS`) and the elements of each list (`C_LISTS`)."""
    dispatch = load64(control + C_DISPATCH) + DISPATCH_SIZE * kind
    fields, rows = load64(control + C_FIELDS), load64(control + C_ROWS)
    depth = load64(load64(control + C_KINDS) + KIND_SIZE * kind + K_DEPTH)
    while at < end:
        tag, at = read_tag(at, end)
        if at > end:
            return MALFORMED
        field = fields
        if tag < 256:
            field += FIELD_SIZE * load16(dispatch + 2 * tag)
        op = load64(field + F_OP)
        if op >= KEY_VALUE and tag & 7 == 2:
            size, at = read_length(at, end)
            if at > end:
                return MALFORMED
            if op == INLINE or op == ROWS or op == POINTS:
                if op != INLINE:
                    counter = rows + 8 * load64(field + F_TABLE)
                    store64(counter, load64(counter) + 1)
                if count_rows(at, at + size, load64(field + F_TARGET), control) != OK:
                    return MALFORMED
            elif op == KEY_VALUE or op == TEXTS:
                counter = rows + 8 * load64(field + F_TABLE)
                store64(counter, load64(counter) + 1)
            else:
                counter = load64(control + C_LISTS) + 8 * load64(field + F_AUX)
                found = size >> 3
                if op != PACKED_WORDS:
                    found = 0
                    for byte in range(at, at + size):
                        found += 1 - (load8(byte) >> 7)
                store64(counter, load64(counter) + found)
            at += size
        else:
            if op >= PACKED_WORDS:
                counter = load64(control + C_LISTS) + 8 * load64(field + F_AUX)
                store64(counter, load64(counter) + 1)
            at = skip_field(tag, at, end, depth)
            if at > end:
                return MALFORMED
    return OK


@kernel("int64(int64, int64, int64, int64)")
def _varints(at: Any, end: Any, field: Any, control: Any) -> Any:
    """Append the numbers of a packed field to its list."""
    counter = load64(control + C_LISTS) + 8 * load64(field + F_AUX)
    number, values = load64(counter), load64(field + F_COLUMN)
    most = load64(load64(control + C_LIST_ROOM) + 8 * load64(field + F_AUX))
    narrow = load64(field + F_OP) == PACKED_VARINTS32
    while at < end:
        value, at = read_varint(at, end)
        if at > end:
            return MALFORMED
        if number >= most:
            return ROOM
        if narrow:
            store32(values + 4 * number, value)
        else:
            store64(values + 8 * number, value)
        number += 1
    store64(counter, number)
    return OK


@kernel("void(int64, int64, int64, int64, int64, int64)")
def _keep_aside(control: Any, record: Any, row: Any, slot: Any, at: Any, size: Any) -> None:
    """Keep bytes of a row that no column holds."""
    stay_apart()
    append_side(control, load64(record + K_TABLE), row, slot, at, size)
    column = load64(record + K_PRESENT) + 4 * row
    store32(column, load32(column) | SIDED_BIT)


@inlined
def _append_varint(value: Any, op: Any, field: Any, control: Any) -> Any:
    """Append a number to a field's list; return an outcome."""
    place = 8 * load64(field + F_AUX)
    counter = load64(control + C_LISTS) + place
    number = load64(counter)
    if number >= load64(load64(control + C_LIST_ROOM) + place):
        return ROOM
    store64(counter, number + 1)
    if op == ONE_VARINT32:
        store32(load64(field + F_COLUMN) + 4 * number, value)
    else:
        store64(load64(field + F_COLUMN) + 8 * number, value)
    return OK


@kernel("int64(int64, int64, int64, int64, int64, int64)")
def _read_value_of_row(at: Any, size: Any, field: Any, record: Any, row: Any, control: Any) -> Any:
    """Write an AnyValue into a row; return an outcome."""
    stay_apart()
    depth, table, slot = load64(record + K_DEPTH) + 1, load64(record + K_TABLE), load64(field + F_SLOT)
    kind, value, failed = read_value(at, at + size, depth, control, table, row, slot, True)
    if failed < 0:
        return MALFORMED
    store8(load64(field + F_COLUMN) + row, kind)
    store64(load64(field + F_AUX) + 8 * row, value)
    if kind & SIDED != 0:
        column = load64(record + K_PRESENT) + 4 * row
        store32(column, load32(column) | SIDED_BIT)
    return OK


@kernel("int64(int64, int64, int64, int64, int64, int64, int64, int64, int64)")
def _fill_rare(
    start: Any, at: Any, size: Any, end: Any, tag: Any, field: Any, record: Any, row: Any, control: Any
) -> Any:
    """Do what a field of a rare kind says; return the position after it, or an outcome that is not OK."""
    stay_apart()
    op, column, outcome = load64(field + F_OP), load64(field + F_COLUMN), OK
    if op == PACKED_VARINTS or op == PACKED_VARINTS32:
        outcome = _varints(at, at + size, field, control)
    elif op == ONE_WORD:
        if end - at < 8:
            return MALFORMED
        outcome = append_words(at, 8, field, control)
        size = 8
    elif op == TEXTS:
        child = next_row(field, control)
        if child < 0:
            return ROOM
        store32(column + 4 * child, row)
        text = find_text(load64(control + C_TEXTS), at, size, load64(control + C_LIMIT))
        store32(load64(field + F_AUX) + 4 * child, text)
    elif op == BLOB:
        store64(column + 8 * row, append_blob(control, at, size) if size != 0 else 0)
    elif op == UNKNOWN:
        at = skip_field(tag, at, end, load64(record + K_DEPTH))
        if at > end:
            return MALFORMED
        store64(control + C_UNKNOWN, load64(control + C_UNKNOWN) + 1)
        if load64(control + C_KEEP) != 0:
            _keep_aside(control, record, row, load64(record + K_SLOT), start, at - start)
    else:
        value, at = read_varint(at, end)
        if at > end:
            return MALFORMED
        if op == ONE_VARINT or op == ONE_VARINT32:
            outcome = _append_varint(value, op, field, control)
        elif op == VARINT64:
            store64(column + 8 * row, value)
        elif op == FLAG:
            store8(column + row, 1 if value != 0 else 0)
        else:
            value &= 0xFFFFFFFF
            store32(column + 4 * row, (value >> 1) ^ -(value & 1))
    return at + size if outcome == OK else outcome


@kernel("int64(int64, int64, int64, int64, int64)")
def fill_columns(at: Any, end: Any, kind: Any, row: Any, control: Any) -> Any:
    """Write a message into a row, and the messages within it into theirs; return an outcome."""
    dispatch = load64(control + C_DISPATCH) + DISPATCH_SIZE * kind
    fields = load64(control + C_FIELDS)
    record = load64(control + C_KINDS) + KIND_SIZE * kind
    queue = load64(control + C_QUEUE)
    start_lists(record, row, control)
    present, odd, before = 0, 0, -1
    while at < end:
        start = at
        tag, at = read_tag(at, end)
        if at > end:
            return MALFORMED
        field = fields
        if tag < 256:
            field += FIELD_SIZE * load16(dispatch + 2 * tag)
        op = load64(field + F_OP)
        size = 0
        if tag & 7 == 2 and op != UNKNOWN:
            size, at = read_length(at, end)
            if at > end:
                return MALFORMED
        if op == KEY_VALUE:
            queue_row(queue, at, size, end, row)
            at, before = read_key_values(queue, queue + QUEUED_SIZE, tag, field, before, control)
            if at < 0:
                return at
        elif op == WORD:
            if end - at < 8:
                return MALFORMED
            store64(load64(field + F_COLUMN) + 8 * row, load64(at))
            present = (present & ~load64(field + F_OTHERS)) | load64(field + F_BIT)
            at += 8
        elif op == ID:
            bit, width = load64(field + F_BIT), load64(field + F_AUX)
            if odd & bit != 0:
                store64(control + C_REWRITE, 1)
            if size == width:
                column = load64(field + F_COLUMN) + width * row
                if width == 16:
                    copy16(column, at)
                else:
                    store64(column, load64(at))
                present |= bit
            else:
                if size != 0:
                    if present & bit != 0:
                        store64(control + C_REWRITE, 1)
                    odd |= bit
                    _keep_aside(control, record, row, load64(field + F_SLOT), at, size)
                present &= ~bit
            at += size
        elif op == TEXT:
            texts, limit = load64(control + C_TEXTS), load64(control + C_LIMIT)
            next_text = load64(control + C_NEXT_TEXTS) + 4 * load64(field + F_LAST_TEXT)
            text = load32(next_text)
            if not is_text(texts, text, at, size, limit):
                text = find_text(texts, at, size, limit)
                store32(next_text, text)
            store64(field + F_LAST_TEXT, text)
            store32(load64(field + F_COLUMN) + 4 * row, text)
            at += size
        elif op == ROWS or op == INLINE or op == POINTS:
            if op == POINTS:
                after = repeat_points(start, end, tag, field, row, control)
                if after < 0:
                    return after
                if after != start:
                    at = after
                    continue
            inner = row
            if op != INLINE:
                inner = next_row(field, control)
                if inner < 0:
                    return ROOM
                store32(load64(field + F_COLUMN) + 4 * inner, row)
            else:
                if present & (load64(field + F_BIT) | load64(field + F_OTHERS)) != 0:
                    store64(control + C_REWRITE, 1)
                present |= load64(field + F_BIT)
            outcome = fill_columns(at, at + size, load64(field + F_TARGET), inner, control)
            if outcome != OK:
                return outcome
            at += size
        elif op == VARINT32:
            value, at = read_varint(at, end)
            if at > end:
                return MALFORMED
            store32(load64(field + F_COLUMN) + 4 * row, value)
        elif op == HALF:
            if end - at < 4:
                return MALFORMED
            store32(load64(field + F_COLUMN) + 4 * row, load32(at))
            at += 4
        elif op == PACKED_WORDS:
            outcome = append_words(at, size, field, control)
            if outcome != OK:
                return outcome
            at += size
        elif op == VALUE:
            if present & load64(field + F_BIT) != 0:
                store64(control + C_REWRITE, 1)
            present |= load64(field + F_BIT)
            outcome = _read_value_of_row(at, size, field, record, row, control)
            if outcome != OK:
                return outcome
            at += size
        else:
            at = _fill_rare(start, at, size, end, tag, field, record, row, control)
            if at < 0:
                return at
    if present != 0:
        column = load64(record + K_PRESENT) + 4 * row
        store32(column, load32(column) | present)
    return OK
