"""Texts stored once: a hash table whose storage is an Arrow dictionary already.

Offsets (int32) and bytes lie as Arrow wants them, so that n texts are an Arrow array at no cost, and stay one
while more are appended behind them. Slots hold the upper half of the hash beside the number, so that a probe
compares texts only when they are equal, nearly always.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import copy, load32, load64, store32, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import (
    D_BYTES,
    D_BYTES_ROOM,
    D_COUNT,
    D_FAILED,
    D_HASHES,
    D_MASK,
    D_OFFSETS,
    D_ROOM,
    D_SLOTS,
    FULL,
    NOT_UTF8,
)
from workbench.otlp.codec._kernel_hash import hash_text
from workbench.otlp.codec._kernel_hints import prefetch, stay_apart
from workbench.otlp.codec._kernel_wire import is_utf8, same

__all__ = ["find_hashed", "find_text", "is_text", "prefetch_slot"]

UPPER = -4294967296  # 0xffffffff00000000


@kernel("void(int64)")
def _grow(dictionary: Any) -> None:
    """Double the slots in place; they were reserved for the largest size."""
    mask = load64(dictionary + D_MASK) * 2 + 1
    store64(dictionary + D_MASK, mask)
    slots, hashes = load64(dictionary + D_SLOTS), load64(dictionary + D_HASHES)
    for slot in range(mask + 1):
        store64(slots + 8 * slot, 0)
    for number in range(load64(dictionary + D_COUNT)):
        code = load64(hashes + 8 * number)
        slot = code & mask
        while load64(slots + 8 * slot) != 0:
            slot = (slot + 1) & mask
        store64(slots + 8 * slot, (code & UPPER) | (number + 1))


@kernel("int64(int64, int64, int64, int64, int64, int64)")
def _append(dictionary: Any, at: Any, size: Any, code: Any, bits: Any, slot: Any) -> Any:
    stay_apart()
    number = load64(dictionary + D_COUNT)
    offset = load64(dictionary + D_OFFSETS) + 4 * number
    start = load32(offset)
    if bits != 0 and not is_utf8(at, size):
        store64(dictionary + D_FAILED, load64(dictionary + D_FAILED) | NOT_UTF8)
        return 0
    room, bytes_room = load64(dictionary + D_ROOM), load64(dictionary + D_BYTES_ROOM)
    if number >= room or start + size > bytes_room:
        store64(dictionary + D_FAILED, load64(dictionary + D_FAILED) | FULL)
        return 0
    copy(load64(dictionary + D_BYTES) + start, at, size)
    store32(offset + 4, start + size)
    store64(load64(dictionary + D_HASHES) + 8 * number, code)
    store64(dictionary + D_COUNT, number + 1)
    store64(load64(dictionary + D_SLOTS) + 8 * slot, (code & UPPER) | (number + 1))
    if (number + 1) * 2 > load64(dictionary + D_MASK):
        _grow(dictionary)
    return number


@inlined
def prefetch_slot(dictionary: Any, code: Any) -> None:
    """Fetch where a text of some hash is looked for first."""
    prefetch(load64(dictionary + D_SLOTS) + 8 * (code & load64(dictionary + D_MASK)))


@inlined
def find_hashed(dictionary: Any, at: Any, size: Any, code: Any, bits: Any, limit: Any) -> Any:
    """Return the number of a text that is not empty, given what `hash_text` says of it."""
    slots, mask = load64(dictionary + D_SLOTS), load64(dictionary + D_MASK)
    offsets, texts = load64(dictionary + D_OFFSETS), load64(dictionary + D_BYTES)
    slot = code & mask
    while True:
        entry = load64(slots + 8 * slot)
        if entry == 0:
            return _append(dictionary, at, size, code, bits, slot)
        if (entry ^ code) & UPPER == 0:
            number = (entry & 0xFFFFFFFF) - 1
            start = load32(offsets + 4 * number)
            if load32(offsets + 4 * number + 4) - start == size and same(at, texts + start, size, limit):
                return number
        slot = (slot + 1) & mask


@inlined
def is_text(dictionary: Any, number: Any, at: Any, size: Any, limit: Any) -> Any:
    """Tell whether bytes are the text of some number."""
    offset = load64(dictionary + D_OFFSETS) + 4 * number
    start = load32(offset)
    if load32(offset + 4) - start != size:
        return False
    return same(at, load64(dictionary + D_BYTES) + start, size, limit)


@kernel("int64(int64, int64, int64, int64)")
def find_text(dictionary: Any, at: Any, size: Any, limit: Any) -> Any:
    """Return the number of a text, appended if it is new; 64 bytes may be read up to `limit`.

    Text 0 is the empty one.
    """
    if size == 0:
        return 0
    code, bits = hash_text(at, size, limit)
    return find_hashed(dictionary, at, size, code, bits, limit)
