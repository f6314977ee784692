"""A graph of numbered nodes, and the checks of what a caller gives for it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from workbench.display._columns import check_lengths, levels, strings
from workbench.display._lines import one_line
from workbench.display.errors import DisplayError

__all__ = ["Network", "network_of"]


@dataclass(frozen=True, slots=True)
class Network:
    """A graph of numbered nodes and the columns of its edges."""

    nodes: list[str]
    pairs: list[tuple[int, int]]
    width: list[float] | None
    colour: list[float] | None
    labels: list[str] | None
    below: dict[int, str]
    marked: set[int]


def network_of(  # noqa: PLR0913 - columns of edges
    edges: Sequence[tuple[str, str]],
    width: ArrayLike | None,
    colour: ArrayLike | None,
    edge_label: Sequence[str] | None,
    node_label: Mapping[str, str] | None,
    highlight: Collection[str],
) -> Network:
    """Return the network of edges and their columns, checked."""
    ends = [_pair(row, edge) for row, edge in enumerate(edges)]
    widths, colours = levels("width", width), levels("colour", colour)
    labels = None if edge_label is None else strings("edge_label", edge_label)
    check_lengths(edges=ends, width=widths, colour=colours, edge_label=labels)
    below = node_label or {}
    place: dict[str, int] = {}
    for node in (*(node for pair in ends for node in pair), *map(str, below)):
        place.setdefault(node, len(place))
    marks = highlight if isinstance(highlight, str) else sorted(map(str, highlight))
    marked = {_known(node, place) for node in strings("highlight", marks)}
    second = {place[str(node)]: one_line(line) for node, line in below.items() if line}
    pairs = [(place[source], place[target]) for source, target in ends]
    return Network(list(place), pairs, widths, colours, labels, second, marked)


def _pair(row: int, edge: object) -> tuple[str, str]:
    if isinstance(edge, str) or not isinstance(edge, Sequence) or len(edge) != 2:
        msg = f"edges[{row}] is {edge!r:.60}, expected a pair (source, target)"
        raise DisplayError(msg)
    return str(edge[0]), str(edge[1])


def _known(node: str, place: Mapping[str, int]) -> int:
    if node not in place:
        msg = f"highlight names {node!r:.60}, which no edge and no node_label names; give one of the nodes"
        raise DisplayError(msg)
    return place[node]
