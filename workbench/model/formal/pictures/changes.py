"""What a step changed: of collections the parts, as a reader would say it."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from workbench.model.formal._models import Frozen, Specification
from workbench.model.formal.domains.collections import Array, Map, Record, Seq
from workbench.model.formal.domains.domain import Domain
from workbench.model.formal.domains.sets import Set

__all__ = ["Change", "changes", "changes_along"]


@dataclass(frozen=True, slots=True)
class Change:
    """One part of a state, and what became of it.

    Attributes
    ----------
    field : str
    path : tuple
        The keys and names of fields that lead to the part.
    text : str
        What became of it: ``0 -> 5`` (with an arrow), ``+a``, ``-b``.
    after : str
        What it is now.
    domain : Domain
        The part's own.
    added, removed : tuple
        Of a set or a sequence: frozen elements.
    """

    field: str
    path: tuple[Hashable, ...]
    text: str
    after: str
    domain: Domain
    added: tuple[Hashable, ...] = ()
    removed: tuple[Hashable, ...] = ()

    @property
    def where(self) -> str:
        """The part as it would be written: ``vote[0].ballot``."""
        return self.field + path_text(self.path)

    @property
    def short(self) -> str:
        """What became of it, shorter: what it is now, or what was added and removed."""
        return self.text if self.added or self.removed else self.after


def path_text(path: tuple[Hashable, ...]) -> str:
    """Return keys in brackets, and names of a record's fields after a dot."""
    return "".join(f".{key.name}" if isinstance(key, _Name) else f"[{key}]" for key in path)


@dataclass(frozen=True, slots=True)
class _Name:
    """The name of a record's field, on a path."""

    name: str


def changes(declared: Specification, before: Frozen, after: Frozen) -> list[Change]:
    """Return what differs between two states, in the order of the fields."""
    fields = zip(declared.fields.items(), before, after, strict=True)
    return [
        each
        for (name, domain), old, new in fields
        if old != new
        for each in _parts(name, domain, (), old, new)
    ]


def changes_along(declared: Specification, states: list[Any]) -> list[list[Change]]:
    """Return what each of some live states changed of the one before; nothing for the first."""
    frozen = [declared.freeze(state) for state in states]
    return [[], *(changes(declared, *pair) for pair in pairwise(frozen))] if frozen else []


def _parts(name: str, domain: Domain, path: tuple[Hashable, ...], old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(domain, Array):
        for key, was, now in zip(domain.keys, old, new, strict=True):
            yield from _parts(name, domain.of, (*path, key), was, now)
    elif isinstance(domain, Record):
        for key, part, was, now in zip(domain.names, domain.parts, old, new, strict=True):
            yield from _parts(name, part, (*path, _Name(key)), was, now)
    elif isinstance(domain, Map):
        for key, was, now in zip(domain.keys, old, new, strict=True):
            yield from _entry(name, domain, (*path, key), was, now)
    elif isinstance(domain, Set):
        yield _of_set(name, domain, path, old, new)
    elif isinstance(domain, Seq):
        yield _of_sequence(name, domain, path, old, new)
    else:
        yield _whole(name, domain, path, old, new)


def _whole(name: str, domain: Domain, path: tuple[Hashable, ...], old: Any, new: Any) -> Change:
    after = domain.show(new)
    return Change(name, path, f"{domain.show(old)} → {after}", after, domain)


def _entry(name: str, domain: Map, path: tuple[Hashable, ...], old: Any, new: Any) -> Iterator[Change]:
    """Yield what became of the entry of one key: it came, went, or changed."""
    if old and new:
        yield from _parts(name, domain.of, path, old[0], new[0])
    elif new:
        text = f"+{domain.of.show(new[0])}"
        yield Change(name, path, text, domain.of.show(new[0]), domain.of)
    elif old:
        yield Change(name, path, "removed", "removed", domain.of)


def _of_set(name: str, domain: Set, path: tuple[Hashable, ...], old: int, new: int) -> Change:
    added = tuple(each for place, each in enumerate(domain.elements) if (new & ~old) >> place & 1)
    removed = tuple(each for place, each in enumerate(domain.elements) if (old & ~new) >> place & 1)
    return Change(name, path, _signed(domain.of, added, removed), domain.show(new), domain, added, removed)


def _of_sequence(name: str, domain: Seq, path: tuple[Hashable, ...], old: Any, new: Any) -> Change:
    if new[: len(old)] == old:
        added, removed = new[len(old) :], ()
    elif old[len(old) - len(new) :] == new:
        added, removed = (), old[: len(old) - len(new)]
    else:
        return _whole(name, domain, path, old, new)
    return Change(name, path, _signed(domain.of, added, removed), domain.show(new), domain, added, removed)


def _signed(of: Domain, added: tuple[Any, ...], removed: tuple[Any, ...]) -> str:
    return " ".join([*(f"+{of.show(each)}" for each in added), *(f"−{of.show(each)}" for each in removed)])  # noqa: RUF001
