"""The cycles of a dependency graph, a shortest one through each edge that can make it worth its name.

Whether a class of cycles exists is answered by strongly connected components; the search for a shortest one
runs only within those, over the edges that must be on it.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions._dependencies import Graph
from workbench.histories.transactions._kernel_paths import ways_back
from workbench.histories.transactions._reads import Flags, Integers
from workbench.histories.transactions.levels import ORDER_NAMES

__all__ = ["Cycle", "Cycles", "all_cycles", "weakest_broken"]

WW, WR, RW = codes.WW, codes.WR, codes.RW
ORDERS = codes.PROCESS | codes.REALTIME
PLAIN = WW | WR | ORDERS
MOST = 10_000  # cycles of one class to name
BUDGET = 50_000_000  # edges to look at for one class of cycles, about half a second
ROOM = 4_000_000  # edges of all cycles of one class


@dataclass(frozen=True)
class Cycle:
    """A cycle as a graph of its edges in their order, and what it is called."""

    name: str
    edges: Graph

    @property
    def members(self) -> tuple[int, ...]:
        """The transactions on it."""
        return tuple(source for _, _, source in self.edges.steps())


@dataclass(frozen=True)
class Cycles:
    """The cycles found, and whether all of one rw were looked for."""

    found: list[Cycle]
    is_exact: bool = True


def all_cycles(graph: Graph) -> Cycles:
    """Return a shortest cycle through each edge that can be on one of a class; those of one node set once."""
    part = graph.cyclic().compact()
    if len(part.kinds) == 0:
        return Cycles([])
    found: list[Cycle] = []
    for allowed, through in ((WW | ORDERS, WW | ORDERS), (PLAIN, WR)):
        inner = part.of_kinds(allowed).cyclic()
        found += _search(inner, inner.kinds & through != 0, allowed).found
    on_apart = part.apart() & (part.kinds == RW)
    single = _search(part, on_apart, PLAIN)
    found += single.found
    if not single.found:
        found += _search(part, on_apart, PLAIN | RW, apart=True).found
    together = _search(part, part.kinds == RW, PLAIN | RW).found
    found += [cycle for cycle in together if cycle.name.startswith("G2-item")]
    return Cycles(_once(found), single.is_exact)


def weakest_broken(graph: Graph) -> int | None:
    """Return the strength of the weakest level that cycles break (see `levels`), or None.

    Where it takes too long to tell a cycle of one rw from others, the answer is the weaker level.
    """
    part = graph.cyclic().compact()
    if len(part.kinds) == 0:
        return None
    for strength, allowed in ((0, WW | ORDERS), (1, PLAIN)):
        if len(part.of_kinds(allowed).cyclic().kinds):
            return strength
    on_apart = part.apart() & (part.kinds == RW)
    if not on_apart.any():
        return 4
    single = _search(part, on_apart, PLAIN)
    return 3 if single.is_exact and not single.found else 2


def _search(graph: Graph, through: Flags, allowed: int, *, apart: bool = False) -> Cycles:
    """Return a shortest cycle through each of these edges, of kinds in `allowed` but for the first."""
    edges = np.flatnonzero(through)
    if len(edges) == 0:
        return Cycles([])
    nodes = graph.nodes
    bounds, cycles = (
        np.zeros(len(edges) + 1, np.int64),
        np.empty(min(ROOM, len(edges) * (nodes + 1)), np.int64),
    )
    room: tuple[Any, ...] = (
        np.full(2 * nodes, -1, np.int32),
        np.empty(2 * nodes, np.int64),
        np.empty(8 * nodes + 2, np.int32),
        np.empty(2 * nodes + 1, np.int64),
    )
    done, *_ = ways_back(
        *graph.rows(), np.ascontiguousarray(graph.ends), graph.kinds, edges, allowed, nodes + 1, apart,
        BUDGET, *room, bounds, cycles,
    )  # fmt: skip
    ends = np.unique(bounds[: done + 1])
    pieces = [cycles[begin:end] for begin, end in pairwise(ends)]
    return Cycles([_named(graph.only(piece)) for piece in _shortest(pieces)], is_exact=done == len(edges))


def _shortest(pieces: list[Integers]) -> list[Integers]:
    """Return the shortest of these cycles, not more than are worth naming."""
    return sorted(pieces, key=len)[:MOST]


def _named(cycle: Graph) -> Cycle:
    """Return a cycle with the name of its class."""
    kinds = [kind for kind, _, _ in cycle.steps()]
    anti = [kind == RW for kind in kinds]
    if sum(anti) == 0:
        name = "G1c" if WR in kinds else "G0"
    elif sum(anti) == 1:
        name = "G-single"
    else:
        meet = any(one and other for one, other in zip(anti, [*anti[1:], anti[0]], strict=True))
        name = "G2-item" if meet else "long fork"
    order = 2 if codes.REALTIME in kinds else 1 if codes.PROCESS in kinds else 0
    return Cycle(name + ORDER_NAMES[order], cycle)


def _once(cycles: list[Cycle]) -> list[Cycle]:
    """Return the cycles without those that join the same transactions under the same name."""
    first: dict[tuple[str, frozenset[int]], Cycle] = {}
    for cycle in cycles:
        first.setdefault((cycle.name, frozenset(cycle.members)), cycle)
    return list(first.values())
