"""Components and paths against networkx, on random graphs and on the longest ones."""

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions._cycles import _search, all_cycles, weakest_broken
from workbench.histories.transactions._dependencies import Graph

NODES = 8
KINDS = (codes.WW, codes.WR, codes.RW)
EDGES = st.lists(
    st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1), st.sampled_from(KINDS)), max_size=24
)


def graph_of(edges, nodes=NODES):
    kept = [edge for edge in edges if edge[0] != edge[1]]
    ends = np.array([edge[:2] for edge in kept], np.int32).reshape(-1, 2)
    kinds = np.array([edge[2] for edge in kept], np.int8)
    return Graph(nodes, nodes, ends, kinds, np.zeros(len(kept), np.int64))


def closed_ways(edges, length):
    """Yield the kinds along every simple cycle of at most so many edges, for each choice of parallel ones."""
    graph = nx.MultiDiGraph()
    graph.add_edges_from((a, b, {"kind": kind}) for a, b, kind in edges if a != b)
    for cycle in nx.simple_cycles(nx.DiGraph(graph), length_bound=length):
        pairs = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
        steps = [list({d["kind"] for d in graph[a][b].values()}) for a, b in pairs]
        yield from _choices(steps)


def _choices(steps):
    if not steps:
        yield []
        return
    for kind in steps[0]:
        for rest in _choices(steps[1:]):
            yield [kind, *rest]


def strength_of(kinds):
    """Return the weakest level that a cycle breaks."""
    anti = [kind == codes.RW for kind in kinds]
    if sum(anti) == 0:
        return 1 if codes.WR in kinds else 0
    if sum(anti) == 1:
        return 2
    return 4 if any(a and b for a, b in zip(anti, [*anti[1:], anti[0]], strict=True)) else 3


@given(EDGES)
def test_components_are_those_of_networkx_in_reversed_topological_order(edges):
    graph = graph_of(edges)
    component = graph.components()
    plain = nx.DiGraph([tuple(end) for end in graph.ends.tolist()])
    plain.add_nodes_from(range(NODES))
    expected = {frozenset(each) for each in nx.strongly_connected_components(plain)}
    assert {frozenset(np.flatnonzero(component == c).tolist()) for c in set(component.tolist())} == expected
    assert (component[graph.ends[:, 0]] >= component[graph.ends[:, 1]]).all()


@given(EDGES)
def test_the_weakest_level_broken_is_that_of_the_worst_of_all_simple_cycles(edges):
    worst = min((strength_of(kinds) for kinds in closed_ways(edges, NODES)), default=None)
    assert weakest_broken(graph_of(edges)) == worst


@given(EDGES)
def test_a_cycle_found_is_closed_and_of_its_class_and_the_shortest_of_one_rw_is_found(edges):
    graph = graph_of(edges)
    cycles = all_cycles(graph)
    for cycle in cycles.found:
        ends = cycle.edges.ends.tolist()
        assert all(ends[place - 1][1] == ends[place][0] for place in range(len(ends)))
    single = [len(kinds) for kinds in closed_ways(edges, NODES) if strength_of(kinds) == 2]
    found = [len(cycle.members) for cycle in cycles.found if cycle.name == "G-single"]
    assert min(found, default=0) == min(single, default=0)


def test_a_path_of_a_million_nodes_is_searched_without_recursion():
    nodes = 1_000_000
    ends = np.stack([np.arange(nodes), np.roll(np.arange(nodes), -1)], axis=1).astype(np.int32)
    graph = Graph(nodes, nodes, ends, np.full(nodes, codes.WW, np.int8), np.zeros(nodes, np.int64))
    assert (graph.components() == 0).all()
    assert len(np.unique(graph.only(np.arange(nodes - 1)).components())) == nodes


def test_a_search_that_takes_too_long_says_so(monkeypatch):
    monkeypatch.setattr("workbench.histories.transactions._cycles.BUDGET", 3)
    ring = [(a, (a + 1) % NODES, codes.RW) for a in range(NODES)] * 2
    graph = graph_of(ring)
    assert not _search(graph, graph.kinds == codes.RW, codes.RW).is_exact
