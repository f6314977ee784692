"""Branching time: in which states is a CTL formula true, and a path that shows why it is not.

Sets of states are computed from the inside out: EX by one step backwards, EU by steps backwards until nothing
is added, EG by leaving out states without a step within, until nothing is left out (E. M. Clarke, E. A.
Emerson, A. P. Sistla, 1986). Paths are all that the model has: fairness belongs to linear time.
"""

import numpy as np

from workbench.model.formal.errors import ModelError
from workbench.model.formal.temporal.formulas import Atom, Branching, Constant, Formula, Linear
from workbench.model.formal.temporal.graphs import Flags, Graph, Steps

__all__ = ["branches", "states_where"]


def branches(formula: Formula) -> bool:
    """Tell whether a formula speaks of branching futures.

    Raises
    ------
    ModelError
        When it mixes both kinds of time.
    """
    kinds = _kinds(formula)
    if kinds == {"linear", "branching"}:
        msg = f"{formula!r} mixes linear time (always, until, ...) and branching time (AG, EF, ...)"
        raise ModelError(msg)
    return "branching" in kinds


def _kinds(formula: Formula) -> set[str]:
    found: set[str] = set()
    if isinstance(formula, Branching):
        found.add("branching")
    elif isinstance(formula, Linear) and formula.operator in ("next", "until", "release"):
        found.add("linear")
    for part in getattr(formula, "parts", ()):
        found |= _kinds(part)
    return found


def states_where(graph: Graph, formula: Formula) -> Flags:  # noqa: PLR0911 - a table of operators
    """Return in which states a formula of branching time is true."""
    if isinstance(formula, Constant):
        return np.full(graph.steps.nodes, formula.value)
    if isinstance(formula, Atom):
        return graph.where(formula)
    parts = [states_where(graph, part) for part in formula.parts]  # type: ignore[attr-defined]
    operator = formula.operator  # type: ignore[attr-defined]
    if operator == "not":
        return ~parts[0]
    if operator == "and":
        return parts[0] & parts[1]
    if operator == "or":
        return parts[0] | parts[1]
    if operator == "EX":
        return _before(graph.steps, parts[0])
    if operator == "EU":
        return _until(graph.steps, *parts)
    return _for_ever(graph.steps, parts[0])


def _before(steps: Steps, flags: Flags) -> Flags:
    """Return the states that have a step into some of the states."""
    leads = np.where(steps.targets >= 0, flags[steps.targets], False)
    return np.logical_or.reduceat(np.append(leads, False), steps.starts[:-1]) & (np.diff(steps.starts) > 0)


def _until(steps: Steps, before: Flags, then: Flags) -> Flags:
    found = then
    while True:
        more = found | (before & _before(steps, found))
        if (more == found).all():
            return found
        found = more


def _for_ever(steps: Steps, flags: Flags) -> Flags:
    found = flags
    while True:
        fewer = found & _before(steps, found)
        if (fewer == found).all():
            return found
        found = fewer
