"""Fewer states, the same verdict: interchangeable processes, steps that commute, and views."""

import pytest
from small_models import Asserting, Cube, Jugs, Stuck, Tokens

import workbench.model.formal as wb
from workbench.model.formal import library


def Voters(n, quorum):
    """Return voters who may vote yes or no, and a decision that needs a quorum."""
    voters = wb.Symmetric(n)

    class Voters(wb.Model):
        vote = wb.Array(voters, wb.Enum("none", "yes", "no"))
        counted = wb.Set(voters)
        decided = wb.Bool()

        @wb.action(v=range(n), yes=(0, 1))
        def cast(s, v, yes):
            wb.require(s.vote[v] == "none")
            s.vote[v] = "yes" if yes else "no"

        @wb.action(v=range(n))
        def count(s, v):
            wb.require(s.vote[v] == "yes" and v not in s.counted)
            s.counted.add(v)

        @wb.action
        def decide(s):
            wb.require(len(s.counted) >= quorum)
            s.decided = True

        @wb.terminal
        def anywhere(s):
            return True

        @wb.invariant
        def decided_by_quorum(s):
            return not s.decided or sum(1 for x in s.vote if x == "yes") > quorum - 1

        @wb.invariant
        def nobody_has_won(s):
            return not s.decided

    return Voters


def Passing(n):
    """Return processes that pass a token on: its holder is a value, not only a key."""
    members = wb.Symmetric(n)

    class Passing(wb.Model):
        holder = wb.Maybe(members)
        before = wb.Seq(members, 2)
        seen = wb.Set(members)

        @wb.action(i=range(n))
        def take(s, i):
            wb.require(s.holder != i)
            s.before = [s.holder] if s.holder is not None else []
            s.holder = i
            s.seen.add(i)

        @wb.invariant
        def not_all_have_seen_it(s):
            return len(s.seen) < n

    return Passing


def said(verdict):
    """Return what a reduction must keep."""
    return verdict.holds, sorted((each.kind, each.property, len(each.trace)) for each in verdict.violations)


@pytest.mark.parametrize(
    "model",
    [Voters(2, 1), Voters(3, 2), Voters(4, 3), Passing(3), Passing(4)],
    ids=["2 voters", "3 voters", "4 voters", "3 passing", "4 passing"],
)
def test_symmetry_keeps_the_verdict(model):
    whole, less = wb.check(model, engine="python"), wb.check(model, symmetry=True)
    assert said(less) == said(whole)
    assert less.distinct < whole.distinct
    assert less.depth == whole.depth


def test_symmetric_states_are_counted_as_multisets():
    """Each voter is in one of four states: five of them make C(8, 3) multisets."""
    assert wb.check(Voters(5, 6), symmetry=True).distinct == 56


def test_a_trace_of_a_reduced_search_is_a_behaviour():
    verdict = wb.check(Passing(4), symmetry=True)
    assert verdict.replay() == verdict.trace


@pytest.mark.parametrize("n", [5, 20])
def test_steps_that_commute_are_taken_in_one_order(n):
    whole = wb.check(Cube(n), engine="python")
    less = wb.check(Cube(n), reduction=True)
    assert (whole.distinct, whole.holds) == (n**3, True)
    assert less.holds is True
    assert less.distinct == 3 * (n - 1) + 1


MODELS = {
    "jugs": Jugs,
    "tokens": Tokens(4),
    "stuck": Stuck,
    "asserting": Asserting,
    "voters": Voters(3, 2),
    "philosophers": library.DiningPhilosophers(5),
    "ordered": library.OrderedPhilosophers(4),
    "peterson": library.Peterson,
    "transaction": library.TransactionCommit(3),
    "two phases": library.TwoPhaseCommit(3),
    "ring": library.ChangRoberts(),
}


@pytest.mark.parametrize("name", MODELS)
def test_reduction_keeps_deadlocks_and_invariants(name):
    model = MODELS[name] if isinstance(MODELS[name], type) else MODELS[name]()
    if model.__specification__.of_kind("action property") or model.__specification__.temporal:
        with pytest.raises(wb.ModelError, match="which reduction=True does not keep"):
            wb.check(model, reduction=True)
        return
    whole, less = wb.check(model, engine="python"), wb.check(model, reduction=True)
    assert less.holds == whole.holds
    assert {(each.kind, each.property) for each in less.violations} == {
        (each.kind, each.property) for each in whole.violations
    }
    assert less.distinct <= whole.distinct


class Clock(wb.Model):
    """Counts hours that nobody looks at, and a flag."""

    hours = wb.Int(0, 99)
    flag = wb.Bool()

    @wb.action
    def tick(s):
        s.hours = (s.hours + 1) % 100
        s.flag = not s.flag

    @wb.view
    def seen(s):
        return s.flag


def test_a_view_makes_states_the_same():
    assert wb.check(Clock).distinct == 2
    with pytest.raises(wb.NotCompilableError, match="interpreted engine only"):
        wb.check(Clock, engine="compiled")


def test_what_a_reduction_cannot_keep_is_refused():
    with pytest.raises(wb.ModelError, match="has no interchangeable values"):
        wb.check(Jugs, symmetry=True)
    with pytest.raises(wb.ModelError, match="a view goes with neither symmetry"):
        wb.check(type("Both", (Clock,), {"more": wb.view(lambda s: s.hours)}), symmetry=True)
