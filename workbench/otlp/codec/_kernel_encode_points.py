"""Data points to OTLP protobuf: messages that are words, lists of words and attributes only.

They are written one after the other, without a look at what else a message could have; see `_kernel_encode`.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import copy32, load32, load64, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import (
    E_CURSORS,
    E_FIELDS,
    E_KINDS,
    E_LOW,
    F_BIT,
    F_COLUMN,
    F_OP,
    F_OTHERS,
    F_TABLE,
    F_TARGET,
    FIELD_SIZE,
    FIXED_PART,
    K_FIELDS,
    K_FIRST,
    K_PRESENT,
    K_SLOT,
    K_TABLE,
    KEY_VALUE,
    KIND_SIZE,
    PACKED_WORDS,
    ROOM,
    WORD,
)
from workbench.otlp.codec._kernel_encode_values import (
    SIDED_BIT,
    attribute_columns,
    put_key_values,
    put_tag,
    put_varint,
    write_sides,
)
from workbench.otlp.codec._kernel_hints import stay_apart

__all__ = ["OTHER_FIELDS", "put_words", "write_points"]

OTHER_FIELDS = 0  # no position: there are fields of other kinds


@inlined
def put_words(at: Any, first: Any, after: Any, values: Any) -> Any:
    """Write words, from `first` to before `after`, that end before `at`; return where they start."""
    target, number = at, after
    while number - first >= 4:
        number -= 4
        target -= 32
        copy32(target, values + 8 * number)
    while number > first:
        number -= 1
        target -= 8
        store64(target, load64(values + 8 * number))
    return target


@inlined
def _attributes_of(field: Any, last: Any) -> Any:
    """Return the field that is attributes, or `last`; OTHER_FIELDS where there are other kinds."""
    found = last
    while field < last:
        op = load64(field + F_OP)
        if op == KEY_VALUE:
            found = field
        elif op != WORD and op != PACKED_WORDS:
            return OTHER_FIELDS
        field += FIELD_SIZE
    return found


@kernel("int64(int64, int64, int64, int64, int64)")
def write_points(at: Any, rows: Any, row: Any, tag: Any, control: Any) -> Any:
    """Write the messages of a field whose parent is a row; return where they start, ROOM or OTHER_FIELDS."""
    stay_apart()
    record = load64(control + E_KINDS) + KIND_SIZE * load64(rows + F_TARGET)
    first = load64(control + E_FIELDS) + FIELD_SIZE * load64(record + K_FIRST)
    last = first + FIELD_SIZE * load64(record + K_FIELDS)
    pairs = _attributes_of(first, last)
    if pairs == OTHER_FIELDS:
        return OTHER_FIELDS
    cursors, pair_table, columns = load64(control + E_CURSORS), 0, attribute_columns(0, control)
    if pairs != last:
        pair_table, columns = load64(pairs + F_TABLE), attribute_columns(load64(pairs + F_TARGET), control)
    cursor, pair_cursor = cursors + 8 * load64(rows + F_TABLE), cursors + 8 * pair_table
    pair = load64(pair_cursor) - 1
    child, parents, presence = load64(cursor) - 1, load64(rows + F_COLUMN), load64(record + K_PRESENT)
    low = load64(control + E_LOW) + FIXED_PART
    while child >= 0 and load32(parents + 4 * child) == row:
        if at < low:
            return ROOM
        end, present, field = at, load32(presence + 4 * child), first
        if present & SIDED_BIT != 0:
            at = write_sides(at, load64(record + K_TABLE), child, load64(record + K_SLOT), control)
            if at < 0:
                return at
        while field < last:
            op, column, inner = load64(field + F_OP), load64(field + F_COLUMN), load64(field + F_OTHERS)
            if op == WORD:
                word, bit = load64(column + 8 * child), load64(field + F_BIT)
                if (bit == 0 and word != 0) or present & bit != 0:
                    store64(at - 8, word)
                    at = put_tag(at - 8, inner)
            elif op == KEY_VALUE:
                at, pair = put_key_values(at, columns, pair, child, inner, control)
                if at < 0:
                    return at
            else:
                starts = load64(field + F_TARGET) + 8 * child
                begin, number = load64(starts), load64(starts + 8)
                if number != begin:
                    if at - 8 * (number - begin) < low:
                        return ROOM
                    at = put_words(at, begin, number, column)
                    at = put_tag(put_varint(at, 8 * (number - begin)), inner)
            field += FIELD_SIZE
        at = put_tag(put_varint(at, end - at), tag)
        child -= 1
    store64(cursor, child + 1)
    store64(pair_cursor, pair + 1)
    return at
