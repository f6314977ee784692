"""Live values with parts: what an action finds in the state and may change.

They behave as Python's own lists, dictionaries and sets do, and check keys at once; elements are checked when
the action has ended and its state is frozen.
"""

from collections.abc import Iterable, Iterator, MutableMapping, MutableSet
from typing import TYPE_CHECKING, Any

from workbench.model.formal.errors import DomainError

if TYPE_CHECKING:
    from workbench.model.formal.domains.collections import Array, Map, Record
    from workbench.model.formal.domains.sets import Set

__all__ = ["FiniteArray", "FiniteMap", "FiniteSet", "RecordValue"]


class FiniteArray:
    """A value for each key of a fixed set; iteration yields the values, as a list's does."""

    __slots__ = ("domain", "parts")

    def __init__(self, domain: "Array", parts: list[Any]) -> None:
        self.domain, self.parts = domain, parts

    def _position(self, key: Any) -> int:
        try:
            return self.domain.positions[key]
        except (KeyError, TypeError):
            msg = f"{key!r} is no key of {self.domain!r}"
            raise DomainError(msg) from None

    def __getitem__(self, key: Any) -> Any:
        return self.parts[self._position(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.parts[self._position(key)] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def __contains__(self, value: object) -> bool:
        return value in self.parts

    def __eq__(self, other: object) -> bool:
        return self.parts == list(other) if isinstance(other, Iterable) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def index(self, value: Any) -> Any:
        """Return the first key that has a value."""
        return self.domain.keys[self.parts.index(value)]

    def count(self, value: Any) -> int:
        """Return how many keys have a value."""
        return self.parts.count(value)

    def __repr__(self) -> str:
        return repr(self.parts)


class FiniteMap(MutableMapping[Any, Any]):
    """A dictionary whose keys are of a fixed set, iterated in that set's order."""

    __slots__ = ("domain", "pairs")

    def __init__(self, domain: "Map", pairs: dict[Any, Any]) -> None:
        self.domain, self.pairs = domain, pairs

    def __getitem__(self, key: Any) -> Any:
        return self.pairs[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        if key not in self.domain.positions:
            msg = f"{key!r} is no key of {self.domain!r}"
            raise DomainError(msg)
        self.pairs[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.pairs[key]

    def __iter__(self) -> Iterator[Any]:
        return (key for key in self.domain.keys if key in self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{key!r}: {self.pairs[key]!r}" for key in self) + "}"


class FiniteSet(MutableSet[Any]):
    """A set of elements of a finite domain, iterated in the domain's order."""

    __slots__ = ("bits", "domain")

    def __init__(self, domain: "Set", bits: int = 0) -> None:
        self.domain, self.bits = domain, bits

    def _from_iterable(self, elements: Iterable[Any]) -> "FiniteSet":  # type: ignore[override]
        return FiniteSet(self.domain, self.domain.freeze(elements))

    def __contains__(self, element: object) -> bool:
        try:
            return bool(self.bits >> self.domain.number(element) & 1)
        except DomainError:
            return False

    def __iter__(self) -> Iterator[Any]:
        bits, thaw, elements = self.bits, self.domain.of.thaw, self.domain.elements
        while bits:
            lowest = bits & -bits
            yield thaw(elements[lowest.bit_length() - 1])
            bits ^= lowest

    def __len__(self) -> int:
        return self.bits.bit_count()

    def add(self, value: Any) -> None:
        """Put an element in."""
        self.bits |= 1 << self.domain.number(value)

    def discard(self, value: Any) -> None:
        """Take an element out, if it is there."""
        self.bits &= ~(1 << self.domain.number(value))

    def update(self, *others: Iterable[Any]) -> None:
        """Put in the elements of other collections."""
        for other in others:
            self.bits |= self.domain.freeze(other)

    def copy(self) -> "FiniteSet":
        """Return an equal set that changes on its own."""
        return FiniteSet(self.domain, self.bits)

    def union(self, *others: Iterable[Any]) -> "FiniteSet":
        """Return the elements of this set and of others."""
        made = self.copy()
        made.update(*others)
        return made

    def issubset(self, other: Iterable[Any]) -> bool:
        """Tell whether every element is in another collection."""
        return self.bits & ~self.domain.freeze(other) == 0

    def issuperset(self, other: Iterable[Any]) -> bool:
        """Tell whether every element of another collection is here."""
        return self.domain.freeze(other) & ~self.bits == 0

    def __repr__(self) -> str:
        return "{" + ", ".join(repr(element) for element in self) + "}"


class RecordValue:
    """Named values that may be set; two with equal values are equal."""

    __slots__ = ("_domain", "_parts")

    def __init__(self, domain: "Record", parts: dict[str, Any]) -> None:
        object.__setattr__(self, "_domain", domain)
        object.__setattr__(self, "_parts", parts)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return self._domain.names

    def part(self, name: str) -> Any:
        """Return the value of a field."""
        return self._parts[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._parts[name]
        except KeyError:
            msg = f"there is no field {name!r}; the fields are {', '.join(self.names)}"
            raise AttributeError(msg) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._parts:
            msg = f"there is no field {name!r}; the fields are {', '.join(self.names)}"
            raise AttributeError(msg)
        self._parts[name] = value

    def replace(self, **values: Any) -> "RecordValue":
        """Return a record with some values changed."""
        return self._domain(**{**self._parts, **values})

    def _frozen(self) -> Any:
        return self._domain.freeze(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RecordValue):
            return NotImplemented
        return self.names == other.names and self._frozen() == other._frozen()

    def __hash__(self) -> int:
        return hash(self._frozen())

    def __repr__(self) -> str:
        shown = (f"{name}={self.part(name)!r}" for name in self.names)
        return "(" + ", ".join(shown) + ")"
