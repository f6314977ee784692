"""`Order`: from the states as threads hold them to all states, level by level, in each thread by thread."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from workbench.model.formal.compiling._kernel_sharing import OWN, THREAD_SHIFT

__all__ = ["Order"]

Words = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Order:
    """Where the states of each level lie at each thread, and where among all.

    Attributes
    ----------
    starts : (levels, threads) int64
        The own number of each level's first state.
    counts : (levels, threads) int64
    bases : (levels, threads) int64
        The number of each level's first state among all.
    """

    starts: Words
    counts: Words
    bases: Words

    @classmethod
    def of(cls, bounds: list[list[int]]) -> Self:
        """Return the order of levels of which each thread's begin and end at bounds."""
        edges = np.array(bounds, np.int64)
        counts = np.diff(edges, axis=0)
        return cls(edges[:-1], counts, np.cumsum(counts).reshape(counts.shape) - counts)

    @property
    def levels(self) -> list[int]:
        """The number of each level's first state among all."""
        return [int(first) for first in self.bases[:, 0]]

    def number(self, coded: int) -> int:
        """Return the number among all of a state, of which a number says whose it is."""
        thread, own = coded >> THREAD_SHIFT, coded & OWN
        level = int(np.searchsorted(self.starts[:, thread], own, "right")) - 1
        return int(self.bases[level, thread] + own - self.starts[level, thread])

    def empty(self, *shape: int) -> Words:
        """Return room for something of each state."""
        return np.empty((int(self.counts.sum()), *shape), np.int64)

    def place_states(self, into: Words, thread: int, queue: Words) -> None:
        """Put the states of a thread where they belong."""
        states = queue.reshape(-1, into.shape[1])
        for own, among in self._slices(thread):
            into[among] = states[own]

    def place_parents(self, into: Words, thread: int, parents: Words) -> None:
        """Put the numbers of the states before each of a thread's; those lie one level above."""
        above = np.zeros(self.starts.shape[1], np.int64)
        for level, (own, among) in enumerate(self._slices(thread)):
            coded = parents[own]
            into[among] = np.where(coded < 0, -1, above[coded >> THREAD_SHIFT] + (coded & OWN))
            above = self.bases[level] - self.starts[level]

    def _slices(self, thread: int) -> list[tuple[slice, slice]]:
        columns = (array[:, thread].tolist() for array in (self.starts, self.counts, self.bases))
        return [
            (slice(start, start + count), slice(base, base + count))
            for start, count, base in zip(*columns, strict=True)
        ]
