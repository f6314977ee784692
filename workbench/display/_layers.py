"""A directed graph in layers from left to right, as Sugiyama, Tagawa and Toda (1981) draw it.

1. Strongly connected components are ordered breadth first from where the graph enters them; an edge against
   that order is reversed for the layout, so every edge but a self-loop runs from left to right.
2. The layer of a node is the length of the longest path that leads to it.
3. An edge over several layers passes through a point in each; barycentres of the neighbours order each layer.
4. Heights follow the neighbours as far as the order and the spacing allow.

Nodes are numbers ``0 .. n-1``; ties go to the smaller number, so the layout depends on nothing but the input.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx

__all__ = ["Layout", "lay_out"]

ROUNDS = 12
PASSING = 12.0  # pixels that an edge needs where it passes through a layer


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the nodes of a graph stand.

    Attributes
    ----------
    layer : list of int
        The layer of every node and point.
    y : list of float
        The height of the centre of every node and point.
    chains : list of tuple of int
        For every edge its points from left to right: a node, passing points, a node. A self-loop has its
        node twice.
    reversed : list of bool
        Whether the edge runs from right to left.

    """

    layer: list[int]
    y: list[float]
    chains: list[tuple[int, ...]]
    reversed: list[bool]


def lay_out(count: int, edges: Sequence[tuple[int, int]], heights: Sequence[float]) -> Layout:
    """Return the layout of ``count`` nodes whose heights include the space around them, in pixels.

    Notes
    -----
    Costs ``O((n + m) L)`` for ``L`` layers, times a constant number of rounds.

    """
    rank = _ranks(count, edges)
    backward = [rank[source] > rank[target] for source, target in edges]
    forward = [(b, a) if back else (a, b) for (a, b), back in zip(edges, backward, strict=True)]
    layer = _layer(count, forward, rank)
    chains = [_chain(a, b, layer) for a, b in forward]
    columns = _order(layer, chains)
    tall = [*heights, *[PASSING] * (len(layer) - count)]
    return Layout(layer, _heights(columns, chains, tall), chains, backward)


def _graph(count: int, edges: Sequence[tuple[int, int]]) -> "nx.DiGraph[int]":
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(edges)
    return graph


def _ranks(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return an order of the nodes that every edge between components respects."""
    graph = _graph(count, edges)
    condensed = nx.condensation(graph)
    first = {component: min(data["members"]) for component, data in condensed.nodes(data=True)}
    rank = [0] * count
    place = 0
    for component in nx.lexicographical_topological_sort(condensed, key=first.__getitem__):
        for node in _breadth_first(graph, condensed.nodes[component]["members"]):
            rank[node] = place
            place += 1
    return rank


def _breadth_first(graph: "nx.DiGraph[int]", members: set[int]) -> list[int]:
    """Return the nodes of a component from where the rest of the graph, or else the smallest, enters it."""
    entered = [node for node in sorted(members) if any(p not in members for p in graph.predecessors(node))]
    order = (entered or sorted(members))[:1]
    seen = set(order)
    for node in order:
        fresh = sorted(child for child in graph.successors(node) if child in members and child not in seen)
        seen.update(fresh)
        order.extend(fresh)
    return order


def _layer(count: int, forward: Sequence[tuple[int, int]], rank: Sequence[int]) -> list[int]:
    layer = [0] * count
    for a, b in sorted(forward, key=lambda edge: rank[edge[0]]):
        if a != b:
            layer[b] = max(layer[b], layer[a] + 1)
    return _pull_sources(layer, forward)


def _pull_sources(layer: list[int], forward: Sequence[tuple[int, int]]) -> list[int]:
    """Move nodes that nothing leads to next to the first node they lead to."""
    entered = {b for a, b in forward if a != b}
    following: dict[int, list[int]] = {}
    for a, b in forward:
        if a not in entered and a != b:
            following.setdefault(a, []).append(layer[b])
    for node, layers in following.items():
        layer[node] = min(layers) - 1
    return layer


def _chain(a: int, b: int, layer: list[int]) -> tuple[int, ...]:
    """Return the points of an edge, adding those it passes through to ``layer``."""
    between = range(layer[a] + 1, layer[b])
    start = len(layer)
    layer.extend(between)
    return (a, *range(start, start + len(between)), b)


def _neighbours(chains: Sequence[tuple[int, ...]]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    left: dict[int, list[int]] = {}
    right: dict[int, list[int]] = {}
    for chain in chains:
        for a, b in pairwise(chain):
            if a != b:
                right.setdefault(a, []).append(b)
                left.setdefault(b, []).append(a)
    return left, right


def _order(layer: Sequence[int], chains: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Return the points of every layer from top to bottom, with few crossings."""
    columns: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for point, column in enumerate(layer):
        columns[column].append(point)
    left, right = _neighbours(chains)
    best, fewest = columns, _crossings(columns, right)
    for turn in range(ROUNDS if fewest else 0):
        columns = _sweep(columns, left if turn % 2 == 0 else right, backwards=turn % 2 == 1)
        if (crossings := _crossings(columns, right)) < fewest:
            best, fewest = columns, crossings
    return best


def _sweep(
    columns: Sequence[list[int]], beside: Mapping[int, list[int]], *, backwards: bool
) -> list[list[int]]:
    """Order each layer by the mean place of the neighbours on one side."""
    place: dict[int, float] = {}
    swept: list[list[int]] = []
    for column in reversed(columns) if backwards else columns:
        stay = {point: index / len(column) for index, point in enumerate(column)}
        ordered = sorted(column, key=lambda point: _mean(beside.get(point, ()), place, stay[point]))
        place.update({point: index / len(ordered) for index, point in enumerate(ordered)})
        swept.append(ordered)
    return swept[::-1] if backwards else swept


def _mean(points: Sequence[int], place: Mapping[int, float], otherwise: float) -> float:
    known = [place[point] for point in points if point in place]
    return sum(known) / len(known) if known else otherwise


def _crossings(columns: Sequence[Sequence[int]], right: Mapping[int, list[int]]) -> int:
    """Return how many pairs of edges between neighbouring layers cross."""
    total = 0
    for column, following in pairwise(columns):
        place = {point: index for index, point in enumerate(following)}
        ends = [
            place[b]
            for a in column
            for b in sorted(right.get(a, ()), key=lambda p: place.get(p, -1))
            if b in place
        ]
        total += sum(sum(earlier > later for earlier in ends[:index]) for index, later in enumerate(ends))
    return total


def _heights(
    columns: Sequence[Sequence[int]], chains: Sequence[tuple[int, ...]], tall: Sequence[float]
) -> list[float]:
    """Return the height of every point: near its neighbours, in order, without overlap."""
    left, right = _neighbours(chains)
    y = [0.0] * len(tall)
    for column in columns:
        _settle(column, dict.fromkeys(column, 0.0), y, tall)
    for turn in range(2 * ROUNDS):
        for column in columns if turn % 2 == 0 else columns[::-1]:
            wanted = {point: _wish(point, left, right, y) for point in column}
            _settle(column, wanted, y, tall)
    top = min((y[point] - tall[point] / 2 for column in columns for point in column), default=0.0)
    return [value - top for value in y]


def _wish(
    point: int, left: Mapping[int, list[int]], right: Mapping[int, list[int]], y: Sequence[float]
) -> float:
    near = [y[other] for other in (*left.get(point, ()), *right.get(point, ()))]
    return sum(near) / len(near) if near else y[point]


def _settle(
    column: Sequence[int], wanted: Mapping[int, float], y: list[float], tall: Sequence[float]
) -> None:
    """Place a layer as near to the wishes as order and spacing allow, in the sense of least squares.

    Neighbours that would overlap are joined into a block that stands at the mean of its members' wishes, as
    in isotonic regression by pooling adjacent violators.
    """
    offset, offsets = 0.0, []
    for above, point in zip([None, *column], column, strict=False):
        if above is not None:
            offset += (tall[above] + tall[point]) / 2
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []
    for point, shift in zip(column, offsets, strict=True):
        mean, size = wanted[point] - shift, 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        blocks.append((mean, size))
    places = [mean for mean, size in blocks for _ in range(size)]
    for point, place, shift in zip(column, places, offsets, strict=True):
        y[point] = place + shift
