"""Peterson's lock."""

import workbench.model.formal as wb
from workbench.model.formal.library import Peterson


def test_two_processes_have_the_published_counts(checked, counted):
    """TLA+ Examples, locks_auxiliary_vars/Peterson.cfg: 42 distinct, 77 generated, depth 11."""
    verdict = checked(Peterson)
    assert verdict.holds is True
    assert counted(verdict) == (42, 77, 11)


def test_without_the_wait_both_are_critical_after_eight_steps(checked):
    class Impatient(Peterson):
        @wb.action(p=range(2))
        def enter(s, p):
            wb.require(s.at[p] == "wait")
            s.at[p] = "critical"

    verdict = checked(Impatient)
    assert verdict.property == "mutual_exclusion"
    assert len(verdict.trace) - 1 == 8


def test_with_the_turn_left_before_the_flag_is_up_both_are_critical(interpreted):
    """The order of the two writes matters: this is why the lock breaks where a machine reorders them."""

    class Reordered(Peterson):
        @wb.action(p=range(2))
        def raise_flag(s, p):
            wb.require(s.at[p] == "raise flag")
            s.turn = 1 - p
            s.at[p] = "leave turn"

        @wb.action(p=range(2))
        def leave_turn(s, p):
            wb.require(s.at[p] == "leave turn")
            s.flag[p] = True
            s.at[p] = "wait"

    verdict = interpreted(Reordered)
    assert verdict.property == "mutual_exclusion"
    assert len(verdict.trace) - 1 == 8
