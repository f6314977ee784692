"""The graph of a model's states as temporal properties see it: with what is true in each, and no dead ends.

A behaviour goes on as long as any action is enabled. Where none is, it stays for ever: such a state gets an
edge to itself, labelled `STAYS`.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.model.formal._explorations import Edges, initial_states
from workbench.model.formal._models import Frozen, Specification
from workbench.model.formal.errors import ModelError
from workbench.model.formal.interpreting.steps import truth
from workbench.model.formal.temporal.formulas import OF_STATES, Atom

__all__ = ["STAYS", "Graph", "Steps"]

STAYS = -1  # the label of the edge of a state in which nothing can happen
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Steps:
    """Edges in compressed sparse rows: where each node's begin, where they lead, and their labels."""

    starts: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int32]
    labels: npt.NDArray[np.int32]

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.starts) - 1

    def source(self, edge: int) -> int:
        """Return the node that an edge begins at."""
        return int(np.searchsorted(self.starts, edge, "right")) - 1


@dataclass
class Graph:
    """States, the steps between them, and what is true of each state."""

    declared: Specification
    edges: Edges
    steps: Steps = field(init=False)
    _truths: dict[Atom, Flags] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps = _without_dead_ends(self.edges)

    @property
    def initial(self) -> int:
        """How many initial states there are: the first ones."""
        return initial_states(self.edges.explored)

    def state(self, number: int) -> Frozen:
        """Return a state by its number."""
        return self.edges.explored.states[number]

    def where(self, atom: Atom) -> Flags:
        """Return in which states an atom is true.

        Raises
        ------
        ModelError
            When the atom is a name, and the model has no predicate or invariant of that name.
        """
        if atom not in self._truths:
            member = _Named(atom.name, _function(self.declared, atom))
            states = self.edges.explored.states
            self._truths[atom] = np.fromiter(
                (truth(self.declared, member, states[number]) for number in range(len(states))),
                np.bool_,
                len(states),
            )
        return self._truths[atom]


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    function: Any
    kind: str = "predicate"


def _function(declared: Specification, atom: Atom) -> Any:
    if atom.function is not None:
        return atom.function
    for member in declared.members:
        if member.name == atom.name and member.kind in OF_STATES:
            return member.function
    known = ", ".join(member.name for member in declared.of_kind("predicate")) or "none"
    msg = f"{declared.name} has no predicate {atom.name}; its predicates are {known}"
    raise ModelError(msg)


def _without_dead_ends(edges: Edges) -> Steps:
    dead = np.flatnonzero(np.diff(edges.starts) == 0)
    if not len(dead):
        return Steps(edges.starts, edges.targets, edges.labels)
    at = edges.starts[dead]
    more = np.zeros(len(edges.starts), np.int64)
    more[dead + 1] = 1
    return Steps(
        edges.starts + np.cumsum(more),
        np.insert(edges.targets, at, dead.astype(np.int32)),
        np.insert(edges.labels, at, np.int32(STAYS)),
    )
