"""Paths through a function whose values are terms: it is run once for each way that its decisions may go.

Where the function asks for the truth of a term that earlier decisions leave open, the run goes one way and
the other is noted for later (J. C. King, Symbolic execution and program testing, CACM 19, 1976).

Both branches of a conditional expression may be computed without a decision, as a term; but not where one of
them changes something. That is found out when it has happened: then all is run again, and such expressions
are decided.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from workbench.model.formal.exporting.terms import (
    Cell,
    Term,
    both,
    cells_in,
    constant,
    equal,
    negated,
    value_of,
)

__all__ = [
    "Path",
    "changed",
    "changes_something",
    "decide",
    "paths",
    "settled",
    "value_among",
    "without_change",
]

MOST_PATHS = 20_000
MOST_TRIED = 1024  # values of a condition's cells that are tried in search for one that makes it true

_running: ContextVar["_Run"] = ContextVar("running")


@dataclass(frozen=True, slots=True)
class Path:
    """One way through a function: the conditions under which it is taken, and what came of it."""

    conditions: tuple[Term, ...]
    outcome: Any


@dataclass
class _Run:
    """One run: the decisions it was given, and the ways not taken."""

    given: tuple[bool, ...]
    possible: dict[Any, bool]
    changing: set[Hashable]  # the expressions that change something
    changes: int = 0
    taken: list[bool] = field(default_factory=list)
    others: list[tuple[bool, ...]] = field(default_factory=list)
    conditions: list[Term] = field(default_factory=list)

    def decide(self, term: Term) -> bool:
        """Return which way this run goes."""
        if term.known:
            return bool(term.args[0])
        for answer, wanted in ((True, term), (False, negated(term))):
            if not self.is_possible(negated(wanted)):
                return answer
        number = len(self.taken)
        if number < len(self.given):
            answer = self.given[number]
        else:
            answer = True
            self.others.append((*self.taken, False))
        self.taken.append(answer)
        self.conditions.append(term if answer else negated(term))
        return answer

    def is_possible(self, term: Term) -> bool:
        """Tell whether a term may be true with what was decided about the same cells."""
        cells = set(cells_in(term))
        related = [each for each in self.conditions if cells.issuperset(cells_in(each))]
        key = term, tuple(related)
        if key not in self.possible:
            self.possible[key] = _satisfiable(both(term, *related), cells)
        return self.possible[key]


def _satisfiable(term: Term, cells: set[Cell]) -> bool:
    if term.known:
        return bool(term.args[0])
    count = 1
    for cell in cells:
        count *= cell.high - cell.low + 1
        if count > MOST_TRIED:
            return True
    ordered = list(cells)
    for values in product(*(range(cell.low, cell.high + 1) for cell in ordered)):
        if value_of(term, dict(zip(ordered, values, strict=True))):
            return True
    return False


class _Changed(BaseException):  # no Exception: what computes both branches catches those
    """Raised when an expression changed something that should not have been computed yet."""


def paths(run: Callable[[], Any]) -> list[Path]:
    """Return every path through a function.

    Raises
    ------
    ValueError
        When there are too many.
    """
    changing: set[Hashable] = set()
    while True:
        try:
            return list(_paths(run, changing))
        except _Changed:
            continue  # one more expression is known to change something


def _paths(run: Callable[[], Any], changing: set[Hashable]) -> Iterator[Path]:
    waiting: list[tuple[bool, ...]] = [()]
    possible: dict[Any, bool] = {}
    count = 0
    while waiting:
        state = _Run(waiting.pop(), possible, changing)
        token = _running.set(state)
        try:
            outcome = run()
        finally:
            _running.reset(token)
        waiting.extend(state.others)
        count += 1
        if count > MOST_PATHS:
            msg = f"it branches in more than {MOST_PATHS:,} ways"
            raise ValueError(msg)
        yield Path(tuple(state.conditions), outcome)


def changed() -> None:
    """Note that something was changed on this path."""
    run = _running.get(None)
    if run is not None:
        run.changes += 1


def changes_something(place: Hashable) -> bool:
    """Tell whether the expression at a place is known to change something."""
    return place in _running.get().changing


@contextmanager
def without_change(place: Hashable) -> Iterator[None]:
    """Compute what may not be meant; where it changes something, all begins again and knows that."""
    run = _running.get()
    before = run.changes
    try:
        yield
    finally:
        if run.changes != before:
            run.changing.add(place)
            raise _Changed


def decide(term: Term) -> bool:
    """Return whether a term is true on this path."""
    return _running.get().decide(term)


def settled(term: Term) -> bool | None:
    """Return a term's truth if earlier decisions settle it."""
    run = _running.get()
    if not run.is_possible(term):
        return False
    return None if run.is_possible(negated(term)) else True


def value_among(term: Term) -> int:
    """Return a number's value on this path, by deciding about each."""
    if term.known:
        return int(term.args[0])
    if term.high - term.low > MOST_TRIED:
        msg = f"a number between {term.low} and {term.high} has too many values to tell them apart"
        raise ValueError(msg)
    for value in range(term.low, term.high):
        if decide(equal(term, constant(value))):
            return value
    return term.high
