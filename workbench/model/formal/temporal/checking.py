"""Temporal properties of a model: each is true of it, or there is a behaviour that shows why not."""

import numpy as np

from workbench.model.formal._explorations import Edges
from workbench.model.formal._models import Frozen, Specification
from workbench.model.formal.temporal.branching import branches, states_where
from workbench.model.formal.temporal.formulas import Formula
from workbench.model.formal.temporal.formulas import formula as formula_of
from workbench.model.formal.temporal.futures import refutation
from workbench.model.formal.temporal.graphs import STAYS, Graph
from workbench.model.formal.temporal.linear import Lasso, counterexample
from workbench.model.formal.verdicts import Step, Violation

__all__ = ["violations"]


def violations(declared: Specification, edges: Edges) -> list[Violation]:
    """Return the temporal properties that do not hold, in the order of their declaration.

    Each has a behaviour that shows it: for linear time one that never ends, for branching time as much as one
    behaviour can show. Where the exploration ended early, only linear time is looked at: what is found there
    is a behaviour of the model all the same.
    """
    graph = Graph(declared, edges)
    found = []
    for name, given in declared.temporal.items():
        formula = formula_of(given)
        if not branches(formula):
            lasso = counterexample(graph, formula)
            violated = None if lasso is None else _behaviour(declared, graph, name, lasso)
        elif not edges.explored.bound:
            violated = _branching(declared, graph, name, formula)
        else:
            violated = None
        if violated is not None:
            found.append(violated)
    return found


def _behaviour(declared: Specification, graph: Graph, name: str, lasso: Lasso) -> Violation:
    steps = [Step(None, {}, declared.thaw(graph.state(lasso.states[0])))]
    for label, state in zip(lasso.labels, lasso.states[1:], strict=True):
        steps.append(_step(declared, label, graph.state(state)))
    return Violation("temporal", name, steps, lasso.loop)


def _step(declared: Specification, label: int, state: Frozen) -> Step:
    if label == STAYS:
        return Step("stays", {}, declared.thaw(state))
    instance = declared.instances[label]
    return Step(instance.action.name, dict(instance.arguments), declared.thaw(state))


def _branching(declared: Specification, graph: Graph, name: str, formula: Formula) -> Violation | None:
    wrong = np.flatnonzero(~states_where(graph, formula)[: graph.initial])
    if not len(wrong):
        return None
    start = int(wrong[0])
    path, loop = refutation(graph, formula, start)
    steps = [Step(None, {}, declared.thaw(graph.state(start)))]
    steps += [_step(declared, label, graph.state(at)) for label, at in path]
    return Violation("temporal", name, steps, loop)
