"""Why a formula of branching time is false in a state: as much of it as one behaviour can show.

What should be true for ever on every path is refuted by the way to a state where it is false; what every path
should come to, by a path that never does, and goes round for ever. What should be possible and is not (`EF`,
`EG`, `EX`) is refuted by all behaviours together: there the way ends.
"""

from typing import TypeAlias

import numpy as np

from workbench.model.formal.temporal.branching import states_where
from workbench.model.formal.temporal.formulas import Branching, Formula, Linear
from workbench.model.formal.temporal.graphs import Flags, Graph
from workbench.model.formal.temporal.linear import path_until

__all__ = ["refutation"]

Path: TypeAlias = list[tuple[int, int]]  # labels of steps, and the states that they lead to


def refutation(graph: Graph, formula: Formula, state: int) -> tuple[Path, int | None]:
    """Return a path from a state in which a formula is false, and to which of its places the end leads back.

    The state itself is place 0; without a way back the second is None.
    """
    operator: str = getattr(formula, "operator", "")
    parts: tuple[Formula, ...] = getattr(formula, "parts", ())
    if operator == "and":
        wrong = next(part for part in parts if not states_where(graph, part)[state])
        return refutation(graph, wrong, state)
    if operator == "or":
        return max((refutation(graph, part, state) for part in parts), key=_length)
    if operator != "not":
        return [], None
    if isinstance(parts[0], Linear):
        return _refuted(graph, parts[0], state)
    return _shown(graph, parts[0], state) if isinstance(parts[0], Branching) else ([], None)


def _length(found: tuple[Path, int | None]) -> tuple[bool, int]:
    return found[1] is not None, len(found[0])


def _refuted(graph: Graph, formula: Linear, state: int) -> tuple[Path, int | None]:
    """Return what shows the negation of a formula false, where the formula is joined of others."""
    if formula.operator == "not":
        return refutation(graph, formula.parts[0], state)
    other = "or" if formula.operator == "and" else "and"
    return refutation(graph, Linear(other, tuple(~part for part in formula.parts)), state)


def _shown(graph: Graph, formula: Branching, state: int) -> tuple[Path, int | None]:
    """Return a path that shows that some future does what none should."""
    flags = [states_where(graph, part) for part in formula.parts]
    if formula.operator == "EG":
        return _round(graph, states_where(graph, formula), state)
    if formula.operator == "EX":
        path = [_step_into(graph, flags[0], state)]
    else:
        path = path_until(graph.steps, state, *flags)
    end = path[-1][1] if path else state
    more, loop = refutation(graph, ~formula.parts[-1], end)
    return path + more, None if loop is None else loop + len(path)


def _step_into(graph: Graph, flags: Flags, state: int) -> tuple[int, int]:
    edges = np.arange(graph.steps.starts[state], graph.steps.starts[state + 1])
    edges = edges[graph.steps.targets[edges] >= 0]
    edge = edges[flags[graph.steps.targets[edges]]][0]
    return int(graph.steps.labels[edge]), int(graph.steps.targets[edge])


def _round(graph: Graph, flags: Flags, state: int) -> tuple[Path, int]:
    """Go on within some states until one comes again."""
    places = {state: 0}
    path: Path = []
    while True:
        path.append(_step_into(graph, flags, path[-1][1] if path else state))
        at = path[-1][1]
        if at in places:
            return path, places[at]
        places[at] = len(path)
