"""A lock with a lease, with and without fencing tokens."""

import workbench.model.formal as wb
from workbench.model.formal.library import FencedLock, LeaseLock


def lock(clients, grants, *, fenced):
    """The holder, grants so far, each client's grant, the last write and the newest."""

    def successors(state):
        holder, granted, grant_of, last, newest = state

        def with_grant(c, grant):
            return (*grant_of[:c], grant, *grant_of[c + 1 :])

        if holder is not None:
            yield None, granted, grant_of, last, newest
        for c in range(clients):
            mine = grant_of[c]
            if holder is None and granted < grants:
                yield c, granted + 1, with_grant(c, granted + 1), last, newest
            if mine:
                still = None if (holder, granted) == (c, mine) else holder
                yield still, granted, with_grant(c, 0), last, newest
            if mine and not (fenced and mine < newest):
                yield holder, granted, grant_of, mine, max(newest, mine)

    return [(None, 0, (0,) * clients, 0, 0)], successors


def test_a_write_under_an_expired_lease_overwrites_a_newer_one_after_five_steps(
    checked, counted, breadth_first
):
    verdict = checked(LeaseLock(clients=2, grants=3))
    assert counted(verdict) == breadth_first(*lock(2, 3, fenced=False))
    assert verdict.property == "no_write_is_overwritten"
    assert [step.action for step in verdict.trace[1:]] == ["acquire", "expire", "acquire", "write", "write"]


def test_a_storage_that_refuses_old_numbers_is_safe(checked, counted, breadth_first):
    verdict = checked(FencedLock(clients=2, grants=3))
    assert verdict.holds is True
    assert counted(verdict) == breadth_first(*lock(2, 3, fenced=True))


def test_a_fence_that_is_not_looked_at_is_none(interpreted):
    class Unguarded(FencedLock(clients=2, grants=3)):
        @wb.action(c=range(2))
        def write(s, c):
            wb.require(s.grant_of[c] > 0)
            s.last_write = s.grant_of[c]
            s.newest_write = max(s.newest_write, s.last_write)

    verdict = interpreted(Unguarded)
    assert verdict.property == "no_write_is_overwritten"
    assert len(verdict.trace) - 1 == 5


def test_without_expiry_the_lock_needs_no_fence(interpreted):
    class Patient(LeaseLock(clients=2, grants=3)):
        @wb.action
        def expire(s):
            wb.require(s.granted < 0)

    assert interpreted(Patient).holds is True
