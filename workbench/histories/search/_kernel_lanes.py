"""Operations laid into lanes, and all that a search begins with.

A lane is a chain of operations of which each returned before the next was called; one that is never called
ends it, so that whoever walks a lane need not ask where it ends. Operations are laid greedily in the order of
their calls, which for intervals needs the fewest lanes. What never returned and is alike shares a lane behind
those. What never returned and never changes a state is left out.
"""

from typing import Any

import numpy as np

from workbench.histories.search import _codes as codes
from workbench.kernels import kernel
from workbench.kernels.parts import inlined

__all__ = ["lay_out"]

WORD_BITS = 62
NOWHERE = -1


@kernel(
    "void(int64[::1], int64[::1], int64[::1], int64[:,::1], boolean, int64[::1], int64[:,::1], int64[:,::1])"
)
def lay_out(
    calls: Any,
    returns: Any,
    processes: Any,
    rules: Any,
    by_time: Any,
    here: Any,
    operations: Any,
    lanes: Any,
) -> None:
    """Fill the tables of operations and lanes, and what a search stands at before its first step."""
    size = calls.shape[0]
    home = np.empty(size, np.int64)  # the lane of each operation
    lengths = np.zeros(size, np.int64)
    count = _by_time(calls, returns, processes, rules, here, home, lengths) if by_time else np.int64(0)
    if not by_time:
        count = _by_process(returns, processes, rules, here, home, lengths)
    here[codes.LANES] = count
    _pack(count, lengths, here, lanes)
    _place(calls, returns, rules, by_time, here, home, lengths, operations, lanes)


@inlined
def _is_left_out(kind: Any, returns: Any, rules: Any, place: Any) -> Any:
    return returns[place] == codes.NEVER and _is_steady(kind, rules, place)


@inlined
def _is_steady(kind: Any, rules: Any, place: Any) -> Any:
    """Tell whether an operation certainly changes no state, whichever it finds."""
    if kind == codes.TABLE:
        return rules[place, codes.CHANGES_NOTHING] != 0
    if kind == codes.SEQUENCE:
        return rules[place, codes.ACTION] >= codes.LAST
    when, mask = rules[place, codes.WHEN], rules[place, codes.MASK]
    keep, add = rules[place, codes.KEEP], rules[place, codes.ADD]
    keep_else, add_else = rules[place, codes.KEEP_ELSE], rules[place, codes.ADD_ELSE]
    then = when < 0 or _keeps_all(keep, add) or (keep == ~mask and add == when)
    return then and _keeps_all(keep_else, add_else)


@inlined
def _keeps_all(keep: Any, add: Any) -> Any:
    """Tell whether a pair of the machine of bits changes no state: it keeps all of it, or refuses."""
    return (keep == -1 and add == 0) or (keep == 0 and add == codes.REFUSED)


@inlined
def _by_time(calls: Any, returns: Any, processes: Any, rules: Any, here: Any, home: Any, lengths: Any) -> Any:
    """Give each operation a lane as times order them; return how many lanes there are."""
    size, kind = calls.shape[0], here[codes.KIND]
    ends, owners = (
        np.empty(size, np.int64),
        np.empty(size, np.int64),
    )  # return and process of each lane's last
    solid = np.int64(0)
    for place in range(size):
        home[place] = NOWHERE
        if _is_left_out(kind, returns, rules, place):
            continue
        # A process's next call may be at the very time of its last return: only its own lane orders the two.
        lane = np.int64(0)
        while lane < solid and owners[lane] != processes[place]:
            lane += 1
        follows_at_once = lane < solid and ends[lane] == calls[place]
        if returns[place] == codes.NEVER and not follows_at_once:
            continue
        if lane == solid:
            lane = np.int64(0)
            while lane < solid and ends[lane] >= calls[place]:
                lane += 1
        solid = max(solid, lane + 1)
        home[place], ends[lane], owners[lane] = lane, returns[place], processes[place]
        lengths[lane] += 1
    here[codes.SOLID] = solid
    return _alike(kind, returns, rules, solid, home, lengths)


@inlined
def _alike(kind: Any, returns: Any, rules: Any, solid: Any, home: Any, lengths: Any) -> Any:
    """Give one lane to those that never returned and are alike; return how many lanes there are."""
    size, count = returns.shape[0], solid
    firsts = np.empty(size, np.int64)  # the first operation of each lane
    for place in range(size):
        if home[place] != NOWHERE or _is_left_out(kind, returns, rules, place):
            continue
        lane = solid
        while lane < count and not _are_equal(rules, firsts[lane], place):
            lane += 1
        if lane == count:
            firsts[lane] = place
            count += 1
        home[place] = lane
        lengths[lane] += 1
    return count


@inlined
def _are_equal(rules: Any, first: Any, second: Any) -> Any:
    differ = np.int64(0)
    for column in range(rules.shape[1]):
        differ |= rules[first, column] ^ rules[second, column]
    return differ == 0


@inlined
def _by_process(returns: Any, processes: Any, rules: Any, here: Any, home: Any, lengths: Any) -> Any:
    """Give each process a lane of its own; return how many there are."""
    size, kind, count = returns.shape[0], here[codes.KIND], np.int64(0)
    known = np.full(size, NOWHERE, np.int64)
    for place in range(size):
        home[place] = NOWHERE
        if _is_left_out(kind, returns, rules, place):
            continue
        if known[processes[place]] == NOWHERE:
            known[processes[place]] = count
            count += 1
        home[place] = known[processes[place]]
        lengths[home[place]] += 1
    here[codes.SOLID] = count
    return count


@inlined
def _pack(count: Any, lengths: Any, here: Any, lanes: Any) -> None:
    """Say where each lane begins, and where its number lies in the packed set of placed operations."""
    begin, word, used = np.int64(0), np.int64(0), np.int64(0)
    for lane in range(count):
        bits, rest = np.int64(0), lengths[lane]
        while rest > 0:
            bits, rest = bits + 1, rest >> 1
        if used + bits > WORD_BITS:
            word, used = word + 1, np.int64(0)
        lanes[lane, codes.NEXT], lanes[lane, codes.WORD] = begin, word
        lanes[lane, codes.UNIT] = np.int64(1) << used
        begin, used = begin + lengths[lane] + 1, used + bits
    here[codes.WIDTH] = word + 1
    here[codes.OPERATIONS] = begin


@inlined
def _place(
    calls: Any,
    returns: Any,
    rules: Any,
    by_time: Any,
    here: Any,
    home: Any,
    lengths: Any,
    operations: Any,
    lanes: Any,
) -> None:
    """Write each operation to its place, and behind each lane one that is never called."""
    kind = here[codes.KIND]
    here[codes.LANE], here[codes.BEST_LOW] = codes.FRESH, codes.EARLIEST
    here[codes.LEFT] = here[codes.STEADY_THERE] = 0
    filled = np.zeros(lengths.shape[0], np.int64)
    for row in range(calls.shape[0]):
        lane = home[row]
        if lane == NOWHERE:
            continue
        place = lanes[lane, codes.NEXT] + filled[lane]
        filled[lane] += 1
        returned = returns[row] != codes.NEVER
        operations[place, codes.CALL] = calls[row] if by_time else 0
        operations[place, codes.RETURN] = returns[row] if by_time or not returned else codes.NEVER - 1
        operations[place, codes.OF_LANE] = lane
        steady = returned and _is_steady(kind, rules, row)
        operations[place, codes.STEADY] = steady
        operations[place, codes.ROW] = row
        for column in range(rules.shape[1]):
            operations[place, codes.RULE + column] = rules[row, column]
        here[codes.LEFT] += returned
        here[codes.STEADY_THERE] |= steady
    here[codes.LOW] = codes.NEVER
    for lane in range(here[codes.LANES]):
        end = lanes[lane, codes.NEXT] + lengths[lane]
        operations[end, codes.CALL], operations[end, codes.RETURN] = codes.NEVER + 1, codes.NEVER
        operations[end, codes.OF_LANE], operations[end, codes.STEADY] = lane, 0
        operations[end, codes.ROW] = NOWHERE
        here[codes.LOW] = min(here[codes.LOW], operations[lanes[lane, codes.NEXT], codes.RETURN])
