"""Rows of tables and elements of lists, one more of each: where it goes, as long as there is room."""

from typing import Any

from workbench.kernels.memory import copy32, load64, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import (
    C_LIST_ROOM,
    C_LISTS,
    C_ROOM,
    C_ROWS,
    F_AUX,
    F_COLUMN,
    F_TABLE,
    K_LISTS,
    K_LISTS_END,
    MALFORMED,
    OK,
    ROOM,
)
from workbench.otlp.codec._kernel_hints import AHEAD, prefetch

__all__ = ["append_words", "next_row", "start_lists"]


@inlined
def next_row(field: Any, control: Any) -> Any:
    """Return the next row of a field's table; -1 where it has no room."""
    table = load64(field + F_TABLE)
    counter = load64(control + C_ROWS) + 8 * table
    child = load64(counter)
    if child >= load64(load64(control + C_ROOM) + 8 * table):
        return -1
    store64(counter, child + 1)
    return child


@inlined
def start_lists(record: Any, row: Any, control: Any) -> None:
    """Write where a row's part of each list starts."""
    for first in range(load64(record + K_LISTS), load64(record + K_LISTS_END), 16):
        store64(load64(first) + 8 * row, load64(load64(control + C_LISTS) + 8 * load64(first + 8)))


@inlined
def append_words(at: Any, size: Any, field: Any, control: Any) -> Any:
    """Append words to a field's list; return an outcome."""
    place = 8 * load64(field + F_AUX)
    counter = load64(control + C_LISTS) + place
    number = load64(counter)
    if size & 7 != 0:
        return MALFORMED
    if number + (size >> 3) > load64(load64(control + C_LIST_ROOM) + place):
        return ROOM
    store64(counter, number + (size >> 3))
    target = load64(field + F_COLUMN) + 8 * number
    while size >= 32:
        prefetch(at + AHEAD)
        copy32(target, at)
        target += 32
        at += 32
        size -= 32
    while size > 0:
        store64(target, load64(at))
        target += 8
        at += 8
        size -= 8
    return OK
