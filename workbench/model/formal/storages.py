r"""What a search keeps of the states that it has met, and which of them it may omit for that.

Exact storage keeps them whole. The other two keep less, and take a state that they have not met for one that
they have with a probability :math:`p(x)` that grows with the number :math:`x` of states stored:

- *hash compaction* keeps a hash of :math:`b` bits, so :math:`p(x) = x / (2^b - 1)` (P. Wolper, D. Leroy,
  Reliable hashing without collision detection, 1993; U. Stern, D. L. Dill, Improved probabilistic
  verification by hash compaction, 1995);
- *bitstate* hashing sets :math:`k` of :math:`m` bits for each, so
  :math:`p(x) = (1 - (1 - 1/m)^{k x})^k` (G. J. Holzmann, An analysis of bitstate hashing, 1998; P. C.
  Dillinger, P. Manolios, Bloom filters in probabilistic verification, 2004).

A search that has stored :math:`n` states omits none of those that it came to with probability
:math:`\prod_{x<n} (1 - p(x))`. Between two that it stores it omits as many as there are failures before a
success, :math:`p / (1 - p)` on average; so :math:`\sum_{x<n} p(x) / (1 - p(x))` are expected in all. States
that only omitted ones lead to are not counted: nobody has come to them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from workbench.model.formal.errors import ModelError

if TYPE_CHECKING:  # NumPy takes longer to import than a small model to check
    import numpy as np
    import numpy.typing as npt

__all__ = ["EXACT", "Bitstate", "HashCompaction", "Omissions", "Storage", "omissions_of", "storage_of"]

EXACT: Literal["exact"] = "exact"
SUMMED = 1 << 16  # states up to which a sum is taken term by term
NODES = 64  # of the quadrature that stands for a longer sum


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

    def mistaken(self, stored: "npt.NDArray[np.float64]") -> "npt.NDArray[np.float64]":
        """Return with which probability a new state is taken for one of those stored."""
        return stored / (2.0**self.bits - 1)


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
            msg = f"Bitstate's memory_bytes must be a power of two, such as {1 << 26}, got {self.memory_bytes}"
            raise ModelError(msg)
        _whole("hashes", self.hashes, 1, 16)
        _whole("seed", self.seed, 0, None)

    def mistaken(self, stored: "npt.NDArray[np.float64]") -> "npt.NDArray[np.float64]":
        """Return with which probability a new state is taken for one of those stored."""
        import numpy as np  # noqa: PLC0415 - which a plain check does without

        clear = self.hashes * stored * np.log1p(-1 / (8.0 * self.memory_bytes))
        found: npt.NDArray[np.float64] = (-np.expm1(clear)) ** self.hashes
        return found


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
            f"storage={self.storage.name!r}: each state omitted with probability up to {_shown(self.at_most)}, "
            f"any at all with {_shown(self.any)} ({_shown(self.expected)} expected)"
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
    import numpy as np  # noqa: PLC0415 - which a plain check does without

    places, weights = _places(stored)
    # all values of a hash can be taken: then the next state is omitted for sure
    chance = np.minimum(storage.mistaken(places), 1 - 2.0**-52)
    at_most = min(1.0, float(storage.mistaken(np.array([float(stored)]))[0]))
    none = float(weights @ np.log1p(-chance))
    expected = float(weights @ (chance / (1 - chance)))
    return Omissions(storage, stored, at_most, -float(np.expm1(none)), expected, memory_bytes, exact_bytes)


def _shown(number: float) -> str:
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.2g}" if number < 1 or number % 1 else f"{number:.0f}"


def _places(count: int) -> tuple[Any, Any]:
    """Return places and weights by which a sum over 0, 1, ..., count - 1 is taken.

    A long sum is the integral from -1/2 to count - 1/2 (the midpoint rule, backwards), by Gauss and Legendre.
    """
    import numpy as np  # noqa: PLC0415

    if count <= SUMMED:
        return np.arange(count, dtype=np.float64), np.ones(count)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return (nodes + 1) * count / 2 - 0.5, weights * count / 2
