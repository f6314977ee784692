r"""What a search keeps of the states that it has met, and which of them it may omit for that.

Exact storage keeps them whole. The other two keep less, and take a state that they have not met for one that
they have: after :math:`i` others with probability

.. math:: p(i) = \left(1 - (1 - 1/m)^{k i}\right)^k

- *bitstate* hashing sets :math:`k` of :math:`m` bits for each state; all :math:`k` may be set already
  (G. J. Holzmann, An analysis of bitstate hashing, 1998; P. C. Dillinger, P. Manolios, Bloom filters in
  probabilistic verification, 2004);
- *hash compaction* keeps a hash of :math:`b` bits, which is to mark one of :math:`m = 2^b - 1` places:
  :math:`k = 1` (P. Wolper, D. Leroy, Reliable hashing without collision detection, 1993; U. Stern, D. L.
  Dill, Improved probabilistic verification by hash compaction, 1995).

A search that came to :math:`N` states omitted none of them with probability :math:`\prod_{i<N} (1 - p(i))`,
and stored :math:`n = N - \sum_{i<N} p(i)` on average. It knows :math:`n`; solved for :math:`N` this says how
many are expected to be omitted. States that only omitted ones lead to are not among them: nobody has come to
those.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, TypeAlias

from workbench.model.formal.errors import ModelError

__all__ = ["EXACT", "Bitstate", "HashCompaction", "Omissions", "Storage", "omissions_of", "storage_of"]

EXACT: Literal["exact"] = "exact"
SUMMED = 1 << 16  # states up to which a sum is taken term by term
NODES = 16  # of the quadrature that stands for a longer sum, in each part of it
OVERFULL = 16  # as many times as many states as there is room for: nothing can be said then


@dataclass(frozen=True, slots=True)
class HashCompaction:
    """Keep a hash of each state: two of equal hashes are taken for one.

    Parameters
    ----------
    bits : int
        Of the hash, 8 to 64; a state takes as many whole bytes, and room in a table that is 3/8 to 3/4 full.
    seed : int
        Another seed hashes otherwise, and so omits other states, if any.
    """

    bits: int = 64
    seed: int = 0
    name: ClassVar[str] = "hash compaction"

    def __post_init__(self) -> None:
        _whole("bits", self.bits, 8, 64)
        _whole("seed", self.seed, 0, None)

    @property
    def places(self) -> float:
        """How many different things may be kept of states: hashes but for zero."""
        return 2.0**self.bits - 1

    @property
    def taken(self) -> int:
        """How many places each state takes."""
        return 1


@dataclass(frozen=True, slots=True)
class Bitstate:
    """Set some bits for each state: one whose bits are all set already is taken for known.

    Parameters
    ----------
    memory_bytes : int
        Of all bits, a power of two. They do not grow: about one bit in four of them should be set at the end.
    hashes : int
        How many bits each state sets.
    seed : int
        Another seed sets other bits, and so omits other states, if any.
    """

    memory_bytes: int = 1 << 26
    hashes: int = 3
    seed: int = 0
    name: ClassVar[str] = "bitstate"

    def __post_init__(self) -> None:
        _whole("memory_bytes", self.memory_bytes, 8, None)
        if self.memory_bytes & (self.memory_bytes - 1):
            msg = (
                f"Bitstate's memory_bytes must be a power of two, such as {1 << 26}, got {self.memory_bytes}"
            )
            raise ModelError(msg)
        _whole("hashes", self.hashes, 1, 16)
        _whole("seed", self.seed, 0, None)

    @property
    def places(self) -> float:
        """How many bits there are."""
        return 8.0 * self.memory_bytes

    @property
    def taken(self) -> int:
        """How many bits each state sets."""
        return self.hashes


def _whole(name: str, value: Any, least: int, most: int | None) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least or value > (most or value):
        upto = f" to {most}" if most else " on"
        msg = f"{name} must be an integer from {least}{upto}, got {value!r}"
        raise ModelError(msg)


Storage: TypeAlias = Literal["exact"] | HashCompaction | Bitstate
BY_NAME: dict[str, Storage] = {EXACT: EXACT, "hash compaction": HashCompaction(), "bitstate": Bitstate()}


def storage_of(given: Any) -> Storage:
    """Return a storage by its name, or as it was given.

    Raises
    ------
    ModelError
        For anything else.
    """
    if isinstance(given, HashCompaction | Bitstate):
        return given
    if isinstance(given, str) and given in BY_NAME:
        return BY_NAME[given]
    names = ", ".join(repr(name) for name in BY_NAME)
    msg = f"storage must be one of {names}, a HashCompaction or a Bitstate, got {given!r}"
    raise ModelError(msg)


@dataclass(frozen=True, slots=True)
class Omissions:
    """What a storage that forgets has perhaps omitted, and what it has saved.

    Attributes
    ----------
    storage : HashCompaction or Bitstate
        How the states were kept.
    stored : int
        States that were found.
    at_most : float
        The probability with which one more would be omitted, and each of them at most.
    any : float
        The probability that any state was omitted.
    expected : float
        How many are expected to be, besides those that only omitted ones lead to.
    memory_bytes, exact_bytes : int
        What the search took, and the least that exact storage takes for as many states.
    """

    storage: HashCompaction | Bitstate
    stored: int
    at_most: float
    any: float
    expected: float
    memory_bytes: int = 0
    exact_bytes: int = 0

    def __str__(self) -> str:
        return (
            f"storage={self.storage.name!r}: each state omitted with probability up to "
            f"{_shown(self.at_most)}, any at all with {_shown(self.any)} ({_shown(self.expected)} expected)"
        )

    @property
    def saving(self) -> str:
        """Bytes a state, against exact storage."""
        states = max(1, self.stored)
        took, exact = self.memory_bytes / states, self.exact_bytes / states
        return f"{took:.1f} bytes a state, exact storage {exact:.1f} at least"


def omissions_of(
    storage: HashCompaction | Bitstate, stored: int, memory_bytes: int = 0, exact_bytes: int = 0
) -> Omissions:
    """Estimate what a search that stored some states has omitted."""
    chance = partial(_mistaken, storage)
    met = _met(storage, stored)
    if math.isinf(met):
        return Omissions(storage, stored, 1.0, 1.0, met, memory_bytes, exact_bytes)
    none = _sum(lambda number: _log_of_rest(chance(number)), met, storage)
    return Omissions(
        storage,
        stored,
        at_most=float(chance(met)),
        any=-math.expm1(none),
        expected=_sum(chance, met, storage),
        memory_bytes=memory_bytes,
        exact_bytes=exact_bytes,
    )


def _mistaken(storage: HashCompaction | Bitstate, number: Any) -> Any:
    """Return with which probability a state is taken for one of a number of others."""
    import numpy as np  # noqa: PLC0415 - which a plain check does without

    return (-np.expm1(storage.taken * number * np.log1p(-1 / storage.places))) ** storage.taken


def _log_of_rest(chance: Any) -> Any:
    import numpy as np  # noqa: PLC0415

    return np.log1p(-np.minimum(chance, 1 - 2.0**-52))


def _met(storage: HashCompaction | Bitstate, stored: int) -> float:
    """Return of how many states so many are stored on average, by Newton's method, which comes from below."""
    most = OVERFULL * storage.places / storage.taken
    met = float(stored)
    for _ in range(100):
        missing = stored - (met - _sum(partial(_mistaken, storage), met, storage))
        rest = 1 - float(_mistaken(storage, met))
        if missing <= 1e-12 * stored:
            return met
        met += missing / rest if rest > 0 else math.inf
        if met > most:
            return math.inf
    return met


def _sum(function: Any, count: float, storage: HashCompaction | Bitstate) -> float:
    """Return the sum of a function over 0, 1, ..., the last term in part if the count is no whole number.

    A long sum is the integral from -1/2 to count - 1/2 (the midpoint rule, backwards), by Gauss and Legendre
    over parts in which places fill up evenly.
    """
    import numpy as np  # noqa: PLC0415

    if count <= SUMMED:
        whole = math.floor(count)
        last = (count - whole) * function(whole)
        return float(np.sum(function(np.arange(whole, dtype=np.float64))) + last)
    parts = 1 + int(4 * count * storage.taken / storage.places)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    starts = np.arange(parts)[:, None] * count / parts - 0.5
    half = count / parts / 2
    return float(np.sum(weights * half * function(starts + (nodes + 1) * half)))


def _shown(number: float) -> str:
    if number >= 100:
        return "countless" if math.isinf(number) else f"{number:,.0f}"
    return f"{number:.2g}" if number < 1 or number % 1 else f"{number:.0f}"
