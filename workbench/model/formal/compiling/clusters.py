"""Breadth-first search over an executor: other processes expand the states, this one knows them all.

Level by level the states are handed out in parts, and their successors come back in the order of the states
that they follow: so everything is found in the same order as by one process. What crosses between processes
are words, and once the text of the compiled model.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.model.formal.compiling import _kernel_search as search
from workbench.model.formal.compiling.machines import compiled
from workbench.model.formal.compiling.memory import Memory

__all__ = ["Cluster", "expanded"]

Words = npt.NDArray[np.int64]
PART = 1 << 13  # states


def expanded(
    source: str, states: Words, first: int, sizes: tuple[int, int, int]
) -> tuple[int, Words, npt.NDArray[np.int32], Words, Words]:
    """Expand a part of a level, in any process; `sizes`: words of a state, action instances, words of slots.

    Return the number of the state that failed or -1, the successors' words, the numbers of the states within
    the part that they follow, the successors of each action instance, and what was found.
    """
    words, fanout, slot_words = sizes
    expand = compiled(source, "expand").ctypes
    taken, found = np.zeros(fanout, np.int64), np.full(slot_words, -1, np.int64)
    made_all, owners_all = [], []
    out, owners = np.empty(64 * fanout * words, np.int64), np.empty(64 * fanout, np.int32)
    for begin in range(0, len(states), 64):
        batch = np.ascontiguousarray(states[begin : begin + 64])
        made = expand(
            batch.ctypes.data,
            len(batch),
            first + begin,
            out.ctypes.data,
            out.ctypes.data,
            owners.ctypes.data,
            taken.ctypes.data,
            found.ctypes.data,
        )
        if made < 0:
            return first + begin - 1 - made, out[:0], owners[:0], taken, found
        made_all.append(out[: made * words].copy())
        owners_all.append((owners[:made] & search.OWNER) + np.int32(begin))
    return -1, np.concatenate(made_all), np.concatenate(owners_all), taken, found


class Cluster:
    """The memory of a search whose states are expanded elsewhere."""

    def __init__(self, memory: Memory, executor: Executor) -> None:
        self.memory, self.executor = memory, executor
        self.sizes = memory.words, memory.fanout, len(memory.found)

    def advance(self) -> int:
        """Expand the rest of the level; return why this ends, as the kernels do."""
        memory = self.memory
        position, end = int(memory.control[search.NEXT]), int(memory.control[search.LEVEL_END])
        for first, (fault, made, owners, taken, found) in self._parts(position, end):
            if fault >= 0:
                memory.control[search.FAULT] = fault
                return search.FAILED
            while memory.room < len(owners):
                memory.grow()
            memory.taken += taken
            _merge(memory, found)
            wrong = memory.absorb(made, owners.astype(np.int64) + first)
            memory.control[search.NEXT] = min(end, first + PART)
            if wrong != search.LEVEL:
                return search.FAILED
        return search.LEVEL

    def _parts(self, position: int, end: int) -> Iterator[tuple[int, Any]]:
        states = self.memory.queue[: end * self.memory.words].reshape(-1, self.memory.words)
        firsts = list(range(position, end, PART))
        source = self.memory.machine.text.source
        futures = [
            self.executor.submit(expanded, source, states[first : first + PART].copy(), first, self.sizes)
            for first in firsts
        ]
        try:
            for first, future in zip(firsts, futures, strict=True):
                yield first, future.result()
        finally:
            for future in futures:
                future.cancel()


def _merge(memory: Memory, found: Words) -> None:
    """Keep what was found first."""
    width = memory.machine.text.slot_words
    mine, other = memory.found.reshape(-1, width), found.reshape(-1, width)
    new = (mine[:, 0] < 0) & (other[:, 0] >= 0)
    mine[new] = other[new]
