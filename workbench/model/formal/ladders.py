"""The ladder: one model in growing sizes, and before each step a prediction of how many states come.

The states of many models made of `n` equal parts are a sum of powers of `n`: of `a` in each of the ways in
which a part can be while the whole is in some phase. Such a sequence obeys a linear recurrence of constant
coefficients, which 2k of its terms determine, where k is how many powers there are; so the next term follows
(G. R. de Prony, 1795; here in exact fractions). With fewer terms than that a prediction is an approximation,
with two it is a geometric progression.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from workbench.model.formal.checking import check
from workbench.model.formal.errors import ModelError
from workbench.model.formal.verdicts import Verdict

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.display import Table

__all__ = ["Ladder", "Prediction", "Rung", "ladder"]

FEWEST = 2  # rungs that a prediction needs
SMALLEST = 4_096  # states that the compiled engine has room for from the start
ROOM = 16  # arrays double when less than about this part of them is free


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the next rung of a ladder will be like.

    Attributes
    ----------
    value : int
        The size it is for.
    states : int
        Distinct states.
    memory_bytes : int
        About what they take, by the engine of the rung before.
    order : int
        How many powers the prediction is a sum of.
    confirmed : bool
        The recurrence gives all rungs so far, and there are more of them than it took to find it.
    """

    value: int
    states: int
    memory_bytes: int
    order: int
    confirmed: bool

    def __repr__(self) -> str:
        sure = "confirmed" if self.confirmed else "not yet confirmed"
        powers = f"{self.order} power{'s' * (self.order > 1)}, {sure}"
        memory = f"about {_megabytes(self.memory_bytes)} MB"
        return f"Prediction({self.value}: {self.states:,} states, {memory}; a sum of {powers})"


@dataclass(frozen=True, slots=True)
class Rung:
    """One size of a model, explored.

    Attributes
    ----------
    value : int
        The size.
    verdict : Verdict
        What came of checking it.
    predicted : Prediction or None
        What the rungs before it said; None where they were too few.
    seconds : float
        How long it took, compilation included.
    """

    value: int
    verdict: Verdict
    predicted: Prediction | None
    seconds: float = field(compare=False)

    @property
    def error(self) -> float | None:
        """By which share of the states the prediction was too high; None where there was none."""
        if self.predicted is None or not self.verdict.distinct:
            return None
        return self.predicted.states / self.verdict.distinct - 1

    def __repr__(self) -> str:
        said = "" if self.predicted is None else f", {self.predicted.states:,} predicted"
        return f"Rung({self.value}: {self.verdict.distinct:,} states{said})"


@dataclass(frozen=True, slots=True)
class Ladder:
    """A model in growing sizes.

    Attributes
    ----------
    factory : callable
        Makes the model of a size.
    rungs : tuple of Rung
        The sizes explored so far, the smallest first.
    options : mapping
        What each is checked with.
    stopped : str
        Why the ladder ends before the last size asked for; empty when it does not.
    """

    factory: Callable[[int], Any]
    rungs: tuple[Rung, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    stopped: str = ""

    @property
    def values(self) -> tuple[int, ...]:
        """The sizes explored."""
        return tuple(rung.value for rung in self.rungs)

    @property
    def states(self) -> tuple[int, ...]:
        """The distinct states of each."""
        return tuple(rung.verdict.distinct for rung in self.rungs)

    def predict(self, ahead: int = 1) -> Prediction:
        """Return what the rungs so far say about the next one, or one further up.

        Parameters
        ----------
        ahead : int
            How many steps above the last rung.

        Raises
        ------
        ModelError
            When there are fewer than two rungs, or a rung was not explored to its end.
        """
        if ahead < 1 or len(self.rungs) < FEWEST:
            msg = (
                f"a prediction needs {FEWEST} rungs and is for 1 or more steps ahead: {self!r}, ahead={ahead}"
            )
            raise ModelError(msg)
        cut = [rung for rung in self.rungs if rung.verdict.bound and not rung.verdict.forgotten]
        if cut:
            msg = f"size {cut[0].value} was ended by {cut[0].verdict.bound}: its states say nothing of others"
            raise ModelError(msg)
        step = self.values[-1] - self.values[-2]
        following, recurrence = _continued(self.states, ahead)
        confirmed = _is_confirmed(recurrence, self.states)
        more = _memory_bytes(self.rungs[-1].verdict, following)
        return Prediction(self.values[-1] + ahead * step, following, more, len(recurrence), confirmed)

    def climb(self, value: int) -> "Ladder":
        """Explore one more size; the prediction is made before.

        Raises
        ------
        ModelError
            When the size does not follow the others in equal steps.
        """
        self._check_follows(value)
        predicted = self.predict() if len(self.rungs) >= FEWEST else None
        started = time.perf_counter()
        verdict = check(self.factory(value), **self.options)
        rung = Rung(value, verdict, predicted, time.perf_counter() - started)
        return replace(self, rungs=(*self.rungs, rung))

    def _check_follows(self, value: int) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            msg = f"the sizes of a ladder are integers, got {value!r}"
            raise ModelError(msg)
        values = (*self.values, value)
        steps = {after - before for before, after in pairwise(values)}
        if len(steps) > 1 or min(steps, default=1) < 1:
            msg = f"the sizes of a ladder grow in equal steps, got {', '.join(map(str, values))}"
            raise ModelError(msg)

    def plot(self, ax: "Axes | None" = None, of: Literal["states", "memory"] = "states") -> "Axes":
        """Draw states, or megabytes, by size, and what was predicted of each."""
        from workbench.model.formal.pictures.ladder_plots import plot_ladder  # noqa: PLC0415 - when asked for

        return plot_ladder(self, ax, of)

    def table(self) -> "Table":
        """Return the rungs as a table; times, and the memory of the interpreter, are left to `to_pandas`."""
        from workbench import display  # noqa: PLC0415 - only in notebooks

        header = ["size", "predicted", "states", "error", "generated", "depth", "MB"]
        rows = [_row(rung) for rung in self.rungs]
        return display.table(header, rows, title=repr(self))

    def to_pandas(self) -> "pd.DataFrame":
        """Return a row for each rung, with the seconds it took."""
        import pandas as pd  # noqa: PLC0415 - for those who ask

        return pd.DataFrame(
            {
                "size": self.values,
                "predicted": [rung.predicted.states if rung.predicted else None for rung in self.rungs],
                "states": self.states,
                "generated": [rung.verdict.generated for rung in self.rungs],
                "depth": [rung.verdict.depth for rung in self.rungs],
                "memory_bytes": [rung.verdict.memory_bytes for rung in self.rungs],
                "seconds": [rung.seconds for rung in self.rungs],
            }
        )

    def __repr__(self) -> str:
        if not self.rungs:
            return "Ladder(no rungs)"
        sizes = f"sizes {self.values[0]} to {self.values[-1]}"
        stopped = f"; {self.stopped}" if self.stopped else ""
        return f"Ladder({sizes}: {self.states[0]:,} to {self.states[-1]:,} states{stopped})"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def ladder(factory: Any, values: Any, *, max_states: int | None = None, **options: Any) -> Ladder:
    """Explore a model in growing sizes, and predict each from those before.

    Parameters
    ----------
    factory : callable
        Makes the model of a size, as ``wb.library.TwoPhaseCommit`` does.
    values : iterable of int
        The sizes, growing in equal steps.
    max_states : int, optional
        Stop before a size that is predicted to have more states.
    options
        Given to `check` at each size.

    Raises
    ------
    ModelError
        When the sizes do not grow in equal steps, or `options` end a rung before everything was seen.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> philosophers = wb.ladder(wb.library.DiningPhilosophers, range(2, 6), engine="python")
    >>> philosophers.predict().states == 3**6 - 1
    True
    """
    if not callable(factory):
        msg = f"factory must make the model of a size, as TwoPhaseCommit does, got {factory!r}"
        raise ModelError(msg)
    if not isinstance(values, Iterable):
        msg = f"values must be the sizes, as range(2, 8), got {values!r}"
        raise ModelError(msg)
    found = Ladder(factory, options=options)
    for value in values:
        if max_states is not None and len(found.rungs) >= FEWEST:
            found._check_follows(value)  # noqa: SLF001 - our own class
            expected = found.predict()
            if expected.states > max_states:
                return replace(found, stopped=f"{value} would have {expected.states:,} states")
        found = found.climb(value)
    return found


def _row(rung: Rung) -> list[str]:
    verdict = rung.verdict
    predicted = "" if rung.predicted is None else f"{rung.predicted.states:,}"
    error = "" if rung.error is None else f"{rung.error:+.2%}" if rung.error else "exact"
    memory = _megabytes(verdict.memory_bytes) if verdict.engine == "compiled" else ""
    counts = f"{verdict.generated:,}", str(verdict.depth), memory
    return [str(rung.value), predicted, f"{verdict.distinct:,}", error, *counts]


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f}"


def _memory_bytes(last: Verdict, states: int) -> int:
    """Return what the last rung held, for more states: in proportion, or in arrays that double when full."""
    if not last.distinct:
        return last.memory_bytes
    if last.engine == "python":
        return math.ceil(last.memory_bytes * states / last.distinct)
    return last.memory_bytes * _capacity(states + states // ROOM) // _capacity(last.distinct)


def _capacity(states: int) -> int:
    return max(SMALLEST, 1 << max(0, states - 1).bit_length())


def _continued(terms: Sequence[int], ahead: int) -> tuple[int, list[Fraction]]:
    """Return a later term of a sequence, and the recurrence by which."""
    recurrence = _chosen(terms)
    return max(0, round(_term(terms, recurrence, ahead))), recurrence


def _chosen(terms: Sequence[int]) -> list[Fraction]:
    """Return the shortest recurrence that is confirmed; where none is, the longest that is plausible."""
    found = [_recurrence(terms, order) for order in range(1, len(terms) // 2 + 1)]
    recurrences = [each for each in found if each is not None]
    for each in recurrences:
        if _is_confirmed(each, terms):
            return each
    for each in reversed(recurrences):
        if len(each) == 1 or _is_plausible(terms, each):
            return each
    return [Fraction(1)]


def _recurrence(terms: Sequence[int], order: int) -> list[Fraction] | None:
    """Return the coefficients by which each of the last terms follows from those before it."""
    last = terms[len(terms) - 2 * order :]
    rows = [[Fraction(term) for term in last[row : row + order + 1]] for row in range(order)]
    return _solved(rows)


def _solved(rows: list[list[Fraction]]) -> list[Fraction] | None:
    """Solve linear equations, each given as coefficients and right side; None without a single solution."""
    for column in range(len(rows)):
        pivot = next((row for row in range(column, len(rows)) if rows[row][column]), None)
        if pivot is None:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        chosen = rows[column] = [value / rows[column][column] for value in rows[column]]
        for number, row in enumerate(rows):
            if number != column:
                rows[number] = [a - row[column] * b for a, b in zip(row, chosen, strict=True)]
    return [row[-1] for row in rows]


def _term(terms: Sequence[int], recurrence: list[Fraction], ahead: int) -> Fraction:
    known = [Fraction(term) for term in terms]
    for _ in range(ahead):
        known.append(_next_of(known, recurrence))
    return known[-1]


def _next_of(known: Sequence[int | Fraction], recurrence: list[Fraction]) -> Fraction:
    last = known[len(known) - len(recurrence) :]
    return sum((a * b for a, b in zip(recurrence, last, strict=True)), Fraction(0))


def _is_plausible(terms: Sequence[int], recurrence: list[Fraction]) -> bool:
    """Tell whether growth changes no more than it did from the term before the last to the last."""
    if 0 in terms[-3:]:
        return False
    following = _next_of(terms, recurrence)
    latest, before = Fraction(terms[-1], terms[-2]), Fraction(terms[-2], terms[-3])
    return following > 0 and abs(following / terms[-1] - latest) <= abs(latest - before)


def _is_confirmed(recurrence: list[Fraction], terms: Sequence[int]) -> bool:
    """Tell whether a recurrence gives all terms, of which there are more than it took to find it."""
    order = len(recurrence)
    gives_all = all(_next_of(terms[:at], recurrence) == terms[at] for at in range(order, len(terms)))
    return gives_all and len(terms) > 2 * order
