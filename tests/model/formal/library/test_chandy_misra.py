"""Chandy and Misra's philosophers."""

import workbench.model.formal as wb
from workbench.model.formal.library import ChandyMisra


def test_five_philosophers_have_the_published_counts(checked, counted):
    """TLA+ Examples, DiningPhilosophers.cfg (NP = 5): 67 distinct, 336 generated, depth 29."""
    verdict = checked(ChandyMisra(5))
    assert verdict.holds is True
    assert counted(verdict) == (67, 336, 29)


def test_who_eats_without_looking_at_the_forks_eats_with_a_neighbour(interpreted):
    class Greedy(ChandyMisra(5)):
        def may_eat(s, i):
            return True

    verdict = interpreted(Greedy, stop_at_first=True)
    assert verdict.property == "neighbours_do_not_eat_together"
    assert len(verdict.trace) - 1 == 2


def test_who_eats_with_dirty_forks_is_seen(interpreted):
    class Unclean(ChandyMisra(5)):
        @wb.action(i=range(5))
        def loop(s, i):
            wb.require(s.at[i] == "loop")
            if not s.hungry[i]:
                s.at[i] = "think"
            elif s.holder[i] == i and s.holder[(i + 1) % 5] == i:
                s.at[i] = "eat"

    verdict = interpreted(Unclean, stop_at_first=True)
    assert verdict.property == "eating_needs_clean_forks"
    assert len(verdict.trace) - 1 == 1


def test_everybody_eats(reaches):
    assert reaches(ChandyMisra(5), "first_is_sated") is not None
