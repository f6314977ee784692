"""What came of checking a model: a verdict of three values, and the shortest way to what is wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.model.formal._models import Model, specification

if TYPE_CHECKING:
    from workbench.display import Picture, Table
    from workbench.model.formal._statistics import Statistics
    from workbench.model.formal._storages import Omissions

__all__ = ["Step", "Verdict", "Violation"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a behaviour.

    Attributes
    ----------
    action : str or None
        The action that was taken; None for the initial state.
    args : mapping
        The values of its parameters.
    state : Model
        The state after it.
    """

    action: str | None
    args: Mapping[str, Any]
    state: Any

    @property
    def label(self) -> str:
        """The action as it would be called, or "init"."""
        if self.action is None:
            return "init"
        return f"{self.action}({', '.join(f'{name}={value}' for name, value in self.args.items())})"

    def __repr__(self) -> str:
        return f"{self.label} -> {self.state!r}"


@dataclass(frozen=True, slots=True)
class Violation:
    """A property that does not hold, with a behaviour that shows it.

    Attributes
    ----------
    kind : str
        "invariant", "deadlock", "assertion", "action property" or "temporal".
    property : str
        Its name.
    trace : list of Step
        From an initial state on; as short as any, for all kinds but "temporal".
    loop : int or None
        For a behaviour that never ends: the last state is that of this step again.
    """

    kind: str
    property: str
    trace: list[Step]
    loop: int | None = None

    def table(self) -> "Table":
        """Return the steps as a table: what each changed."""
        from workbench.model.formal.pictures.step_tables import step_table  # noqa: PLC0415 - when asked for

        return step_table(self)

    def sequence(self) -> "Picture":
        """Draw the behaviour as a sequence diagram: who did what, and what it changed elsewhere."""
        from workbench.model.formal.pictures.sequences import sequence_of  # noqa: PLC0415 - when asked for

        return sequence_of(self)

    def lasso(self) -> "Picture":
        """Draw the behaviour as a path of states, with the way back where it never ends."""
        from workbench.model.formal.pictures.lassos import lasso_of  # noqa: PLC0415 - when asked for

        return lasso_of(self)

    def __repr__(self) -> str:
        back = "" if self.loop is None else f", then back to step {self.loop}"
        return f"Violation({self.kind} {self.property}, {len(self.trace)} steps{back})"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model's properties hold.

    Attributes
    ----------
    holds : bool or None
        True: everything was seen and nothing is wrong. False: something is. None: neither, see `bound`.
    distinct : int
        Different states.
    generated : int
        Initial states and every successor, duplicates and steps that change nothing included.
    depth : int
        Breadth-first levels, the initial states being the first.
    violations : tuple of Violation
        The first violation of each property, the shortest behaviour first.
    bound : str
        What ended the exploration early, or why it may have omitted states; empty when everything was seen.
    omissions : Omissions or None
        How probable it is that states were omitted, where less than whole states were kept.
    statistics : Statistics
        Counts by action and by level.
    engine : str
        "python" or "compiled".
    notes : tuple of str
        Why it was another engine than one would expect.
    memory_bytes : int
        What the states took; about, for the interpreted engine.
    """

    model: type[Model]
    holds: bool | None
    distinct: int
    generated: int
    depth: int
    violations: tuple[Violation, ...] = ()
    bound: str = ""
    statistics: "Statistics | None" = None
    engine: str = "python"
    notes: tuple[str, ...] = field(default=())
    memory_bytes: int = field(default=0, compare=False)
    omissions: "Omissions | None" = None

    @property
    def trace(self) -> list[Step]:
        """The shortest behaviour that violates a property; empty when there is none."""
        return self.violations[0].trace if self.violations else []

    def replay(self) -> list[Step]:
        """Take the steps of the trace again, by the model as it is now, and return them.

        Raises
        ------
        ReplayError
            When a step cannot be taken any more, or leads elsewhere.
        """
        from workbench.model.formal._replaying import replay  # noqa: PLC0415 - when asked for

        return replay(self.model, self.trace)

    def as_test(self) -> Callable[[], None]:
        """Return a function that pytest can run: it fails as long as the model has this behaviour."""
        from workbench.model.formal._replaying import as_test  # noqa: PLC0415 - when asked for

        return as_test(self)

    def test_source(self, model: str | None = None) -> str:
        """Return that test as the text of a file for pytest.

        Parameters
        ----------
        model : str, optional
            An expression that gives the model, as ``"wb.library.TwoPhaseCommit(rm=3)"``, where a function
            made it.

        Raises
        ------
        ReplayError
            When nothing is violated, or the model or a value of its behaviour cannot be written down.
        """
        from workbench.model.formal._writing_tests import source_of_test  # noqa: PLC0415 - when asked for

        return source_of_test(self, model)

    def sequence(self) -> "Picture":
        """Draw the shortest behaviour as a sequence diagram.

        Raises
        ------
        ReplayError
            When nothing is violated.
        """
        from workbench.model.formal._replaying import first_violation  # noqa: PLC0415 - when asked for

        return first_violation(self).sequence()

    def _said(self) -> str:
        if self.holds:
            return "holds"
        if self.holds is None:
            return f"undecided: {'' if self.forgotten else 'ended by '}{self.bound}"
        first = self.violations[0]
        return f"violated: {first.kind} {first.property} in {len(first.trace)} steps"

    @property
    def forgotten(self) -> bool:
        """Whether the bound is what the storage forgot, and no limit."""
        return self.omissions is not None and self.bound == str(self.omissions)

    def __repr__(self) -> str:
        counts = f"{self.distinct:,} states, {self.generated:,} generated, depth {self.depth}"
        if self.omissions is not None and not (self.holds is None and self.forgotten):
            counts += f"; {self.omissions}"
        return f"Verdict({specification(self.model).name} {self._said()}; {counts})"

    def _repr_html_(self) -> str:
        from workbench.model.formal.pictures.pages import verdict_page  # noqa: PLC0415 - when asked for

        return verdict_page(self)

    def table(self) -> "Table":
        """Return the steps of the trace as a table with what changed."""
        from workbench.model.formal.pictures.step_tables import step_table  # noqa: PLC0415 - when asked for

        return step_table(self.violations[0]) if self.violations else step_table(None)

    @property
    def property(self) -> str | None:
        """The name of the property that is violated by the shortest behaviour; None when there is none."""
        return self.violations[0].property if self.violations else None
