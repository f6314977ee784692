"""OTLP protobuf to columns, by tables that describe the messages (`_plan`).

One pass counts rows and list elements, where no earlier message tells how many to expect; the other fills
the columns. Both walk the same messages by the same rules. A field's tag leads to its record, the record says
what to do (`_codes`), and has the column's address.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import (
    copy,
    copy16,
    load8,
    load16,
    load32,
    load64,
    store8,
    store32,
    store64,
)
from workbench.otlp.codec._codes import (
    A_PARENT,
    ATTRIBUTES_SIZE,
    BLOB,
    C_ATTRIBUTES,
    C_DISPATCH,
    C_FIELDS,
    C_KEEP,
    C_KINDS,
    C_LIMIT,
    C_LIST_ROOM,
    C_LISTS,
    C_REWRITE,
    C_ROOM,
    C_ROWS,
    C_TEXTS,
    C_UNKNOWN,
    F_AUX,
    F_BIT,
    F_COLUMN,
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
    K_LISTS,
    K_LISTS_END,
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
    ZIGZAG32,
)
from workbench.otlp.codec._kernel_dictionary import find_text
from workbench.otlp.codec._kernel_values import append_blob, append_side, read_key_value, read_value
from workbench.otlp.codec._kernel_wire import read_length, read_tag, read_varint, skip_field

__all__ = ["count_rows", "fill_columns"]

DISPATCH_SIZE = 512  # of a kind of message: one uint16 for each tag below 256
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
            if op == INLINE or op == ROWS:
                if op == ROWS:
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


@kernel("int64(int64, int64, int64, int64)")
def _read_id(at: Any, size: Any, field: Any, row: Any) -> Any:
    """Store an id of the right size; tell whether it was one."""
    width = load64(field + F_AUX)
    if size != width:
        return False
    column = load64(field + F_COLUMN) + width * row
    if width == 16:
        copy16(column, at)
    else:
        store64(column, load64(at))
    return True


@kernel("int64(int64, int64, int64, int64, int64)")
def fill_columns(at: Any, end: Any, kind: Any, row: Any, control: Any) -> Any:
    dispatch = load64(control + C_DISPATCH) + DISPATCH_SIZE * kind
    fields = load64(control + C_FIELDS)
    record = load64(control + C_KINDS) + KIND_SIZE * kind
    rows, lists = load64(control + C_ROWS), load64(control + C_LISTS)
    room, list_room = load64(control + C_ROOM), load64(control + C_LIST_ROOM)
    for first in range(load64(record + K_LISTS), load64(record + K_LISTS_END), 16):
        store64(load64(first) + 8 * row, load64(lists + 8 * load64(first + 8)))
    present, odd, before = 0, 0, -1
    limit = load64(control + C_LIMIT)
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
            attributes = load64(control + C_ATTRIBUTES) + ATTRIBUTES_SIZE * load64(field + F_TARGET)
            table = load64(field + F_TABLE)
            counter = rows + 8 * table
            child = load64(counter)
            if child >= load64(room + 8 * table):
                return ROOM
            most, parents = load64(room + 8 * table), load64(attributes + A_PARENT)
            while True:
                store32(parents + 4 * child, row)
                before = read_key_value(at, at + size, control, attributes, child, before)
                if before < 0:
                    return MALFORMED
                child += 1
                if (
                    end - at - size < 3
                    or load8(at + size) != tag
                    or load8(at + size + 1) > 127
                    or child >= most
                ):
                    break
                following = load8(at + size + 1)  # the next attribute, as most often, is as short as this
                if following > end - at - size - 2:
                    break
                at += size + 2
                size = following
            store64(counter, child)
        elif op == WORD:
            if end - at < 8:
                return MALFORMED
            store64(load64(field + F_COLUMN) + 8 * row, load64(at))
            present = (present & ~load64(field + F_OTHERS)) | load64(field + F_BIT)
            size = 8
        elif op == ID:
            bit = load64(field + F_BIT)
            if odd & bit != 0:
                store64(control + C_REWRITE, 1)
            if _read_id(at, size, field, row):
                present |= bit
            else:
                if size != 0:
                    if present & bit != 0:
                        store64(control + C_REWRITE, 1)
                    odd |= bit
                    append_side(control, load64(record + K_TABLE), row, load64(field + F_SLOT), at, size)
                present &= ~bit
        elif op == TEXT:
            store32(load64(field + F_COLUMN) + 4 * row, find_text(load64(control + C_TEXTS), at, size, limit))
        elif op == ROWS:
            table = load64(field + F_TABLE)
            counter = rows + 8 * table
            child = load64(counter)
            if child >= load64(room + 8 * table):
                return ROOM
            store64(counter, child + 1)
            store32(load64(field + F_COLUMN) + 4 * child, row)
            outcome = fill_columns(at, at + size, load64(field + F_TARGET), child, control)
            if outcome != OK:
                return outcome
        elif op == VARINT32:
            value, at = read_varint(at, end)
            store32(load64(field + F_COLUMN) + 4 * row, value)
        elif op == INLINE:
            if present & (load64(field + F_BIT) | load64(field + F_OTHERS)) != 0:
                store64(control + C_REWRITE, 1)
            present |= load64(field + F_BIT)
            outcome = fill_columns(at, at + size, load64(field + F_TARGET), row, control)
            if outcome != OK:
                return outcome
        elif op == HALF:
            if end - at < 4:
                return MALFORMED
            store32(load64(field + F_COLUMN) + 4 * row, load32(at))
            size = 4
        elif op == VALUE:
            if present & load64(field + F_BIT) != 0:
                store64(control + C_REWRITE, 1)
            present |= load64(field + F_BIT)
            depth = load64(record + K_DEPTH) + 1
            found, value, failed = read_value(
                at, at + size, depth, control, load64(record + K_TABLE), row, load64(field + F_SLOT), True
            )
            if failed < 0:
                return MALFORMED
            store8(load64(field + F_COLUMN) + row, found)
            store64(load64(field + F_AUX) + 8 * row, value)
            if found & SIDED != 0:
                odd |= SIDED_BIT
        elif op == PACKED_WORDS:
            if size & 7 != 0:
                return MALFORMED
            counter = lists + 8 * load64(field + F_AUX)
            number = load64(counter)
            if number + (size >> 3) > load64(list_room + 8 * load64(field + F_AUX)):
                return ROOM
            copy(load64(field + F_COLUMN) + 8 * number, at, size)
            store64(counter, number + (size >> 3))
        elif op == ONE_WORD:
            if end - at < 8:
                return MALFORMED
            counter = lists + 8 * load64(field + F_AUX)
            if load64(counter) >= load64(list_room + 8 * load64(field + F_AUX)):
                return ROOM
            store64(load64(field + F_COLUMN) + 8 * load64(counter), load64(at))
            store64(counter, load64(counter) + 1)
            size = 8
        elif op == PACKED_VARINTS or op == PACKED_VARINTS32:
            outcome = _varints(at, at + size, field, control)
            if outcome != OK:
                return outcome
        elif op == ONE_VARINT or op == ONE_VARINT32:
            value, at = read_varint(at, end)
            counter = lists + 8 * load64(field + F_AUX)
            if at <= end:
                number = load64(counter)
                if number >= load64(list_room + 8 * load64(field + F_AUX)):
                    return ROOM
                if op == ONE_VARINT32:
                    store32(load64(field + F_COLUMN) + 4 * number, value)
                else:
                    store64(load64(field + F_COLUMN) + 8 * number, value)
                store64(counter, number + 1)
        elif op == VARINT64:
            value, at = read_varint(at, end)
            store64(load64(field + F_COLUMN) + 8 * row, value)
        elif op == FLAG:
            value, at = read_varint(at, end)
            store8(load64(field + F_COLUMN) + row, 1 if value != 0 else 0)
        elif op == ZIGZAG32:
            value, at = read_varint(at, end)
            value &= 0xFFFFFFFF
            store32(load64(field + F_COLUMN) + 4 * row, (value >> 1) ^ -(value & 1))
        elif op == TEXTS:
            table = load64(field + F_TABLE)
            counter = rows + 8 * table
            child = load64(counter)
            if child >= load64(room + 8 * table):
                return ROOM
            store64(counter, child + 1)
            store32(load64(field + F_COLUMN) + 4 * child, row)
            store32(load64(field + F_AUX) + 4 * child, find_text(load64(control + C_TEXTS), at, size, limit))
        elif op == BLOB:
            store64(load64(field + F_COLUMN) + 8 * row, append_blob(control, at, size) if size != 0 else 0)
        else:
            at = skip_field(tag, at, end, load64(record + K_DEPTH))
            if at > end:
                return MALFORMED
            store64(control + C_UNKNOWN, load64(control + C_UNKNOWN) + 1)
            if load64(control + C_KEEP) != 0:
                odd |= SIDED_BIT
                append_side(
                    control, load64(record + K_TABLE), row, load64(record + K_SLOT), start, at - start
                )
        at += size
        if at > end:
            return MALFORMED
    if odd != 0:
        present |= SIDED_BIT
    if present != 0:
        column = load64(record + K_PRESENT) + 4 * row
        store32(column, load32(column) | present)
    return OK
