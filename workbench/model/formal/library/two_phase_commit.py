"""Two-phase commit: a transaction manager brings resource managers to one decision.

::

    resource manager    working ── prepare ──▶ prepared ── told ──▶ committed
                           │                      │
                           └──── own choice ──────┴──── told ─────▶ aborted

The manager commits when it has heard "prepared" from all; it may abort at any time before. A message that was
sent stays: receiving it late, or never, is a behaviour too, so loss and delay need no action of their own.

Source: J. Gray, L. Lamport, Consensus on Transaction Commit, ACM TODS 31 (2006), section 3; TLA+ Examples,
transaction_commit/TwoPhase.
"""

import workbench.model.formal as wb

__all__ = ["TwoPhaseCommit"]


def TwoPhaseCommit(rm: int = 3) -> type[wb.Model]:
    """Return two-phase commit for a number of resource managers.

    Its invariant: no two of them decide differently (`consistent`). The resource managers are
    interchangeable, so ``symmetry=True`` explores far fewer states.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> wb.check(wb.library.TwoPhaseCommit(rm=2), engine="python").holds
    True
    """
    everybody = frozenset(range(rm))
    managers = wb.Symmetric(rm)

    class TwoPhaseCommit(wb.Model):
        """Resource managers, the transaction manager, and the messages that were sent."""

        rms = wb.Array(managers, wb.Enum("working", "prepared", "committed", "aborted"))
        tm = wb.Enum("init", "committed", "aborted")
        prepared = wb.Set(managers)  # those whose message the transaction manager has received
        sent = wb.Set(managers)  # those who have sent "prepared"
        commit_sent = wb.Bool()
        abort_sent = wb.Bool()

        @wb.action
        def tm_commit(s):
            wb.require(s.tm == "init")
            wb.require(s.prepared == everybody)
            s.tm = "committed"
            s.commit_sent = True

        @wb.action
        def tm_abort(s):
            wb.require(s.tm == "init")
            s.tm = "aborted"
            s.abort_sent = True

        @wb.action(r=range(rm))
        def tm_receive_prepared(s, r):
            wb.require(s.tm == "init")
            wb.require(r in s.sent)
            s.prepared.add(r)

        @wb.action(r=range(rm))
        def rm_prepare(s, r):
            wb.require(s.rms[r] == "working")
            s.rms[r] = "prepared"
            s.sent.add(r)

        @wb.action(r=range(rm))
        def rm_choose_to_abort(s, r):
            wb.require(s.rms[r] == "working")
            s.rms[r] = "aborted"

        @wb.action(r=range(rm))
        def rm_receive_commit(s, r):
            wb.require(s.commit_sent)
            s.rms[r] = "committed"

        @wb.action(r=range(rm))
        def rm_receive_abort(s, r):
            wb.require(s.abort_sent)
            s.rms[r] = "aborted"

        @wb.invariant
        def consistent(s):
            return not ("committed" in s.rms and "aborted" in s.rms)

        @wb.predicate
        def decided(s):
            return all(x == "committed" or x == "aborted" for x in s.rms)

        @wb.predicate
        def all_committed(s):
            return all(x == "committed" for x in s.rms)

    return TwoPhaseCommit
