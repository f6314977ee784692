"""The memory of a search: states in the order of their discovery, how each was reached, a table of all."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.model.formal._models import Frozen
from workbench.model.formal.compiling import _kernel_search as search
from workbench.model.formal.compiling.layouts import StateLayout
from workbench.model.formal.compiling.machines import Machine
from workbench.model.formal.errors import FormalError

__all__ = ["Memory", "PackedStates"]

Words = npt.NDArray[np.int64]
BATCH = 64  # states expanded together
MOST_MADE = 1 << 16  # successors of a batch


class PackedStates(Sequence[Frozen]):
    """States in words, unpacked when they are asked for."""

    def __init__(self, words: Words, layout: StateLayout) -> None:
        self.words, self.layout = words, layout

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, number: Any) -> Any:
        return self.layout.unpack(self.words[number])


class Memory:
    """The arrays of a search; they double when they are full."""

    def __init__(self, machine: Machine, first: Words, parents: Any = np.int32) -> None:
        self.machine = machine
        self.words = machine.text.layout.words
        self.fanout = fanout = max(1, len(machine.text.declared.instances))
        self.batch = max(1, min(BATCH, MOST_MADE // fanout))
        made = self.batch * fanout
        self.out = np.empty(made * self.words, np.int64)
        self.owners = np.empty(made, np.int32)
        self.taken = np.zeros(fanout, np.int64)
        self.slots = len(machine.text.slots)
        self.found = np.full(self.slots * machine.text.slot_words, -1, np.int64)
        capacity = 1 << max(12, int(math.log2(len(first) + 2 * made)) + 1)
        self.queue = np.empty(capacity * self.words, np.int64)
        self.queue[: first.size] = first.ravel()
        self.parents = np.empty(capacity, parents)
        self.parents[: len(first)] = -1
        self.table = np.zeros(2 * capacity, np.int64)
        self.control = np.zeros(12, np.int64)
        self.control[[search.COUNT, search.BATCH, search.FANOUT]] = len(first), self.batch, fanout
        self.control[[search.WORDS, search.KEY_WORDS]] = self.words
        self.control[[search.SLOTS, search.SLOT_WORDS]] = self.slots, machine.text.slot_words
        self._fill()

    @property
    def count(self) -> int:
        """The distinct states so far."""
        return int(self.control[search.COUNT])

    @property
    def bytes_held(self) -> int:
        """The memory that the states take."""
        return self.queue.nbytes + self.parents.nbytes + self.table.nbytes

    @property
    def room(self) -> int:
        """How many states can be taken in before memory has to grow."""
        return min(len(self.queue) // self.words, len(self.table) // 2) - self.count

    def _fill(self) -> None:
        if self.words == 1:
            search.insert(self.table, self.queue, self.count)
        else:
            search.insert_wide(self.table, self.queue, self.words, self.count)

    def grow(self) -> None:
        """Double the memory; the table is made again of the states."""
        size = len(self.table)
        del self.table
        for name in ("queue", "parents"):
            old = getattr(self, name)
            new = np.empty(2 * len(old), old.dtype)
            used = self.count * (self.words if name == "queue" else 1)
            new[:used] = old[:used]
            setattr(self, name, new)
            del old
        self.table = np.zeros(2 * size, np.int64)
        self._fill()

    def absorb(self, made: Words, came_from: Words) -> int:
        """Take in successors that were made elsewhere, with the numbers of the states that they follow."""
        at = self.machine.judge.address
        shared = self.control, self.table, self.queue, self.parents
        return int(search.absorb(at, *shared, made, came_from, self.found))

    def restore(self, queue: Words, parents: Any, taken: Words, found: Words) -> None:
        """Take over the states of a search that was put aside."""
        count = len(parents)
        self.control[search.COUNT] = 0
        while len(self.parents) < 2 * count + self.batch * self.fanout:
            self.grow()
        self.queue[: len(queue)], self.parents[:count] = queue, parents
        self.taken[:], self.found[:] = taken, found
        self.control[search.COUNT] = count
        self.table[:] = 0
        self._fill()

    def drop_table(self) -> None:
        """Give back the memory of the table: the search is over."""
        self.table = np.zeros(1, np.int64)

    def advance(self) -> int:
        """Go on until the level is done or something must be decided."""
        at = self.machine.expand.address, self.machine.judge.address
        if self.words == 1:
            shared = self.parents, self.out, self.owners, self.taken, self.found
            return int(search.advance(*at, self.control, self.table, self.queue, *shared))
        return int(
            search.advance_wide(
                *at,
                self.control,
                self.table,
                self.queue,
                self.queue,
                self.parents,
                self.out,
                self.out,
                self.owners,
                self.taken,
                self.found,
            )
        )

    def edges(self) -> tuple[Words, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return all steps: where each state's begin, where they lead, and by which action instances."""
        at = self.machine.expand.address
        taken, found = np.zeros_like(self.taken), np.zeros_like(self.found)
        starts = np.zeros(self.count + 1, np.int64)
        shared = self.queue, self.out, self.out, self.owners, taken, found
        fault = search.measure(at, self.control, *shared, starts)
        if fault >= 0:
            msg = f"state {fault} cannot be expanded again"
            raise FormalError(msg)
        table = np.zeros(len(self.table), np.int64)
        search.insert_wide(table, self.queue, self.words, self.count)
        targets, labels = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.int32)
        search.connect(at, self.control, table, *shared, targets, labels)
        return starts, targets, labels

    def states(self) -> PackedStates:
        """Return the states found so far."""
        words = self.queue[: self.count * self.words].reshape(-1, self.words)
        return PackedStates(words, self.machine.text.layout)
