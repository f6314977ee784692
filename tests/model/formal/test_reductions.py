"""Fewer states, the same verdict: interchangeable processes, steps that commute, and views."""

import pytest
from agreement import checked_by_both
from small_models import Asserting, Cube, Jugs, Stuck, Tokens

import workbench.model.formal as wb
from workbench.model.formal import _engines, library


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
    whole, less = wb.check(model, engine="python"), checked_by_both(model, symmetry=True)
    assert said(less) == said(whole)
    assert less.distinct < whole.distinct
    assert less.depth == whole.depth
    assert all(violation_is_behaviour(model, each) for each in less.violations)


def violation_is_behaviour(model, violation):
    return wb.replay(model, violation.trace) == violation.trace


@pytest.mark.parametrize(("rm", "states"), [(7, 920), (8, 1_461), (9, 2_232)])
def test_two_phase_commit_has_the_published_numbers_of_symmetric_states(rm, states):
    verdict = wb.check(library.TwoPhaseCommit(rm=rm), symmetry=True, engine="compiled")
    assert (verdict.holds, verdict.distinct) == (True, states)


def test_two_phase_commit_is_explored_by_both_engines_alike():
    checked_by_both(library.TwoPhaseCommit(rm=6), symmetry=True)


@pytest.mark.parametrize(
    "limits", [{"max_states": 30}, {"max_depth": 4}, {"stop_at_first": True}, {"max_states": 1}], ids=str
)
@pytest.mark.parametrize("model", [Voters(4, 3), Passing(4)], ids=["sorted", "tried"])
def test_limits_end_a_reduced_search_where_the_other_engine_ends_it(model, limits):
    checked_by_both(model, symmetry=True, **limits)


def Relay(n, m):
    """Return members of two kinds that pass on letters, in states of several words."""
    senders, boxes = wb.Symmetric(n), wb.Symmetric(m)
    letter = wb.Record(sender=senders, read=wb.Bool())

    class Relay(wb.Model):
        inbox = wb.Array(boxes, wb.Seq(letter, 2))
        owner = wb.Map(boxes, senders)
        seen = wb.Set(letter)
        counted = wb.Array(20, wb.Int(0, 15))

        @wb.action(s_=range(n), b=range(m))
        def send(s, s_, b):
            wb.require(len(s.inbox[b]) < 2)
            s.inbox[b].append(letter(sender=s_))
            s.counted[len(s.inbox[b])] = min(15, s.counted[len(s.inbox[b])] + 1)

        @wb.action(b=range(m))
        def read(s, b):
            wb.require(len(s.inbox[b]) > 0)
            first = s.inbox[b].pop(0)
            s.seen.add(letter(sender=first.sender, read=True))
            s.owner[b] = first.sender

        @wb.constraint
        def few(s):
            return sum(s.counted) < 4

        @wb.terminal
        def anywhere(s):
            return True

        @wb.invariant
        def not_all_are_seen(s):
            return len(s.seen) < 2

        @wb.action_property
        def owners_stay(before, after):
            return all(b in after.owner for b in before.owner)

    return Relay


def test_states_of_several_words_and_kinds_are_renamed_as_the_interpreted_engine_does():
    model = Relay(3, 2)
    whole, less = wb.check(model, engine="compiled"), checked_by_both(model, symmetry=True)
    assert said(less) == said(whole)
    assert less.distinct < whole.distinct / 4


def test_initial_states_are_renamings_of_each_other_too():
    members = wb.Symmetric(4)

    class Starting(wb.Model):
        chosen = wb.Set(members)
        at = wb.Array(members, wb.Int(0, 2))

        def init(s):
            for member in range(4):
                s.chosen = {member}
                s.at[member] = 1
                yield
                s.at[member] = 0

        @wb.action(i=range(4))
        def up(s, i):
            wb.require(s.at[i] < 2)
            s.at[i] += 1

        @wb.terminal
        def anywhere(s):
            return True

    verdict = checked_by_both(Starting, symmetry=True)
    assert verdict.statistics.levels[0] == 1
    assert wb.check(Starting, engine="compiled").statistics.levels[0] == 4


def test_a_model_that_outgrows_the_interpreter_is_compiled_with_its_symmetry():
    members = wb.Symmetric(3)

    class Large(wb.Model):
        at = wb.Array(members, wb.Int(0, 49))

        @wb.action(i=range(3))
        def up(s, i):
            wb.require(s.at[i] < 49)
            s.at[i] += 1

        @wb.terminal
        def anywhere(s):
            return True

    verdict = wb.check(Large, symmetry=True)
    assert (verdict.engine, verdict.distinct) == ("compiled", 22_100)  # multisets: C(52, 3)
    assert verdict.notes == ()


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
    verdict = checked_by_both(Clock)
    assert (verdict.distinct, verdict.generated) == (2, 3)


class Signed(wb.Model):
    """Goes up and down; the view is negative, or a tuple of a field of several words."""

    n = wb.Int(-20, 20)
    wide = wb.Array(40, wb.Int(0, 7))
    steps = wb.Int(0, 10**9)

    @wb.action(by=(-1, 1))
    def move(s, by):
        wb.require(-20 <= s.n + by <= 20)
        s.n += by
        s.wide[abs(s.n) % 40] = (s.wide[abs(s.n) % 40] + 1) % 3
        s.steps += 1

    @wb.invariant
    def few(s):
        return s.n < 18


def negative(s):
    return s.n - 1


def both(s):
    return s.n // 4, tuple(s.wide)


@pytest.mark.parametrize(
    "limits", [{}, {"max_states": 200}, {"max_depth": 9}, {"stop_at_first": True}], ids=str
)
@pytest.mark.parametrize("view", [negative, both], ids=lambda view: view.__name__)
def test_views_are_compiled(view, limits):
    model = type("Viewed", (Signed,), {"seen": wb.view(view)})
    limits = {**({"max_states": 2000} if view is both else {}), **limits}
    verdict = checked_by_both(model, **limits)
    assert limits or verdict.distinct == 41
    assert all(violation_is_behaviour(model, each) for each in verdict.violations)


def failing(s):
    return 10 // (s.n + 18)


def listed(s):
    return s.wide


@pytest.mark.parametrize("engine", ["python", "compiled", "auto"])
def test_a_view_that_fails_is_an_error_that_says_where(engine):
    with pytest.raises(wb.ActionError, match=r"view failing raised ZeroDivisionError.*n=-18"):
        wb.check(type("Viewed", (Signed,), {"seen": wb.view(failing)}), engine=engine)
    with pytest.raises(wb.ActionError, match=r"view listed returned .*, which may change: make it a tuple"):
        wb.check(type("Viewed", (Signed,), {"seen": wb.view(listed)}), engine=engine)


def test_a_view_with_a_constraint_is_interpreted_and_says_why():
    class Less(Clock):
        @wb.constraint
        def early(s):
            return s.hours < 5

    with pytest.raises(wb.NotCompilableError, match="a view together with constraints"):
        wb.check(Less, engine="compiled")
    assert wb.check(Less).distinct == 2


def test_reduction_is_known_to_the_interpreted_engine_only():
    with pytest.raises(wb.NotCompilableError, match="interpreted engine only"):
        wb.check(Jugs, engine="compiled", reduction=True)


def test_what_a_reduction_cannot_keep_is_refused():
    with pytest.raises(wb.ModelError, match="has no interchangeable values"):
        wb.check(Jugs, symmetry=True)
    with pytest.raises(wb.ModelError, match="a view goes with neither symmetry"):
        wb.check(type("Both", (Clock,), {"more": wb.view(lambda s: s.hours)}), symmetry=True)


def test_the_more_renamings_are_tried_the_sooner_a_model_is_compiled(monkeypatch):
    monkeypatch.setattr(_engines, "OUTGROWN_AT", 1_000)
    verdict = wb.check(Relay(3, 2), symmetry=True)  # twelve renamings of each state, 101 states
    assert (verdict.engine, verdict.distinct) == ("compiled", 101)
    assert wb.check(Cube(9)).engine == "python"
