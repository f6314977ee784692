"""Transaction commit: what any commit protocol must do, without saying how.

Each resource manager prepares or aborts; it may commit once all are prepared or committed, and abort as long
as nobody has committed. `TwoPhaseCommit` and `PaxosCommit` are ways to do this by messages, and refine it.

Source: J. Gray, L. Lamport, Consensus on Transaction Commit, ACM TODS 31 (2006), section 2; TLA+ Examples,
transaction_commit/TCommit.
"""

import workbench.model.formal as wb

__all__ = ["TransactionCommit"]


def TransactionCommit(rm: int = 3) -> type[wb.Model]:
    """Return the problem of transaction commit for a number of resource managers.

    Its invariant: no two of them decide differently (`consistent`).
    """

    class TransactionCommit(wb.Model):
        """Resource managers that see each other's state."""

        rms = wb.Array(rm, wb.Enum("working", "prepared", "committed", "aborted"))

        @wb.action(r=range(rm))
        def prepare(s, r):
            wb.require(s.rms[r] == "working")
            s.rms[r] = "prepared"

        @wb.action(r=range(rm))
        def commit(s, r):
            wb.require(s.rms[r] == "prepared")
            wb.require(all(x == "prepared" or x == "committed" for x in s.rms))
            s.rms[r] = "committed"

        @wb.action(r=range(rm))
        def abort(s, r):
            wb.require(s.rms[r] == "working" or s.rms[r] == "prepared")
            wb.require("committed" not in s.rms)
            s.rms[r] = "aborted"

        @wb.terminal
        def decided(s):
            return all(x == "committed" or x == "aborted" for x in s.rms)

        @wb.invariant
        def consistent(s):
            return not ("committed" in s.rms and "aborted" in s.rms)

        @wb.predicate
        def all_committed(s):
            return all(x == "committed" for x in s.rms)

    return TransactionCommit
