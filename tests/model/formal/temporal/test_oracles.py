"""Nested formulas on random graphs, judged by oracles that follow paths and lassos one by one."""

import pytest
from random_graphs import (
    holds_on,
    is_fair,
    lassos,
    model_of,
    random_branching_formula,
    random_formula,
    random_graph,
    seeded,
    states_with,
    successors_of,
)

import workbench.model.formal as wb
from workbench.model.formal._engines import explored_graph
from workbench.model.formal._explorations import Limits
from workbench.model.formal._models import specification
from workbench.model.formal.temporal import linear
from workbench.model.formal.temporal.automata import MOST_STATES, automaton_of, negation
from workbench.model.formal.temporal.branching import states_where
from workbench.model.formal.temporal.graphs import Graph


@pytest.mark.parametrize("block", range(10))
def test_nested_formulas_of_branching_time_are_true_where_paths_say_so(block):
    for seed in range(60 * block, 60 * block + 60):
        rng = seeded(seed)
        edges, labels = random_graph(rng, fair=False)
        asked = random_branching_formula(rng, rng.randint(2, 4))
        declared = specification(model_of(edges, labels, {}, initial=range(len(labels))))
        graph = Graph(declared, explored_graph(declared, Limits(), "python", None))
        found = {graph.state(number)[0] for number in states_where(graph, asked).nonzero()[0]}
        assert found == states_with(asked, successors_of(edges, len(labels)), labels), (seed, asked)


@pytest.mark.parametrize("block", range(10))
def test_deeply_nested_formulas_of_linear_time_are_true_where_every_fair_lasso_says_so(block):
    for seed in range(1000 + 30 * block, 1030 + 30 * block):
        rng = seeded(seed)
        edges, labels = random_graph(rng, fair=seed % 2 == 0)
        asked = random_formula(rng, 4)
        declared = specification(model_of(edges, labels, {}))
        graph = Graph(declared, explored_graph(declared, Limits(), "python", None))
        found = linear.counterexample(graph, asked)
        words = (
            ([labels[state] for state in states], loop)
            for states, steps, loop in lassos(edges, len(labels), 6)
            if is_fair(edges, states, steps, loop)
        )
        if found is None:
            assert all(holds_on(asked, *word)[0] for word in words), (seed, asked)
        else:
            states = [graph.state(number)[0] for number in found.states[:-1]]
            assert not holds_on(asked, [labels[state] for state in states], found.loop)[0], (seed, asked)


def test_a_weak_until_is_an_until_or_for_ever():
    for seed in range(60):
        edges, labels = random_graph(seeded(seed), fair=False)
        asked = {"weak": wb.formula("p W q"), "said": wb.until("p", "q") | wb.always("p")}
        violated = {each.property for each in wb.check(model_of(edges, labels, asked)).violations}
        assert violated in (set(), {"weak", "said"})


def test_every_initial_state_is_asked():
    edges = {"weak": [], "strong": [], None: [(0, 0), (1, 1)]}
    for asked in (wb.always("p"), wb.AG("p"), wb.EF("p"), wb.formula("p")):
        verdict = wb.check(model_of(edges, ["p", ""], {"asked": asked}, initial=(0, 1)))
        assert verdict.trace[0].state.at == 1


class Counters(wb.Model):
    """Three initial states, out of each of which more than one step leads."""

    start = wb.Int(0, 2)
    n = wb.Int(0, 9)

    def init(s):
        for start in range(3):
            s.start = start
            yield

    @wb.action(by=(1, 2))
    def up(s, by):
        wb.require(s.n < 8)
        s.n += by

    @wb.terminal
    def anywhere(s):
        return True

    @wb.predicate
    def is_zero(s):
        return s.n == 0


@pytest.mark.parametrize("engine", ["python", "compiled"])
def test_what_a_bound_left_among_the_first_states_is_not_taken_for_initial(engine):
    model = type("Asked", (Counters,), {"begins_at_zero": wb.formula("is_zero")})
    bounded = {"max_states": 4, "engine": engine}
    assert wb.check(model, **bounded).violations == ()
    assert wb.refines(Counters, Counters, lambda s: {"start": s.start, "n": s.n}, **bounded).holds is None
    seen = wb.graph(Counters, **bounded)
    assert seen.to_pandas()["n"][seen.to_pandas()["initial"]].tolist() == [0, 0, 0]
    assert seen.levels.tolist() == [0, 0, 0, *[1] * (len(seen) - 3)]


def again_and_again(count):
    return wb.formula(" && ".join(f"[] <> p{n}" for n in range(count)) + " -> [] <> q")


def test_an_automaton_of_many_conditions_grows_by_what_they_can_owe():
    sizes = [len(automaton_of(negation(again_and_again(count))).needed) for count in range(1, 7)]
    assert sizes == [10 * 2**count for count in range(6)]


def test_a_formula_whose_automaton_is_too_large_is_refused_with_what_to_do():
    with pytest.raises(wb.ModelError, match=rf"more than {MOST_STATES:,} states; declare several properties"):
        automaton_of(negation(again_and_again(12)))


def test_responses_that_are_joined_cost_as_much_as_each_by_itself():
    asked = wb.formula(" && ".join(f"[] (p{n} -> <> q{n})" for n in range(30)))
    assert len(automaton_of(negation(asked)).needed) <= 5 * 30


def Corridor(rooms, fair):
    """Return a corridor of rooms, each with a light that goes on and off until the next room is entered."""

    class Corridor(wb.Model):
        room = wb.Int(0, rooms)
        light = wb.Bool()

        @wb.action
        def switch(s):
            wb.require(s.room < rooms)
            s.light = not s.light

        @wb.action(fair=fair)
        def go_on(s):
            wb.require(s.light and s.room < rooms)
            s.room, s.light = s.room + 1, False

        @wb.predicate
        def is_at_the_end(s):
            return s.room == rooms

        @wb.terminal
        def ends(s):
            return s.room == rooms

        comes_to_the_end = wb.eventually("is_at_the_end")

    return Corridor


@pytest.mark.parametrize(("fair", "holds"), [("strong", True), ("weak", False), (None, False)])
def test_components_that_put_fair_steps_off_are_looked_at_again_all_at_once(fair, holds, monkeypatch):
    rounds = []
    components = linear.kernels.components

    def counting(*args):
        rounds.append(args)
        return components(*args)

    monkeypatch.setattr(linear.kernels, "components", counting)
    verdict = wb.check(Corridor(300, fair))
    assert verdict.holds is holds
    assert len(rounds) <= 2
    if not holds:
        assert [step.state.room for step in verdict.trace] == [0, 0, 0]
