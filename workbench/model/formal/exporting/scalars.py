"""Scalars of a state as terms: what stands for a number, a truth value or a constant that is not known yet.

A `Scalar` behaves as the value would; asked for what only a known value can say (its truth in an `if`, its
use as an index), it decides, and so becomes known on the path that is run.
"""

from collections.abc import Callable
from typing import Any

from workbench.model.formal.domains.scalars import Enum
from workbench.model.formal.errors import DomainError
from workbench.model.formal.exporting.paths import decide, value_among
from workbench.model.formal.exporting.terms import (
    FALSE,
    TRUE,
    Term,
    arithmetic,
    both,
    constant,
    either,
    equal,
    less,
    negated,
)

__all__ = ["Scalar", "compare_scalars", "number_of", "plain", "truth_of", "truth_term"]


def _operator(sign: str, *, swapped: bool = False) -> Callable[[Any, Any], Any]:
    def operate(self: "Scalar", other: Any) -> Any:
        left, right = number_of(self), number_of(other)
        if left is None or right is None:
            return NotImplemented
        return plain(arithmetic(sign, right, left) if swapped else arithmetic(sign, left, right))

    return operate


def _order(sign: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: plain(compare_scalars(sign, self, other))


class Scalar:
    """A number, a truth value, or a constant of an enumeration, that is not known yet."""

    __slots__ = ("enum", "term")

    def __init__(self, term: Term, enum: Enum | None = None) -> None:
        self.term, self.enum = term, enum

    __add__, __radd__ = _operator("+"), _operator("+", swapped=True)
    __sub__, __rsub__ = _operator("-"), _operator("-", swapped=True)
    __mul__, __rmul__ = _operator("*"), _operator("*", swapped=True)
    __mod__, __rmod__ = _operator("%"), _operator("%", swapped=True)
    __floordiv__, __rfloordiv__ = _operator("//"), _operator("//", swapped=True)
    __lt__, __le__, __gt__, __ge__ = _order("<"), _order("<="), _order(">"), _order(">=")

    def __neg__(self) -> Any:
        return 0 - self

    def __eq__(self, other: object) -> Any:
        return plain(compare_scalars("==", self, other))

    def __ne__(self, other: object) -> Any:
        return plain(negated(compare_scalars("==", self, other)))

    def __bool__(self) -> bool:
        if self.enum is None:
            return decide(truth_of(self))
        return bool(self.known())

    def __index__(self) -> int:
        return int(self.known())

    __int__ = __index__

    def __hash__(self) -> int:
        return hash(self.known())

    def known(self) -> Any:
        """Return the value on this path."""
        value = value_among(self.term)
        return self.enum.members[value] if self.enum else value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or self.enum is None:
            raise AttributeError(name)
        return getattr(self.known(), name)


def truth_of(scalar: Scalar) -> Term:
    """Return whether a number is not zero, or a truth value true."""
    term = scalar.term
    return term if _is_truth(term) else negated(equal(term, constant(0)))


def _is_truth(term: Term) -> bool:
    if term.op in ("not", "and", "or", "=", "<", "<="):
        return True
    if term.op == "if":
        return _is_truth(term.args[1]) and _is_truth(term.args[2])
    return (term.op == "cell" and term.args[0].truth) or (term.known and isinstance(term.args[0], bool))


def plain(term: Term, enum: Enum | None = None) -> Any:
    """Return a Python value for a term that is known, a scalar otherwise."""
    if not term.known:
        return Scalar(term, enum)
    return enum.members[term.args[0]] if enum else term.args[0]


def number_of(value: Any) -> Term | None:
    """Return the term of a number or truth value, None for anything else."""
    if isinstance(value, Scalar):
        if value.enum is not None:
            return number_of(value.known())
        term = value.term
        return Term("number", (term,), 0, 1) if _is_truth(term) and not term.known else term
    if isinstance(value, bool | int):
        return constant(int(value))
    return number_of(value.value()) if hasattr(value, "is_set") else None


def compare_scalars(sign: str, left: Any, right: Any) -> Term:
    """Return whether two scalars, or a scalar and a constant, are in an order."""
    enums = getattr(left, "enum", None), getattr(right, "enum", None)
    if sign == "==":
        if enums == (None, None):
            return _equal_numbers(left, right)
        return _equal_members(left, right, *enums)
    one, other = number_of(left), number_of(right)
    if one is None or other is None:
        msg = f"{type(left).__name__} and {type(right).__name__} have no order"
        raise TypeError(msg)
    if sign in (">", ">="):
        one, other = other, one
    return less(one, other, or_equal=len(sign) > 1)


def _equal_numbers(left: Any, right: Any) -> Term:
    for scalar, known in ((left, right), (right, left)):
        if isinstance(known, bool) and isinstance(scalar, Scalar) and _is_truth(scalar.term):
            return scalar.term if known else negated(scalar.term)
    one, other = number_of(left), number_of(right)
    return FALSE if one is None or other is None else equal(one, other)


def _equal_members(left: Any, right: Any, first: Enum | None, second: Enum | None) -> Term:
    if first is None:
        left, right, first, second = right, left, second, first
    assert first is not None  # noqa: S101 - one of the two is a scalar of an enumeration
    if second is None:
        if isinstance(right, Scalar):
            return FALSE
        try:
            return equal(left.term, constant(first.numbers[first.freeze(right)], first))
        except DomainError:
            return FALSE
    if first.members == second.members:
        return equal(left.term, right.term)
    shared = [member for member in first.members if member in second.numbers]
    pairs = [(constant(first.numbers[m], first), constant(second.numbers[m], second)) for m in shared]
    return either(*(both(equal(left.term, a), equal(right.term, b)) for a, b in pairs)) if pairs else FALSE


def truth_term(value: Any) -> Term:
    """Return the truth of any value."""
    if isinstance(value, Scalar) and value.enum is None:
        return truth_of(value)
    return TRUE if value else FALSE
