"""Two-phase commit."""

import pytest

import workbench.model.formal as wb
from workbench.model.formal.library import TwoPhaseCommit

LADDER = [(4, 1568), (5, 8832), (6, 50816), (7, 296_448), (8, 1_745_408)]


def test_three_resource_managers_have_the_published_counts(checked, counted):
    """TLA+ Examples, transaction_commit/TwoPhase.cfg: 288 distinct, 1,146 generated, depth 11."""
    verdict = checked(TwoPhaseCommit(rm=3))
    assert verdict.holds is True
    assert counted(verdict) == (288, 1146, 11)


@pytest.mark.slow
@pytest.mark.parametrize(("rm", "distinct"), LADDER)
def test_the_ladder_has_the_published_counts(compiled, rm, distinct):
    """Published for 3 to 10 resource managers, in a comparison of Stateright with TLC."""
    verdict = compiled(TwoPhaseCommit(rm))
    assert verdict.holds is True
    assert verdict.distinct == distinct


def test_a_manager_that_does_not_wait_for_all_is_inconsistent_after_three_steps(checked):
    class Hasty(TwoPhaseCommit(rm=3)):
        @wb.action
        def tm_commit(s):
            wb.require(s.tm == "init")
            s.tm = "committed"
            s.commit_sent = True

    verdict = checked(Hasty)
    assert verdict.property == "consistent"
    assert len(verdict.trace) - 1 == 3


def test_a_resource_manager_that_changes_its_mind_is_inconsistent(interpreted):
    class Fickle(TwoPhaseCommit(rm=3)):
        @wb.action(r=range(3))
        def rm_choose_to_abort(s, r):
            s.rms[r] = "aborted"

    verdict = interpreted(Fickle)
    assert verdict.property == "consistent"
    assert verdict.trace[-1].action in {"rm_choose_to_abort", "rm_receive_commit"}


def test_everybody_can_commit_in_seven_steps(reaches):
    """A protocol in which nobody ever commits would be consistent too."""
    assert len(reaches(TwoPhaseCommit(rm=2), "all_committed")) - 1 == 7
