"""Sets over a finite domain, held as the bits of one integer."""

from collections.abc import Hashable, Iterator
from typing import Any

from workbench.model.formal.domains.domain import Domain, domain_of
from workbench.model.formal.domains.values import FiniteSet
from workbench.model.formal.errors import DomainError, ModelError

__all__ = ["Set"]

MOST = 4096  # elements of a set's domain


class Set(Domain):
    """The subsets of a finite domain; empty unless set. `Set(range(3))`, `Set(Message)`.

    Frozen, a set is an integer whose bit i stands for the i-th value of the domain.
    """

    __slots__ = ("elements", "numbers", "of", "size")
    lowest = 0

    def __init__(self, of: Any) -> None:
        self.of = domain_of(of, "Set's elements")
        if self.of.size is None or self.of.size > MOST:
            msg = f"Set takes a domain of at most {MOST} values, {self.of!r} has {self.of.size or 'no bound'}"
            raise ModelError(msg)
        self.elements: tuple[Hashable, ...] = tuple(self.of.frozen_values())
        self.numbers = {frozen: number for number, frozen in enumerate(self.elements)}
        self.size = 2 ** len(self.elements)

    def number(self, element: Any) -> int:
        """Return which bit stands for an element; an error if it is outside the domain."""
        return self.numbers[self.of.freeze(element)]

    def freeze(self, value: Any) -> int:
        """Return the bits of a set, or of any collection of elements."""
        if isinstance(value, FiniteSet) and value.domain is self:
            return value.bits
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            msg = f"{value!r} is no set"
            raise DomainError(msg)
        bits = 0
        for element in value:
            bits |= 1 << self.number(element)
        return bits

    def thaw(self, frozen: Any) -> FiniteSet:
        """Return a set that may be changed, iterated in the domain's order."""
        return FiniteSet(self, frozen)

    def frozen_values(self) -> Iterator[int]:
        """Yield all subsets, the empty one first."""
        return iter(range(2 ** len(self.elements)))

    def show(self, frozen: Any) -> str:
        """Return the elements in braces."""
        held = (element for number, element in enumerate(self.elements) if frozen >> number & 1)
        return "{" + ", ".join(self.of.show(element) for element in held) + "}"

    def __repr__(self) -> str:
        return f"Set({self.of!r})"
