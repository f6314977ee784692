"""Which fields of a message are written at all: in most telemetry half of them are empty in every row.

The encoder walks all fields of each row. One look at whole columns, many numbers at a time, spares it those
that hold nothing.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import copy32, load8, load32, load64, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import (
    BLOB,
    E_ALL_FIELDS,
    E_CURSORS,
    E_FIELD_COUNTS,
    E_FIELDS,
    E_KIND_COUNT,
    E_KINDS,
    E_LAYOUT,
    E_ROWS,
    E_TABLE_COUNT,
    F_BIT,
    F_COLUMN,
    F_OP,
    F_TABLE,
    F_TARGET,
    FIELD_SIZE,
    FLAG,
    ID,
    INLINE,
    K_FIELDS,
    K_FIRST,
    K_PRESENT,
    K_TABLE,
    KEY_VALUE,
    KIND_SIZE,
    PACKED_VARINTS,
    PACKED_VARINTS32,
    PACKED_WORDS,
    POINTS,
    ROWS,
    TEXTS,
    VALUE,
    VARINT64,
    WORD,
)
from workbench.otlp.codec._kernel_encode_values import SIDED_BIT
from workbench.otlp.codec._kernel_hints import stay_apart
from workbench.otlp.codec._kernel_records import place_columns

__all__ = ["begin_writing"]

BLOCK = 512  # bytes that are looked at before deciding whether to go on


@kernel("boolean(int64, int64)")
def _any_set(at: Any, size: Any) -> Any:
    """Tell whether any of some bytes is not zero."""
    stay_apart()
    while size >= BLOCK:
        bits = 0
        for place in range(0, BLOCK, 8):
            bits |= load64(at + place)
        if bits != 0:
            return True
        at += BLOCK
        size -= BLOCK
    while size >= 8:
        if load64(at) != 0:
            return True
        at += 8
        size -= 8
    for place in range(size):  # noqa: SIM110 - compiled
        if load8(at + place) != 0:
            return True
    return False


@kernel("int64(int64, int64)")
def _united(column: Any, rows: Any) -> Any:
    """Return the presence bits that any row has."""
    stay_apart()
    bits = 0
    for row in range(rows):
        bits |= load32(column + 4 * row)
    return bits


@inlined
def _item_size(op: Any) -> Any:
    if op == WORD or op == VARINT64 or op == BLOB:
        return 8
    return 1 if op == FLAG else 4


@inlined
def _is_filled(field: Any, rows: Any, present: Any, cursors: Any) -> Any:
    """Tell whether a field is written for any of so many rows; `present` is the presence bits of all."""
    op, bit = load64(field + F_OP), load64(field + F_BIT)
    if op == ROWS or op == POINTS or op == KEY_VALUE or op == TEXTS:
        return load64(cursors + 8 * load64(field + F_TABLE)) != 0
    if op == PACKED_WORDS or op == PACKED_VARINTS or op == PACKED_VARINTS32:
        starts = load64(field + F_TARGET)
        return load64(starts + 8 * rows) != load64(starts)
    if op == INLINE or op == VALUE or (op == WORD and bit != 0):
        return present & bit != 0
    if op == ID:
        return present & (bit | SIDED_BIT) != 0
    return _any_set(load64(field + F_COLUMN), _item_size(op) * rows)


@inlined
def _choose_fields(control: Any) -> None:
    """Copy the records of those fields that are written, for each kind of message, to `E_FIELDS`."""
    every, chosen = load64(control + E_ALL_FIELDS), load64(control + E_FIELDS)
    counts, cursors = load64(control + E_FIELD_COUNTS), load64(control + E_CURSORS)
    for kind in range(load64(control + E_KIND_COUNT)):
        record = load64(control + E_KINDS) + KIND_SIZE * kind
        rows, number = load64(cursors + 8 * load64(record + K_TABLE)), 0
        if rows != 0:
            present = _united(load64(record + K_PRESENT), rows)
            first = FIELD_SIZE * load64(record + K_FIRST)
            for place in range(first, first + FIELD_SIZE * load64(counts + 8 * kind), FIELD_SIZE):
                if _is_filled(every + place, rows, present, cursors):
                    target = chosen + first + FIELD_SIZE * number
                    copy32(target, every + place)
                    copy32(target + 32, every + place + 32)
                    number += 1
        store64(record + K_FIELDS, number)


@kernel("void(int64)")
def begin_writing(control: Any) -> None:
    """Place the columns, start behind the last row of each table, and choose the fields that are written."""
    place_columns(load64(control + E_LAYOUT))
    cursors, rows = load64(control + E_CURSORS), load64(control + E_ROWS)
    for at in range(0, 8 * load64(control + E_TABLE_COUNT), 8):
        store64(cursors + at, load64(rows + at))
    _choose_fields(control)
