"""What the library's models promise of behaviours that never end, and which fairness it takes."""

import pytest

import workbench.model.formal as wb
from workbench.model.formal import library


def variant(model, fair, *names, **more):
    """Return a model whose actions of some names have another fairness, with more members."""
    again = {name: getattr(model, name) for name in names}
    changed = {name: wb.action(fair=fair, **each.parameters)(each.function) for name, each in again.items()}
    return type(model.__name__, (model,), changed | more)


def is_kept(model, fair, *names, promise, **more):
    """Tell whether a promise holds where some actions have a fairness; what breaks it is replayed."""
    verdict = wb.check(variant(model, fair, *names, promise=wb.formula(promise), **more), engine="python")
    if verdict.holds is False:
        assert {each.kind for each in verdict.violations} == {"temporal"}
        assert verdict.replay() == verdict.trace
        with pytest.raises(AssertionError, match="violates temporal promise"):
            verdict.as_test()()
    return verdict.holds


STEPS = ("raise_flag", "leave_turn", "enter", "leave", "lower_flag")


@wb.action(p=range(2))
def rest(s, p):
    """Stay outside: a step that changes nothing."""
    wb.require(s.at[p] == "outside")


@pytest.mark.parametrize(
    ("fair", "more", "kept"),
    [(None, {}, True), (None, {"rest": rest}, False), ("weak", {"rest": rest}, True)],
    ids=["nothing fair", "may rest", "may rest, weak"],
)
def test_a_process_that_waits_at_petersons_lock_gets_in_unless_others_may_rest_for_ever(fair, more, kept):
    promise = "first_waits ~> first_is_critical"
    assert is_kept(library.Peterson, fair, *STEPS, promise=promise, **more) is kept


@pytest.mark.parametrize(("fair", "kept"), [("strong", True), ("weak", False)])
def test_a_philosopher_eats_again_and_again_if_forks_are_taken_strongly_fairly(fair, kept):
    model = library.OrderedPhilosophers(3)
    assert is_kept(model, fair, "take_first", "take_second", promise="[] <> first_eats") is kept


@pytest.mark.parametrize(("fair", "kept"), [("strong", True), ("weak", False)])
def test_the_alternating_bit_gets_through_channels_that_lose(fair, kept):
    model = library.AlternatingBit()
    assert is_kept(model, fair, "receive", "receive_ack", promise="waits_for_ack ~> !waits_for_ack") is kept


RECOVERS = "<> [] service_is_up -> [] (is_open -> <> is_closed)"


@pytest.mark.parametrize(
    ("trials_end", "calls", "kept"),
    [(False, "strong", True), (False, None, False), (True, "strong", False), (True, None, False)],
    ids=["waits, calls end", "waits, calls hang", "gives up, calls end", "gives up, calls hang"],
)
def test_a_breaker_closes_after_recovery_if_calls_end_and_it_waits_for_them(trials_end, calls, kept):
    model = library.CircuitBreaker(trials_end=trials_end)
    assert is_kept(model, calls, "come_back", promise=RECOVERS, cancel=None) is kept


def test_a_breaker_that_gives_up_on_trials_closes_if_they_are_in_time():
    model = library.CircuitBreaker(trials_end=True)
    in_time = wb.predicate(lambda s: s.state != "half open" or not s.waited)
    promise = f"<> [] in_time -> ({RECOVERS})"
    assert is_kept(model, "strong", "come_back", promise=promise, in_time=in_time)
