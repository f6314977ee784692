"""Puzzles: their solutions are as short as has long been known."""

import pytest

import workbench.model.formal as wb
from workbench.model.formal.library import CoffeeCan, GameOfLife, Hanoi, MissionariesAndCannibals


def test_three_missionaries_and_three_cannibals_cross_in_eleven(checked):
    """Amarel 1968: sixteen states can be reached, and the shortest way has eleven crossings."""
    verdict = checked(MissionariesAndCannibals())
    assert verdict.distinct == 16
    assert [each.property for each in verdict.violations] == ["unsolved"]
    assert len(verdict.trace) - 1 == 11


def test_four_and_four_cannot_cross_in_a_boat_for_two_but_in_one_for_three(interpreted):
    assert interpreted(MissionariesAndCannibals(each=4)).holds is True
    assert len(interpreted(MissionariesAndCannibals(each=4, seats=3)).trace) - 1 == 9


def test_who_crosses_without_counting_is_eaten_after_one_crossing(interpreted):
    class Careless(MissionariesAndCannibals()):
        @wb.action(m=range(4), c=range(4))
        def cross(s, m, c):
            wb.require(s.boat_is_here and 1 <= m + c <= 2)
            wb.require(m <= s.missionaries and c <= s.cannibals)
            s.missionaries -= m
            s.cannibals -= c
            s.boat_is_here = False

    verdict = interpreted(Careless)
    eaten = next(each for each in verdict.violations if each.property == "nobody_is_eaten")
    assert len(eaten.trace) - 1 == 1


@pytest.mark.parametrize("discs", [1, 2, 3, 5])
def test_hanoi_has_the_counts_of_its_graph(interpreted, counted, discs):
    """The graph has 3^D states, 3 (3^D - 1) / 2 edges both ways, and is 2^D - 1 wide from a corner."""
    verdict = interpreted(Hanoi(discs))
    assert counted(verdict) == (3**discs, 1 + 3 * (3**discs - 1), 2**discs)
    assert len(verdict.trace) - 1 == 2**discs - 1


def test_both_engines_solve_hanoi(checked):
    verdict = checked(Hanoi(4))
    assert len(verdict.trace) - 1 == 15


def test_a_fourth_peg_saves_moves(interpreted):
    """Frame and Stewart 1941: four discs on four pegs need nine moves."""
    assert len(interpreted(Hanoi(4, pegs=4)).trace) - 1 == 9


def test_if_any_disc_may_go_anywhere_three_moves_do(interpreted):
    class Lawless(Hanoi(3)):
        @wb.action(disc=range(3), to=range(3))
        def move(s, disc, to):
            wb.require(s.peg[disc] != to)
            s.peg[disc] = to

    assert len(interpreted(Lawless).trace) - 1 == 3


def test_a_hundred_beans_have_the_published_counts(interpreted, counted):
    """TLA+ Examples, CoffeeCan/CoffeeCan100Beans.cfg: 5,150 distinct, 20,002 generated, depth 1."""
    verdict = interpreted(CoffeeCan(100))
    assert verdict.holds is True
    assert counted(verdict) == (5150, 20002, 1)


def test_both_engines_agree_on_ten_beans(checked):
    assert checked(CoffeeCan(10)).distinct == 10 * 13 // 2


def test_if_one_white_bean_goes_away_its_parity_is_lost(interpreted):
    class Wrong(CoffeeCan(10)):
        @wb.action
        def pick_one_of_each(s):
            wb.require(s.black >= 1 and s.white >= 1)
            s.white -= 1

    verdict = interpreted(Wrong)
    assert verdict.property == "parity_of_white"
    assert len(verdict.trace) - 1 == 1


@pytest.mark.slow
def test_boards_of_four_by_four_have_the_published_counts(compiled, counted):
    """TLA+ Examples, GameOfLife.cfg: 65,536 distinct, 131,072 generated, depth 1."""
    assert counted(compiled(GameOfLife(4))) == (65536, 131072, 1)


def test_both_engines_agree_on_boards_of_three_by_three(checked, counted):
    assert counted(checked(GameOfLife(3))) == (512, 1024, 1)


def test_every_board_goes_where_the_rules_say():
    """Against a board of rows, with neighbours found by their distance."""
    model = GameOfLife(3)
    for board in range(512):
        alive = {(cell // 3, cell % 3) for cell in range(9) if board >> cell & 1}
        state = model(alive={3 * row + column for row, column in alive})
        state.tick()
        assert {divmod(cell, 3) for cell in state.alive} == by_the_rules(alive)


def by_the_rules(alive):
    after = set()
    for row in range(3):
        for column in range(3):
            near = sum(max(abs(row - r), abs(column - c)) == 1 for r, c in alive)
            if near == 3 or (near == 2 and (row, column) in alive):
                after.add((row, column))
    return after


def test_if_a_pair_is_enough_two_cells_live_on(interpreted):
    class Gentle(GameOfLife(3)):
        def will_live(s, cell):
            return len(s.alive) == 2 or super().will_live(cell)

    verdict = interpreted(Gentle)
    assert verdict.property == "two_bring_nobody_to_life"
    assert len(verdict.trace) - 1 == 1
