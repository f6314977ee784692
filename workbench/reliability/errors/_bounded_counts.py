"""Counts of at most k distinct keys, that merge exactly in any order.

Which keys stay is decided by a hash of the key, not by when it came: the k smallest hashes of all keys ever
seen (bottom-k; Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007). A key that is
among the k smallest of the whole is among the k smallest of every part, so it was never put out anywhere,
and its count is exact. What is put out is handed back, to be counted more coarsely. Hence the result
depends on the keys alone, not on order or grouping.
"""

from collections.abc import Hashable, Iterator
from dataclasses import astuple, dataclass
from hashlib import blake2b
from heapq import heappop, heappush
from typing import Any, Generic, TypeVar

__all__ = ["BoundedCounts", "Tally"]

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Tally:
    """How often, and the least of the examples, so that it does not depend on their order."""

    count: int
    example: str

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.count + other.count, min(self.example, other.example))


class BoundedCounts(Generic[Key]):
    """Tallies of the keys whose hashes are smallest.

    Parameters
    ----------
    capacity : int
        How many keys at most.
    """

    __slots__ = ("_largest", "capacity", "tallies")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.tallies: dict[Key, Tally] = {}
        self._largest: list[tuple[int, Key]] = []  # a heap of negated hashes

    def __iter__(self) -> Iterator[tuple[Key, Tally]]:
        return iter(self.tallies.items())

    def add(self, key: Key, tally: Tally) -> tuple[Key, Tally] | None:
        """Count a key; return the key that had to go, with its tally, which may be this one."""
        known = self.tallies.get(key)
        self.tallies[key] = tally if known is None else known + tally
        if known is not None:
            return None
        heappush(self._largest, (-_hash(key), key))
        if len(self.tallies) <= self.capacity:
            return None
        _, gone = heappop(self._largest)
        return gone, self.tallies.pop(gone)


def _hash(key: Any) -> int:
    """Return 64 bits that are the same in every process; Python's own hash is not."""
    return int.from_bytes(
        blake2b(repr(astuple(key)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    )
