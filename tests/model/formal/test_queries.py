"""Queries: can it be reached, what happens at random, does one model do only what another allows."""

import pytest
from small_models import Asserting, Bounded, Jugs, Stuck, Tokens

import workbench.model.formal as wb


def managers(s):
    return {"rms": s.rms}


@pytest.mark.parametrize("engine", ["python", pytest.param("compiled", marks=pytest.mark.slow)])
def test_the_nearest_state_is_found_by_both_engines(engine):
    def has_four(s):
        return s.big == 4

    found = wb.reachable(Jugs, has_four, engine=engine)
    assert found
    assert found.engine == engine
    assert len(found.trace) == 7
    assert wb.replay(Jugs, found.trace) == found.trace
    assert "has_four of Jugs: reached by 6 actions" in repr(found)


def test_what_cannot_be_reached_is_said_after_all_was_seen():
    found = wb.reachable(Jugs, lambda s: s.big == 4 and s.small == 1)
    assert (found.holds, found.trace, found.distinct) == (False, [], 16)
    assert not found
    with pytest.raises(wb.ModelError, match="no behaviour to draw"):
        found.sequence()


def test_a_search_that_ended_early_leaves_it_open():
    found = wb.reachable(Tokens(9), lambda s: s.at[8] == 2, max_states=5)
    assert (found.holds, found.bound) == (None, "max_states=5")


def test_predicates_are_known_by_name():
    assert wb.reachable(wb.library.DieHard, "solved").predicate == "solved"
    with pytest.raises(wb.ModelError, match="has no predicate 'solvd'; its predicates are solved"):
        wb.reachable(wb.library.DieHard, "solvd")


def test_neither_deadlock_nor_invariant_nor_assertion_ends_the_search():
    class Both(Asserting):
        @wb.action
        def jump(s):
            wb.require(s.n == 1)
            s.n = 3

        @wb.invariant
        def never_one(s):
            return s.n != 1

    assert [step.label for step in wb.reachable(Both, lambda s: s.n == 3).trace] == ["init", "up()", "jump()"]
    assert wb.reachable(Stuck, lambda s: s.n == 3).holds
    assert wb.reachable(Stuck, lambda s: s.n == 4).holds is False


def test_a_walk_is_a_behaviour_and_the_same_for_the_same_seed():
    for seed in range(20):
        trace = wb.walk(Jugs, steps=15, seed=seed)
        assert len(trace) == 16
        assert wb.replay(Jugs, trace) == trace
        assert wb.walk(Jugs, steps=15, seed=seed) == trace
    assert wb.walk(Jugs, steps=15, seed=1) != wb.walk(Jugs, steps=15, seed=2)


def test_a_walk_ends_where_nothing_can_happen():
    assert [step.state.n for step in wb.walk(Stuck, steps=50)] == [0, 1, 2, 3]
    assert max(step.state.n for step in wb.walk(Bounded, steps=50)) == 9


def test_every_enabled_action_is_as_likely():
    """Of the first actions of 6,000 walks, each of six has its share within five standard deviations."""
    first = [wb.walk(Jugs, steps=1, seed=seed)[1].label for seed in range(6000)]
    shares = [first.count(label) for label in set(first)]
    assert len(shares) == 6
    assert all(abs(count - 1000) < 5 * (6000 * 5 / 36) ** 0.5 for count in shares)


def test_a_simulation_never_says_that_a_model_holds():
    verdict = wb.simulate(Tokens(4), runs=50, steps=50)
    assert verdict.holds is None
    assert verdict.bound == "50 random runs of at most 50 steps, seed 0"
    assert verdict.distinct <= wb.check(Tokens(4)).distinct
    assert verdict.distinct == sum(verdict.statistics.levels)


@pytest.mark.parametrize("model", [Jugs, Stuck, Asserting])
def test_a_simulation_finds_what_a_check_finds_by_behaviours_that_can_be_taken_again(model):
    simulated, checked = wb.simulate(model, runs=200, steps=60), wb.check(model)
    assert simulated.holds is False
    (one,), (other,) = simulated.violations, checked.violations
    assert (one.kind, one.property) == (other.kind, other.property)
    assert len(one.trace) >= len(other.trace)
    assert wb.replay(model, one.trace) == one.trace


@pytest.mark.parametrize("name", ["runs", "steps"])
@pytest.mark.parametrize("value", [0, -1, 2.5, "3", True])
def test_a_simulation_of_nothing_is_refused(name, value):
    with pytest.raises(wb.ModelError, match=f"{name} is {value!r}, expected an integer of at least 1"):
        wb.simulate(Jugs, **{name: value})


@pytest.mark.parametrize(
    ("protocol", "rm"),
    [
        (wb.library.TwoPhaseCommit(rm=2), 2),
        (wb.library.TwoPhaseCommit(rm=4), 4),
        (wb.library.PaxosCommit(rm=2, acceptors=1, ballots=1), 2),
        (wb.library.PaxosCommit(rm=1, acceptors=2, ballots=2), 1),
    ],
    ids=["two-phase 2", "two-phase 4", "Paxos 2-1-1", "Paxos 1-2-2"],
)
def test_commit_protocols_refine_transaction_commit(protocol, rm):
    """Gray and Lamport (2006), theorems in sections 3 and 4."""
    verdict = wb.refines(protocol, wb.library.TransactionCommit(rm), managers)
    assert verdict.holds is True
    assert verdict.distinct == wb.check(protocol).distinct


def test_a_protocol_with_a_guard_removed_does_not():
    class Hasty(wb.library.TwoPhaseCommit(rm=2)):
        @wb.action
        def tm_commit(s):
            wb.require(s.tm == "init")
            s.tm = "committed"
            s.commit_sent = True

    verdict = wb.refines(Hasty, wb.library.TransactionCommit(2), managers)
    assert verdict.holds is False
    assert [step.label for step in verdict.trace] == ["init", "tm_commit()", "rm_receive_commit(r=0)"]
    assert verdict.notes == (
        "no action of TransactionCommit leads from rms=[working, working] to rms=[committed, working]",
    )
    assert verdict.replay() == verdict.trace
    with pytest.raises(AssertionError, match="refinement"):
        verdict.as_test()()


def test_a_model_refines_itself_and_an_initial_state_must_be_one():
    tokens = Tokens(3)
    assert wb.refines(tokens, tokens, lambda s: s).holds
    verdict = wb.refines(tokens, tokens, lambda s: {"at": [0, 0, 2]})
    assert verdict.holds is False
    assert "is no initial state of Tokens" in verdict.notes[0]
    assert [step.label for step in verdict.trace] == ["init"]


def test_a_refinement_that_was_not_seen_whole_is_open():
    tokens = Tokens(5)
    assert wb.refines(tokens, tokens, lambda s: s, max_states=3).holds is None


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (lambda s: {"places": s.at}, "it must give at of Tokens"),
        (lambda s: None, "it must give at of Tokens"),
        (lambda s: {"at": [9, 9, 9]}, "which is no state of Tokens: 9 is outside"),
        (lambda s: s.nothing, "the mapping raised AttributeError"),
    ],
    ids=["another field", "nothing", "another value", "an error"],
)
def test_a_mapping_that_gives_no_state_is_refused(mapping, words):
    with pytest.raises(wb.FormalError, match=words):
        wb.refines(Tokens(3), Tokens(3), mapping)
