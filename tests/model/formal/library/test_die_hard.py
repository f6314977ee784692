"""Die Hard's jugs."""

import pytest

import workbench.model.formal as wb
from workbench.model.formal.library import DieHard


def test_the_whole_space_has_the_published_counts(checked, counted):
    """TLA+ Examples, DieHard: 16 distinct, 97 generated, depth 8."""
    assert counted(checked(DieHard)) == (16, 97, 8)


def test_it_is_solved_in_six_steps(checked):
    verdict = checked(DieHard, stop_at_first=True)
    assert verdict.property == "unsolved"
    assert len(verdict.trace) - 1 == 6
    assert (verdict.trace[-1].state.big, verdict.trace[-1].state.small) == (4, 3)


def test_a_jug_that_is_poured_without_looking_overflows(interpreted):
    class Careless(DieHard):
        @wb.action
        def small_to_big(s):
            s.big += s.small
            s.small = 0

    with pytest.raises(wb.ActionError, match="big"):
        interpreted(Careless)
