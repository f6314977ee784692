"""Can this state be reached? The shortest behaviour to a state of which a predicate is true."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.model.formal._declaring import Declared
from workbench.model.formal._engines import Engine, explored
from workbench.model.formal._explorations import Exploration, Found, Limits
from workbench.model.formal._models import Model, Specification, specification
from workbench.model.formal._traces import violation
from workbench.model.formal._watching import Progress, watching
from workbench.model.formal.errors import ModelError
from workbench.model.formal.temporal.formulas import OF_STATES
from workbench.model.formal.verdicts import Step, Violation

if TYPE_CHECKING:
    from workbench.display import Picture, Table

__all__ = ["Reachability", "reachable"]

DROPPED = {"invariant", "terminal", "action property"}


@dataclass(frozen=True, slots=True)
class Reachability:
    """Whether a state can be reached.

    Attributes
    ----------
    predicate : str
        Its name.
    holds : bool or None
        True: it can be reached, by `trace`. False: it cannot, everything was seen. None: see `bound`.
    trace : list of Step
        A shortest behaviour to such a state; empty when none was found.
    distinct, generated, depth : int
        Counts of the search, which ends when it is there, as those of a verdict.
    bound : str
        What ended the search before it could tell.
    """

    model: type[Model]
    predicate: str
    holds: bool | None
    trace: list[Step]
    distinct: int
    generated: int
    depth: int
    bound: str = ""
    engine: str = "python"
    notes: tuple[str, ...] = ()

    def _behaviour(self) -> Violation:
        if not self.trace:
            msg = f"{self!r}: there is no behaviour to draw"
            raise ModelError(msg)
        return Violation("reached", self.predicate, self.trace)

    def table(self) -> "Table":
        """Return the steps as a table: what each changed."""
        from workbench.model.formal.pictures.step_tables import step_table  # noqa: PLC0415 - when asked for

        return step_table(self._behaviour() if self.trace else None)

    def sequence(self) -> "Picture":
        """Draw the behaviour as a sequence diagram.

        Raises
        ------
        ModelError
            When none was found.
        """
        return self._behaviour().sequence()

    def __bool__(self) -> bool:
        return self.holds is True

    def __repr__(self) -> str:
        from workbench.display import plural  # noqa: PLC0415 - when asked for

        said = f"undecided: ended by {self.bound}"
        if self.holds is not None:
            said = (
                f"reached by {plural(len(self.trace) - 1, 'action')}" if self.holds else "cannot be reached"
            )
        name = specification(self.model).name
        return f"Reachability({self.predicate} of {name}: {said}; {self.distinct:,} states seen)"

    def _repr_html_(self) -> str:
        from workbench.display import table  # noqa: PLC0415 - when asked for

        head = table(["", "value"], [["states seen", f"{self.distinct:,}"]], title=repr(self))
        return head._repr_html_() + (self.table()._repr_html_() if self.trace else "")


def reachable(  # noqa: PLR0913 - each has its default
    model: Any,
    predicate: Callable[[Any], Any] | str,
    *,
    engine: Engine = "auto",
    max_states: int | None = None,
    max_depth: int | None = None,
    timeout_s: float | None = None,
    progress: Progress = False,
) -> Reachability:
    """Search for the nearest state of which a predicate is true.

    Parameters
    ----------
    model : class
        Derived from `Model`.
    predicate : callable or str
        A function of the state, or the name of one that the model declares.
    engine, max_states, max_depth, timeout_s, progress
        As for `check`.

    Raises
    ------
    ModelError
        When this is no model, or it has no predicate of that name.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> wb.reachable(wb.library.DieHard, lambda s: s.big == 4)
    Reachability(the predicate of DieHard: reached by 6 actions; 13 states seen)
    """
    declared = specification(model)
    name, wanted = _predicate(declared, predicate)
    query = _query(declared, wanted)
    limits = Limits(max_states, max_depth, timeout_s, stop_at_first=True)
    with watching(progress, max_states) as watch:
        seen, note = explored(query, limits, engine, watch)
        if seen.violations and _goal(seen) is None:  # an assertion ended the search: go on past it
            seen, note = explored(query, replace(limits, stop_at_first=False), engine, watch)
    goal = _goal(seen)
    return Reachability(
        model=declared.model,
        predicate=name,
        holds=True if goal is not None else (None if seen.bound else False),
        trace=[] if goal is None else violation(query, seen, goal).trace,
        distinct=seen.distinct,
        generated=seen.generated,
        depth=seen.depth,
        bound="" if goal is not None else seen.bound,
        engine=seen.engine,
        notes=(note,) if note else (),
    )


def _predicate(declared: Specification, given: Any) -> tuple[str, Callable[[Any], Any]]:
    if isinstance(given, str):
        found = {each.name: each for each in declared.members if each.kind in OF_STATES}
        if given not in found:
            known = ", ".join(each.name for each in declared.of_kind("predicate")) or "none"
            msg = f"{declared.name} has no predicate {given!r}; its predicates are {known}"
            raise ModelError(msg)
        given = found[given]
    if not callable(given):
        msg = f"a predicate is a function of the state, or the name of one, got {given!r}"
        raise ModelError(msg)
    if isinstance(given, Declared) and given.kind not in OF_STATES:
        msg = f"{given.name} is declared as {given.kind}: a predicate says what is true of a state"
        raise ModelError(msg)
    function = given.function if isinstance(given, Declared) else given
    return _called(function), function


def _called(function: Callable[[Any], Any]) -> str:
    name = getattr(function, "__name__", "?")
    return name if name != "<lambda>" else "the predicate"


def _query(declared: Specification, wanted: Callable[[Any], Any]) -> Specification:
    """Return the model with one property: that no state is the wanted one."""

    def unreached(s):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - a model's text
        return not wanted(s)

    def anywhere(s):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG001
        return True

    kept = [each for each in declared.members if each.kind not in DROPPED]
    members = (*kept, Declared("invariant", unreached), Declared("terminal", anywhere))
    return replace(declared, members=members, temporal={})


def _goal(seen: Exploration) -> Found | None:
    return next(
        (each for each in seen.violations if (each.kind, each.name) == ("invariant", "unreached")), None
    )
