"""Domains of values with parts: arrays, maps, sequences, tuples and records."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import product
from typing import Any

from workbench.model.formal.domains.domain import Domain, domain_of
from workbench.model.formal.domains.values import FiniteArray, FiniteMap, RecordValue
from workbench.model.formal.errors import DomainError, ModelError

__all__ = ["Array", "Map", "Record", "Seq", "Tuple"]


def _power(size: int | None, count: int) -> int | None:
    return None if size is None else int(size**count)


def _product(domains: tuple[Domain, ...]) -> int | None:
    total = 1
    for domain in domains:
        if domain.size is None:
            return None
        total *= domain.size
    return total


class Array(Domain):
    """A value for each key: `Array(3, of)` for the keys 0, 1 and 2, or `Array(("a", "b"), of)`."""

    __slots__ = ("index", "keys", "lowest", "of", "positions", "size")

    def __init__(self, keys: Any, of: Any) -> None:
        self.index = keys if isinstance(keys, Domain) else None
        self.keys: tuple[Hashable, ...] = _keys(keys, "Array")
        self.positions = {key: position for position, key in enumerate(self.keys)}
        self.of = domain_of(of, "Array's elements")
        self.lowest = (self.of.lowest,) * len(self.keys)
        self.size = _power(self.of.size, len(self.keys))

    def freeze(self, value: Any) -> Hashable:
        """Return the frozen values in the order of the keys."""
        if isinstance(value, FiniteArray):
            parts = value.parts
        elif isinstance(value, Mapping):
            parts = [value.get(key, DomainError) for key in self.keys] if len(value) == len(self.keys) else []
        else:
            parts = list(value) if hasattr(value, "__iter__") else []
        if len(parts) != len(self.keys) or any(part is DomainError for part in parts):
            msg = f"{value!r} does not have one value for each of the {len(self.keys)} keys of {self!r}"
            raise DomainError(msg)
        freeze = self.of.freeze
        return tuple([freeze(part) for part in parts])

    def thaw(self, frozen: Any) -> FiniteArray:
        """Return an array whose values may be changed."""
        thaw = self.of.thaw
        return FiniteArray(self, [thaw(part) for part in frozen])

    def frozen_values(self) -> Iterator[Hashable]:
        """Yield all arrays, the last key's value changing fastest."""
        return product(list(self.of.frozen_values()), repeat=len(self.keys))

    def show(self, frozen: Any) -> str:
        """Return the values in brackets, with their keys where those are not 0, 1, 2, ..."""
        if self.keys == tuple(range(len(self.keys))):
            return "[" + ", ".join(self.of.show(part) for part in frozen) + "]"
        named = zip(self.keys, frozen, strict=True)
        return "[" + ", ".join(f"{key}: {self.of.show(part)}" for key, part in named) + "]"

    def __repr__(self) -> str:
        return f"Array({_shown_keys(self.keys)}, {self.of!r})"


class Map(Domain):
    """A value for some of the keys; empty unless set. `Map(range(3), of)`, `Map(("a", "b"), of)`."""

    __slots__ = ("index", "keys", "lowest", "of", "positions", "size")

    def __init__(self, keys: Any, of: Any) -> None:
        self.index = keys if isinstance(keys, Domain) else None
        self.keys: tuple[Hashable, ...] = _keys(keys, "Map")
        self.positions = {key: position for position, key in enumerate(self.keys)}
        self.of = domain_of(of, "Map's values")
        self.lowest = ((),) * len(self.keys)
        self.size = _power(None if self.of.size is None else self.of.size + 1, len(self.keys))

    def freeze(self, value: Any) -> Hashable:
        """Return, in the order of the keys, the frozen value in a tuple, or an empty tuple for none."""
        if not isinstance(value, Mapping):
            msg = f"{value!r} is no mapping"
            raise DomainError(msg)
        wrong = [key for key in value if key not in self.positions]
        if wrong:
            msg = f"{wrong[0]!r} is no key of {self!r}"
            raise DomainError(msg)
        return tuple([(self.of.freeze(value[key]),) if key in value else () for key in self.keys])

    def thaw(self, frozen: Any) -> FiniteMap:
        """Return a dictionary whose keys are checked."""
        pairs = zip(self.keys, frozen, strict=True)
        return FiniteMap(self, {key: self.of.thaw(part[0]) for key, part in pairs if part})

    def frozen_values(self) -> Iterator[Hashable]:
        """Yield all maps, the empty one first."""
        options = [(), *((part,) for part in self.of.frozen_values())]
        return product(options, repeat=len(self.keys))

    def show(self, frozen: Any) -> str:
        """Return the keys that have a value, with it."""
        named = zip(self.keys, frozen, strict=True)
        return "{" + ", ".join(f"{key}: {self.of.show(part[0])}" for key, part in named if part) + "}"

    def __repr__(self) -> str:
        return f"Map({_shown_keys(self.keys)}, {self.of!r})"


class Seq(Domain):
    """A sequence of at most `most` values; empty unless set."""

    __slots__ = ("lowest", "most", "of", "size")

    def __init__(self, of: Any, most: int) -> None:
        self.of = domain_of(of, "Seq's elements")
        if not isinstance(most, int) or most < 1:
            msg = f"Seq(of, most) takes the greatest length, at least 1, got {most!r}"
            raise ModelError(msg)
        self.most = most
        self.lowest = ()
        size = self.of.size
        self.size = None if size is None else sum(size**length for length in range(most + 1))

    def freeze(self, value: Any) -> Hashable:
        """Return a tuple of the frozen elements."""
        if isinstance(value, str) or not hasattr(value, "__len__") or not hasattr(value, "__iter__"):
            msg = f"{value!r} is no sequence"
            raise DomainError(msg)
        if len(value) > self.most:
            msg = f"a sequence of {len(value)} is longer than {self!r} allows: {value!r}"
            raise DomainError(msg)
        return tuple([self.of.freeze(part) for part in value])

    def thaw(self, frozen: Any) -> list[Any]:
        """Return a list."""
        return [self.of.thaw(part) for part in frozen]

    def frozen_values(self) -> Iterator[Hashable]:
        """Yield all sequences, shorter ones first."""
        elements = list(self.of.frozen_values())
        for length in range(self.most + 1):
            yield from product(elements, repeat=length)

    def show(self, frozen: Any) -> str:
        """Return the elements between angle brackets."""
        return "<" + ", ".join(self.of.show(part) for part in frozen) + ">"

    def __repr__(self) -> str:
        return f"Seq({self.of!r}, {self.most})"


class Tuple(Domain):
    """A fixed number of values, each of its own domain."""

    __slots__ = ("lowest", "parts", "size")

    def __init__(self, *parts: Any) -> None:
        self.parts = tuple(domain_of(part, "Tuple's part") for part in parts)
        self.lowest = tuple(part.lowest for part in self.parts)
        self.size = _product(self.parts)

    def freeze(self, value: Any) -> Hashable:
        """Return the frozen parts."""
        if not isinstance(value, tuple | list) or len(value) != len(self.parts):
            msg = f"{value!r} is no tuple of {len(self.parts)} values"
            raise DomainError(msg)
        return tuple([domain.freeze(part) for domain, part in zip(self.parts, value, strict=True)])

    def thaw(self, frozen: Any) -> tuple[Any, ...]:
        """Return the tuple."""
        return tuple([domain.thaw(part) for domain, part in zip(self.parts, frozen, strict=True)])

    def frozen_values(self) -> Iterator[Hashable]:
        """Yield all tuples, the last part changing fastest."""
        return product(*(list(part.frozen_values()) for part in self.parts))

    def show(self, frozen: Any) -> str:
        """Return the parts in parentheses."""
        shown = (domain.show(part) for domain, part in zip(self.parts, frozen, strict=True))
        return "(" + ", ".join(shown) + ")"

    def __repr__(self) -> str:
        return f"Tuple({', '.join(repr(part) for part in self.parts)})"


class Record(Domain):
    """Named values, each of its own domain; calling it makes one: `Message(kind="ack", sender=1)`."""

    __slots__ = ("fields", "lowest", "names", "parts", "size")

    def __init__(self, **fields: Any) -> None:
        if not fields:
            msg = "Record takes at least one field: Record(kind=Enum('ask', 'tell'), sender=Int(0, 2))"
            raise ModelError(msg)
        self.fields = {name: domain_of(field, f"Record's {name}") for name, field in fields.items()}
        self.names = tuple(self.fields)
        self.parts = tuple(self.fields.values())
        self.lowest = tuple(part.lowest for part in self.parts)
        self.size = _product(self.parts)

    def __call__(self, **values: Any) -> RecordValue:
        """Return a value; fields that are not given have their lowest."""
        made = self.thaw(self.lowest)
        for name, value in values.items():
            setattr(made, name, value)
        self.freeze(made)
        return made

    def freeze(self, value: Any) -> Hashable:
        """Return the frozen values in the order of the fields."""
        get: Callable[[str], Any]
        if isinstance(value, RecordValue) and value.names == self.names:
            get = value.part
        elif isinstance(value, Mapping) and set(value) == set(self.names):
            get = value.__getitem__
        else:
            msg = f"{value!r} does not have the fields {', '.join(self.names)}"
            raise DomainError(msg)
        return tuple([domain.freeze(get(name)) for name, domain in self.fields.items()])

    def thaw(self, frozen: Any) -> RecordValue:
        """Return a record whose fields may be set."""
        parts = [domain.thaw(part) for domain, part in zip(self.parts, frozen, strict=True)]
        return RecordValue(self, dict(zip(self.names, parts, strict=True)))

    def frozen_values(self) -> Iterator[Hashable]:
        """Yield all records, the last field changing fastest."""
        return product(*(list(part.frozen_values()) for part in self.parts))

    def show(self, frozen: Any) -> str:
        """Return the fields with their values."""
        shown = zip(self.names, self.parts, frozen, strict=True)
        return "(" + ", ".join(f"{name}={domain.show(part)}" for name, domain, part in shown) + ")"

    def __repr__(self) -> str:
        return f"Record({', '.join(f'{name}={domain!r}' for name, domain in self.fields.items())})"


def _keys(declared: Any, what: str) -> tuple[Hashable, ...]:
    keys = tuple(range(declared)) if isinstance(declared, int) else tuple(declared)
    if not keys or len(set(keys)) != len(keys):
        msg = f"{what} takes different keys, at least one, got {declared!r}"
        raise ModelError(msg)
    return keys


def _shown_keys(keys: tuple[Hashable, ...]) -> str:
    return str(len(keys)) if keys == tuple(range(len(keys))) else repr(keys)
