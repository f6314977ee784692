"""Graphs: layers that edges follow, boxes that do not meet, and errors that name the edge."""

import xml.etree.ElementTree as ET
from itertools import combinations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.display import DisplayError, graph
from workbench.display._curves import overlap
from workbench.display._layers import lay_out
from workbench.display._network import network_of
from workbench.display._node_link import NodeLink

numbered = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40)


def sheet_of(edges, **columns):
    given_columns = {"width": None, "colour": None, "edge_label": None, "node_label": None, "highlight": ()}
    return NodeLink(network_of(edges, **{**given_columns, **columns}), "title", "w", "c")


@given(numbered)
@settings(deadline=None, max_examples=50)
def test_every_edge_but_a_loop_runs_to_the_right_in_the_layout(edges):
    layout = lay_out(13, edges, [28.0] * 13)
    for (source, target), chain, back in zip(edges, layout.chains, layout.reversed, strict=True):
        assert {chain[0], chain[-1]} == {source, target}
        layers = [layout.layer[point] for point in chain]
        if source != target:
            assert layers == list(range(layers[0], layers[-1] + 1))
            assert (chain[0] == source) == (not back)


@given(numbered)
@settings(deadline=None, max_examples=50)
def test_only_edges_within_a_cycle_run_backwards(edges):
    layout = lay_out(13, edges, [28.0] * 13)
    component = {}
    for index, members in enumerate(nx.strongly_connected_components(nx.DiGraph(edges))):
        component.update(dict.fromkeys(members, index))
    for (source, target), back in zip(edges, layout.reversed, strict=True):
        assert not back or component[source] == component[target]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted), max_size=40))
@settings(deadline=None, max_examples=50)
def test_an_acyclic_graph_is_as_long_as_its_longest_path(edges):
    edges = [(a, b) for a, b in edges if a != b]
    layout = lay_out(13, edges, [28.0] * 13)
    assert max(layout.layer) == nx.dag_longest_path_length(nx.DiGraph(edges), weight=None) if edges else True


@given(numbered)
@settings(deadline=None, max_examples=60)
def test_nodes_do_not_overlap_and_lie_within_the_picture(edges):
    sheet = sheet_of([(f"node {a}", f"n{b}") for a, b in edges], edge_label=["label"] * len(edges))
    assert all(overlap(a, b) == 0 for a, b in combinations(sheet.boxes, 2))
    root = ET.fromstring(sheet.svg("words"))
    width, height = float(root.get("width")), float(root.get("height"))
    for x, y, wide, tall in sheet.boxes:
        assert x >= 0
        assert y >= 0
        assert x + wide <= width
        assert y + tall <= height


@given(numbered)
@settings(deadline=None, max_examples=30)
def test_every_node_and_edge_is_drawn_once(edges):
    named = [(f"<{a}>", f"<{b}>") for a, b in edges]
    root = ET.fromstring(graph(named).svg)
    tips = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")][1:]
    assert sorted(tip for tip in tips if "→" in tip) == sorted(f"{a} → {b}" for a, b in named)
    assert len([tip for tip in tips if " in, " in tip]) == len({node for edge in named for node in edge})


def test_forty_nodes_and_their_labels_do_not_meet():
    edges = [(f"service-{i}", f"service-{(i * 7 + k * 11) % 40}") for i in range(40) for k in range(3)]
    sheet = sheet_of(edges)
    assert len(sheet.boxes) == 40
    assert all(overlap(a, b) == 0 for a, b in combinations(sheet.boxes, 2))
    assert len(sheet.svg("words")) < 150_000


def test_numbers_are_explained_by_a_legend_with_their_names():
    svg = graph(
        [("a", "b"), ("b", "c")], width=[3, 9], colour=[1, 2], width_name="requests/s", colour_name="ms"
    ).svg
    assert "9 requests/s" in svg
    assert "2 ms" in svg


def test_marked_nodes_and_second_lines_are_drawn():
    svg = graph([("a", "b")], highlight=["b"], node_label={"a": "3 replicas", "alone": "no edges"}).svg
    assert svg.count('class="n hi"') == 1
    assert "3 replicas" in svg
    assert svg.count('<rect class="n') == 3


def test_no_edges_draw_a_picture_that_says_so():
    picture = graph([])
    assert picture.text == "graph of 0 nodes and 0 edges"
    assert ">no edges</text>" in picture.svg


def test_all_zero_widths_and_colours_are_drawn():
    assert "graph of 2 nodes and 1 edge" in graph([("a", "b")], width=[0], colour=[0]).svg


def test_a_path_of_a_thousand_nodes_is_laid_out():
    edges = [(str(i), str(i + 1)) for i in range(1000)]
    assert graph(edges).text == "graph of 1,001 nodes and 1,000 edges"


@pytest.mark.parametrize(
    ("edges", "columns", "message"),
    [
        (["ab"], {}, r"edges\[0\] is 'ab', expected a pair"),
        ([("a", "b"), ("a",)], {}, r"edges\[1\]"),
        ([3], {}, r"edges\[0\] is 3"),
        ([("a", "b")], {"width": [1, 2]}, r"columns differ in length \(edges: 1, width: 2\)"),
        ([("a", "b")], {"edge_label": []}, r"edge_label: 0"),
        ([("a", "b")], {"width": [-1]}, r"width\[0\] is -1"),
        ([("a", "b")], {"colour": [float("nan")]}, r"colour\[0\] is nan"),
        ([("a", "b")], {"colour": [float("inf")]}, r"colour\[0\] is inf"),
        ([("a", "b")], {"colour": ["red"]}, "colour has dtype <U3, expected numbers"),
        ([("a", "b")], {"highlight": ["c"]}, "highlight names 'c'"),
        ([("a", "b")], {"highlight": "a"}, "highlight is one string"),
    ],
)
def test_wrong_input_is_named(edges, columns, message):
    with pytest.raises(DisplayError, match=message):
        graph(edges, **columns)
