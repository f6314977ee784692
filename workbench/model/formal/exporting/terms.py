"""Terms: what the text of a model computes from a state, as trees that are folded where values are known.

A term is an integer or a truth value over *cells*, the scalars that a state consists of. Both exports print
terms; `value_of` evaluates one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.model.formal.domains.scalars import Enum

__all__ = [
    "FALSE",
    "TRUE",
    "Cell",
    "Term",
    "arithmetic",
    "both",
    "cell_term",
    "cells_in",
    "choose",
    "constant",
    "either",
    "equal",
    "less",
    "negated",
    "value_of",
]


@dataclass(frozen=True, slots=True)
class Cell:
    """One scalar of a state.

    Attributes
    ----------
    variable : tuple of str
        The field, and the names of the parts within it.
    index : tuple of int
        Positions in arrays, sets and sequences on the way.
    low, high : int
        Its values; those of an enumeration are numbers of members.
    truth : bool
        Whether they are truth values.
    enum : Enum or None
        The enumeration that they are numbers of.
    primed : bool
        Whether this is the value after a step.
    role : str
        What it says of values that may not be there: "is_set", "length", "has"; empty for a value itself.
    """

    variable: tuple[str, ...]
    index: tuple[int, ...]
    low: int
    high: int
    truth: bool = False
    enum: Enum | None = None
    primed: bool = False
    role: str = ""

    @property
    def shape(self) -> tuple[object, ...]:
        """What cells of one variable have in common, whatever the variable is called."""
        return self.variable, self.role, len(self.index)


class Term:
    """A tree: an operation and what it is applied to; `low` and `high` are bounds of its values."""

    __slots__ = ("_hash", "args", "high", "low", "op")

    def __init__(self, op: str, args: tuple[Any, ...], low: int, high: int) -> None:
        self.op, self.args, self.low, self.high = op, args, low, high
        self._hash = hash((op, args))

    @property
    def known(self) -> bool:
        """Whether this is a constant."""
        return self.op == "constant"

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Term) or self._hash != other._hash:
            return False
        return self.op == other.op and self.args == other.args

    def __repr__(self) -> str:
        return f"{self.op}({', '.join(map(repr, self.args))})"


def constant(value: int, enum: Enum | None = None) -> Term:
    """Return a known value: a truth value, an integer, or the number of a member of an enumeration."""
    kind = "truth" if isinstance(value, bool) else enum
    return Term("constant", (value, kind), int(value), int(value))


TRUE, FALSE = constant(value=True), constant(value=False)


def cell_term(cell: Cell) -> Term:
    """Return the value of a cell."""
    return Term("cell", (cell,), cell.low, cell.high)


def negated(term: Term) -> Term:
    """Return whether a term is false."""
    if term.known:
        return FALSE if term.args[0] else TRUE
    return term.args[0] if term.op == "not" else Term("not", (term,), 0, 1)


def both(*terms: Term) -> Term:
    """Return whether all terms are true."""
    return _joined("and", terms, TRUE, FALSE)


def either(*terms: Term) -> Term:
    """Return whether any term is true."""
    return _joined("or", terms, FALSE, TRUE)


def _joined(op: str, terms: tuple[Term, ...], neutral: Term, decisive: Term) -> Term:
    parts: dict[Term, None] = {}
    for term in terms:
        for part in term.args if term.op == op else (term,):
            if part == decisive or negated(part) in parts:
                return decisive
            if part != neutral:
                parts.setdefault(part)
    if len(parts) < 2:
        return next(iter(parts), neutral)
    return Term(op, tuple(parts), 0, 1)


def equal(left: Term, right: Term) -> Term:
    """Return whether two numbers of one kind are equal."""
    if left == right:
        return TRUE
    if (left.known and right.known) or left.high < right.low or right.high < left.low:
        return constant(value=left.known and right.known and left.args[0] == right.args[0])
    if left.known:
        left, right = right, left
    return Term("=", (left, right), 0, 1)


def less(left: Term, right: Term, *, or_equal: bool = False) -> Term:
    """Return whether a number is less than another one."""
    if left.high < right.low or (or_equal and left.high <= right.low):
        return TRUE
    if right.high < left.low or (not or_equal and right.high <= left.low):
        return FALSE
    return Term("<=" if or_equal else "<", (left, right), 0, 1)


def choose(condition: Term, yes: Term, no: Term) -> Term:
    """Return one of two terms."""
    if condition.known or yes == no:
        return yes if yes == no or condition.args[0] else no
    if (yes, no) == (TRUE, FALSE):
        return condition
    if (yes, no) == (FALSE, TRUE):
        return negated(condition)
    return Term("if", (condition, yes, no), min(yes.low, no.low), max(yes.high, no.high))


def arithmetic(sign: str, left: Term, right: Term) -> Term:
    """Return a sum, difference, product, floored quotient or its remainder.

    Raises
    ------
    ValueError
        For a divisor that may be zero or negative.
    """
    if sign in ("//", "%") and right.low <= 0:
        msg = "a divisor that may be zero or negative cannot be exported"
        raise ValueError(msg)
    if left.known and right.known:
        return constant(int(_OPERATIONS[sign](int(left.args[0]), int(right.args[0]))))
    if (sign in "+-" and right == constant(0)) or (sign == "+" and left == constant(0)):
        return left if right == constant(0) else right
    return Term(sign, (left, right), *_bounds(sign, left, right))


def _bounds(sign: str, left: Term, right: Term) -> tuple[int, int]:
    if sign == "%":
        return 0, right.high - 1
    ends = [_OPERATIONS[sign](a, b) for a in (left.low, left.high) for b in (right.low, right.high)]
    return min(ends), max(ends)


_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def value_of(term: Term, cells: Mapping[Cell, int]) -> int:  # noqa: PLR0911 - one for each operation
    """Return a term's value, given those of the cells."""
    op, args = term.op, term.args
    if op == "constant":
        return int(args[0])
    if op == "cell":
        return cells[args[0]]
    if op == "number":
        return int(value_of(args[0], cells))
    if op == "not":
        return not value_of(args[0], cells)
    if op == "and":
        return all(value_of(part, cells) for part in args)
    if op == "or":
        return any(value_of(part, cells) for part in args)
    if op == "if":
        return value_of(args[1] if value_of(args[0], cells) else args[2], cells)
    return int(_OPERATIONS[op](value_of(args[0], cells), value_of(args[1], cells)))


def cells_in(term: Term) -> Iterator[Cell]:
    """Yield the cells that a term reads, once for each time."""
    if term.op == "cell":
        yield term.args[0]
    elif term.op != "constant":
        for part in term.args:
            yield from cells_in(part)
