"""Version orders where reads leave them open: which levels hold with one of them.

For read committed a topological order of the dependencies does, and for serializable histories of lists too:
whoever reads a list comes before all that append after it. Otherwise orders are tried: those of time and of
topology, and where there are few enough, all.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions._cycles import weakest_broken
from workbench.histories.transactions._dependencies import Graph, dependencies
from workbench.histories.transactions._reads import Integers, Reads
from workbench.histories.transactions._versions import Versions, versions_of

__all__ = ["Certificate", "certify"]

MOST_ORDERS = 2_000  # of which all are tried
MOST_STEPS = 20_000_000  # transactions times orders, above which fewer are


@dataclass(frozen=True)
class Certificate:
    """Up to which strength levels hold with some version order, and whether all orders were tried."""

    holds_below: int
    is_exhaustive: bool
    orders: int


def certify(reads: Reads, versions: Versions, graph: Graph, order: Graph | None) -> Certificate:
    """Try version orders, and return the weakest level that all of those tried break.

    Parameters
    ----------
    reads, versions
    graph : Graph
        The dependencies that are known, those of `order` included.
    order : Graph or None
        What comes before what by process and time.
    """
    rows = _open_rows(reads, versions)
    best, tried = 2, 0  # read committed holds in any case
    most = min(MOST_ORDERS, max(8, MOST_STEPS // len(reads.transactions)))
    few = _count(reads, versions, rows) <= most
    for chain in (*_likely(reads, graph, rows), *(_all(reads, versions, rows) if few else ())):
        tried += 1
        found = dependencies(reads, versions_of(reads, chain))
        broken = weakest_broken(found if order is None else found.joined(order))
        if broken is None:
            return Certificate(5, is_exhaustive=few, orders=tried)
        best = max(best, broken)
    return Certificate(best, is_exhaustive=few, orders=tried)


def _open_rows(reads: Reads, versions: Versions) -> Integers:
    """Return the writes to keys whose order is open, those of a key together."""
    is_open = np.zeros(reads.keys, np.bool_)
    is_open[versions.keys[versions.undecided]] = True
    kind = reads.transactions.kind
    placed = np.zeros(len(kind), np.bool_)
    placed[versions.rows[versions.rows >= 0]] = True
    wrote = (kind == codes.WRITE) | ((kind == codes.APPEND) & ~placed)
    rows = np.flatnonzero(wrote & reads.final & reads.committed & is_open[reads.key])
    return rows[np.argsort(reads.key[rows], kind="stable")]


def _likely(reads: Reads, graph: Graph, rows: Integers) -> Iterator[Integers]:
    """Yield orders by time, by a topological order of all dependencies, and by one of commits."""
    t, owner = reads.transactions, reads.owner[rows]
    ends = np.where(np.isfinite(t.return_s), t.return_s, np.inf)
    for rank in (ends, -graph.components(), -graph.apart_order()):
        yield rows[np.lexsort((rank[owner], reads.key[rows]))]


def _of_keys(reads: Reads, rows: Integers) -> list[list[int]]:
    """Return the writes of each key."""
    borders = np.flatnonzero(np.diff(reads.key[rows])) + 1
    return [part.tolist() for part in np.split(rows, borders)]


def _count(reads: Reads, versions: Versions, rows: Integers) -> float:
    """Return how many orders there are: of each key, n! over the sizes of what follows each write.

    The number of linear extensions of a forest: Knuth, The Art of Computer Programming 3, 5.1.4.
    """
    if len(rows) > 200:
        return math.inf
    after = dict(_links(versions))
    size = dict.fromkeys(rows.tolist(), 0)
    for row in size:
        above = row
        while above in size:
            size[above] += 1
            above = int(versions.rows[after[above]])
    total = math.prod(math.factorial(len(part)) for part in _of_keys(reads, rows))
    return total // math.prod(size.values())


def _all(reads: Reads, versions: Versions, rows: Integers) -> Iterator[Integers]:
    """Yield all orders in which a write comes after the one that it is known to replace."""
    after = dict(_links(versions))
    of_key = [list(_extensions(part, after, versions)) for part in _of_keys(reads, rows)]
    for chosen in product(*of_key):
        yield np.array([row for order in chosen for row in order], np.int64)


def _links(versions: Versions) -> Iterator[tuple[int, int]]:
    """Yield each write with the version that it comes after."""
    sizes = np.diff(versions.bounds)
    yield from zip(
        versions.successor_rows.tolist(), np.repeat(np.arange(len(sizes)), sizes).tolist(), strict=True
    )


def _extensions(rows: list[int], after: dict[int, int], versions: Versions) -> Iterator[list[int]]:
    """Yield the orders of writes in which each comes after the one that it replaces."""
    if not rows:
        yield []
        return
    waiting = set(rows)
    for row in rows:
        if int(versions.rows[after[row]]) not in waiting:
            for rest in _extensions([other for other in rows if other != row], after, versions):
                yield [row, *rest]
