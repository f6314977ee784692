"""The ways to some states of a search that has let its states go.

The search is run again, as often as it takes: it finds the same states in the same order. The first time what
is kept of each state is its parent, which gives the numbers of the states on the way; the second time those
states are kept when they come by.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.model.formal._models import Frozen
from workbench.model.formal._storages import Storage
from workbench.model.formal.compiling import _kernel_search as search
from workbench.model.formal.compiling.machines import Machine
from workbench.model.formal.compiling.memory import Memory

__all__ = ["Ways", "ways_to"]

Words = npt.NDArray[np.int64]


class Ways(Sequence[Frozen]):
    """The states of a search by number, as far as they lie on a way that was asked for.

    Attributes
    ----------
    parents : mapping of int to int
        From which state each of them was reached.
    """

    def __init__(self, count: int, states: dict[int, Frozen], parents: Any) -> None:
        self.length, self.known, self.parents = count, states, parents

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, number: Any) -> Any:
        return self.known[number]


def ways_to(machine: Machine, storage: Storage, first: Words, count: int, wanted: set[int]) -> Ways:
    """Return the ways to the states of some numbers, of `count` that the search has found."""
    last = max(wanted, default=-1)
    if last < 0:
        return Ways(count, {}, {})
    parents: dict[int, int] = {}
    levels = [(0, np.full(len(first), -1, np.int32))]
    for memory in _levels(machine, storage, first, last):
        begin, held = int(memory.control[search.LEVEL_END]), memory.count - memory.base
        levels.append((begin, memory.parents[begin - memory.base : held].copy()))
    for number in wanted:
        parents |= _way(levels, number)
    states = _states(machine, storage, first, sorted(parents))
    return Ways(count, {number: machine.text.layout.unpack(words) for number, words in states}, parents)


def _levels(machine: Machine, storage: Storage, first: Words, last: int) -> Iterator[Memory]:
    """Run a search again, and yield its memory at the end of each level, up to that of a state."""
    memory = Memory(machine, first, storage=storage)
    memory.control[search.LEVEL_END] = memory.count
    memory.control[search.STOP_COUNT] = last + 1
    while memory.count <= last:
        reason = search.AGAIN
        while reason in (search.AGAIN, search.GROW) and memory.count <= last:
            reason = memory.advance()
            if reason == search.GROW:
                memory.grow()
        yield memory
        memory.begin_level()


def _way(levels: list[tuple[int, Any]], number: int) -> dict[int, int]:
    """Return the parents of the states by which a state was reached, and its own."""
    found: dict[int, int] = {}
    for depth in reversed(range(len(levels))):
        begin, parents = levels[depth]
        if number < begin or number < 0:
            continue
        parent = int(parents[number - begin])
        found[number] = parent if parent < 0 else levels[depth - 1][0] + parent
        number = found[number]
    return found


def _states(
    machine: Machine, storage: Storage, first: Words, numbers: list[int]
) -> Iterator[tuple[int, Words]]:
    yield from ((number, first[number]) for number in numbers if number < len(first))
    for memory in _levels(machine, storage, first, numbers[-1]):
        begin, end = int(memory.control[search.LEVEL_END]), memory.count
        yield from ((number, memory.words_of(number).copy()) for number in numbers if begin <= number < end)
