"""Temporal properties: against every behaviour of random small models, and against each other."""

import pytest
from random_graphs import holds_on, is_fair, lassos, model_of, random_formula, random_graph, seeded

import workbench.model.formal as wb


def violation_of(model):
    """Return the violation of the property `asked`, or None."""
    found = [each for each in wb.check(model, engine="python").violations if each.property == "asked"]
    return found[0] if found else None


def assert_shows(violated, formula, edges, labels):
    """Assert that a violation is a fair behaviour of the model of which the formula is not true."""
    states = [step.state.at for step in violated.trace]
    assert states[0] == 0
    assert states[-1] == states[violated.loop]
    names = {"weakly": "weak", "strongly": "strong", "freely": None}
    steps = [
        ("stays", step.state.at) if step.action == "stays" else (names[step.action], step.args["e"])
        for step in violated.trace[1:]
    ]
    for (kind, number), source, target in zip(steps, states, states[1:], strict=False):
        assert kind == "stays" or edges[kind][number] == (source, target)
    word = [labels[state] for state in states[:-1]]
    assert not holds_on(formula, word, violated.loop)[0]
    assert is_fair(edges, states[:-1], steps, violated.loop)


@pytest.mark.parametrize("seed", range(300))
def test_a_formula_holds_when_no_fair_behaviour_violates_it(seed):
    """All lassos of up to seven steps are tried; a counterexample of ours is judged by the definition."""
    rng = seeded(seed)
    edges, labels = random_graph(rng, fair=seed % 2 == 0)
    formula = random_formula(rng, rng.randint(1, 3))
    violated = violation_of(model_of(edges, labels, {"asked": formula}))
    if violated is not None:
        assert_shows(violated, formula, edges, labels)
        return
    for states, steps, loop in lassos(edges, len(labels), 7):
        if is_fair(edges, states, steps, loop):
            assert holds_on(formula, [labels[state] for state in states], loop)[0], (states, steps, loop)


PAIRS = [
    (wb.always("p"), wb.AG("p")),
    (wb.eventually("p"), wb.AF("p")),
    (wb.next("p"), wb.AX("p")),
    (wb.until("p", "q"), wb.AU("p", "q")),
    (wb.always(wb.eventually("p")), wb.AG(wb.AF("p"))),
    (wb.always("p -> X q"), wb.AG("p -> AX q")),
    (wb.leads_to("p", "q"), wb.AG("p -> AF q")),
]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("pair", range(len(PAIRS)))
def test_both_kinds_of_time_agree_where_they_say_the_same(seed, pair):
    edges, labels = random_graph(seeded(seed), fair=False)
    linear, branching = (violation_of(model_of(edges, labels, {"asked": each})) for each in PAIRS[pair])
    assert (linear is None) == (branching is None)


@pytest.mark.parametrize("seed", range(60))
def test_exists_and_for_all_are_dual(seed):
    edges, labels = random_graph(seeded(seed), fair=False)
    for one, other in (
        (wb.EF("p"), ~wb.AG("!p")),
        (wb.EG("p"), ~wb.AF("!p")),
        (wb.EX("p"), ~wb.AX("!p")),
        (wb.EU("p", "q"), wb.EU("p", wb.EU("p", "q"))),
    ):
        found = [violation_of(model_of(edges, labels, {"asked": each})) is None for each in (one, other)]
        assert found[0] == found[1]


def test_a_witness_of_ag_is_a_shortest_way():
    edges = {"weak": [], "strong": [], None: [(0, 1), (1, 2), (2, 3), (0, 4), (4, 3), (3, 3)]}
    violated = violation_of(model_of(edges, ["p", "p", "p", "", "p"], {"asked": wb.AG("p")}))
    assert [step.state.at for step in violated.trace] == [0, 4, 3]
    assert violated.loop is None


def test_where_nothing_can_happen_a_behaviour_stays():
    edges = {"weak": [], "strong": [], None: [(0, 1)]}
    model = model_of(edges, ["", "p"], {"stays_true": wb.eventually(wb.always("p")), "gone": wb.always("!p")})
    verdict = wb.check(model)
    assert [(each.property, each.trace[-1].action, each.loop) for each in verdict.violations] == [
        ("gone", "stays", 1)
    ]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("[] p", wb.always("p")),
        ("<> [] p", wb.eventually(wb.always("p"))),
        ("G F p -> G F q", wb.always(wb.eventually("p")) >> wb.always(wb.eventually("q"))),
        ("p U (q || !p)", wb.until("p", wb.formula("q") | ~wb.formula("p"))),
        ("p R q", wb.release("p", "q")),
        ("p ~> q", wb.leads_to("p", "q")),
        (r"p /\ X q \/ true", (wb.formula("p") & wb.next("q")) | wb.formula(True)),
        ("always (p implies_q)", None),
        ("A [p U q]", wb.AU("p", "q")),
        ("AG (p => EF q)", wb.AG(wb.formula("p") >> wb.EF("q"))),
        ("not p and q or p", (~wb.formula("p") & "q") | "p"),
    ],
)
def test_formulas_are_read_from_text(text, same):
    if same is None:
        with pytest.raises(wb.ModelError, match="at character 11"):
            wb.formula(text)
        return
    assert wb.formula(text) == same


@pytest.mark.parametrize(
    ("text", "where"), [("", 1), ("p &", 4), ("(p", 3), ("p q", 3), ("[] ? p", 4), ("A p", 3), ("U p", 1)]
)
def test_what_is_no_formula_is_refused_with_its_place(text, where):
    with pytest.raises(wb.ModelError, match=f"is no temporal formula: at character {where} "):
        wb.formula(text)


def test_unknown_names_and_mixed_times_are_refused():
    edges, labels = {"weak": [], "strong": [], None: [(0, 0)]}, ["p"]
    with pytest.raises(wb.ModelError, match="has no predicate r; its predicates are p, q"):
        wb.check(model_of(edges, labels, {"asked": wb.always("r")}))
    with pytest.raises(wb.ModelError, match="mixes linear time"):
        wb.check(model_of(edges, labels, {"asked": wb.always(wb.EF("p"))}))
    with pytest.raises(wb.ModelError, match="is made of predicates"):
        wb.always(3)


BRANCHES = {"weak": [], "strong": [], None: [(0, 0), (0, 1), (1, 2), (2, 2)]}


@pytest.mark.parametrize(
    ("asked", "states", "loop"),
    [
        (wb.AF(wb.AG("q")), [0, 0], 0),
        (wb.AF("p"), [0, 0], 0),
        (wb.AX("q"), [0, 1], None),
        (wb.AG("q -> AX q"), [0, 1], None),
        (wb.AX(wb.AF("p")), [0, 0, 0], 1),
        (wb.AG("q -> AF p") & "q", [0, 0], 0),
        (wb.EF("p"), [0], None),
        (wb.AU("q", "p"), [0, 1], None),
    ],
    ids=repr,
)
def test_what_every_path_should_come_to_is_refuted_by_one_that_never_does(asked, states, loop):
    violated = violation_of(model_of(BRANCHES, ["q", "", "q"], {"asked": asked}))
    assert [step.state.at for step in violated.trace] == states
    assert violated.loop == loop


@pytest.mark.parametrize("seed", range(60))
def test_a_way_round_is_a_path_of_the_model_that_never_comes_to_it(seed):
    edges, labels = random_graph(seeded(seed), fair=False)
    violated = violation_of(model_of(edges, labels, {"asked": wb.AF("p")}))
    if violated is None:
        return
    states = [step.state.at for step in violated.trace]
    assert states[-1] == states[violated.loop]
    assert not any("p" in labels[state] for state in states)
    for step, source, target in zip(violated.trace[1:], states, states[1:], strict=False):
        dead = step.action == "stays"
        assert (dead and source == target) or edges[None][step.args["e"]] == (source, target)


def test_a_way_round_in_branching_time_can_be_judged_again():
    model = model_of(BRANCHES, ["q", "", "q"], {"asked": wb.AF("p")})
    verdict = wb.check(model)
    with pytest.raises(AssertionError, match="violates temporal asked"):
        verdict.as_test()()


@pytest.mark.parametrize("text", ["AG(p)", "AF(AG(p))", "AX(EF(p))", "EG(p)", "EU(p, q)", "EX(AG(EF(p)))"])
def test_formulas_of_branching_time_are_shown_as_they_are_written(text):
    names = {name: getattr(wb, name) for name in ("AG", "AF", "AX", "EF", "EG", "EU", "EX")}
    assert repr(eval(text, {**names, "p": "p", "q": "q"})) == text


def test_a_predicate_without_a_name_of_its_own_has_that_of_its_attribute():
    class Lamp(wb.Model):
        on = wb.Bool()
        shines = wb.predicate(lambda s: s.on)
        is_dark = wb.predicate(lambda s: not s.on)
        lights = wb.leads_to("is_dark", "shines")

        @wb.action
        def switch(s):
            s.on = not s.on

    assert wb.check(Lamp).holds
    assert repr(wb.formula(Lamp.shines)) == "shines"
