"""The state graph of a model: its states and all steps between them, to look at and to count with."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench import display
from workbench.model.formal._engines import Engine, explored_graph
from workbench.model.formal._explorations import Edges, Limits, initial_states
from workbench.model.formal._models import Model, Specification, specification
from workbench.model.formal._watching import Progress, watching
from workbench.model.formal.errors import DomainError, ModelError
from workbench.model.formal.pictures import partitions
from workbench.model.formal.pictures.partitions import Partition
from workbench.model.formal.verdicts import Step

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

__all__ = ["StateGraph", "graph"]

MOST_NODES = 40


@dataclass(frozen=True, slots=True, eq=False)
class StateGraph:
    """States and steps, by number: states in the order of their discovery, breadth first.

    Attributes
    ----------
    specification : Specification
        What the model declares.
    edges : Edges
        The states that were found, and the steps between them.
    partition : Partition
        The groups of states that are drawn as one node.
    """

    specification: Specification
    edges: Edges
    partition: Partition

    def __len__(self) -> int:
        return self.edges.explored.distinct

    def state(self, number: int) -> Any:
        """Return a state by its number."""
        return self.specification.thaw(self.edges.explored.states[number])

    def number(self, state: Model) -> int:
        """Return the number of a state.

        Raises
        ------
        ModelError
            A ValueError: when it was not found, or is no state of this model.
        """
        try:
            frozen = self.specification.freeze(state)
        except (AttributeError, DomainError) as error:
            msg = f"{state!r} is no state of {self.specification.name}: {error}"
            raise ModelError(msg) from None
        for number in range(len(self)):
            if self.edges.explored.states[number] == frozen:
                return number
        msg = f"{state!r} is none of the {len(self):,} states that were found"
        raise ModelError(msg)

    @property
    def bound(self) -> str:
        """What ended the exploration early; empty when everything was seen."""
        return self.edges.explored.bound

    @property
    def levels(self) -> npt.NDArray[np.int64]:
        """How many steps each state is from an initial one: (distinct,) int64."""
        explored = self.edges.explored
        found = np.searchsorted(np.array(explored.levels), np.arange(len(self)), "right") - 1
        if len(explored.levels) == 1:  # a limit may have ended the exploration within the first
            found[initial_states(explored) :] = 1
        return found

    @property
    def out_degrees(self) -> dict[int, int]:
        """How many states have so many different successors, themselves left out; by ascending degree."""
        sources, targets, _ = partitions.inner_edges(self.edges)
        pairs = np.unique(np.stack([sources, targets], axis=1)[sources != targets], axis=0)
        degrees = np.bincount(pairs[:, 0], minlength=len(self))
        return dict(sorted(Counter(degrees.tolist()).items()))

    @property
    def components(self) -> list[npt.NDArray[np.int64]]:
        """The states of each strongly connected component, components by their first states."""
        found = partitions.by_component(self.edges)
        order = np.argsort(found.of, kind="stable")
        return np.split(order, np.cumsum(found.sizes)[:-1]) if len(order) else []

    def collapsed(self) -> "StateGraph":
        """Return the graph with each strongly connected component as one node."""
        return StateGraph(self.specification, self.edges, partitions.by_component(self.edges))

    def by(self, function: Callable[[Any], Hashable]) -> "StateGraph":
        """Return the graph with one node for each value of a function of the state, or of a predicate."""
        found = partitions.by_function(self.specification, self.edges, function)
        return StateGraph(self.specification, self.edges, found)

    def picture(self, *, max_nodes: int = MOST_NODES, trace: Sequence[Step] = ()) -> display.Picture:
        """Draw the graph.

        Parameters
        ----------
        max_nodes : int
            At most so many nodes are drawn: those found first. The title says how many there are.
        trace : sequence of Step
            A behaviour, whose nodes are marked.

        Raises
        ------
        ModelError
            When `max_nodes` is no number from 1 on, or a state of the trace was not found.
        """
        if not isinstance(max_nodes, int) or max_nodes < 1:
            msg = f"max_nodes must be an integer of at least 1, got {max_nodes!r}"
            raise ModelError(msg)
        from workbench.model.formal.pictures.state_pictures import state_picture  # noqa: PLC0415 - when asked

        return state_picture(self, max_nodes, [self.number(step.state) for step in trace])

    def to_networkx(self) -> "nx.MultiDiGraph[int]":
        """Return a graph whose nodes are states by number, with their fields, and whose edges are steps.

        Nodes have `level` and `initial`, edges `action` and `args`.
        """
        import networkx as nx  # noqa: PLC0415 - for those who ask

        made: nx.MultiDiGraph[int] = nx.MultiDiGraph()
        for number, row in enumerate(self.to_pandas().to_dict("records")):
            made.add_node(number, **{str(name): value for name, value in row.items()})
        sources, targets, labels = partitions.inner_edges(self.edges)
        for source, target, label in zip(sources.tolist(), targets.tolist(), labels.tolist(), strict=True):
            instance = self.specification.instances[label]
            made.add_edge(source, target, action=instance.action.name, args=dict(instance.arguments))
        return made

    def to_pandas(self) -> "pd.DataFrame":
        """Return a row for each state: its fields, its level, and whether it is initial."""
        import pandas as pd  # noqa: PLC0415 - for those who ask

        states = [self.state(number) for number in range(len(self))]
        fields = {name: [getattr(state, name) for state in states] for name in self.specification.fields}
        levels = self.levels
        return pd.DataFrame({**fields, "level": levels, "initial": levels == 0})

    def steps_to_pandas(self) -> "pd.DataFrame":
        """Return a row for each step: source, target, action, and the action as it would be called."""
        import pandas as pd  # noqa: PLC0415 - for those who ask

        sources, targets, labels = partitions.inner_edges(self.edges)
        taken = [self.specification.instances[label] for label in labels.tolist()]
        names, calls = [each.action.name for each in taken], [each.label for each in taken]
        return pd.DataFrame({"source": sources, "target": targets, "action": names, "call": calls})

    def __repr__(self) -> str:
        steps = len(partitions.inner_edges(self.edges)[0])
        grouped = "" if self.partition.kind == "state" else f", {self._nodes()}"
        ended = f"; ended by {self.bound}" if self.bound else ""
        return f"StateGraph({self.specification.name}: {len(self):,} states, {steps:,} steps{grouped}{ended})"

    def _nodes(self) -> str:
        return display.plural(len(self.partition.names), self.partition.kind)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = self.picture()._repr_mimebundle_(include, exclude)
        return {**bundle, **({"text/plain": repr(self)} if "text/plain" in bundle else {})}


def graph(  # noqa: PLR0913 - each has its default
    model: Any,
    *,
    by: Callable[[Any], Hashable] | None = None,
    collapse: bool | None = None,
    engine: Engine = "auto",
    max_states: int | None = None,
    max_depth: int | None = None,
    timeout_s: float | None = None,
    progress: Progress = False,
) -> StateGraph:
    """Return the state graph of a model.

    Parameters
    ----------
    model : class
        Derived from `Model`.
    by : callable, optional
        A predicate, or a function of the state: states of which it says the same are drawn as one node.
    collapse : bool, optional
        Draw each strongly connected component as one node. By default so where there are too many states to
        draw, and several components but not too many.
    engine, max_states, max_depth, timeout_s, progress
        As for `check`.

    Raises
    ------
    ModelError
        When this is no model, or both `by` and `collapse` are asked for.
    FormalError
        When `by` fails.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> wb.graph(wb.library.DieHard)
    StateGraph(DieHard: 16 states, 96 steps)
    """
    declared = specification(model)
    if by is not None and collapse:
        msg = "states are drawn by a function or by their components, not both: give by or collapse=True"
        raise ModelError(msg)
    limits = Limits(max_states, max_depth, timeout_s)
    with watching(progress, max_states) as watch:
        edges = explored_graph(declared, limits, engine, watch)
    made = StateGraph(declared, edges, partitions.by_state(declared, edges))
    if by is not None:
        return made.by(by)
    if collapse:
        return made.collapsed()
    if collapse is None and len(made) > MOST_NODES:
        collapsed = made.collapsed()
        if 1 < len(collapsed.partition.names) <= MOST_NODES:
            return collapsed
    return made
