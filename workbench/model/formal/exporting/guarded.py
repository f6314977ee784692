"""Values of which each is there under a condition only, and equality of values of terms, decided or not."""

from collections.abc import Iterable, Iterator
from typing import Any

from workbench.model.formal.exporting.paths import decide
from workbench.model.formal.exporting.terms import Term, arithmetic, both, constant, either, negated

__all__ = ["Guarded", "GuardedSet", "counted", "first_place", "same_as"]


def counted(terms: Iterable[Term]) -> Term:
    """Return how many of some conditions hold."""
    total = constant(0)
    for term in terms:
        one = constant(int(term.args[0])) if term.known else Term("number", (term,), 0, 1)
        total = arithmetic("+", total, one)
    return total


class Guarded:
    """Values of which each is there under a condition only: what a comprehension with a filter yields."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[Term, Any]]) -> None:
        self.pairs = pairs

    def __iter__(self) -> Iterator[Any]:
        return (value for condition, value in self.pairs if decide(condition))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class GuardedSet(Guarded):
    """Different values of which each is there under a condition only: what a set comprehension yields."""

    __slots__ = ()

    def __init__(self, pairs: list[tuple[Term, Any]]) -> None:
        super().__init__([])
        for condition, value in pairs:
            there = either(*(both(earlier, same_as(value, each)) for earlier, each in self.pairs))
            self.pairs.append((both(condition, negated(there)), value))


def same_as(left: Any, right: Any) -> Term:
    """Return whether two values are equal."""
    from workbench.model.formal.exporting.operations import same  # noqa: PLC0415 - it compares these

    return same(left, right)


def first_place(values: Iterable[Any], value: Any) -> int:
    """Return the place of the first that equals a value, decided on."""
    for place, each in enumerate(values):
        if decide(same_as(each, value)):
            return place
    msg = f"{value!r} is not there"
    raise IndexError(msg)
