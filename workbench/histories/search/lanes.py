"""Operations in lanes: chains of operations of which each returned before the next was called.

The set of operations that a search has placed is then one number a lane: how many of its first ones. This is
exact, and as short as the operations' overlap allows: ``sum over lanes of log2(length + 1)`` bits. Operations
are laid into lanes greedily in the order of their calls, which for intervals needs the fewest lanes.

Operations that never returned and are alike share a lane too: whatever can be done with a later one can be
done with the earlier, so they are placed in the order of their calls.

Times become ranks. Operation a precedes b when ``returns[a] < calls[b]``, or when one process did both.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.histories.operation import Operation

__all__ = ["NEVER", "Lanes", "by_process", "by_time"]

Array = npt.NDArray[np.int64]
NEVER = 1 << 62  # the rank of a return that never came
WORD_BITS = 62


@dataclass(frozen=True, slots=True)
class Lanes:
    """Operations lane after lane, and where each lane lies.

    Attributes
    ----------
    operations : tuple of Operation
        Lane after lane.
    symbols : (n,) int64
        What each is: alike where input and output are.
    calls, returns : (n,) int64
        Ranks of times; NEVER for a return that never came.
    lane : (n,) int64
        The lane of each operation.
    bounds : (lanes + 1,) int64
        Where each lane begins.
    words, shifts : (lanes,) int64
        Where a lane's number lies in the packed set of placed operations.
    """

    operations: tuple[Operation, ...]
    symbols: Array
    calls: Array
    returns: Array
    lane: Array
    bounds: Array
    words: Array
    shifts: Array

    @property
    def width(self) -> int:
        """How many 64-bit words a packed set of placed operations takes."""
        return int(self.words[-1]) + 1 if len(self.words) else 1


def by_time(operations: tuple[Operation, ...], symbols: list[int]) -> Lanes:
    """Lay out operations, in the order of their calls, as their times order them."""
    calls, returns = _ranks(operations)
    lanes: list[list[int]] = []
    ends: list[int] = []  # the rank of each lane's last return
    home: dict[Any, int] = {}
    alike: dict[int, list[int]] = {}
    for place, operation in enumerate(operations):
        lane = home.get(operation.process, -1)
        follows_at_once = lane >= 0 and ends[lane] == calls[place]
        if operation.return_s is None and not follows_at_once:
            alike.setdefault(symbols[place], []).append(place)
            continue
        # A process's next call may be at the very time of its last return: only its own lane orders the two.
        if lane < 0 or ends[lane] > calls[place]:
            lane = next((k for k, end in enumerate(ends) if end < calls[place]), len(ends))
        if lane == len(lanes):
            lanes.append([])
            ends.append(-1)
        lanes[lane].append(place)
        ends[lane] = returns[place]
        home[operation.process] = lane
    return _packed(operations, symbols, (calls, returns), [*lanes, *alike.values()])


def by_process(operations: tuple[Operation, ...], symbols: list[int]) -> Lanes:
    """Lay out operations so that only the order within each process counts."""
    lanes: dict[Any, list[int]] = {}
    for place, operation in enumerate(operations):
        lanes.setdefault(operation.process, []).append(place)
    returns = [NEVER if operation.return_s is None else NEVER - 1 for operation in operations]
    return _packed(operations, symbols, ([0] * len(operations), returns), list(lanes.values()))


def _ranks(operations: tuple[Operation, ...]) -> tuple[list[int], list[int]]:
    times = {operation.call_s for operation in operations}
    times.update(operation.return_s for operation in operations if operation.return_s is not None)
    rank = {time: place for place, time in enumerate(sorted(times))}
    calls = [rank[operation.call_s] for operation in operations]
    returns = [NEVER if each.return_s is None else rank[each.return_s] for each in operations]
    return calls, returns


def _packed(
    operations: tuple[Operation, ...],
    symbols: list[int],
    ranks: tuple[list[int], list[int]],
    lanes: list[list[int]],
) -> Lanes:
    order = [place for lane in lanes for place in lane]
    sizes = [len(lane) for lane in lanes]
    words, shifts = _words([size.bit_length() for size in sizes])
    calls, returns = (np.array([rank[place] for place in order], np.int64) for rank in ranks)
    return Lanes(
        tuple(operations[place] for place in order),
        np.array([symbols[place] for place in order], np.int64),
        calls,
        returns,
        np.repeat(np.arange(len(lanes), dtype=np.int64), sizes),
        np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64),
        np.array(words, np.int64),
        np.array(shifts, np.int64),
    )


def _words(bits: list[int]) -> tuple[list[int], list[int]]:
    """Return the word and the shift of each lane's number."""
    words, shifts = [], []
    word = used = 0
    for width in bits:
        if used + width > WORD_BITS:
            word, used = word + 1, 0
        words.append(word)
        shifts.append(used)
        used += width
    return words, shifts
