"""The dependency graph of transactions: edges, what proves each, and its parts that are cyclic.

Nodes below `transactions` are transactions; those above stand for several (see `_kernel_edges`).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions._kernel_components import compress, strong_components
from workbench.histories.transactions._kernel_edges import dependency_edges, realtime_edges
from workbench.histories.transactions._reads import Flags, Integers, Reads
from workbench.histories.transactions._versions import Versions

__all__ = ["Graph", "dependencies", "process_order", "realtime_order"]


@dataclass(frozen=True)
class Graph:
    """A directed graph with kinds of edges.

    Attributes
    ----------
    nodes : int
    transactions : int
        Nodes from here on are no transactions.
    ends : (m, 2) int32
    kinds : (m,) int8
    proofs : (m,) int64
        The version of a ww edge; which read a wr or rw edge rests on.
    origin : (nodes,) int64, optional
        What number each node has in the whole of which this is a part.
    """

    nodes: int
    transactions: int
    ends: npt.NDArray[np.int32]
    kinds: npt.NDArray[np.int8]
    proofs: Integers
    origin: Integers | None = None

    def only(self, kept: Flags | Integers) -> "Graph":
        """Return the graph of some of its edges."""
        return replace(self, ends=self.ends[kept], kinds=self.kinds[kept], proofs=self.proofs[kept])

    def compact(self) -> "Graph":
        """Return the graph of those of its nodes that have edges, numbered anew."""
        used = np.zeros(self.nodes, np.bool_)
        used[self.ends] = True
        number = (np.cumsum(used) - 1).astype(np.int32)
        origin = np.flatnonzero(used) if self.origin is None else self.origin[used]
        return replace(self, nodes=len(origin), ends=number[self.ends].reshape(-1, 2), origin=origin)

    def steps(self) -> list[tuple[int, int, int]]:
        """Return kind, proof and the node it leaves of each edge that is a dependency."""
        sources = self.ends[:, 0] if self.origin is None else self.origin[self.ends[:, 0]]
        rows = zip(self.kinds.tolist(), self.proofs.tolist(), sources.tolist(), strict=True)
        return [row for row in rows if row[0] != codes.FREE]

    def joined(self, other: "Graph") -> "Graph":
        """Return the graph of the edges of both; the other's further nodes come after these."""
        ends = other.ends.copy()
        ends[ends >= self.transactions] += self.nodes - self.transactions
        return Graph(
            self.nodes + other.nodes - self.transactions,
            self.transactions,
            np.concatenate([self.ends, ends]),
            np.concatenate([self.kinds, other.kinds]),
            np.concatenate([self.proofs, other.proofs]),
        )

    def rows(self) -> tuple[Integers, Integers, npt.NDArray[np.int32]]:
        """Return the graph in compressed rows: where each begins, the edges, and their targets."""
        return _compressed(self.nodes, self.ends)

    def components(self) -> npt.NDArray[np.int32]:
        """Return the strongly connected component of each node, in reversed topological order."""
        return _components(self.nodes, self.ends)

    def cyclic(self) -> "Graph":
        """Return the edges that lie on cycles."""
        component = self.components()
        return self.only(component[self.ends[:, 0]] == component[self.ends[:, 1]])

    def of_kinds(self, kinds: int) -> "Graph":
        """Return the edges of these kinds, and those that lead on."""
        return self.only((self.kinds & kinds != 0) | (self.kinds == codes.FREE))

    def apart(self) -> Flags:
        """Return which edges lie on closed ways on which no two anti-dependencies follow each other."""
        component = _components(2 * self.nodes, self._doubled())
        twice = component.reshape(-1, 2)
        source, target = twice[self.ends[:, 0]], twice[self.ends[:, 1]]
        anti, free = self.kinds == codes.RW, self.kinds == codes.FREE
        plain = (source == target[:, :1]).any(axis=1)
        after = source[:, 0] == target[:, 1]
        onward = (source == target).any(axis=1)
        return np.where(anti, after, np.where(free, onward, plain))

    def apart_order(self) -> npt.NDArray[np.int32]:
        """Return a number for each node that falls along edges with anti-dependencies kept apart."""
        return _components(2 * self.nodes, self._doubled())[::2]

    def _doubled(self) -> npt.NDArray[np.int32]:
        """Return edges between states (node, whether the last edge was an anti-dependency)."""
        anti, free = self.kinds == codes.RW, self.kinds == codes.FREE
        from_any = 2 * self.ends
        to_plain = from_any[~anti & ~free]
        return np.concatenate(
            [
                from_any[anti] + np.array([0, 1], np.int32),
                to_plain,
                to_plain + np.array([1, 0], np.int32),
                from_any[free],
                from_any[free] + np.array([1, 1], np.int32),
            ]
        )


def dependencies(reads: Reads, versions: Versions) -> Graph:
    """Return the dependencies that versions and reads prove."""
    count = len(reads.transactions)
    sizes = np.diff(versions.bounds)
    crowded = int(sizes[sizes > 1].sum())
    room = 4 * crowded + 2 * len(sizes) + 3 * len(versions.reads)
    ends, kinds, proofs = np.empty((room, 2), np.int32), np.empty(room, np.int8), np.empty(room, np.int64)
    readers = reads.owner[versions.reads]
    used = dependency_edges(
        ends, kinds, proofs, count, versions.writers, versions.bounds, versions.successors, versions.ordered,
        readers, versions.versions, np.empty(len(sizes), np.int64),
    )  # fmt: skip
    return Graph(count + 2 * crowded, count, ends[:used], kinds[:used], proofs[:used])


def process_order(reads: Reads) -> Graph:
    """Return the order in which each process did what committed and returned."""
    t = reads.transactions
    done = np.flatnonzero(
        (reads.fate == codes.COMMITTED) & (np.isfinite(t.return_s) | ~np.isfinite(t.call_s))
    )
    order = done[np.lexsort((t.call_s[done], t.process[done]))]
    follows = t.process[order[1:]] == t.process[order[:-1]]
    ends = np.stack([order[:-1], order[1:]], axis=1)[follows].astype(np.int32)
    return _graph(len(t), len(t), ends, codes.PROCESS)


def realtime_order(reads: Reads) -> Graph:
    """Return that a transaction which returned before another was called comes before it."""
    t = reads.transactions
    committed = reads.fate == codes.COMMITTED
    called = np.flatnonzero(committed & np.isfinite(t.call_s))
    returned = np.flatnonzero(committed & np.isfinite(t.return_s))
    by_call, by_return = (
        called[np.argsort(t.call_s[called], kind="stable")],
        returned[np.argsort(t.return_s[returned], kind="stable")],
    )
    room = 2 * len(returned) + len(called)
    ends, kinds, proofs = np.empty((room, 2), np.int32), np.empty(room, np.int8), np.empty(room, np.int64)
    used = realtime_edges(ends, kinds, proofs, len(t), by_call, by_return, t.call_s, t.return_s)
    return Graph(len(t) + len(returned), len(t), ends[:used], kinds[:used], proofs[:used])


def _graph(nodes: int, transactions: int, ends: npt.NDArray[np.int32], kind: int) -> Graph:
    count = len(ends)
    return Graph(nodes, transactions, ends, np.full(count, kind, np.int8), np.full(count, -1, np.int64))


def _compressed(nodes: int, ends: npt.NDArray[np.int32]) -> tuple[Integers, Integers, npt.NDArray[np.int32]]:
    starts = np.zeros(nodes + 1, np.int64)
    edges, targets = np.empty(len(ends), np.int64), np.empty(len(ends), np.int32)
    compress(np.ascontiguousarray(ends), starts, edges, targets)
    return starts, edges, targets


def _components(nodes: int, ends: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    starts, _, targets = _compressed(nodes, ends)
    component = np.full(nodes, -1, np.int32)
    room: list[Any] = [np.zeros(nodes, np.int32), *(np.empty(nodes, np.int32) for _ in range(2))]
    strong_components(starts, targets, component, *room, np.empty(nodes, np.int64), np.empty(nodes, np.int32))
    return component
