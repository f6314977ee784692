"""A directed graph as a picture; see `graph`."""

from collections.abc import Collection, Mapping, Sequence

from numpy.typing import ArrayLike

from workbench.display._lines import one_line
from workbench.display._network import network_of
from workbench.display._node_link import NodeLink
from workbench.display._picture import Picture
from workbench.display._units import plural

__all__ = ["graph"]


def graph(  # noqa: PLR0913 - columns of edges, and names for them
    edges: Sequence[tuple[str, str]],
    *,
    width: ArrayLike | None = None,
    colour: ArrayLike | None = None,
    edge_label: Sequence[str] | None = None,
    node_label: Mapping[str, str] | None = None,
    highlight: Collection[str] = (),
    width_name: str = "",
    colour_name: str = "",
    title: str = "",
) -> Picture:
    """Draw a directed graph in layers from left to right.

    Cycles, self-loops and parallel edges are drawn as they are. The layout depends on the input alone.

    Parameters
    ----------
    edges : m pairs of str
        Source and target of each edge.
    width, colour : (m,) float, not negative, optional
        Numbers shown as the stroke width and the colour of each edge.
    edge_label : m strings, optional
    node_label : mapping of node to str, optional
        A second line under the name. A node named only here is drawn without edges.
    highlight : collection of str
        Nodes to mark.
    width_name, colour_name : str
        What the numbers are, with their unit; shown in the legend.
    title : str

    Returns
    -------
    Picture

    Raises
    ------
    DisplayError
        If an edge is not a pair, columns differ in length, a number is negative or not finite, or a node to
        mark is not in the graph.

    Examples
    --------
    >>> graph([("web", "cart"), ("cart", "db"), ("web", "db")], width=[10, 9, 1], width_name="requests/s")
    graph of 3 nodes and 3 edges

    """
    network = network_of(edges, width, colour, edge_label, node_label, highlight)
    words = f"graph of {plural(len(network.nodes), 'node')} and {plural(len(network.pairs), 'edge')}"
    names = (one_line(title), one_line(width_name), one_line(colour_name))
    sheet = NodeLink(network, *names)
    return Picture(sheet.svg(words), words, tuple(sheet.tips()))
