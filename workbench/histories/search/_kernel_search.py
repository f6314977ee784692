"""The search for an order: depth first over what each lane may place next, every visit remembered exactly.

A configuration is the set of operations placed, as one number a lane, and the state of the object. An
operation may be placed next when no operation that is not placed returned before it was called. A search
that comes to a configuration again has failed there before (Wing & Gong, "Testing and verifying concurrent
objects", JPDC 17, 1993; Lowe, "Testing for linearizability", CCPE 29(4), 2017). Visits lie in an
open-addressing table, in full: a hash chooses the slot and decides nothing.

Four rules leave out configurations without changing any answer:

- what never returned is not placed where it changes nothing;
- of operations alike that never returned, the one called first is placed first: they share a lane;
- nothing is placed after one that never returned if it leads to the same state without it;
- an operation that never changes any state is placed as soon as it may be, and nothing else is tried.

A run ends at `HOLDS` or `FAILS`, or pauses: for an entry of the table of transitions (`MISSING`), for more
room for sequences (`CROWDED`), for a larger table of visits (`FULL`), or because its budget of steps is spent
(`SPENT`). All of it lies in arrays, so the next run goes on where this one stopped.
"""

from typing import Any

import numpy as np

from workbench.histories.search import _codes as codes
from workbench.histories.search._kernel_machines import is_crowded, successor
from workbench.kernels import kernel
from workbench.kernels.memory import mix, shift_right, unowned
from workbench.kernels.parts import inlined

__all__ = ["rehash", "search"]

ODD = 0x9E3779B97F4A7C15 - (1 << 64)


@inlined
def _slot(visits: Any, key: Any, state: Any) -> Any:
    """Return the slot that holds a configuration, or the empty one where it would be."""
    width = key.shape[0]
    code = np.int64(state + 1) * np.int64(ODD)
    for word in range(width):
        code = mix(code ^ key[word], np.int64(ODD)) + word
    mask = visits.shape[0] - 1
    slot = (code ^ shift_right(code, 32)) & mask
    while visits[slot, width] != 0:
        if visits[slot, width] == state + 1:
            differ = np.int64(0)
            for word in range(width):
                differ |= visits[slot, word] ^ key[word]
            if differ == 0:
                break
        slot = (slot + 1) & mask
    return slot


@inlined
def _least_return(operations: Any, lanes: Any, solid: Any) -> Any:
    """Return the earliest return of what is not placed."""
    low = np.int64(codes.NEVER)
    for lane in range(solid):
        low = min(low, operations[lanes[lane, codes.NEXT], codes.RETURN])
    return low


LINE, TABLE = "int64[::1]", "int64[:,::1]"
MACHINE = f"int32[:,::1], {TABLE}, {LINE}, {LINE}"


@kernel(f"int64({LINE}, {TABLE}, {TABLE}, {TABLE}, {MACHINE}, {TABLE}, {LINE}, {LINE})")
def search(
    here_: Any,
    operations_: Any,
    lanes_: Any,
    stack_: Any,
    table_: Any,
    sequences_: Any,
    pool_: Any,
    slots_: Any,
    visits_: Any,
    key_: Any,
    best_: Any,
) -> Any:
    """Run until it ends or pauses."""
    here, operations, lanes, stack = unowned(here_), unowned(operations_), unowned(lanes_), unowned(stack_)
    table, sequences = unowned(table_), unowned(sequences_)
    pool, slots = unowned(pool_), unowned(slots_)
    visits, key, best = unowned(visits_), unowned(key_), unowned(best_)
    width, capacity, count, solid = key.shape[0], visits.shape[0], here[codes.LANES], here[codes.SOLID]
    kind, budget, any_steady = here[codes.KIND], here[codes.BUDGET], here[codes.STEADY_THERE]
    state, depth, lane, low = here[codes.STATE], here[codes.DEPTH], here[codes.LANE], here[codes.LOW]
    left, steps, visited = here[codes.LEFT], here[codes.STEPS], here[codes.VISITS]
    status = np.int64(-1)
    while status < 0:
        if left == 0:
            status = np.int64(codes.HOLDS)
            break
        if steps >= budget:
            status = np.int64(codes.SPENT)
            break
        if 2 * visited >= capacity:
            status = np.int64(codes.FULL)
            break
        if kind == codes.SEQUENCE and is_crowded(state, count, here, sequences, pool):
            status = np.int64(codes.CROWDED)
            break
        forced = np.int64(0)
        if lane == codes.FRESH:
            lane = np.int64(0)
            if any_steady != 0:
                for candidate in range(solid):
                    place = lanes[candidate, codes.NEXT]
                    if (
                        operations[place, codes.STEADY] != 0
                        and operations[place, codes.CALL] <= low
                        and successor(kind, state, operations, place, here, table, sequences, pool, slots)
                        >= 0
                    ):
                        lane = np.int64(candidate)
                        forced = np.int64(1)
                        break
        pushed = False
        without = np.int64(-1)  # the state before what was placed last, if that never returned
        if depth > 0 and operations[stack[depth - 1, codes.PLACE], codes.RETURN] == codes.NEVER:
            without = stack[depth - 1, codes.BEFORE]
        while lane < count:
            place = lanes[lane, codes.NEXT]
            if operations[place, codes.CALL] <= low:
                after = successor(kind, state, operations, place, here, table, sequences, pool, slots)
                if after == codes.UNKNOWN:
                    here[codes.MISSED] = operations[place, codes.RULE + codes.SYMBOL]
                    status = np.int64(codes.MISSING)
                    break
                steps += 1
                idle = after < 0 or (after == state and operations[place, codes.RETURN] == codes.NEVER)
                if without >= 0 and not idle:
                    idle = (
                        successor(kind, without, operations, place, here, table, sequences, pool, slots)
                        == after
                    )
                if not idle:
                    word = lanes[lane, codes.WORD]
                    key[word] += lanes[lane, codes.UNIT]
                    slot = _slot(visits, key, after)
                    if visits[slot, width] == 0:
                        for part in range(width):
                            visits[slot, part] = key[part]
                        visits[slot, width] = after + 1
                        visited += 1
                        pushed = True
                        break
                    key[word] -= lanes[lane, codes.UNIT]
            if forced != 0:
                lane = np.int64(count)
                break
            lane += 1
        if status >= 0:
            break
        if pushed:
            stack[depth, codes.PLACE] = place
            stack[depth, codes.BEFORE] = state
            stack[depth, codes.LOW_BEFORE] = low
            stack[depth, codes.FORCED] = forced
            depth += 1
            state = after
            lanes[lane, codes.NEXT] += 1
            left -= operations[place, codes.RETURN] != codes.NEVER
            if operations[place, codes.RETURN] == low:
                low = _least_return(operations, lanes, solid)
            lane = np.int64(codes.FRESH)
            continue
        if low > here[codes.BEST_LOW] or (low == here[codes.BEST_LOW] and left < here[codes.BEST_LEFT]):
            here[codes.BEST_LOW], here[codes.BEST_LEFT], here[codes.BEST_DEPTH] = low, left, depth
            for level in range(depth):
                best[level] = stack[level, codes.PLACE]
        if depth == 0:
            status = np.int64(codes.FAILS)
            break
        depth -= 1
        place, state = stack[depth, codes.PLACE], stack[depth, codes.BEFORE]
        low = stack[depth, codes.LOW_BEFORE]
        lane = operations[place, codes.OF_LANE]
        lanes[lane, codes.NEXT] -= 1
        key[lanes[lane, codes.WORD]] -= lanes[lane, codes.UNIT]
        left += operations[place, codes.RETURN] != codes.NEVER
        lane = np.int64(count) if stack[depth, codes.FORCED] != 0 else lane + 1
    here[codes.STATE], here[codes.DEPTH], here[codes.LANE], here[codes.LOW] = state, depth, lane, low
    here[codes.LEFT], here[codes.STEPS], here[codes.VISITS] = left, steps, visited
    return status


@kernel("void(int64[:,::1], int64[:,::1])")
def rehash(visits: Any, larger: Any) -> None:
    """Put all visits into a larger table, which is empty."""
    width = visits.shape[1] - 1
    for slot in range(visits.shape[0]):
        if visits[slot, width] != 0:
            target = _slot(larger, visits[slot, :width], visits[slot, width] - 1)
            for part in range(width + 1):
                larger[target, part] = visits[slot, part]
