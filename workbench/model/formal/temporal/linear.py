"""Linear time: the search for a fair behaviour of which a formula is not true.

The negated formula's automaton runs beside the model. A behaviour that violates the formula is an infinite
path of their product that is accepted and fair: it ends up in a strongly connected component which meets
every accepting set, takes each weakly fair action instance or finds it not enabled, and takes each strongly
fair one that is enabled in it. Where a strongly fair instance is enabled and never taken, the states that
enable it are left out, and what remains is looked at again (O. Lichtenstein, A. Pnueli, 1985; E. A. Emerson,
C.-L. Lei, 1987).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.model.formal.temporal import _kernel_graphs as kernels
from workbench.model.formal.temporal.automata import Automaton, automaton_of, negation
from workbench.model.formal.temporal.formulas import Formula
from workbench.model.formal.temporal.graphs import Flags, Graph, Steps

__all__ = ["Lasso", "counterexample", "path_until"]


@dataclass(frozen=True, slots=True)
class Lasso:
    """An infinite behaviour: states and the edges between them, and where it comes back to.

    Attributes
    ----------
    states : list of int
        Numbers of states; the last one is the state `states[loop]` again.
    labels : list of int
        The action instance of each step, `STAYS` where nothing can happen; one less than there are states.
    loop : int
        The place to which the end leads back.
    """

    states: list[int]
    labels: list[int]
    loop: int


def counterexample(graph: Graph, formula: Formula) -> Lasso | None:
    """Return a fair behaviour of which a formula is not true, with a shortest way to its loop; else None."""
    product = _product(graph, automaton_of(negation(formula)))
    if not product.steps.nodes:
        return None
    fair = _Fairness(graph)
    nearest: tuple[int, Flags] | None = None
    for members, stays in _fair_components(product, fair):
        entry = int(np.argmax(stays))  # nodes are numbered breadth first: none is nearer than the first
        if nearest is None or entry < nearest[0]:
            nearest = entry, members == members[entry]
    return None if nearest is None else _lasso(product, fair, *nearest)


@dataclass(frozen=True)
class _Product:
    """The model beside an automaton: nodes are pairs of a state and a place of the automaton."""

    steps: Steps
    states: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]
    accepting: Flags  # (sets, places)
    initial: Flags


def _product(graph: Graph, automaton: Automaton) -> _Product:
    count, places = graph.steps.nodes, len(automaton.needed)
    fits = np.ones((count, places), np.bool_)
    for place, (wanted, unwanted) in enumerate(automaton.needed):
        for atom in wanted:
            fits[:, place] &= graph.where(atom)
        for atom in unwanted:
            fits[:, place] &= ~graph.where(atom)
    follow_starts = np.cumsum([0, *map(len, automaton.following)]).astype(np.int32)
    follows = np.array([each for row in automaton.following for each in row], np.int32)
    numbers = np.full((count, places), -1, np.int64)
    states, at = np.empty(count * places, np.int32), np.empty(count * places, np.int32)
    edges = np.zeros(count * places + 1, np.int64)
    shared = graph.steps.starts, graph.steps.targets
    first = np.array(automaton.initial, np.int64)
    nodes = kernels.count_product(
        *shared, fits, follow_starts, follows, first, graph.initial, numbers, states, at, edges
    )
    starts = np.cumsum(edges[: nodes + 1])
    targets, labels = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.int32)
    kernels.fill_product(
        *shared, graph.steps.labels, fits, follow_starts, follows, numbers, states, at, nodes, targets, labels
    )
    accepting = np.zeros((len(automaton.accepting), places), np.bool_)
    for row, held in enumerate(automaton.accepting):
        accepting[row, list(held)] = True
    initial = np.zeros(nodes, np.bool_)
    for place in automaton.initial:
        found = numbers[: graph.initial, place]
        initial[found[found >= 0]] = True
    return _Product(
        Steps(starts, targets, labels), states[:nodes].copy(), at[:nodes].copy(), accepting, initial
    )


class _Fairness:
    """Which action instances are fair, and where they are enabled."""

    def __init__(self, graph: Graph) -> None:
        instances = graph.declared.instances
        fair = [instance for instance in instances if instance.action.fair is not None]
        self.labels = [instance.number for instance in fair]
        self.strong = np.array([instance.action.fair == "strong" for instance in fair], np.bool_)
        self.columns = np.full(max(1, len(instances)), -1, np.int32)
        self.columns[self.labels] = np.arange(len(fair))
        self.enabled = np.zeros((graph.steps.nodes, len(fair)), np.bool_)
        kernels.enabled_in(graph.steps.starts, graph.steps.labels, self.columns, self.enabled)


def _fair_components(product: _Product, fair: _Fairness) -> Iterator[tuple[npt.NDArray[np.int32], Flags]]:
    """Yield the strongly connected component of each node, and the nodes in which a behaviour can stay.

    A fair, accepted behaviour can stay for ever in the components of these nodes. Components that put a
    strongly fair instance off are looked at again, all at once, without the states that enable it.
    """
    steps = product.steps
    alive = np.ones(steps.nodes, np.bool_)
    while alive.any():
        members = np.empty(steps.nodes, np.int32)
        count = kernels.components(steps.starts, steps.targets, alive, members)
        cyclic = np.zeros(count, np.bool_)
        accepted = np.zeros((count, len(product.accepting)), np.bool_)
        taken, ever, ever_not = (np.zeros((count, len(fair.labels)), np.bool_) for _ in range(3))
        kernels.summarise(
            steps.starts,
            steps.targets,
            steps.labels,
            members,
            product.states,
            product.places,
            fair.columns,
            fair.enabled,
            product.accepting,
            cyclic,
            accepted,
            taken,
            ever,
            ever_not,
        )
        excused: Any = taken | ever_not | fair.strong
        possible = cyclic & accepted.all(axis=1) & excused.all(axis=1)
        unfair: Any = ever & ~taken & fair.strong
        put_off = unfair.any(axis=1)
        stays = alive & (possible & ~put_off)[members]
        if stays.any():
            yield members, stays
        enabling: Any = (fair.enabled[product.states] & unfair[members]).any(axis=1)
        alive = alive & (possible & put_off)[members] & ~enabling


def _lasso(product: _Product, fair: _Fairness, entry: int, alive: Flags) -> Lasso:
    """Return a shortest way to a node, and from there one round through all that its component owes."""
    steps = product.steps
    everywhere = np.ones(steps.nodes, np.bool_)
    way = _way(steps, everywhere, product.initial, _only(steps.nodes, [entry]))
    loop: list[int] = []
    at = entry
    for goal in _goals(product, fair, alive):
        more = goal.reach(steps, alive, at)
        loop += more
        at = int(steps.targets[loop[-1]]) if loop else entry
    loop += _back(steps, alive, at, entry, bool(loop))
    edges = way + loop
    nodes = [steps.source(edges[0])] if edges else [entry]
    nodes += [int(steps.targets[edge]) for edge in edges]
    return _rolled_up(
        [int(product.states[node]) for node in nodes], [int(steps.labels[edge]) for edge in edges], len(way)
    )


def _rolled_up(states: list[int], labels: list[int], loop: int) -> Lasso:
    """Let the loop begin as early as it can: what leads to it may already be its end."""
    while loop and states[loop - 1] == states[-2] and labels[loop - 1] == labels[-1]:
        states.pop()
        labels.pop()
        loop -= 1
    return Lasso(states, labels, loop)


def path_until(steps: Steps, state: int, before: Flags, then: Flags) -> list[tuple[int, int]]:
    """Return the labels and states of a shortest path through some states to one of others."""
    way = _way(steps, before | then, _only(steps.nodes, [state]), then)
    return [(int(steps.labels[edge]), int(steps.targets[edge])) for edge in way]


def _only(count: int, nodes: Any) -> Flags:
    flags = np.zeros(count, np.bool_)
    flags[nodes] = True
    return flags


def _way(steps: Steps, alive: Flags, sources: Flags, goals: Flags) -> list[int]:
    """Return the edges of a shortest way from one of the sources to one of the goals."""
    came_by = np.empty(steps.nodes, np.int64)
    node = kernels.distances(steps.starts, steps.targets, alive, sources, goals, came_by)
    way: list[int] = []
    while came_by[node] >= 0:
        way.append(int(came_by[node]))
        node = steps.source(way[-1])
    return way[::-1]


def _back(steps: Steps, alive: Flags, at: int, entry: int, moved: bool) -> list[int]:  # noqa: FBT001
    """Return the edges that close the loop: at least one if it has none yet."""
    if moved:
        return _way(steps, alive, _only(steps.nodes, [at]), _only(steps.nodes, [entry]))
    firsts = [edge for edge in range(steps.starts[at], steps.starts[at + 1]) if alive[steps.targets[edge]]]
    ways = [
        [edge, *_way(steps, alive, _only(steps.nodes, [steps.targets[edge]]), _only(steps.nodes, [entry]))]
        for edge in firsts
    ]
    return min(ways, key=len)


@dataclass(frozen=True, slots=True)
class _Goal:
    """What the loop has to pass: one of some nodes, or an edge that carries a label."""

    nodes: Flags | None
    label: int = 0

    def reach(self, steps: Steps, alive: Flags, at: int) -> list[int]:
        """Return the edges of a shortest way from a node through the goal."""
        here = _only(steps.nodes, [at])
        if self.nodes is not None:
            return _way(steps, alive, here, self.nodes & alive)
        edges = np.flatnonzero(steps.labels == self.label)
        sources = np.searchsorted(steps.starts, edges, "right") - 1
        inside = alive[sources] & alive[steps.targets[edges]]
        way = _way(steps, alive, here, _only(steps.nodes, sources[inside]))
        end = int(steps.targets[way[-1]]) if way else at
        return [*way, int(edges[inside][sources[inside] == end][0])]


def _goals(product: _Product, fair: _Fairness, alive: Flags) -> Iterator[_Goal]:
    for row in product.accepting:
        yield _Goal(row[product.places])
    states = product.states[alive]
    for column, label in enumerate(fair.labels):
        enabled = fair.enabled[states, column]
        if not enabled.any():
            continue
        if not fair.strong[column] and not enabled.all():
            yield _Goal(~fair.enabled[product.states, column])
        else:
            yield _Goal(None, label)
