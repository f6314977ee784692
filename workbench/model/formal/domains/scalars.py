"""Domains of values without parts: integers, booleans, named constants, and any of them or None."""

from collections.abc import Hashable, Iterator
from typing import Any

from workbench.model.formal.domains.domain import Domain, domain_of
from workbench.model.formal.errors import DomainError, ModelError

__all__ = ["Bool", "Enum", "Int", "Maybe", "Value"]


class Int(Domain):
    """The integers from `low` to `high`, both included."""

    __slots__ = ("high", "low", "lowest", "size")

    def __init__(self, low: int, high: int) -> None:
        if not (isinstance(low, int) and isinstance(high, int) and low <= high):
            msg = f"Int(low, high) takes two integers, the lower first, got Int({low!r}, {high!r})"
            raise ModelError(msg)
        self.low, self.high = int(low), int(high)
        self.lowest = self.low
        self.size = self.high - self.low + 1

    def freeze(self, value: Any) -> int:
        """Return an integer, checked."""
        try:
            number = value.__index__()
        except (AttributeError, TypeError):
            msg = f"{value!r} is no integer; {self!r} allows {self.low} to {self.high}"
            raise DomainError(msg) from None
        if not self.low <= number <= self.high:
            msg = f"{value!r} is outside {self!r}, which allows {self.low} to {self.high}"
            raise DomainError(msg)
        return int(number)

    def thaw(self, frozen: Any) -> int:
        """Return the integer."""
        return int(frozen)

    def frozen_values(self) -> Iterator[int]:
        """Yield the integers, lowest first."""
        return iter(range(self.low, self.high + 1))

    def __repr__(self) -> str:
        return f"Int({self.low}, {self.high})"


class Bool(Domain):
    """False and True."""

    __slots__ = ()
    size = 2
    lowest = False

    def freeze(self, value: Any) -> bool:
        """Return a boolean; numbers other than 0 and 1 are none."""
        if value is True or value is False or value in (0, 1):
            return bool(value)
        msg = f"{value!r} is no boolean"
        raise DomainError(msg)

    def thaw(self, frozen: Any) -> bool:
        """Return the boolean."""
        return bool(frozen)

    def frozen_values(self) -> Iterator[bool]:
        """Yield False, then True."""
        return iter((False, True))

    def __repr__(self) -> str:
        return "Bool()"


class Enum(Domain):
    """Named constants: texts, members of an `enum.Enum`, or other constants, the first the lowest."""

    __slots__ = ("lowest", "members", "numbers", "size")

    def __init__(self, *members: Any) -> None:
        if len(members) == 1 and hasattr(members[0], "__members__"):
            members = tuple(members[0])
        self.members: tuple[Hashable, ...] = members
        self.numbers = {member: number for number, member in enumerate(members)}
        if not members or len(self.numbers) != len(members):
            msg = f"Enum takes different constants, at least one, got {members!r}"
            raise ModelError(msg)
        self.lowest = members[0]
        self.size = len(members)

    def freeze(self, value: Any) -> Hashable:
        """Return the constant, checked."""
        try:
            return self.members[self.numbers[value]]
        except (KeyError, TypeError):
            allowed = ", ".join(repr(member) for member in self.members)
            msg = f"{value!r} is none of {allowed}"
            raise DomainError(msg) from None

    def thaw(self, frozen: Any) -> Any:
        """Return the constant."""
        return frozen

    def frozen_values(self) -> Iterator[Hashable]:
        """Yield the constants in the order of their declaration."""
        return iter(self.members)

    def show(self, frozen: Any) -> str:
        """Return a constant's own name."""
        return str(getattr(frozen, "name", frozen))

    def __repr__(self) -> str:
        return f"Enum({', '.join(repr(member) for member in self.members)})"


class Maybe(Domain):
    """None, or a value of another domain; None is the lowest."""

    __slots__ = ("of", "size")
    lowest = None

    def __init__(self, of: Any) -> None:
        self.of = domain_of(of, "Maybe's domain")
        self.size = None if self.of.size is None else self.of.size + 1

    def freeze(self, value: Any) -> Hashable:
        """Return None, or the frozen value."""
        return None if value is None else self.of.freeze(value)

    def thaw(self, frozen: Any) -> Any:
        """Return None, or the live value."""
        return None if frozen is None else self.of.thaw(frozen)

    def frozen_values(self) -> Iterator[Hashable]:
        """Yield None, then the other domain's values."""
        yield None
        yield from self.of.frozen_values()

    def show(self, frozen: Any) -> str:
        """Return a dash for None."""
        return "-" if frozen is None else self.of.show(frozen)

    def __repr__(self) -> str:
        return f"Maybe({self.of!r})"


class Value(Domain):
    """Any hashable Python value, None unless set: for the interpreted engine only."""

    __slots__ = ()
    size = None
    lowest = None

    def freeze(self, value: Any) -> Hashable:
        """Return the value itself, if it can be hashed."""
        try:
            hash(value)
        except TypeError:
            msg = f"{value!r} cannot be hashed: use a tuple or a frozenset"
            raise DomainError(msg) from None
        frozen: Hashable = value
        return frozen

    def thaw(self, frozen: Any) -> Any:
        """Return the value itself."""
        return frozen

    def frozen_values(self) -> Iterator[Hashable]:
        """Raise an error: nobody knows them all."""
        msg = "Value() has no list of its values; use Int, Enum, Set, ... where one is needed"
        raise ModelError(msg)

    def __repr__(self) -> str:
        return "Value()"
