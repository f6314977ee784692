"""What surrounds the reading of messages: the columns are placed before, the lists ended after.

In Python it would cost more than a small message does.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import load64, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import (
    A_SEEN_REF,
    ATTRIBUTES_SIZE,
    C_ATTRIBUTE_COUNT,
    C_ATTRIBUTES,
    C_BLOBS,
    C_COUNT_COUNT,
    C_KEYS,
    C_KIND_COUNT,
    C_KINDS,
    C_LIMIT,
    C_LISTS,
    C_NESTED_UNKNOWN,
    C_OFFSETS,
    C_PLACE_COLUMNS,
    C_PLACE_COUNT,
    C_PLACES,
    C_RECENT,
    C_RECORDS,
    C_REWRITE,
    C_ROOM,
    C_ROWS,
    C_SIDES,
    C_SLAB_ROOM,
    C_TEXTS,
    C_UNKNOWN,
    D_COUNT,
    D_FAILED,
    H_BYTES,
    H_COUNT,
    H_OFFSETS,
    H_ROOM,
    K_LISTS,
    K_LISTS_END,
    K_TABLE,
    KIND_SIZE,
    MALFORMED,
    NOT_UTF8,
    OK,
    R_LENGTH,
    R_START,
    RECENT_SIZE,
    ROOM,
    S_COUNT,
    S_ENTRIES,
    S_ROOM,
)
from workbench.otlp.codec._kernel_records import place_columns

__all__ = ["begin_columns", "begin_message", "end_columns", "end_message", "learn_density"]

LINE = 64  # bytes that may be read at once


@kernel("void(int64, int64, int64, int64)")
def _begin_heap(control: Any, heap: Any, bytes_at: Any, sides_at: Any) -> None:
    """Make the heap and the side entries empty, and tell where they are."""
    strings, sides = load64(control + C_BLOBS), load64(control + C_SIDES)
    store64(strings + H_OFFSETS, heap)
    store64(strings + H_BYTES, heap + bytes_at)
    store64(strings + H_COUNT, 1)
    store64(heap, 0)
    store64(heap + 8, 0)
    store64(sides + S_ENTRIES, heap + sides_at)
    store64(sides + S_COUNT, 0)


@kernel("void(int64, int64, int64, int64, int64)")
def begin_columns(control: Any, memory: Any, heap: Any, bytes_at: Any, sides_at: Any) -> None:
    """Place the columns in new memory, and heap and side entries in other, and start to count anew."""
    _begin_heap(control, heap, bytes_at, sides_at)
    place_columns(
        load64(control + C_RECORDS),
        load64(control + C_PLACES),
        load64(control + C_PLACE_COLUMNS),
        load64(control + C_PLACE_COUNT),
        load64(control + C_OFFSETS),
        memory,
    )
    counts, room, slab_room = (
        load64(control + C_ROWS),
        load64(control + C_ROOM),
        load64(control + C_SLAB_ROOM),
    )
    for at in range(0, 8 * load64(control + C_COUNT_COUNT), 8):
        store64(counts + at, 0)
        store64(room + at, load64(slab_room + at))
    store64(counts, 1)  # the outermost message is the one row of its table
    attributes = load64(control + C_ATTRIBUTES)
    for number in range(load64(control + C_ATTRIBUTE_COUNT)):
        store64(attributes + ATTRIBUTES_SIZE * number + A_SEEN_REF, 0)
    store64(control + C_REWRITE, 0)
    store64(control + C_UNKNOWN, 0)
    store64(control + C_NESTED_UNKNOWN, 0)


@kernel("void(int64, int64, int64)")
def begin_message(control: Any, at: Any, size: Any) -> None:
    """Forget where each key was last seen, which was in another input, and tell where this one ends."""
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


@kernel("int64(int64, int64)")
def end_message(control: Any, outcome: Any) -> Any:
    """Return how reading a message ended, given what `fill_columns` says of it."""
    failure = _failure(load64(control + C_KEYS)) | _failure(load64(control + C_TEXTS))
    if failure & NOT_UTF8 != 0:
        return MALFORMED
    return outcome if failure == 0 else ROOM


@kernel("int64(int64)")
def end_columns(control: Any) -> Any:
    """Write where the last row's lists end; return ROOM where bytes or side entries had none."""
    heap, sides = load64(control + C_BLOBS), load64(control + C_SIDES)
    if load64(heap + H_COUNT) > load64(heap + H_ROOM) or load64(sides + S_COUNT) > load64(sides + S_ROOM):
        return ROOM
    kinds, rows, lists = load64(control + C_KINDS), load64(control + C_ROWS), load64(control + C_LISTS)
    for kind in range(load64(control + C_KIND_COUNT)):
        record = kinds + KIND_SIZE * kind
        number = load64(rows + 8 * load64(record + K_TABLE))
        for first in range(load64(record + K_LISTS), load64(record + K_LISTS_END), 16):
            store64(load64(first) + 8 * number, load64(lists + 8 * load64(first + 8)))
    return OK


@kernel("void(float64[::1], int64[::1], int64)")
def learn_density(density: Any, counts: Any, size: Any) -> None:
    """Keep the most rows and list elements a byte that any message had."""
    for number in range(len(counts)):
        density[number] = max(density[number], counts[number] / size)
