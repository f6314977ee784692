"""Arrays, sets, sequences, maps and records of terms: they change as the values of `domains.values` do.

What depends on a value that is not known becomes a term where that is small, and a decision otherwise.
"""

from collections.abc import Iterator
from typing import Any, Self

from workbench.model.formal.domains.collections import Array, Map, Record, Seq
from workbench.model.formal.domains.domain import Domain
from workbench.model.formal.domains.sets import Set
from workbench.model.formal.errors import DomainError
from workbench.model.formal.exporting.guarded import Guarded, counted, first_place, same_as
from workbench.model.formal.exporting.paths import changed, decide
from workbench.model.formal.exporting.scalars import Scalar, plain
from workbench.model.formal.exporting.terms import (
    FALSE,
    TRUE,
    Term,
    both,
    choose,
    constant,
    either,
    equal,
    less,
    negated,
)

__all__ = [
    "ArrayParts",
    "MapParts",
    "MaybePart",
    "RecordParts",
    "SeqParts",
    "SetBits",
]


class MaybePart:
    """None, or a value."""

    __slots__ = ("domain", "held", "is_set")

    def __init__(self, domain: Domain, is_set: Term, held: Any) -> None:
        self.domain, self.is_set, self.held = domain, is_set, held

    def value(self) -> Any:
        """Return the value; whoever asks knows that there is one."""
        return self.held

    def known(self) -> Any:
        """Return None, or the value, on this path."""
        return self.held if decide(self.is_set) else None

    def __bool__(self) -> bool:
        return bool(self.known())

    def __index__(self) -> int:
        return int(self.held.__index__())

    def __hash__(self) -> int:
        return hash(self.known())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.held, name)

    def __getitem__(self, key: Any) -> Any:
        return self.held[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.held)

    def _operated(self, name: str, other: Any) -> Any:
        held = constant_scalar(self.held)
        return getattr(held, name)(other.held if isinstance(other, MaybePart) else other)


def constant_scalar(value: Any) -> Scalar:
    """Return a scalar even for a known number."""
    return value if isinstance(value, Scalar) else Scalar(constant(value))


def _delegate(name: str) -> Any:
    return lambda self, other: self._operated(name, other)


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "mod", "rmod", "floordiv", "lt", "le", "gt", "ge"):
    setattr(MaybePart, f"__{_name}__", _delegate(f"__{_name}__"))


class ArrayParts:
    """A value for each key."""

    __slots__ = ("domain", "parts")

    def __init__(self, domain: Array, parts: list[Any]) -> None:
        self.domain, self.parts = domain, parts

    def position(self, key: Any) -> int:
        """Return where a key's value is, decided on if the key is not known."""
        known = key.known() if isinstance(key, Scalar | MaybePart) else key
        try:
            return self.domain.positions[known]
        except (KeyError, TypeError):
            msg = f"{known!r} is no key of {self.domain!r}"
            raise DomainError(msg) from None

    def __getitem__(self, key: Any) -> Any:
        return self.parts[self.position(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        changed()
        self.parts[self.position(key)] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def index(self, value: Any) -> Any:
        """Return the first key that has a value."""
        return self.domain.keys[first_place(self.parts, value)]

    def count(self, value: Any) -> Any:
        """Return how many keys have a value."""
        return plain(counted(same_as(part, value) for part in self.parts))


class SetBits:
    """A set: for each element of its domain, whether it is in."""

    __slots__ = ("bits", "domain")

    def __init__(self, domain: Set, bits: list[Term]) -> None:
        self.domain, self.bits = domain, bits

    def elements(self) -> list[Any]:
        """Return the elements of the domain, live."""
        return [self.domain.of.thaw(element) for element in self.domain.elements]

    def where(self, element: Any) -> list[Term]:
        """Return, for each element of the domain, whether it equals a value."""
        return [same_as(each, element) for each in self.elements()]

    def size(self) -> Term:
        """Return how many elements are in."""
        return counted(self.bits)

    def has(self, element: Any) -> Term:
        """Return whether an element is in."""
        return either(*(both(bit, here) for bit, here in zip(self.bits, self.where(element), strict=True)))

    def __iter__(self) -> Iterator[Any]:
        pairs = zip(list(self.bits), self.elements(), strict=True)
        return (element for bit, element in pairs if decide(bit))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return decide(either(*self.bits))

    def __hash__(self) -> int:
        return hash(frozenset(self))

    def add(self, value: Any) -> None:
        """Put an element in."""
        self.bits = [either(bit, here) for bit, here in zip(self.bits, self.where(value), strict=True)]

    def discard(self, value: Any) -> None:
        """Take an element out, if it is there."""
        gone = self.where(value)
        self.bits = [both(bit, negated(here)) for bit, here in zip(self.bits, gone, strict=True)]

    def remove(self, value: Any) -> None:
        """Take an element out that is there."""
        if not decide(self.has(value)):
            raise KeyError(value)
        self.discard(value)

    def clear(self) -> None:
        """Take all elements out."""
        self.bits = [FALSE] * len(self.bits)

    def update(self, *others: Any) -> None:
        """Put in the elements of other collections."""
        for other in others:
            self.bits = [either(*pair) for pair in zip(self.bits, self._bits_of(other), strict=True)]

    def copy(self) -> "SetBits":
        """Return an equal set that changes on its own."""
        return SetBits(self.domain, list(self.bits))

    def union(self, *others: Any) -> "SetBits":
        """Return the elements of this set and of others."""
        made = self.copy()
        made.update(*others)
        return made

    def issubset(self, other: Any) -> Any:
        """Return whether every element is in another collection."""
        pairs = zip(self.bits, self._bits_of(other), strict=True)
        return plain(both(*(either(negated(mine), theirs) for mine, theirs in pairs)))

    def issuperset(self, other: Any) -> Any:
        """Return whether every element of another collection is here."""
        pairs = zip(self.bits, self._bits_of(other), strict=True)
        return plain(both(*(either(negated(theirs), mine) for mine, theirs in pairs)))

    def isdisjoint(self, other: Any) -> Any:
        """Return whether no element is in another collection."""
        return plain(negated(either(*map(both, self.bits, self._bits_of(other)))))

    def _bits_of(self, other: Any) -> list[Term]:
        from workbench.model.formal.exporting.shapes import leaves  # noqa: PLC0415 - it is made of these

        return leaves(self.domain, other)

    def __or__(self, other: Any) -> "SetBits":
        return self.union(other)

    __ror__ = __or__

    def __and__(self, other: Any) -> "SetBits":
        return SetBits(self.domain, list(map(both, self.bits, self._bits_of(other))))

    __rand__ = __and__

    def __sub__(self, other: Any) -> "SetBits":
        theirs = [negated(bit) for bit in self._bits_of(other)]
        return SetBits(self.domain, list(map(both, self.bits, theirs)))

    def __rsub__(self, other: Any) -> "SetBits":
        return SetBits(self.domain, self._bits_of(other)) - self

    def __xor__(self, other: Any) -> "SetBits":
        return (self | other) - (self & other)

    def __le__(self, other: Any) -> Any:
        return self.issubset(other)

    def __ge__(self, other: Any) -> Any:
        return self.issuperset(other)


class SeqParts:
    """A sequence; its length is decided on when its elements move."""

    __slots__ = ("domain", "length", "slots")

    def __init__(self, domain: Seq, length: Term, slots: list[Any]) -> None:
        self.domain, self.length, self.slots = domain, length, slots

    def settle(self) -> list[Any]:
        """Return the elements as a list, the length being decided."""
        for count in range(len(self.slots) + 1):
            if decide(equal(self.length, constant(count))):
                self.length, self.slots = constant(count), self.slots[:count]
                return self.slots
        return self.slots

    def __len__(self) -> int:
        return len(self.settle())

    def __bool__(self) -> bool:
        return decide(less(constant(0), self.length))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.settle())

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int) and 0 <= key < len(self.slots):
            return self.slots[key]
        return self.settle()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        changed()
        self.settle()[key] = value

    def __add__(self, other: Any) -> list[Any]:
        return [*self.settle(), *other]

    def __radd__(self, other: Any) -> list[Any]:
        return [*other, *self.settle()]

    def __iadd__(self, other: Any) -> Self:
        changed()
        self.extend(other)
        return self

    def append(self, value: Any) -> None:
        """Put an element at the end."""
        self.settle().append(value)
        self.length = constant(len(self.slots))

    def extend(self, values: Any) -> None:
        """Put elements at the end."""
        self.settle().extend(values)
        self.length = constant(len(self.slots))

    def insert(self, position: Any, value: Any) -> None:
        """Put an element before another one."""
        self.settle().insert(position, value)
        self.length = constant(len(self.slots))

    def pop(self, position: Any = -1) -> Any:
        """Take an element out, and return it."""
        found = self.settle().pop(position)
        self.length = constant(len(self.slots))
        return found

    def remove(self, value: Any) -> None:
        """Take the first element out that equals a value."""
        self.pop(self.index(value))

    def clear(self) -> None:
        """Take all elements out."""
        self.length, self.slots = constant(0), []

    def __delitem__(self, key: Any) -> None:
        changed()
        del self.settle()[key]
        self.length = constant(len(self.slots))

    def index(self, value: Any) -> int:
        """Return where a value is first."""
        return first_place(self.settle(), value)

    def count(self, value: Any) -> Any:
        """Return how often a value occurs."""
        return plain(counted(same_as(each, value) for each in self.settle()))

    def copy(self) -> list[Any]:
        """Return the elements as a list."""
        return list(self.settle())


class MapParts:
    """A value for some keys."""

    __slots__ = ("domain", "has", "parts")

    def __init__(self, domain: Map, has: list[Term], parts: list[Any]) -> None:
        self.domain, self.has, self.parts = domain, has, parts

    def position(self, key: Any) -> int:
        """Return where a key's value is, decided on if the key is not known."""
        known = key.known() if isinstance(key, Scalar | MaybePart) else key
        if known not in self.domain.positions:
            msg = f"{known!r} is no key of {self.domain!r}"
            raise DomainError(msg)
        return self.domain.positions[known]

    def __getitem__(self, key: Any) -> Any:
        return self.parts[self.position(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        changed()
        at = self.position(key)
        self.has[at], self.parts[at] = TRUE, value

    def __delitem__(self, key: Any) -> None:
        changed()
        at = self.position(key)
        self.has[at], self.parts[at] = FALSE, self.domain.of.thaw(self.domain.of.lowest)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return decide(either(*self.has))

    def keys(self) -> Guarded:
        """Return the keys that have a value."""
        return Guarded(list(zip(self.has, self.domain.keys, strict=True)))

    def values(self) -> Guarded:
        """Return the values."""
        return Guarded(list(zip(self.has, self.parts, strict=True)))

    def items(self) -> Guarded:
        """Return keys with their values."""
        pairs = zip(self.domain.keys, self.parts, strict=True)
        return Guarded(list(zip(self.has, pairs, strict=True)))

    def get(self, key: Any, default: Any = None) -> Any:
        """Return a key's value, or something else."""
        at = self.position(key)
        return self.parts[at] if decide(self.has[at]) else default

    def pop(self, key: Any, *default: Any) -> Any:
        """Take a key out, and return its value."""
        at = self.position(key)
        if not decide(self.has[at]):
            if default:
                return default[0]
            raise KeyError(key)
        found = self.parts[at]
        del self[key]
        return found


class RecordParts:
    """Named values."""

    __slots__ = ("_domain", "_parts")

    def __init__(self, domain: Record, parts: dict[str, Any]) -> None:
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
        if name.startswith("_") or name not in self._parts:
            raise AttributeError(name)
        return self._parts[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._parts:
            msg = f"there is no field {name!r}; the fields are {', '.join(self.names)}"
            raise AttributeError(msg)
        changed()
        self._parts[name] = value

    def replace(self, **values: Any) -> "RecordParts":
        """Return a record with some values changed."""
        return RecordParts(self._domain, {**self._parts, **values})


def merged(condition: Term, yes: Any, no: Any) -> Any:
    """Return one of two scalars as a scalar, None if these are none."""
    from workbench.model.formal.exporting.scalars import number_of  # noqa: PLC0415

    if getattr(yes, "enum", None) is not None and getattr(yes, "enum", None) is getattr(no, "enum", None):
        return Scalar(choose(condition, yes.term, no.term), yes.enum)
    if any(getattr(each, "enum", None) or isinstance(each, MaybePart) for each in (yes, no)):
        return None
    one, other = number_of(yes), number_of(no)
    return None if one is None or other is None else plain(choose(condition, one, other))
