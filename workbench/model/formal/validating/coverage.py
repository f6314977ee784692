"""What a recording exercised of a model, and what it never did.

A step or a state counts as exercised when some behaviour that shows some trace has it, up to the trace's last
event. So what is called never exercised was certainly not: no trace can be read in a way that has it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench import display
from workbench.model.formal._explorations import Limits
from workbench.model.formal._models import Frozen, Specification
from workbench.model.formal.interpreting.exploring import explore
from workbench.model.formal.validating.searching import Outcome

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Coverage", "coverage_of"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was exercised.

    Attributes
    ----------
    steps : mapping of str to (int, bool)
        For each action with its arguments: in how many traces an event may show it, and whether it may have
        happened silently in some trace.
    visited : int
        States of the model that some trace may have been in.
    states : int or None
        Those that the model can reach; None when there are more than were explored.
    unseen : mapping of str to tuple of str
        For each field, the values that it has in a reachable state and in none that was visited.
    bound : str
        What ended the exploration of the model; then `unseen` is of the states explored.
    """

    steps: Mapping[str, tuple[int, bool]]
    visited: int
    states: int | None
    unseen: Mapping[str, tuple[str, ...]]
    bound: str = ""

    @property
    def never(self) -> tuple[str, ...]:
        """The steps that no trace has, neither shown nor silent."""
        return tuple(label for label, (shown, silent) in self.steps.items() if not shown and not silent)

    @property
    def never_actions(self) -> tuple[str, ...]:
        """The actions that no trace has, with whatever arguments."""
        had = {_name(label) for label, exercised in self.steps.items() if any(exercised)}
        return tuple(dict.fromkeys(name for name in map(_name, self.steps) if name not in had))

    def to_pandas(self) -> "pd.DataFrame":
        """Return a row for each step: step, traces, silently."""
        import pandas as pd  # noqa: PLC0415 - for those who ask

        rows = [(label, shown, silent) for label, (shown, silent) in self.steps.items()]
        return pd.DataFrame(rows, columns=["step", "traces", "silently"])

    def table(self) -> display.Table:
        """Return the steps: in how many traces each was."""
        rows = [
            [label, f"{shown:,}", "may have" if silent else "", "" if shown or silent else "never exercised"]
            for label, (shown, silent) in self.steps.items()
        ]
        return display.table(["step", "traces", "silently", ""], rows, title=repr(self), max_rows=60)

    def __repr__(self) -> str:
        exercised = len(self.steps) - len(self.never)
        states = f"{self.visited:,} of {'?' if self.states is None else f'{self.states:,}'} states"
        return f"Coverage: {exercised} of {display.plural(len(self.steps), 'step')}, {states}"

    def _repr_html_(self) -> str:
        rows = [[name, ", ".join(values)] for name, values in self.unseen.items() if values]
        unseen = display.table(["field", "values never seen"], rows, title="What the state never was")
        return self.table()._repr_html_() + (unseen._repr_html_() if rows else "")


def coverage_of(
    declared: Specification, outcomes: Iterable[tuple[Outcome, int]], max_states: int
) -> Coverage:
    """Return what outcomes exercised, each with the number of its traces."""
    visited: set[Frozen] = set()
    traces: dict[int, int] = {}
    silent: set[int] = set()
    for outcome, count in outcomes:
        visited |= outcome.visited
        for number, is_event in outcome.taken:
            if is_event:
                traces[number] = traces.get(number, 0) + count
            else:
                silent.add(number)
    explored = explore(declared, Limits(max_states=max_states))
    steps = {each.label: (traces.get(each.number, 0), each.number in silent) for each in declared.instances}
    reachable = [explored.states[number] for number in range(explored.distinct)]
    states = None if explored.bound else explored.distinct
    return Coverage(steps, len(visited), states, _unseen(declared, reachable, visited), explored.bound)


def _unseen(
    declared: Specification, reachable: list[Frozen], visited: set[Frozen]
) -> dict[str, tuple[str, ...]]:
    found = {}
    for place, (name, domain) in enumerate(declared.fields.items()):
        seen = {state[place] for state in visited}
        values = dict.fromkeys(state[place] for state in reachable)
        found[name] = tuple(domain.show(value) for value in values if value not in seen)
    return found


def _name(label: str) -> str:
    return label.partition("(")[0]
