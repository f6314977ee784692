"""The state graph: counted against networkx, drawn with what is left out said."""

import xml.etree.ElementTree as ET
from collections import Counter

import networkx as nx
import pytest
from small_models import Cube, Jugs, Tokens

import workbench.model.formal as wb

MODELS = [
    Jugs,
    Tokens(4),
    wb.library.TwoPhaseCommit(2),
    wb.library.Peterson,
    wb.library.DiningPhilosophers(3),
]
IDS = ["jugs", "tokens", "two-phase commit", "Peterson", "philosophers"]


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_states_steps_and_components_are_those_of_networkx(model):
    graph, verdict = wb.graph(model), wb.check(model)
    made = graph.to_networkx()
    assert made.number_of_nodes() == len(graph) == verdict.distinct
    initial = sum(flag for _, flag in made.nodes(data="initial"))
    assert made.number_of_edges() + initial == verdict.generated
    ours = {frozenset(each.tolist()) for each in graph.components}
    assert ours == {frozenset(each) for each in nx.strongly_connected_components(made)}
    simple = nx.DiGraph(made)
    simple.remove_edges_from(list(nx.selfloop_edges(simple)))
    assert graph.out_degrees == dict(sorted(Counter(degree for _, degree in simple.out_degree()).items()))


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_the_level_of_a_state_is_its_distance_from_an_initial_one(model):
    graph = wb.graph(model)
    made = graph.to_networkx()
    sources = {node for node, flag in made.nodes(data="initial") if flag}
    distances = nx.multi_source_dijkstra_path_length(made, sources)
    assert [distances[node] for node in range(len(graph))] == graph.levels.tolist()


def test_edges_carry_actions_that_lead_there():
    graph = wb.graph(Jugs)
    for source, target, data in graph.to_networkx().edges(data=True):
        steps = [
            wb.Step(None, {}, graph.state(source)),
            wb.Step(data["action"], data["args"], graph.state(target)),
        ]
        if graph.levels[source] == 0:
            assert wb.replay(Jugs, steps)[1].state == graph.state(target)
    rows = graph.steps_to_pandas()
    assert len(rows) == 96
    assert set(rows["action"]) == {"fill_big", "fill_small", "empty", "small_to_big", "big_to_small"}
    assert graph.to_pandas()["big"].max() == 5


def test_a_quotient_counts_what_is_in_its_nodes():
    graph = wb.graph(Tokens(4)).by(lambda s: s.at[3])
    assert sorted(graph.partition.sizes.tolist()) == [1, 3, 6]
    assert "3 groups" in repr(graph)
    assert "all 3 groups of 10 states" in graph.picture().svg


def test_a_predicate_names_both_halves():
    model = wb.library.TwoPhaseCommit(2)
    svg = wb.graph(model, by=model.decided).picture().svg
    assert ">not decided<" in svg
    assert ">decided<" in svg


def test_what_is_not_drawn_is_said():
    svg = wb.graph(Cube(5)).picture(max_nodes=12).svg
    assert "12 of 125 states drawn" in svg
    assert "edges to others" in svg
    assert "all 16 states; without 38 steps that change nothing" in wb.graph(Jugs).picture().svg


def test_large_graphs_are_collapsed_where_that_helps():
    assert wb.graph(Cube(5)).partition.kind == "state"

    class Phases(wb.Model):
        phase = wb.Int(0, 2)
        n = wb.Int(0, 29)

        @wb.action
        def turn(s):
            s.n = (s.n + 1) % 30

        @wb.action
        def on(s):
            wb.require(s.phase < 2)
            s.phase += 1

    graph = wb.graph(Phases)
    assert (len(graph), graph.partition.kind, len(graph.partition.names)) == (90, "component", 3)
    assert "all 3 components of 90 states" in graph.picture().svg
    assert wb.graph(Phases, collapse=False).partition.kind == "state"


def test_a_graph_that_was_not_explored_whole_says_so():
    graph = wb.graph(Tokens(6), max_states=5)
    assert graph.bound == "max_states=5"
    assert "ended by max_states=5" in repr(graph)
    assert "explored up to max_states=5" in graph.picture().svg


def test_a_behaviour_is_marked():
    trace = wb.check(Jugs).trace
    picture = wb.graph(Jugs).picture(trace=trace)
    assert picture.svg.count('class="n hi"') == len(trace)
    with pytest.raises(ValueError, match="none of the 16 states"):
        wb.graph(Jugs).number(Jugs(big=1, small=1))


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_every_picture_is_sound_and_stable(model):
    for graph in (wb.graph(model), wb.graph(model, collapse=True)):
        ET.fromstring(graph.picture().svg)
        assert graph.picture().svg == graph.picture().svg
        assert graph._repr_mimebundle_()["text/plain"] == repr(graph)


def test_a_function_that_fails_is_named():
    with pytest.raises(wb.FormalError, match="to group states by raised AttributeError"):
        wb.graph(Jugs, by=lambda s: s.nothing)
