"""Which operations that never returned an order needs: those without which it is none."""

from typing import Any

import numpy as np

from workbench.histories.search import _codes as codes
from workbench.histories.search._kernel_machines import is_crowded, successor
from workbench.kernels import kernel
from workbench.kernels.memory import unowned
from workbench.kernels.parts import inlined

__all__ = ["leave_out"]

LINE, TABLE = "int64[::1]", "int64[:,::1]"
NEEDED, NEEDLESS, PAUSED = range(3)


@kernel(f"int64({LINE}, {TABLE}, {LINE}, {LINE}, int32[:,::1], {TABLE}, {LINE}, {LINE})")
def leave_out(
    here_: Any,
    operations_: Any,
    places: Any,
    states: Any,
    table_: Any,
    sequences_: Any,
    pool_: Any,
    slots_: Any,
) -> Any:
    """Leave out, from the last to the first, what never returned and can be left out.

    `states` begins with that before the first of the `DEPTH` places, of which the first `LEFT` are not judged
    yet. Returns 0 where the machine must first supply something, and may then be called again.
    """
    here, operations, table = unowned(here_), unowned(operations_), unowned(table_)
    sequences, pool, slots = unowned(sequences_), unowned(pool_), unowned(slots_)
    size = here[codes.DEPTH]
    _follow(here, operations, places, states, np.int64(0), size, table, sequences, pool, slots)
    place = here[codes.LEFT] - 1
    while place >= 0:
        found = np.int64(NEEDED)
        if operations[places[place], codes.RETURN] == codes.NEVER:
            found = _judge(here, operations, places, states, place, size, table, sequences, pool, slots)
        if found == PAUSED:
            break
        if found == NEEDLESS:
            size -= 1
            here[codes.DEPTH] = size
            for later in range(place, size):
                places[later] = places[later + 1]
            _follow(here, operations, places, states, place, size, table, sequences, pool, slots)
        place -= 1
    here[codes.LEFT] = place + 1
    return place < 0


@inlined
def _follow(
    here: Any,
    operations: Any,
    places: Any,
    states: Any,
    first: Any,
    size: Any,
    table: Any,
    sequences: Any,
    pool: Any,
    slots: Any,
) -> None:
    """Fill in the states after each operation from one on."""
    kind = here[codes.KIND]
    for place in range(first, size):
        states[place + 1] = successor(
            kind, states[place], operations, places[place], here, table, sequences, pool, slots
        )


@inlined
def _judge(
    here: Any,
    operations: Any,
    places: Any,
    states: Any,
    place: Any,
    size: Any,
    table: Any,
    sequences: Any,
    pool: Any,
    slots: Any,
) -> Any:
    """Tell whether all after a place can follow what is before it."""
    kind, state = here[codes.KIND], np.int64(states[place])
    for later in range(place + 1, size):
        if state == states[later]:
            return NEEDLESS
        if kind == codes.SEQUENCE and is_crowded(state, 1, here, sequences, pool):
            return PAUSED
        after = successor(kind, state, operations, places[later], here, table, sequences, pool, slots)
        if after == codes.UNKNOWN:
            here[codes.STATE] = state
            here[codes.MISSED] = operations[places[later], codes.RULE + codes.SYMBOL]
            return PAUSED
        if after < 0:
            return NEEDED
        state = after
    return NEEDLESS
