"""Questions that cannot be answered are refused with what was wrong, and what is shortened says so."""

import base64
import re

import pytest
from small_models import Jugs, Stuck

import workbench.model.formal as wb


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: wb.walk(Jugs, steps=-1), "steps is -1, expected an integer of at least 0"),
        (lambda: wb.walk(Jugs, steps="3"), "steps is '3', expected an integer"),
        (lambda: wb.why_not(Jugs, "fill_big"), "expected a state of a model, or a step of a trace, got"),
        (lambda: wb.why_not({"big": 1}, "fill_big"), "expected a state of a model"),
        (lambda: wb.graph(Jugs).picture(max_nodes=0), "max_nodes must be an integer of at least 1, got 0"),
        (lambda: wb.graph(Jugs).picture(max_nodes="all"), "max_nodes must be an integer"),
        (lambda: wb.graph(Jugs).number(Stuck()), r"Stuck\(n=0\) is no state of Jugs"),
        (lambda: wb.graph(Jugs).number(Jugs(big=1, small=1)), "is none of the 16 states that were found"),
        (lambda: wb.graph(Jugs, by=lambda s: s.big, collapse=True), "give by or collapse=True"),
        (lambda: wb.refines(Jugs, Jugs, {"big": 0}), "the mapping must be a function of the concrete state"),
        (
            lambda: wb.ladder(wb.library.DiningPhilosophers, [2, "3"]),
            "sizes of a ladder are integers, got '3'",
        ),
        (lambda: wb.ladder(wb.library.DiningPhilosophers, 3), "values must be the sizes"),
        (lambda: wb.replay(Jugs, None), "a trace is a list of steps"),
    ],
    ids=range(13),
)
def test_what_has_no_answer_is_refused_by_name(ask, said):
    with pytest.raises(wb.FormalError, match=said):
        ask()


def test_a_simulation_asks_for_the_initial_states_once():
    asked = []

    class Many(wb.Model):
        n = wb.Int(0, 99)

        def init(s):
            asked.append(s)
            for n in range(100):
                s.n = n
                yield

        @wb.action
        def stay(s):
            wb.require(s.n >= 0)

    found = wb.simulate(Many, runs=200, steps=1)
    assert len(asked) == 1
    assert found.distinct > 50


def test_one_action_is_one_action():
    assert "reached by 1 action;" in repr(wb.reachable(Jugs, lambda s: s.big == 5))


def test_a_state_that_does_not_fit_below_a_node_says_that_it_was_cut():
    class Long(wb.Model):
        text = wb.Enum("short", "a long text " * 20)

        @wb.action
        def go(s):
            s.text = "a long text " * 20

        @wb.invariant
        def is_short(s):
            return s.text == "short"

    page = wb.check(Long).violations[0].lasso()._repr_mimebundle_()["text/html"]
    drawn = base64.b64decode(re.search(r"base64,([^\"]+)", page)[1]).decode()
    assert "a long text" in drawn
    assert re.search(r"a long text[^<]*…", drawn)
