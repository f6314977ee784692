"""Temporal formulas as Python expressions.

Linear time, of every behaviour::

    always(p)            p in every state from here on
    eventually(p)        p in some state from here on
    next(p)              p in the next state
    until(p, q)          q in some state, and p in all before it
    release(p, q)        q up to and including the state where p is true; for ever if it never is
    leads_to(p, q)       always(p >> eventually(q))

`~p`, `p & q`, `p | q` and `p >> q` (p implies q) join them. What is true of a single state is a function of
the state: a `@predicate` of the model, a lambda, or a predicate's name as text.

Branching time, of the futures of a state: `AX`, `EX`, `AF`, `EF`, `AG`, `EG`, `AU(p, q)`, `EU(p, q)`: A for
every future, E for some; X next, F some time, G always, U until.

Sources: A. Pnueli, The temporal logic of programs (1977); E. M. Clarke, E. A. Emerson (1981).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.model.formal._declaring import Declared
from workbench.model.formal.errors import ModelError

__all__ = [
    "AF",
    "AG",
    "AU",
    "AX",
    "EF",
    "EG",
    "EU",
    "EX",
    "Atom",
    "Branching",
    "Constant",
    "Formula",
    "Given",
    "Linear",
    "always",
    "eventually",
    "formula",
    "leads_to",
    "next",
    "release",
    "until",
]

OF_STATES = ("predicate", "invariant", "terminal", "constraint")  # kinds of members that a formula is made of


class Formula:
    """What is true or false of a behaviour, or of the futures of a state."""

    __temporal__ = True
    __slots__ = ()

    def __bool__(self) -> bool:
        """Refuse `and`, `or` and `not`, by which Python would drop one of two formulas in silence.

        Raises
        ------
        ModelError
            Always.
        """
        msg = f"{self!r} is true or false of behaviours only: join formulas by &, |, ~ and >>"
        raise ModelError(msg)

    def __invert__(self) -> "Formula":
        return _joined("not", self)

    def __and__(self, other: "Given") -> "Formula":
        return _joined("and", self, other)

    def __or__(self, other: "Given") -> "Formula":
        return _joined("or", self, other)

    def __rshift__(self, other: "Given") -> "Formula":
        return _joined("or", ~self, other)

    def __rand__(self, other: "Given") -> "Formula":
        return _joined("and", other, self)

    def __ror__(self, other: "Given") -> "Formula":
        return _joined("or", other, self)

    def __rrshift__(self, other: "Given") -> "Formula":
        return formula(other) >> self


Given: TypeAlias = Formula | Declared | Callable[[Any], Any] | str | bool


@dataclass(frozen=True, slots=True)
class Constant(Formula):
    """True or false of everything."""

    value: bool

    def __repr__(self) -> str:
        return "true" if self.value else "false"


@dataclass(frozen=True, slots=True)
class Atom(Formula):
    """What is true or false of a single state."""

    name: str
    function: Callable[[Any], Any] | None = None  # None: the model's predicate of that name

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Linear(Formula):
    """An operator of linear time, or a Boolean one, with what it is applied to."""

    operator: str
    parts: tuple[Formula, ...]

    def __repr__(self) -> str:
        return _shown(self)


@dataclass(frozen=True, slots=True)
class Branching(Formula):
    """An operator of branching time, with what it is applied to."""

    operator: str
    parts: tuple[Formula, ...]

    def __repr__(self) -> str:
        if self.operator == "EU" and self.parts[0] == Constant(True):
            return f"EF({self.parts[1]!r})"
        return f"{self.operator}({', '.join(map(repr, self.parts))})"


def _shown(formula: Linear) -> str:
    parts = formula.parts
    if formula == _always_of(parts[-1]):
        return f"always({parts[-1]!r})"
    if formula == _eventually_of(parts[-1]):
        return f"eventually({parts[-1]!r})"
    if formula.operator == "not":
        return _for_all(parts[0]) or f"~{parts[0]!r}"
    if formula.operator in ("and", "or"):
        return "(" + f" {'&' if formula.operator == 'and' else '|'} ".join(map(repr, parts)) + ")"
    return f"{formula.operator}({', '.join(map(repr, parts))})"


def _for_all(inner: Formula) -> str:
    """Return how the negation of what some future does is written: as what every future does."""
    if not isinstance(inner, Branching):
        return ""
    last = inner.parts[-1]
    if not (isinstance(last, Linear) and last.operator == "not"):
        return ""
    if inner.operator == "EU":
        return f"AG({last.parts[0]!r})" if inner.parts[0] == Constant(True) else ""
    return f"{'AX' if inner.operator == 'EX' else 'AF'}({last.parts[0]!r})"


def formula(given: Any) -> Formula:
    """Return a formula as it was given: one of ours, a predicate, a function of the state, a text, a boolean.

    Raises
    ------
    ModelError
        For anything else.
    """
    if isinstance(given, Formula):
        return given
    if isinstance(given, bool):
        return Constant(given)
    if isinstance(given, Declared):
        return _declared(given)
    if isinstance(given, str):
        from workbench.model.formal.temporal.parsing import parsed  # noqa: PLC0415 - it makes formulas

        return parsed(given)
    if callable(given):
        return Atom(getattr(given, "__name__", "?"), given)
    msg = f"a temporal formula is made of predicates, functions of the state and texts, got {given!r}"
    raise ModelError(msg)


def _declared(given: Declared) -> Atom:
    if given.kind not in OF_STATES:
        msg = f"{given.name} is declared as {given.kind}: a formula is made of what is true of a state"
        raise ModelError(msg)
    return Atom(given.name, given.function)


def _joined(operator: str, *given: Given) -> Formula:
    return Linear(operator, tuple(formula(each) for each in given))


def _always_of(part: Formula) -> Linear:
    return Linear("release", (Constant(False), part))


def _eventually_of(part: Formula) -> Linear:
    return Linear("until", (Constant(True), part))


def always(given: Given) -> Formula:
    """Return: it is true in every state from here on."""
    return _always_of(formula(given))


def eventually(given: Given) -> Formula:
    """Return: it is true in some state from here on."""
    return _eventually_of(formula(given))


def next(given: Given) -> Formula:  # noqa: A001 - the operator's name
    """Return: it is true in the next state."""
    return _joined("next", given)


def until(before: Given, then: Given) -> Formula:
    """Return: `then` is true in some state from here on, and `before` in all states before that."""
    return _joined("until", before, then)


def release(end: Given, held: Given) -> Formula:
    """Return: `held` is true up to and including the state where `end` is; for ever if that never is."""
    return _joined("release", end, held)


def leads_to(cause: Given, effect: Given) -> Formula:
    """Return: whenever `cause` is true, `effect` is true then or later."""
    return always(formula(cause) >> eventually(effect))


def _branching(operator: str, *given: Given) -> Branching:
    return Branching(operator, tuple(formula(each) for each in given))


def EX(given: Given) -> Formula:  # noqa: N802 - CTL's own name
    """Return: it is true after some step."""
    return _branching("EX", given)


def EU(before: Given, then: Given) -> Formula:  # noqa: N802
    """Return: on some path `then` becomes true, and `before` is true until it does."""
    return _branching("EU", before, then)


def EG(given: Given) -> Formula:  # noqa: N802
    """Return: on some path it is true for ever."""
    return _branching("EG", given)


def EF(given: Given) -> Formula:  # noqa: N802
    """Return: on some path it becomes true."""
    return EU(True, given)


def AX(given: Given) -> Formula:  # noqa: N802
    """Return: it is true after every step."""
    return ~EX(~formula(given))


def AF(given: Given) -> Formula:  # noqa: N802
    """Return: on every path it becomes true."""
    return ~EG(~formula(given))


def AG(given: Given) -> Formula:  # noqa: N802
    """Return: on every path it is true for ever."""
    return ~EF(~formula(given))


def AU(before: Given, then: Given) -> Formula:  # noqa: N802
    """Return: on every path `then` becomes true, and `before` is true until it does."""
    first, last = ~formula(before), ~formula(then)
    return ~EU(last, first & last) & ~EG(last)
