"""The compiled engine: drives the kernel, and gives it what it pauses for."""

import numpy as np
import numpy.typing as npt

from workbench.histories.search import _codes as codes
from workbench.histories.search._kernel_search import rehash, search
from workbench.histories.search.automaton import Automaton
from workbench.histories.search.lanes import NEVER, Lanes
from workbench.histories.search.outcome import Bounds, Outcome
from workbench.kernels import announce_compilation

__all__ = ["CompiledSearch"]

Array = npt.NDArray[np.int64]
FIRST_CAPACITY = 1 << 10
CHUNK_STEPS = 1 << 20  # between two looks at the clock and at KeyboardInterrupt: some 30 ms


class CompiledSearch:
    """One search, with all of its memory."""

    def __init__(self, lanes: Lanes, automaton: Automaton) -> None:
        self.lanes, self.automaton = lanes, automaton
        self.operations = _operation_table(lanes, automaton)
        self.tracks = _lane_table(lanes)
        size = len(lanes.operations)
        self.stack = np.zeros((size + 1, 4), np.int64)
        self.best = np.zeros(size, np.int64)
        self.key = np.zeros(lanes.width, np.int64)
        self.visits = np.zeros((FIRST_CAPACITY, lanes.width + 1), np.int64)
        self.here = self._start()

    def run(self, bounds: Bounds) -> Outcome:
        """Search until it is decided, or a bound is reached."""
        announce_compilation(search, "the search for linearizations")
        while True:
            status = self._advance(bounds)
            if status == codes.HOLDS:
                return self._outcome(True, self.stack[: self.here[codes.DEPTH], codes.PLACE])
            if status == codes.FAILS:
                return self._outcome(False, self.best[: self.here[codes.BEST_DEPTH]])
            bound = bounds.reached(self.here[codes.STEPS])
            if status == codes.FULL:
                bound = bound or self._grow(bounds)
            elif status == codes.MISSING:
                self._fill()
            if bound:
                return self._outcome(None, self._longest(), bound)

    def _start(self) -> Array:
        here = np.zeros(codes.FIELDS, np.int64)
        here[codes.LANE] = codes.FRESH
        here[codes.LEFT] = np.count_nonzero(self.lanes.returns != NEVER)
        first = self.lanes.returns[self.lanes.bounds[:-1]]
        here[codes.LOW] = first.min(initial=NEVER)
        here[codes.BEST_LOW] = -1
        here[codes.STEADY_THERE] = self.operations[:, codes.STEADY].any()
        return here

    def _advance(self, bounds: Bounds) -> int:
        self.here[codes.BUDGET] = min(self.here[codes.STEPS] + CHUNK_STEPS, bounds.max_steps)
        table = self.automaton.table
        return int(
            search(
                self.here,
                self.operations,
                self.tracks,
                self.stack,
                table,
                self.visits,
                self.key,
                self.best,
            )
        )

    def _fill(self) -> None:
        self.automaton.fill(int(self.here[codes.STATE]), int(self.here[codes.MISSED]))

    def _grow(self, bounds: Bounds) -> str:
        """Enlarge the table of visits; return the bound of memory where it would be exceeded."""
        room = bounds.max_memory_bytes - self.visits.nbytes - self.automaton.table.nbytes
        factor = next((factor for factor in (4, 2) if factor * self.visits.nbytes <= room), 0)
        if not factor:
            return f"with max_memory_bytes={bounds.max_memory_bytes:,}"
        larger = np.zeros((factor * len(self.visits), self.visits.shape[1]), np.int64)
        rehash(self.visits, larger)
        self.visits = larger
        return ""

    def _longest(self) -> Array:
        """Return what is placed now, or was when it failed, whichever came further."""
        depth = int(self.here[codes.DEPTH])
        farther = self.here[codes.LOW] > self.here[codes.BEST_LOW]
        return self.stack[:depth, codes.PLACE] if farther else self.best[: self.here[codes.BEST_DEPTH]]

    def _outcome(self, holds: bool | None, places: Array, bound: str = "") -> Outcome:  # noqa: FBT001
        operations = self.lanes.operations
        blocking = None
        if holds is False:
            left = np.setdiff1d(np.arange(len(operations)), places)
            blocking = operations[left[np.argmin(self.lanes.returns[left])]]
        placed = tuple(operations[place] for place in places)
        return Outcome(holds, placed, blocking, int(self.here[codes.STEPS]), bound)


def _operation_table(lanes: Lanes, automaton: Automaton) -> Array:
    table = np.zeros((len(lanes.operations), 5), np.int64)
    table[:, codes.CALL] = lanes.calls
    table[:, codes.RETURN] = lanes.returns
    table[:, codes.SYMBOL] = lanes.symbols
    table[:, codes.OF_LANE] = lanes.lane
    table[:, codes.STEADY] = automaton.steady[lanes.symbols] & (lanes.returns != NEVER)
    return table


def _lane_table(lanes: Lanes) -> Array:
    return np.stack([lanes.bounds[:-1], lanes.bounds[1:], lanes.words, lanes.shifts], axis=1).astype(np.int64)
