"""Interchangeable values: processes, data or messages that a model treats all alike.

A permutation of such values turns a behaviour of the model into another one, so of all states that are
permutations of each other one is enough (C. N. Ip, D. L. Dill, Better verification through symmetry, 1996).
"""

from collections.abc import Hashable, Iterator
from functools import singledispatch
from itertools import permutations, product
from typing import Any, TypeAlias

from workbench.model.formal.domains.collections import Array, Map, Record, Seq, Tuple
from workbench.model.formal.domains.domain import Domain
from workbench.model.formal.domains.scalars import Int, Maybe
from workbench.model.formal.domains.sets import Set

__all__ = ["Permutation", "Symmetric", "permuted", "renamings", "symmetric_in"]

Permutation: TypeAlias = dict["Symmetric", tuple[int, ...]]  # e.g. {processes: (1, 0, 2)}


class Symmetric(Int):
    """The numbers from 0 to `size - 1` as names of interchangeable things, for fields and as keys of arrays.

    A model may compare them for equality, and use them as keys; never order them, or single one out.
    """

    __slots__ = ()

    def __init__(self, size: int) -> None:
        super().__init__(0, size - 1)

    def __len__(self) -> int:
        return self.high + 1

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"Symmetric({self.high + 1})"


def renamings(domains: list[Symmetric]) -> Iterator[Permutation]:
    """Yield every way to rename the values of some domains."""
    for chosen in product(*(permutations(range(len(domain))) for domain in domains)):
        yield dict(zip(domains, chosen, strict=True))


def symmetric_in(domains: Any) -> list[Symmetric]:
    """Return the different domains of interchangeable values that some domains are made of."""
    found: dict[Symmetric, None] = {}
    for domain in domains:
        if isinstance(domain, Symmetric):
            found.setdefault(domain)
        parts = [getattr(domain, "of", None), getattr(domain, "index", None), *getattr(domain, "parts", ())]
        for inner in symmetric_in([part for part in parts if isinstance(part, Domain)]):
            found.setdefault(inner)
    return list(found)


@singledispatch
def permuted(domain: Any, frozen: Any, renaming: Permutation) -> Hashable:
    """Return a frozen value with its interchangeable parts renamed."""
    del domain, renaming
    value: Hashable = frozen
    return value


@permuted.register
def _(domain: Symmetric, frozen: Any, renaming: Permutation) -> Hashable:
    return renaming[domain][frozen]


@permuted.register
def _(domain: Maybe, frozen: Any, renaming: Permutation) -> Hashable:
    return None if frozen is None else permuted(domain.of, frozen, renaming)


@permuted.register
def _(domain: Array, frozen: Any, renaming: Permutation) -> Hashable:
    return _by_key(domain, [permuted(domain.of, part, renaming) for part in frozen], renaming)


@permuted.register
def _(domain: Map, frozen: Any, renaming: Permutation) -> Hashable:
    parts = [(permuted(domain.of, part[0], renaming),) if part else () for part in frozen]
    return _by_key(domain, parts, renaming)


def _by_key(domain: Array | Map, parts: list[Any], renaming: Permutation) -> Hashable:
    if not isinstance(domain.index, Symmetric):
        return tuple(parts)
    moved = list(parts)
    for key, part in zip(renaming[domain.index], parts, strict=True):
        moved[key] = part
    return tuple(moved)


@permuted.register
def _(domain: Seq, frozen: Any, renaming: Permutation) -> Hashable:
    return tuple(permuted(domain.of, part, renaming) for part in frozen)


@permuted.register
def _(domain: Record | Tuple, frozen: Any, renaming: Permutation) -> Hashable:
    return tuple(permuted(part, value, renaming) for part, value in zip(domain.parts, frozen, strict=True))


@permuted.register
def _(domain: Set, frozen: Any, renaming: Permutation) -> Hashable:
    bits = 0
    for number, element in enumerate(domain.elements):
        if frozen >> number & 1:
            bits |= 1 << domain.numbers[permuted(domain.of, element, renaming)]
    return bits
