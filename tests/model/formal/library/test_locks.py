"""Dekker's lock, the bakery, and Lamport's by clocks."""

import pytest

import workbench.model.formal as wb
from workbench.model.formal.library import Bakery, Dekker, LamportMutex


def dekker():  # noqa: C901 - the program again, in one piece
    """Two program counters, flags and the turn, written as the program's lines."""

    def successors(state):
        for me in (0, 1):
            line, flags, turn = state[me], list(state[2:4]), state[4]
            other_is_up = flags[1 - me]
            if line == 0:
                flags[me], line = True, 1
            elif line == 1:
                line = 2 if other_is_up else 5
            elif line == 2 and turn == me:
                line = 1
            elif line == 2:
                flags[me], line = False, 3
            elif line == 3 and turn != me:
                continue
            elif line == 3:
                line = 4
            elif line == 4:
                flags[me], line = True, 1
            elif line == 5:
                turn, line = 1 - me, 6
            else:
                flags[me], line = False, 0
            lines = (line, state[1]) if me == 0 else (state[0], line)
            yield (*lines, *flags, turn)

    return [(0, 0, False, False, 0)], successors


def test_dekker_has_the_states_of_an_independent_count(checked, counted, breadth_first):
    verdict = checked(Dekker)
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*dekker())


def test_dekker_without_a_look_at_the_flag_lets_both_in_after_four_steps(interpreted):
    class Blind(Dekker):
        @wb.action(p=range(2))
        def look_at_flag(s, p):
            wb.require(s.at[p] == "look at flag")
            s.at[p] = "critical"

    verdict = interpreted(Blind)
    assert verdict.property == "mutual_exclusion"
    assert len(verdict.trace) - 1 == 4


def test_dekker_that_keeps_the_turn_can_still_be_entered_by_one_only(interpreted):
    """The turn is for fairness: safety does not need it."""

    class Selfish(Dekker):
        @wb.action(p=range(2))
        def leave(s, p):
            wb.require(s.at[p] == "critical")
            s.at[p] = "lower flag"

    assert interpreted(Selfish).holds is True


def bakery(highest):  # noqa: C901 - as above
    """Two processes of the bakery: (line, number, choosing, seen, others left)."""

    def successors(state):
        for me in (0, 1):
            line, number, choosing, seen, left = state[me]
            _, its_number, it_chooses, *_ = state[1 - me]
            if line == "outside":
                after = ("choosing", number, True, seen, True)
            elif line == "choosing" and left:
                after = (line, number, choosing, max(seen, its_number), False)
            elif line == "choosing":
                after = ("has chosen", seen + 1, choosing, 0, False)
            elif line == "has chosen":
                after = ("waiting", number, False, seen, True)
            elif line == "waiting" and left:
                mine_is_first = its_number == 0 or (number, me) < (its_number, 1 - me)
                if it_chooses or not mine_is_first:
                    continue
                after = (line, number, choosing, seen, False)
            elif line == "waiting":
                after = ("critical", number, choosing, seen, left)
            else:
                after = ("outside", 0, choosing, seen, left)
            yield (after, state[1]) if me == 0 else (state[0], after)

    def within(state):
        return all(process[1] <= highest for process in state)

    first = ("outside", 0, False, 0, False)
    return [(first, first)], successors, within


def test_the_bakery_has_the_states_of_an_independent_count(checked, counted, breadth_first):
    verdict = checked(Bakery(processes=2, highest=3))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*bakery(3))


@pytest.mark.slow
def test_three_processes_do_not_meet_in_the_bakery(compiled):
    assert compiled(Bakery(processes=3, highest=3)).holds is True


def test_a_bakery_that_does_not_wait_for_who_is_choosing_lets_both_in(interpreted):
    """The subtle part: without the flag, a number that is being chosen is taken for none."""

    class Impatient(Bakery(processes=2)):
        @wb.action(p=range(2), q=range(2))
        def pass_by(s, p, q):
            wb.require(s.at[p] == "waiting")
            wb.require(q in s.left[p])
            wb.require(s.goes_first(p, q))
            s.left[p].discard(q)

    verdict = interpreted(Impatient, stop_at_first=True)
    assert verdict.property == "mutual_exclusion"
    assert len(verdict.trace) - 1 == 12


def test_a_bakery_without_order_among_equal_numbers_stops(interpreted):
    class Polite(Bakery(processes=2)):
        def goes_first(s, p, q):
            return s.number[q] == 0 or s.number[p] < s.number[q]

    assert interpreted(Polite).property == "deadlock"


@pytest.mark.slow
def test_lamport_has_the_published_counts(compiled, counted):
    """TLA+ Examples, lamport_mutex/MCLamportMutex.cfg: 724,274 distinct, 2,729,079 generated, depth 61."""
    verdict = compiled(LamportMutex(n=3, highest=6))
    assert verdict.holds is True
    assert counted(verdict) == (724_274, 2_729_079, 61)


def test_both_engines_agree_on_two_processes_of_lamport(checked):
    assert checked(LamportMutex(n=2, highest=4)).holds is True


def test_lamport_without_acknowledgements_lets_both_in_after_four_steps(interpreted):
    class Hasty(LamportMutex(n=2, highest=4)):
        @wb.action(p=range(2))
        def enter(s, p):
            wb.require(s.requested[p][p] > 0)
            wb.require(all(p == q or s.comes_first(p, q) for q in range(2)))
            s.critical.add(p)

    verdict = interpreted(Hasty, stop_at_first=True)
    assert verdict.property == "mutual_exclusion"
    assert len(verdict.trace) - 1 == 4


def test_lamport_without_the_order_of_requests_lets_both_in(interpreted):
    class Rude(LamportMutex(n=2, highest=4)):
        @wb.action(p=range(2))
        def enter(s, p):
            wb.require(len(s.acknowledged[p]) == 2)
            s.critical.add(p)

    verdict = interpreted(Rude, stop_at_first=True)
    assert verdict.property == "mutual_exclusion"
    assert len(verdict.trace) - 1 == 8


@pytest.mark.parametrize("model", [Dekker, Bakery(), LamportMutex()], ids=["Dekker", "bakery", "Lamport"])
def test_somebody_gets_in(reaches, model):
    assert reaches(model, "first_is_critical") is not None
