"""Dining philosophers in three variants."""

import pytest

import workbench.model.formal as wb
from workbench.model.formal.library import DiningPhilosophers, OrderedPhilosophers, SeatedPhilosophers


@pytest.mark.parametrize("n", [2, 3, 5, 7])
def test_four_phases_have_three_to_the_n_minus_one_states(interpreted, n):
    assert interpreted(DiningPhilosophers(n)).distinct == 3**n - 1


def test_both_engines_find_the_deadlock_where_everybody_holds_the_left_fork(checked):
    verdict = checked(DiningPhilosophers(4))
    assert verdict.distinct == 3**4 - 1
    assert [each.kind for each in verdict.violations] == ["deadlock"]
    assert len(verdict.trace) - 1 == 4
    assert set(verdict.trace[-1].state.phase) == {"holds left"}


def test_the_deadlock_is_the_only_one(interpreted):
    class Excused(DiningPhilosophers(4)):
        @wb.terminal
        def all_hold_left(s):
            return all(phase == "holds left" for phase in s.phase)

    assert interpreted(Excused).holds is True


def test_a_philosopher_who_does_not_look_right_eats_with_a_neighbour(interpreted):
    class Grabbing(DiningPhilosophers(3)):
        @wb.action(i=range(3))
        def take_right(s, i):
            wb.require(s.phase[i] == "holds left")
            s.phase[i] = "eats"

    verdict = interpreted(Grabbing)
    assert verdict.property == "neighbours_do_not_eat_together"
    assert len(verdict.trace) - 1 == 4


def ordered(n):
    """Philosophers by what each does: 0 thinks, 1 holds the lower fork, 2 eats."""

    def forks(i):
        return sorted((i, (i + 1) % n))

    def successors(state):
        held = {forks(i)[0] for i in range(n) if state[i]} | {forks(i)[1] for i in range(n) if state[i] == 2}
        for i, phase in enumerate(state):
            if phase == 2 or forks(i)[phase] not in held:
                yield (*state[:i], (phase + 1) % 3, *state[i + 1 :])

    return [(0,) * n], successors


@pytest.mark.parametrize("n", [3, 5])
def test_forks_in_one_order_have_the_states_of_an_independent_count(interpreted, counted, breadth_first, n):
    verdict = interpreted(OrderedPhilosophers(n))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*ordered(n))


def test_both_engines_agree_on_forks_in_one_order(checked, counted, breadth_first):
    assert counted(checked(OrderedPhilosophers(4))) == breadth_first(*ordered(4))


def test_if_all_begin_on_the_left_the_order_is_lost_and_there_is_a_deadlock(interpreted):
    class Unordered(OrderedPhilosophers(4)):
        @wb.action(i=range(4))
        def take_first(s, i):
            wb.require(s.holder[i] is None)
            wb.require(s.holder[(i + 1) % 4] != i)
            s.holder[i] = i

        @wb.action(i=range(4))
        def take_second(s, i):
            wb.require(s.holder[i] == i)
            wb.require(s.holder[(i + 1) % 4] is None)
            s.holder[(i + 1) % 4] = i
            s.eats[i] = True

    verdict = interpreted(Unordered)
    assert verdict.property == "deadlock"
    assert len(verdict.trace) - 1 == 4


def seated(n, seats):
    """Philosophers of five phases: 0 away, 1 sits, 2 holds left, 3 eats, 4 has put left down."""

    def successors(state):
        held = {i for i in range(n) if state[i] in (2, 3)} | {
            (i + 1) % n for i in range(n) if state[i] in (3, 4)
        }
        for i, phase in enumerate(state):
            at_table = sum(1 for other in state if other)
            free = {0: at_table < seats, 1: i not in held, 2: (i + 1) % n not in held}
            if free.get(phase, True):
                yield (*state[:i], (phase + 1) % 5, *state[i + 1 :])

    return [(0,) * n], successors


def test_with_a_seat_free_there_is_no_deadlock(checked, counted, breadth_first):
    verdict = checked(SeatedPhilosophers(4))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*seated(4, seats=3))


def test_with_no_seat_free_there_is_one(interpreted, counted, breadth_first):
    class Crowded(SeatedPhilosophers(4)):
        @wb.action(i=range(4))
        def sit_down(s, i):
            wb.require(s.phase[i] == "away")
            s.phase[i] = "thinks"

    verdict = interpreted(Crowded)
    assert counted(verdict) == breadth_first(*seated(4, seats=4))
    assert verdict.property == "deadlock"
    assert len(verdict.trace) - 1 == 8
