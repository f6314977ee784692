"""What a search remembers of the states that it has met: their keys, hashes of them, or some bits of each."""

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.model.formal._storages import Bitstate, HashCompaction, Storage
from workbench.model.formal.compiling import _kernel_tables as tables

__all__ = ["Visited", "visited_by"]

Words = npt.NDArray[np.int64]
ENDLESS = np.iinfo(np.int64).max
FULL = 0.75  # of a table of hashes; by then a new one is compared with eight others


class Visited(ABC):
    """A table of states, and how many it has room for.

    Attributes
    ----------
    kind : int
        Which of the kinds that the kernels know.
    table : (any,) int64
        Its memory.
    shape : (4,) int64
        What the kernels have to know of one that forgets.
    room : int
        The number of states from which on it has to grow.
    """

    kind: int
    table: Words
    shape: Words
    room: int

    @property
    def bytes_after_growing(self) -> int:
        """What it takes when it has grown once."""
        return 2 * self.table.nbytes

    def release(self) -> None:  # noqa: B027 - most tables have nothing to give back
        """Give back the memory of a table that is made again when it grows."""

    @abstractmethod
    def grow(self, keys: Words, count: int) -> None:
        """Make room for more; the first `count` keys are known already."""

    @abstractmethod
    def learn(self, keys: Words, count: int) -> None:
        """Know the first `count` keys, and no others."""


class WholeKeys(Visited):
    """Keys that are compared whole: short ones lie in the table, long ones are found by their number."""

    def __init__(self, words: int, room: int, *, short: bool) -> None:
        self.kind = tables.SHORT if short else tables.LONG
        self.words, self.room = words, room
        self.shape = np.zeros(4, np.int64)
        self.table = np.zeros(2 * room, np.int64)

    def release(self) -> None:
        """Give back the table."""
        self.table = np.zeros(1, np.int64)

    def grow(self, keys: Words, count: int) -> None:
        """Double the table, and put all keys in anew."""
        self.release()
        self.room *= 2
        self.table = np.zeros(2 * self.room, np.int64)
        self._insert(keys, count)

    def learn(self, keys: Words, count: int) -> None:
        """Put the keys into an empty table."""
        self.table[:] = 0
        self._insert(keys, count)

    def _insert(self, keys: Words, count: int) -> None:
        if self.kind == tables.SHORT:
            tables.insert(self.table, keys, count)
        else:
            tables.insert_wide(self.table, keys, self.words, count)


class Compacted(Visited):
    """Hashes of a few bytes; those of a full table are put into one of twice its size."""

    kind = tables.COMPACTED

    def __init__(self, storage: HashCompaction, words: int, room: int) -> None:
        self.words, self.size = words, -(-storage.bits // 8)
        self._make(1 << math.ceil(math.log2(room / FULL)))
        ones = (1 << storage.bits) - 1
        self.shape = np.array([self.places - 1, _signed(ones), self.size, _mixed(storage.seed)], np.int64)

    def _make(self, places: int) -> None:
        self.places, self.room = places, int(places * FULL)
        self.table = np.zeros(places * self.size // 8 + 2, np.int64)  # the last place is read as a whole word

    def grow(self, keys: Words, count: int) -> None:
        """Double the table."""
        del keys, count
        table, shape = self.table, self.shape
        self._make(2 * self.places)
        self.shape = shape.copy()
        self.shape[tables.PLACES] = self.places - 1
        tables.spread(table, shape, self.table, self.shape)

    def learn(self, keys: Words, count: int) -> None:
        """Put the keys' hashes in."""
        tables.mark(self.kind, self.table, self.shape, keys, self.words, count)


class Bits(Visited):
    """An array of bits, of which each key sets some; it never grows."""

    kind = tables.BITS
    room = ENDLESS

    def __init__(self, storage: Bitstate, words: int) -> None:
        self.words = words
        self.table = np.zeros(storage.memory_bytes // 8, np.int64)
        bits = 8 * storage.memory_bytes
        self.shape = np.array([bits - 1, 0, storage.hashes, _mixed(storage.seed)], np.int64)

    @property
    def bytes_after_growing(self) -> int:
        """What it takes."""
        return self.table.nbytes

    def grow(self, keys: Words, count: int) -> None:
        """Stay as it is."""

    def learn(self, keys: Words, count: int) -> None:
        """Set the keys' bits."""
        tables.mark(self.kind, self.table, self.shape, keys, self.words, count)


def visited_by(storage: Storage, words: int, room: int, *, short: bool) -> Visited:
    """Return an empty table, for keys of a number of words.

    Parameters
    ----------
    short
        Keys have at most 63 bits.
    """
    if isinstance(storage, HashCompaction):
        return Compacted(storage, words, room)
    if isinstance(storage, Bitstate):
        return Bits(storage, words)
    return WholeKeys(words, room, short=short)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _mixed(seed: int) -> Any:
    """Return a word of which each bit depends on the whole seed: neighbours give unlike hashes."""
    return np.random.SeedSequence(seed).generate_state(1, np.uint64).astype(np.int64)[0]
