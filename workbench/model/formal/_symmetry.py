"""Symmetry reduction: of states that are renamings of each other, one is explored.

Where interchangeable values only are keys of arrays and elements of sets, a state is made canonical by
sorting what it says of each of them; where they are values too, by trying all renamings.
"""

from collections.abc import Callable, Hashable
from math import factorial, prod
from typing import Any

from workbench.model.formal._models import Frozen, Specification
from workbench.model.formal.domains.collections import Array
from workbench.model.formal.domains.sets import Set
from workbench.model.formal.domains.symmetric import Symmetric, permuted, renamings, symmetric_in
from workbench.model.formal.errors import ModelError

__all__ = ["canonical_form", "renamings_tried", "sorted_by"]


def canonical_form(declared: Specification) -> Callable[[Frozen], Hashable]:
    """Return a function that maps states which are renamings of each other to one key.

    Raises
    ------
    ModelError
        When the model declares no interchangeable values, or temporal properties, which a reduced graph
        does not keep.
    """
    domains = symmetric_in(declared.fields.values())
    if not domains:
        msg = f"{declared.name} has no interchangeable values: declare them as Symmetric(n), use them as keys"
        raise ModelError(msg)
    if declared.temporal:
        msg = f"{declared.name} has temporal properties, which symmetry=True does not keep"
        raise ModelError(msg)
    by = sorted_by(declared)
    return _sorting(declared, by) if by is not None else _trying(declared, domains)


def renamings_tried(declared: Specification) -> int:
    """Return how many renamings of a state are tried to make it canonical; one where it is sorted."""
    domains = symmetric_in(declared.fields.values())
    return 1 if sorted_by(declared) is not None else prod(factorial(len(domain)) for domain in domains)


def sorted_by(declared: Specification) -> Symmetric | None:
    """Return the domain by which states can be sorted: it is the only one, and no field's value is of it."""
    domains = symmetric_in(declared.fields.values())
    if len(domains) != 1:
        return None
    plain = all(_is_plain(domain, domains[0]) for domain in declared.fields.values())
    return domains[0] if plain else None


def _is_plain(domain: Any, by: Symmetric) -> bool:
    if isinstance(domain, Array) and domain.index is by:
        return not symmetric_in([domain.of])
    return (isinstance(domain, Set) and domain.of is by) or not symmetric_in([domain])


def _sorting(declared: Specification, by: Symmetric) -> Callable[[Frozen], Hashable]:
    kinds = [_kind(domain, by) for domain in declared.fields.values()]

    def canonical(state: Frozen) -> Hashable:
        same = tuple(value for kind, value in zip(kinds, state, strict=True) if kind == "same")
        columns: list[Any] = []
        for kind, value in zip(kinds, state, strict=True):
            if kind == "array":
                columns.append(value)
            elif kind == "set":
                columns.append([value >> number & 1 for number in range(len(by))])  # type: ignore[operator]
        rows = zip(*columns, strict=True)
        return same, tuple(sorted(rows, key=repr))

    return canonical


def _kind(domain: Any, by: Symmetric) -> str:
    if isinstance(domain, Array) and domain.index is by:
        return "array"
    return "set" if isinstance(domain, Set) and domain.of is by else "same"


def _trying(declared: Specification, domains: list[Symmetric]) -> Callable[[Frozen], Hashable]:
    fields = tuple(declared.fields.values())
    chosen = list(renamings(domains))

    def renamed(state: Frozen, renaming: Any) -> tuple[Hashable, ...]:
        pairs = zip(fields, state, strict=True)
        return tuple(permuted(domain, value, renaming) for domain, value in pairs)

    return lambda state: min((renamed(state, renaming) for renaming in chosen), key=repr)
