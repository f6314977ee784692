"""Paxos Commit: transaction commit that does not block, by one instance of Paxos for each resource manager.

Each resource manager proposes "prepared" or "aborted" for itself in ballot 0. If it is not heard of, a leader
starts a higher ballot for its instance and proposes "aborted", unless an acceptor has accepted something
before. The transaction commits when every instance has chosen "prepared".

Source: J. Gray, L. Lamport, Consensus on Transaction Commit, ACM TODS 31 (2006), section 4; TLA+ Examples,
transaction_commit/PaxosCommit.
"""

from itertools import combinations

import workbench.model.formal as wb

__all__ = ["PaxosCommit"]


def PaxosCommit(rm: int = 2, acceptors: int = 3, ballots: int = 2) -> type[wb.Model]:
    """Return Paxos Commit for so many resource managers, acceptors and ballots.

    Its invariant: no two resource managers decide differently (`consistent`).
    """
    managers, everybody, later_ballots = range(rm), range(acceptors), range(1, ballots)
    quorums = tuple(combinations(everybody, acceptors // 2 + 1))
    values = ("prepared", "aborted")
    Vote = wb.Record(ballot=wb.Maybe(range(ballots)), value=wb.Maybe(values))
    Promise = wb.Record(sent=bool, ballot=wb.Maybe(range(ballots)), value=wb.Maybe(values))

    class PaxosCommit(wb.Model):
        """Resource managers; for each an instance of Paxos: the acceptors' memory, and messages by ballot."""

        rms = wb.Array(rm, wb.Enum("working", "prepared", "committed", "aborted"))
        promised = wb.Array(rm, wb.Array(acceptors, wb.Int(0, ballots - 1)))
        vote = wb.Array(rm, wb.Array(acceptors, Vote))
        prepares = wb.Array(rm, wb.Set(range(ballots)))
        promises = wb.Array(rm, wb.Array(ballots, wb.Array(acceptors, Promise)))
        proposals = wb.Array(rm, wb.Array(ballots, wb.Set(values)))
        votes = wb.Array(rm, wb.Array(ballots, wb.Array(acceptors, wb.Set(values))))
        commit_sent = wb.Bool()
        abort_sent = wb.Bool()

        @wb.action(r=managers)
        def rm_prepare(s, r):
            wb.require(s.rms[r] == "working")
            s.rms[r] = "prepared"
            s.proposals[r][0].add("prepared")

        @wb.action(r=managers)
        def rm_choose_to_abort(s, r):
            wb.require(s.rms[r] == "working")
            s.rms[r] = "aborted"
            s.proposals[r][0].add("aborted")

        @wb.action(r=managers)
        def rm_receive_commit(s, r):
            wb.require(s.commit_sent)
            s.rms[r] = "committed"

        @wb.action(r=managers)
        def rm_receive_abort(s, r):
            wb.require(s.abort_sent)
            s.rms[r] = "aborted"

        @wb.action(r=managers, b=later_ballots)
        def prepare(s, r, b):
            s.prepares[r].add(b)

        @wb.action(r=managers, a=everybody, b=later_ballots)
        def promise(s, r, a, b):
            wb.require(b in s.prepares[r])
            wb.require(s.promised[r][a] < b)
            s.promised[r][a] = b
            s.promises[r][b][a] = Promise(sent=True, ballot=s.vote[r][a].ballot, value=s.vote[r][a].value)

        @wb.action(r=managers, b=later_ballots, quorum=quorums)
        def propose_abort(s, r, b, quorum):
            wb.require(len(s.proposals[r][b]) == 0)
            wb.require(all(s.promises[r][b][a].sent for a in quorum))
            wb.require(all(s.promises[r][b][a].ballot is None for a in quorum))
            s.proposals[r][b].add("aborted")

        @wb.action(r=managers, b=later_ballots, quorum=quorums)
        def propose_latest(s, r, b, quorum):
            wb.require(len(s.proposals[r][b]) == 0)
            wb.require(all(s.promises[r][b][a].sent for a in quorum))
            latest = max(
                (0 if s.promises[r][b][a].ballot is None else s.promises[r][b][a].ballot + 1) for a in quorum
            )
            wb.require(latest > 0)
            for a in quorum:
                if s.promises[r][b][a].ballot == latest - 1:
                    s.proposals[r][b].add(s.promises[r][b][a].value)

        @wb.action(r=managers, a=everybody, b=range(ballots), value=values)
        def accept(s, r, a, b, value):
            wb.require(value in s.proposals[r][b])
            wb.require(s.promised[r][a] <= b)
            s.promised[r][a] = b
            s.vote[r][a].ballot = b
            s.vote[r][a].value = value
            s.votes[r][b][a].add(value)

        @wb.action
        def decide_to_commit(s):
            wb.require(all(s.has_chosen(r, "prepared") for r in managers))
            s.commit_sent = True

        @wb.action
        def decide_to_abort(s):
            wb.require(any(s.has_chosen(r, "aborted") for r in managers))
            s.abort_sent = True

        def has_chosen(s, r, value):
            """Tell whether a majority has accepted a value for a resource manager in one ballot."""
            return any(
                2 * sum(1 for a in everybody if value in s.votes[r][b][a]) > acceptors for b in range(ballots)
            )

        @wb.invariant
        def consistent(s):
            return not ("committed" in s.rms and "aborted" in s.rms)

        @wb.predicate
        def decided(s):
            return all(x == "committed" or x == "aborted" for x in s.rms)

        @wb.predicate
        def all_committed(s):
            return all(x == "committed" for x in s.rms)

    return PaxosCommit
