"""The compiled engine: drives the kernel, and gives it what it pauses for."""

import numpy as np

from workbench.histories.search import _codes as codes
from workbench.histories.search._kernel_needed import leave_out
from workbench.histories.search._kernel_search import rehash, search
from workbench.histories.search.lanes import Lanes
from workbench.histories.search.machine import Array, Machine
from workbench.histories.search.outcome import Bounds, Outcome
from workbench.kernels import announce_compilation

__all__ = ["CompiledSearch", "announce"]

FIRST_CAPACITY = 1 << 10
CHUNK_STEPS = 1 << 20  # between two looks at the clock and at KeyboardInterrupt: some 30 ms


def announce() -> None:
    """Say so when what follows will compile."""
    if not search.overloads:
        announce_compilation(search, "the search for linearizations")


class CompiledSearch:
    """One search, with all of its memory."""

    def __init__(self, lanes: Lanes, machine: Machine) -> None:
        self.machine, self.here = machine, lanes.here.copy()
        self.operations, self.lanes = lanes.operations, lanes.lanes.copy()
        size, width = len(lanes.operations), int(self.here[codes.WIDTH])
        self.stack = np.empty((size + 1, 4), np.int64)
        self.best = np.empty(size, np.int64)
        self.key = np.zeros(width, np.int64)
        self.visits = np.zeros((FIRST_CAPACITY, width + 1), np.int64)

    def run(self, bounds: Bounds) -> Outcome:
        """Search until it is decided, or a bound is reached."""
        while True:
            status = self._advance(bounds)
            if status == codes.HOLDS:
                return self._outcome(True, self.stack[: self.here[codes.DEPTH], codes.PLACE])
            if status == codes.FAILS:
                return self._outcome(False, self.best[: self.here[codes.BEST_DEPTH]])
            bound = bounds.reached(int(self.here[codes.STEPS])) or self._supply(status, bounds)
            if bound:
                return self._outcome(None, self._longest(), bound)

    def _advance(self, bounds: Bounds) -> int:
        self.here[codes.BUDGET] = min(self.here[codes.STEPS] + CHUNK_STEPS, bounds.max_steps)
        machine = self.machine
        return int(
            search(
                self.here,
                self.operations,
                self.lanes,
                self.stack,
                machine.table,
                machine.sequences,
                machine.pool,
                machine.slots,
                self.visits,
                self.key,
                self.best,
            )
        )

    def _supply(self, status: int, bounds: Bounds) -> str:
        """Provide what it paused for; return the bound of memory where it would be exceeded."""
        room = bounds.max_memory_bytes - self.visits.nbytes - self.machine.nbytes
        if status == codes.FULL:
            has_room = self._grow(room)
        elif status in (codes.MISSING, codes.CROWDED):
            has_room = self.machine.supply(self.here, room)
        else:
            has_room = True
        return "" if has_room else f"with max_memory_bytes={bounds.max_memory_bytes:,}"

    def _grow(self, room: int) -> bool:
        """Enlarge the table of visits; the old and the new one are there together."""
        factor = next((factor for factor in (4, 2) if factor * self.visits.nbytes <= room), 0)
        if factor:
            larger = np.zeros((factor * len(self.visits), self.visits.shape[1]), np.int64)
            rehash(self.visits, larger)
            self.visits = larger
        return factor > 0

    def _longest(self) -> Array:
        """Return what is placed now, or was when it failed, whichever came further."""
        depth = int(self.here[codes.DEPTH])
        farther = self.here[codes.LOW] > self.here[codes.BEST_LOW]
        return self.stack[:depth, codes.PLACE] if farther else self.best[: self.here[codes.BEST_DEPTH]]

    def _outcome(self, holds: bool | None, places: Array, bound: str = "") -> Outcome:  # noqa: FBT001
        blocking = self._blocking(places) if holds is False else None
        rows = self.operations[self._needed(places), codes.ROW].tolist()
        return Outcome(holds, rows, blocking, int(self.here[codes.STEPS]), bound)

    def _blocking(self, places: Array) -> int:
        """Return which of those that are not placed returned first."""
        left = np.setdiff1d(np.flatnonzero(self.operations[:, codes.ROW] >= 0), places)
        return int(self.operations[left[np.argmin(self.operations[left, codes.RETURN])], codes.ROW])

    def _needed(self, places: Array) -> Array:
        """Leave out what never returned and the order does not need."""
        here, machine = self.here.copy(), self.machine
        here[codes.DEPTH] = here[codes.LEFT] = len(places)
        kept, states = places.copy(), np.empty(len(places) + 1, np.int64)
        states[0] = machine.start
        while not leave_out(
            here, self.operations, kept, states, machine.table, machine.sequences, machine.pool, machine.slots
        ):
            machine.supply(here, float("inf"))
        return kept[: here[codes.DEPTH]]
