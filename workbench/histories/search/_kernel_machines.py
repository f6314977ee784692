"""What a machine does at an operation: three kinds, told apart by a number.

- `TABLE`: states are numbers, and ``table[state, symbol]`` is the next one.
- `BITS`: a state is the bits of one number. An operation tests some of them, and then keeps some and adds:
  ``(state & keep) + add`` where ``state & mask == when``, and by another pair where not. An answer that is
  wrong keeps nothing and adds -1, `REFUSED`.
- `SEQUENCE`: states are sequences of values, each a slice of one pool that they share. To take the first or
  the last value off is a shorter slice; to push one is the same slice and what lies behind it, where that is
  free or the very value, and a copy elsewhere. Each sequence is there once, found by a code and compared in
  full. The code of v1 ... vn is ``v1 B^(n-1) + ... + vn`` modulo 2^64; B is odd, so it has an inverse.
"""

from typing import Any

import numpy as np

from workbench.histories.search import _codes as codes
from workbench.kernels import kernel
from workbench.kernels.memory import mix, shift_right
from workbench.kernels.parts import inlined

__all__ = ["is_crowded", "push_all", "relink", "successor"]

ODD = 0x9E3779B97F4A7C15 - (1 << 64)
BASE = 0x2545F4914F6CDD1D  # odd, otherwise without a meaning
INVERSE = (pow(BASE, -1, 1 << 64) + (1 << 63)) % (1 << 64) - (1 << 63)
NOTHING_MORE = -1


@inlined
def successor(
    kind: Any,
    state: Any,
    operations: Any,
    place: Any,
    here: Any,
    table: Any,
    sequences: Any,
    pool: Any,
    slots: Any,
) -> Any:
    """Return the state after an operation; REFUSED where the machine does not answer so, or UNKNOWN."""
    if kind == codes.BITS:
        if state & operations[place, codes.RULE + codes.MASK] == operations[place, codes.RULE + codes.WHEN]:
            return (state & operations[place, codes.RULE + codes.KEEP]) + operations[
                place, codes.RULE + codes.ADD
            ]
        return (state & operations[place, codes.RULE + codes.KEEP_ELSE]) + operations[
            place, codes.RULE + codes.ADD_ELSE
        ]
    if kind == codes.TABLE:
        return np.int64(table[state, operations[place, codes.RULE + codes.SYMBOL]])
    action = operations[place, codes.RULE + codes.ACTION]
    if action == codes.PUSH:
        value = operations[place, codes.RULE + codes.VALUE]
        return _pushed(state, value, here, sequences, pool, slots)
    told = operations[place, codes.RULE + codes.TOLD]
    if told != codes.ANY and told != _seen(state, action, sequences, pool):
        return np.int64(codes.REFUSED)
    if action == codes.POP or action == codes.TAKE:
        return _shortened(state, action, here, sequences, pool, slots)
    return np.int64(state)


@inlined
def is_crowded(state: Any, lanes: Any, here: Any, sequences: Any, pool: Any) -> Any:
    """Tell whether trying each lane, in a state and in the one before it, may need more room than is left."""
    copied = sequences[state, codes.LENGTH] + 2
    lacks_rows = sequences.shape[0] - here[codes.SEQUENCES] < 2 * (lanes + 1)
    return lacks_rows or pool.shape[0] - here[codes.POOLED] < 2 * lanes * copied


@inlined
def _seen(state: Any, action: Any, sequences: Any, pool: Any) -> Any:
    """Return what an action answers: the last value, the first, or how many there are."""
    length, first = sequences[state, codes.LENGTH], sequences[state, codes.OFFSET]
    if action == codes.SIZE:
        return length
    if length == 0:
        return np.int64(codes.NOTHING)
    return pool[first] if action == codes.TAKE or action == codes.FIRST else pool[first + length - 1]


@inlined
def _slot(offset: Any, length: Any, last: Any, code: Any, sequences: Any, pool: Any, slots: Any) -> Any:
    """Return the slot of a slice and, where it is no NOTHING_MORE, a last value; or the empty one for it."""
    whole = length if last == NOTHING_MORE else length + 1
    mask = slots.shape[0] - 1
    hashed = mix(code ^ np.int64(whole), np.int64(ODD))
    slot = (hashed ^ shift_right(hashed, 32)) & mask
    while slots[slot] != 0:
        known = slots[slot]
        if sequences[known, codes.CODE] == code and sequences[known, codes.LENGTH] == whole:
            start = sequences[known, codes.OFFSET]
            equal = length if start == offset else np.int64(0)
            while equal < length and pool[start + equal] == pool[offset + equal]:
                equal += 1
            if equal == length and (last == NOTHING_MORE or pool[start + length] == last):
                break
        slot = (slot + 1) & mask
    return slot


@inlined
def _pushed(state: Any, value: Any, here: Any, sequences: Any, pool: Any, slots: Any) -> Any:
    """Return the sequence with one more value; the caller has seen to it that there is room."""
    offset, length = sequences[state, codes.OFFSET], sequences[state, codes.LENGTH]
    code = sequences[state, codes.CODE] * np.int64(BASE) + value + 1
    slot = _slot(offset, length, value, code, sequences, pool, slots)
    if slots[slot] == 0:
        used, end = here[codes.POOLED], offset + length
        if end == used:
            pool[used] = value
            here[codes.POOLED] = used + 1
        elif pool[end] != value:
            for place in range(length):
                pool[used + place] = pool[offset + place]
            pool[used + length] = value
            here[codes.POOLED] = used + length + 1
            offset = used
        power = sequences[state, codes.POWER] * np.int64(BASE)
        _enter(slot, offset, length + 1, code, power, here, sequences, slots)
    return slots[slot]


@inlined
def _shortened(state: Any, action: Any, here: Any, sequences: Any, pool: Any, slots: Any) -> Any:
    """Return the sequence without its first value or its last; that of the empty one is itself."""
    offset, length = sequences[state, codes.OFFSET], sequences[state, codes.LENGTH] - 1
    if length <= 0:
        return np.int64(0)
    code, power = sequences[state, codes.CODE], sequences[state, codes.POWER] * np.int64(INVERSE)
    if action == codes.TAKE:
        code -= (pool[offset] + 1) * power
        offset += 1
    else:
        code = (code - pool[offset + length] - 1) * np.int64(INVERSE)
    slot = _slot(offset, length, np.int64(NOTHING_MORE), code, sequences, pool, slots)
    if slots[slot] == 0:
        _enter(slot, offset, length, code, power, here, sequences, slots)
    return slots[slot]


@inlined
def _enter(
    slot: Any, offset: Any, length: Any, code: Any, power: Any, here: Any, sequences: Any, slots: Any
) -> None:
    state = here[codes.SEQUENCES]
    here[codes.SEQUENCES] = state + 1
    slots[slot] = state
    sequences[state, codes.OFFSET], sequences[state, codes.LENGTH] = offset, length
    sequences[state, codes.CODE], sequences[state, codes.POWER] = code, power


LINE = "int64[::1]"


@kernel(f"int64({LINE}, {LINE}, int64[:,::1], {LINE}, {LINE})")
def push_all(values: Any, here: Any, sequences: Any, pool: Any, slots: Any) -> Any:
    """Return the sequence of some values; it and its beginnings, from the empty one on, are the first."""
    sequences[0, :] = 0
    sequences[0, codes.POWER] = 1
    here[codes.SEQUENCES], here[codes.POOLED] = 1, 0
    state = np.int64(0)
    for place in range(values.shape[0]):
        state = _pushed(state, values[place], here, sequences, pool, slots)
    return state


@kernel(f"void({LINE}, int64[:,::1], {LINE}, {LINE})")
def relink(here: Any, sequences: Any, pool: Any, slots: Any) -> None:
    """Enter all sequences but the empty one into slots that are empty."""
    for state in range(1, here[codes.SEQUENCES]):
        offset, length = sequences[state, codes.OFFSET], sequences[state, codes.LENGTH]
        code = sequences[state, codes.CODE]
        slots[_slot(offset, length, np.int64(NOTHING_MORE), code, sequences, pool, slots)] = state
