"""From what an engine found to a behaviour that a reader can follow."""

from itertools import pairwise

from workbench.model.formal._explorations import Exploration, Found
from workbench.model.formal._models import Frozen, Specification
from workbench.model.formal.interpreting.steps import Broken, successor
from workbench.model.formal.verdicts import Step, Violation

__all__ = ["path_to", "steps_along", "violation"]


def violation(declared: Specification, explored: Exploration, found: Found) -> Violation:
    """Return a violation with the behaviour that leads to it: one of the shortest."""
    steps = steps_along(declared, [explored.states[number] for number in path_to(explored, found.state)])
    if found.instance is not None:
        taken = declared.instances[found.instance]
        before = explored.states[found.state]
        after = found.after if found.after is not None else before
        steps.append(Step(taken.action.name, dict(taken.arguments), declared.thaw(after)))
    elif found.after is not None:
        steps.append(Step(None, {}, declared.thaw(found.after)))
    return Violation(found.kind, found.name, steps)


def path_to(explored: Exploration, number: int) -> list[int]:
    """Return the numbers of the states by which a state was reached, the initial one first."""
    path: list[int] = []
    while number >= 0:
        path.append(number)
        number = int(explored.parents[number])
    return path[::-1]


def steps_along(declared: Specification, states: list[Frozen]) -> list[Step]:
    """Return the steps between states that follow each other, each by the first action that leads there."""
    steps = [Step(None, {}, declared.thaw(state)) for state in states[:1]]
    for before, after in pairwise(states):
        steps.append(_step_between(declared, before, after))
    return steps


def _step_between(declared: Specification, before: Frozen, after: Frozen) -> Step:
    for instance in declared.instances:
        found = successor(declared, before, instance)
        if not isinstance(found, Broken) and found == after:
            return Step(instance.action.name, dict(instance.arguments), declared.thaw(after))
    msg = f"no action leads from {before!r} to {after!r}"  # the engines agree: this would be a defect of ours
    raise AssertionError(msg)
