"""States in groups: each by itself, by strongly connected component, or by what a function says of them.

The steps between groups are counted; the *quotient* has an edge from one group to another where any of the
first group's states has a step to any of the second's.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.model.formal._explorations import Edges
from workbench.model.formal._models import Specification
from workbench.model.formal.errors import FormalError

__all__ = ["Partition", "by_component", "by_function", "by_state"]

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Partition:
    """Groups of states, numbered in the order in which their first states were found.

    Attributes
    ----------
    of : (distinct,) int64
        The group of each state.
    names : list of str
    kind : str
        What a group is: "state", "component" or "group".
    """

    of: Numbers
    names: list[str]
    kind: str

    @property
    def sizes(self) -> Numbers:
        """How many states each group has."""
        return np.bincount(self.of, minlength=len(self.names))


def by_state(declared: Specification, edges: Edges) -> Partition:
    """Return each state by itself, named by its values."""
    states = edges.explored.states
    names = [", ".join(declared.show(states[number]).values()) for number in range(len(states))]
    return Partition(np.arange(len(states)), names, "state")


def by_component(edges: Edges) -> Partition:
    """Return the strongly connected components: states that lead to each other."""
    from scipy.sparse import coo_matrix  # noqa: PLC0415 - half a second that small graphs need not pay
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    sources, targets, _ = inner_edges(edges)
    count = edges.explored.distinct
    matrix = coo_matrix((np.ones(len(sources), np.int8), (sources, targets)), shape=(count, count))
    found, members = connected_components(matrix, directed=True, connection="strong")
    renamed = _in_order(members, found)
    return Partition(renamed, [f"component {number}" for number in range(found)], "component")


def by_function(declared: Specification, edges: Edges, function: Callable[[Any], Hashable]) -> Partition:
    """Return the states by what a function says of them.

    Raises
    ------
    FormalError
        When the function fails, or says something that cannot be hashed.
    """
    states = edges.explored.states
    numbers: dict[Hashable, int] = {}
    of = np.empty(len(states), np.int64)
    for number in range(len(states)):
        state = declared.thaw(states[number])
        try:
            of[number] = numbers.setdefault(function(state), len(numbers))
        except Exception as error:
            msg = f"the function to group states by raised {type(error).__name__}: {error} (in {state!r})"
            raise FormalError(msg) from error
    label = getattr(function, "name", getattr(function, "__name__", ""))
    names = [_named(label, value) for value in numbers]
    return Partition(of, names if len(set(names)) == len(names) else [*map(repr, numbers)], "group")


def _named(label: str, value: Hashable) -> str:
    if isinstance(value, bool) and label.isidentifier():
        return label if value else f"not {label}"
    return str(value)


def _in_order(members: Any, found: int) -> Numbers:
    """Return groups renumbered by their first states."""
    first = np.full(found, len(members), np.int64)
    np.minimum.at(first, members, np.arange(len(members)))
    place = np.empty(found, np.int64)
    place[np.argsort(first)] = np.arange(found)
    return place[members]


def inner_edges(edges: Edges) -> tuple[Numbers, Numbers, Numbers]:
    """Return sources, targets and labels of the steps that do not leave what was explored."""
    sources = np.repeat(np.arange(edges.explored.distinct), np.diff(edges.starts))
    kept = edges.targets >= 0
    return sources[kept], edges.targets[kept].astype(np.int64), edges.labels[kept].astype(np.int64)


def between(edges: Edges, partition: Partition) -> dict[tuple[int, int], Counter[int]]:
    """Return, for each pair of groups, how many steps of each action instance lead from one to the other."""
    sources, targets, labels = inner_edges(edges)
    triples = np.stack([partition.of[sources], partition.of[targets], labels], axis=1)
    unique, counts = np.unique(triples, axis=0, return_counts=True)
    found: dict[tuple[int, int], Counter[int]] = {}
    for (source, target, label), count in zip(unique.tolist(), counts.tolist(), strict=True):
        found.setdefault((source, target), Counter())[label] += count
    return found
