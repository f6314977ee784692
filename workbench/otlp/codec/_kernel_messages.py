"""What surrounds the reading of messages: the columns are placed before, the lists ended after.

In Python it would cost more than a small message does.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import clear, load64, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import (
    A_SEEN_REF,
    ATTRIBUTES_SIZE,
    C_ATTRIBUTE_COUNT,
    C_ATTRIBUTES,
    C_BLOBS,
    C_COUNT_COUNT,
    C_DENSITY,
    C_KEEP,
    C_KEYS,
    C_KIND_COUNT,
    C_KINDS,
    C_LAYOUT,
    C_LIMIT,
    C_LISTS,
    C_NESTED_UNKNOWN,
    C_RECENT,
    C_REFERENCES,
    C_REWRITE,
    C_ROOM,
    C_ROWS,
    C_SIDES,
    C_SIZE,
    C_SLAB_ROOM,
    C_TEXTS,
    C_UNKNOWN,
    C_ZEROED,
    D_COUNT,
    D_FAILED,
    H_COUNT,
    H_OFFSETS,
    H_ROOM,
    K_LISTS,
    K_LISTS_END,
    K_TABLE,
    KIND_SIZE,
    L_MEMORY,
    MALFORMED,
    NOT_UTF8,
    OK,
    R_LENGTH,
    R_START,
    RECENT_SIZE,
    REWRITE,
    ROOM,
    S_COUNT,
    S_ROOM,
)
from workbench.otlp.codec._kernel_hints import stay_apart
from workbench.otlp.codec._kernel_records import place_columns

__all__ = ["MIB", "begin_message", "end_message"]

LINE = 64  # bytes that may be read at once
MIB = 1 << 20


@kernel("void(int64)")
def _begin_columns(control: Any) -> None:
    """Place the columns in new memory, make heap and side entries empty, and start to count anew."""
    stay_apart()
    layout = load64(control + C_LAYOUT)
    clear(load64(layout + L_MEMORY), load64(control + C_ZEROED))
    place_columns(layout)
    strings, sides = load64(control + C_BLOBS), load64(control + C_SIDES)
    store64(strings + H_COUNT, 1)
    store64(load64(strings + H_OFFSETS), 0)
    store64(load64(strings + H_OFFSETS) + 8, 0)
    store64(sides + S_COUNT, 0)
    counts, room = load64(control + C_ROWS), load64(control + C_ROOM)
    slab_room = load64(control + C_SLAB_ROOM)
    for at in range(0, 8 * load64(control + C_COUNT_COUNT), 8):
        store64(counts + at, 0)
        store64(room + at, load64(slab_room + at))
    store64(counts, 1)  # the outermost message is the one row of its table
    attributes = load64(control + C_ATTRIBUTES)
    for number in range(load64(control + C_ATTRIBUTE_COUNT)):
        store64(attributes + ATTRIBUTES_SIZE * number + A_SEEN_REF, 0)
    store64(control + C_REFERENCES, 0)
    store64(control + C_REWRITE, 0)
    store64(control + C_UNKNOWN, 0)
    store64(control + C_NESTED_UNKNOWN, 0)


@kernel("void(int64, int64, int64, boolean)")
def begin_message(control: Any, at: Any, size: Any, first: Any) -> None:
    """Forget where each key was last seen, which was in another input, and tell where this one ends.

    Before the first of some messages, begin new columns.
    """
    if first:
        _begin_columns(control)
    recent = load64(control + C_RECENT)
    for key in range(load64(load64(control + C_KEYS) + D_COUNT) + 1):
        store64(recent + RECENT_SIZE * key + R_START, 0)
        store64(recent + RECENT_SIZE * key + R_LENGTH, -1)
    store64(control + C_LIMIT, at + size - LINE)


@inlined
def _failure(dictionary: Any) -> Any:
    """Return why texts were not appended since the last call: NOT_UTF8, FULL, both or neither (0)."""
    failed = load64(dictionary + D_FAILED)
    store64(dictionary + D_FAILED, 0)
    return failed


@inlined
def _learn_density(control: Any) -> None:
    """Keep the most rows and list elements a MiB that any messages had."""
    counts, density, size = load64(control + C_ROWS), load64(control + C_DENSITY), load64(control + C_SIZE)
    if size != 0:
        for at in range(0, 8 * load64(control + C_COUNT_COUNT), 8):
            found = (load64(counts + at) * MIB) // size + 1
            store64(density + at, max(load64(density + at), found))


@kernel("int64(int64)")
def _end_columns(control: Any) -> Any:
    """Write where the last row's lists end; return ROOM where bytes or side entries had none, or REWRITE."""
    stay_apart()
    heap, sides = load64(control + C_BLOBS), load64(control + C_SIDES)
    if load64(heap + H_COUNT) > load64(heap + H_ROOM) or load64(sides + S_COUNT) > load64(sides + S_ROOM):
        return ROOM
    kinds, rows, lists = load64(control + C_KINDS), load64(control + C_ROWS), load64(control + C_LISTS)
    for kind in range(load64(control + C_KIND_COUNT)):
        record = kinds + KIND_SIZE * kind
        number = load64(rows + 8 * load64(record + K_TABLE))
        for first in range(load64(record + K_LISTS), load64(record + K_LISTS_END), 16):
            store64(load64(first) + 8 * number, load64(lists + 8 * load64(first + 8)))
    ignored = load64(control + C_KEEP) == 0 and load64(control + C_NESTED_UNKNOWN) != 0
    if ignored or load64(control + C_REWRITE) != 0:
        return REWRITE
    _learn_density(control)
    return OK


@kernel("int64(int64, int64, boolean)")
def end_message(control: Any, outcome: Any, last: Any) -> Any:
    """Return how reading a message ended, given what `fill_columns` says of it.

    After the last of some messages, end the columns.
    """
    failure = _failure(load64(control + C_KEYS)) | _failure(load64(control + C_TEXTS))
    if failure & NOT_UTF8 != 0:
        return MALFORMED
    if failure != 0:
        return ROOM
    return _end_columns(control) if last and outcome == OK else outcome
