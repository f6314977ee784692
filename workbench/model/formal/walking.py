"""Random behaviours: one to look at, and many to look for violations in.

At each step every enabled action instance is as likely as any other: the instances are tried in a random
order, and the first that is enabled is taken. A constraint's states are not entered.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench import display
from workbench.model.formal._models import Frozen, Instance, Specification, specification
from workbench.model.formal._statistics import Statistics
from workbench.model.formal.errors import ModelError
from workbench.model.formal.interpreting.steps import Broken, successor, truth
from workbench.model.formal.verdicts import Step, Verdict, Violation

__all__ = ["simulate", "walk"]

Taken = tuple[Instance | None, Frozen | Broken]  # e.g. (None, the initial state)


def walk(model: Any, steps: int = 20, seed: int | np.random.Generator = 0) -> list[Step]:
    """Return a random behaviour of a model.

    Parameters
    ----------
    model : class
        Derived from `Model`.
    steps : int
        At most so many actions; fewer where nothing more can happen, or an assertion fails.
    seed : int or numpy.random.Generator

    Raises
    ------
    ModelError
        When this is no model, it has no initial state, or `steps` is no number from 0 on.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> [step.label for step in wb.walk(wb.library.DieHard, steps=3, seed=1)]
    ['init', ...]
    """
    declared = specification(model)
    found: list[Step] = []
    rng = np.random.default_rng(seed)
    for instance, state in _behaviour(declared, _initial(declared), _checked("steps", steps, 0), rng):
        if not isinstance(state, Broken):
            found.append(_step(declared, instance, state))
    return found


def simulate(model: Any, runs: int = 100, steps: int = 100, seed: int | np.random.Generator = 0) -> Verdict:
    """Check a model's safety along random behaviours.

    Parameters
    ----------
    model : class
        Derived from `Model`.
    runs, steps : int
        How many behaviours, and at most how many actions of each.
    seed : int or numpy.random.Generator

    Returns
    -------
    Verdict
        Violated, or undecided: it never holds, for not everything was seen. `distinct` are the different
        states that were met, `generated` all that were; a behaviour to a violation is not the shortest one.

    Raises
    ------
    ModelError
        When this is no model, it has no initial state, or there is nothing to run.

    Notes
    -----
    Invariants, action properties, assertions and deadlock are looked at; temporal properties are not.
    """
    declared = specification(model)
    meeting = _Meeting(declared)
    rng = np.random.default_rng(seed)
    _checked("runs", runs, 1)
    _checked("steps", steps, 1)
    initial = _initial(declared)
    for _ in range(runs):
        meeting.run(_behaviour(declared, initial, steps, rng), steps)
    found = sorted(meeting.violations.values(), key=lambda each: len(each.trace))
    notes = ("the temporal properties were not looked at",) if declared.temporal else ()
    named = f", seed {seed}" if isinstance(seed, int) else ""
    return Verdict(
        model=declared.model,
        holds=False if found else None,
        distinct=len(meeting.first_met),
        generated=meeting.generated,
        depth=max(meeting.first_met.values()) + 1,
        violations=tuple(found),
        bound=f"{display.plural(runs, 'random run')} of at most {display.plural(steps, 'step')}{named}",
        statistics=meeting.statistics(),
        notes=notes,
    )


def _checked(name: str, value: int, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        msg = f"{name} is {value!r}, expected an integer of at least {least}"
        raise ModelError(msg)
    return value


def _step(declared: Specification, instance: Instance | None, state: Frozen) -> Step:
    if instance is None:
        return Step(None, {}, declared.thaw(state))
    return Step(instance.action.name, dict(instance.arguments), declared.thaw(state))


def _initial(declared: Specification) -> list[Frozen]:
    found = [state for state in declared.initial() if _is_kept(declared, state)]
    if not found:
        msg = f"{declared.name} has no initial state"
        raise ModelError(msg)
    return found


def _behaviour(
    declared: Specification, initial: list[Frozen], steps: int, rng: np.random.Generator
) -> Iterator[Taken]:
    """Yield an initial state, and then what each step leads to; an assertion that fails ends it."""
    state = initial[int(rng.integers(len(initial)))]
    yield None, state
    for _ in range(steps):
        taken = _random_step(declared, state, rng)
        if taken is None:
            return
        yield taken
        if isinstance(taken[1], Broken):
            return
        state = taken[1]


def _random_step(declared: Specification, state: Frozen, rng: np.random.Generator) -> Taken | None:
    for number in rng.permutation(len(declared.instances)).tolist():
        instance = declared.instances[number]
        after = successor(declared, state, instance)
        if after is not None and (isinstance(after, Broken) or _is_kept(declared, after)):
            return instance, after
    return None


def _is_kept(declared: Specification, state: Frozen) -> bool:
    return all(truth(declared, each, state) for each in declared.of_kind("constraint"))


@dataclass
class _Meeting:
    """What random behaviours have met."""

    declared: Specification
    first_met: dict[Frozen, int] = field(default_factory=dict)
    violations: dict[tuple[str, str], Violation] = field(default_factory=dict)
    generated: int = 0

    def __post_init__(self) -> None:
        self.taken = {action.name: 0 for action in self.declared.actions}
        self.invariants = self.declared.of_kind("invariant")
        self.step_properties = self.declared.of_kind("action property")

    def run(self, behaviour: Iterator[Taken], steps: int) -> None:
        """Look at one behaviour."""
        path: list[tuple[Instance | None, Frozen]] = []
        for instance, state in behaviour:
            if isinstance(state, Broken):
                path.append((instance, path[-1][1]))
                self._violate("assertion", instance.action.name if instance else "", path)
                return
            path.append((instance, state))
            self._meet(path)
        if len(path) <= steps:
            self._look_for_deadlock(path)

    def _meet(self, path: list[tuple[Instance | None, Frozen]]) -> None:
        instance, state = path[-1]
        self.generated += 1
        if instance is not None:
            self.taken[instance.action.name] += 1
            for each in self.step_properties:
                if not truth(self.declared, each, path[-2][1], state):
                    self._violate(each.kind, each.name, path)
        if state not in self.first_met:
            for each in self.invariants:
                if not truth(self.declared, each, state):
                    self._violate(each.kind, each.name, path)
        self.first_met[state] = min(self.first_met.get(state, len(path)), len(path) - 1)

    def _look_for_deadlock(self, path: list[tuple[Instance | None, Frozen]]) -> None:
        """Tell a state in which nothing can happen from one whose successors a constraint leaves out."""
        state = path[-1][1]
        if any(truth(self.declared, each, state) for each in self.declared.of_kind("terminal")):
            return
        if all(successor(self.declared, state, each) is None for each in self.declared.instances):
            self._violate("deadlock", "deadlock", path)

    def _violate(self, kind: str, name: str, path: list[tuple[Instance | None, Frozen]]) -> None:
        known = self.violations.get((kind, name))
        if known is None or len(known.trace) > len(path):
            steps = [_step(self.declared, instance, state) for instance, state in path]
            self.violations[kind, name] = Violation(kind, name, steps)

    def statistics(self) -> Statistics:
        """Return the steps by action, and the states by how soon they were met."""
        levels = np.bincount(list(self.first_met.values()))
        return Statistics(dict(self.taken), tuple(levels.tolist()))
