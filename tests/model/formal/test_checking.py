"""What a verdict says: counts as TLC gives them, shortest behaviours, limits, and all kinds of violations."""

import pytest
from agreement import checked_by_both
from small_models import Asserting, Bounded, Cube, Jugs, Overflowing, Stuck, Tokens

import workbench.model.formal as wb

ENGINES = ["python", "compiled"]


def test_the_jugs_are_counted_as_published():
    """TLA+ Examples, DieHard: 16 states, 97 generated, depth 8."""
    verdict = checked_by_both(Jugs)
    assert (verdict.distinct, verdict.generated, verdict.depth) == (16, 97, 8)


def test_the_shortest_solution_of_the_jugs_has_six_steps():
    verdict = checked_by_both(Jugs)
    assert verdict.holds is False
    assert verdict.property == "unsolved"
    assert [step.action for step in verdict.trace] == [
        None,
        "fill_big",
        "big_to_small",
        "empty",
        "big_to_small",
        "fill_big",
        "big_to_small",
    ]
    assert verdict.trace[3].args == {"k": 1}
    assert verdict.trace[-1].state == Jugs(big=4, small=3)


def test_a_model_without_faults_holds():
    verdict = checked_by_both(Tokens(4))
    assert verdict.holds is True
    assert verdict.trace == []
    assert verdict.property is None
    assert verdict.distinct == 10  # two tokens over four places: C(5, 3)
    assert verdict.statistics.never_enabled == ()


def test_states_of_several_words_are_held_whole():
    verdict = checked_by_both(Tokens(40))
    assert verdict.distinct == 820  # C(41, 2)


def test_a_state_without_successors_is_a_deadlock():
    verdict = checked_by_both(Stuck)
    assert verdict.violations[0].kind == "deadlock"
    assert [step.state.n for step in verdict.trace] == [0, 1, 2, 3]


def test_an_assertion_in_an_action_is_a_property():
    verdict = checked_by_both(Asserting)
    assert (verdict.violations[0].kind, verdict.property) == ("assertion", "up")
    assert [step.label for step in verdict.trace] == ["init", "up()", "up()"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_value_outside_its_domain_is_an_error_that_says_where(engine):
    with pytest.raises(
        wb.ActionError, match=r"up\(\) in Overflowing: field n .* 3 is outside Int\(0, 2\).*n=2"
    ):
        wb.check(Overflowing, engine=engine)


def test_states_beyond_a_constraint_are_judged_but_not_explored():
    verdict = checked_by_both(Bounded)
    assert (verdict.distinct, verdict.generated, verdict.depth) == (10, 11, 10)
    assert verdict.property == "below_ten"
    assert len(verdict.trace) == 11


def test_the_first_violation_ends_the_search_if_asked_for():
    whole, first = checked_by_both(Jugs), checked_by_both(Jugs, stop_at_first=True)
    assert first.trace == whole.trace
    assert first.distinct <= whole.distinct
    assert first.holds is False


@pytest.mark.parametrize("most", [1, 2, 5, 9, 10, 11])
def test_a_limit_on_states_leaves_the_verdict_open(most):
    verdict = checked_by_both(Tokens(4), max_states=most)
    if most <= 9:
        assert verdict.holds is None
        assert verdict.bound == f"max_states={most}"
        assert verdict.distinct >= most
    elif most == 11:
        assert verdict.holds is True


@pytest.mark.parametrize("most", [1, 2, 5, 7, 8])
def test_a_limit_on_depth_leaves_the_verdict_open(most):
    verdict = checked_by_both(Tokens(4), max_depth=most)
    assert verdict.depth == min(most, 7)
    assert verdict.holds is (True if most == 8 else None)


@pytest.mark.parametrize("engine", ENGINES)
def test_time_that_runs_out_leaves_the_verdict_open(engine):
    verdict = wb.check(Tokens(9), engine=engine, timeout_s=0.0)
    assert verdict.holds is None
    assert verdict.bound == "timeout_s=0"


def test_memory_that_runs_out_leaves_the_verdict_open():
    verdict = wb.check(Cube(40), engine="compiled", memory_bytes=1_000_000)
    assert (verdict.holds, verdict.bound) == (None, "memory_bytes=1,000,000")
    assert 0 < verdict.distinct < 64_000


def test_memory_grows_as_it_is_needed():
    verdict = wb.check(Cube(60), engine="compiled")
    assert (verdict.distinct, verdict.generated, verdict.depth) == (60**3, 1 + 3 * 60**2 * 59, 3 * 59 + 1)


def test_progress_is_told():
    seen = []
    wb.check(Tokens(30), engine="python", progress=lambda now: seen.append(repr(now)))
    assert all("states" in text for text in seen)


def test_the_engine_is_chosen_by_size():
    assert wb.check(Tokens(4)).engine == "python"


def test_an_unknown_engine_is_refused():
    with pytest.raises(wb.ModelError, match="engine must be one of auto, python, compiled, got 'fast'"):
        wb.check(Jugs, engine="fast")


@pytest.mark.parametrize("wrong", [int, 3, "Jugs", object()])
def test_what_is_no_model_is_refused(wrong):
    with pytest.raises(wb.ModelError, match="a model is a class derived from Model"):
        wb.check(wrong)


def test_a_state_of_a_model_may_stand_for_it():
    assert wb.check(Jugs()).distinct == 16


@pytest.mark.parametrize("threads", [2, 4])
@pytest.mark.parametrize(
    "model",
    [Jugs, Tokens(4), Tokens(40), Stuck, Bounded, Cube(20)],
    ids=["Jugs", "Tokens4", "Tokens40", "Stuck", "Bounded", "Cube"],
)
def test_threads_find_what_one_finds(model, threads):
    one = wb.check(model, engine="compiled")
    several = wb.check(model, engine="compiled", threads=threads)
    assert (several.holds, several.distinct, several.generated, several.depth) == (
        one.holds,
        one.distinct,
        one.generated,
        one.depth,
    )
    assert several.statistics == one.statistics
    assert [(each.kind, each.property, len(each.trace)) for each in several.violations] == [
        (each.kind, each.property, len(each.trace)) for each in one.violations
    ]


@pytest.mark.parametrize("limits", [{"max_states": 500}, {"max_depth": 9}, {"timeout_s": 0.0}])
def test_threads_keep_limits(limits):
    verdict = wb.check(Cube(20), engine="compiled", threads=2, **limits)
    assert verdict.holds is None
    assert verdict.bound == "timeout_s=0" if "timeout_s" in limits else verdict.bound
    assert verdict.distinct < 8000
    assert sum(verdict.statistics.levels) == verdict.distinct


@pytest.mark.parametrize("depth", [1, 2, 30])
def test_threads_stop_at_the_depth_that_one_stops_at(depth):
    one, two = (wb.check(Cube(20), engine="compiled", threads=n, max_depth=depth) for n in (1, 2))
    assert (two.distinct, two.depth, two.bound, two.statistics) == (
        one.distinct,
        one.depth,
        one.bound,
        one.statistics,
    )


@pytest.mark.parametrize("threads", [2, 4])
def test_an_error_in_an_action_is_told_by_threads_too(threads):
    with pytest.raises(wb.ActionError, match=r"up\(\) in Overflowing"):
        wb.check(Overflowing, engine="compiled", threads=threads)


def test_the_number_of_threads_is_a_power_of_two():
    with pytest.raises(wb.ModelError, match="threads must be 1, 2, 4"):
        wb.check(Jugs, engine="compiled", threads=3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"max_states": 0}, "max_states must be an integer of at least 1"),
        ({"max_states": "many"}, "max_states must be an integer of at least 1"),
        ({"max_depth": -1}, "max_depth must be an integer of at least 1"),
        ({"memory_bytes": 1.5}, "memory_bytes must be an integer of at least 1"),
        ({"timeout_s": -1}, "timeout_s must be a number of seconds from 0 on"),
        ({"timeout_s": float("nan")}, "timeout_s must be a number of seconds from 0 on"),
        ({"threads": 0}, "threads must be 1, 2, 4"),
        ({"executor": 3}, "executor must be a concurrent.futures.Executor or a Dask client"),
        ({"checkpoint": 3}, "checkpoint must be a path"),
        ({"checkpoint": "/no/such/folder/x.npz"}, "its folder does not exist"),
        ({"progress": "yes"}, "progress must be True, False or a function"),
    ],
    ids=str,
)
def test_options_without_a_meaning_are_refused(wrong, said):
    with pytest.raises(wb.ModelError, match=said):
        wb.check(Jugs, **wrong)


def test_a_model_has_fields():
    with pytest.raises(wb.ModelError, match="declares no fields"):
        wb.check(type("Empty", (wb.Model,), {}))
