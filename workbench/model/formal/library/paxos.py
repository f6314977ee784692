"""Paxos: acceptors choose one value, though any message may be lost and any leader may stop.

::

    leader of ballot b      prepare(b) ──▶           propose(b, v) ──▶
    acceptor a                          promise(a, b) ──▶          accept(a, b, v)

A leader may propose freely when a quorum has promised and none of it has accepted anything; otherwise it must
propose what the latest acceptance of that quorum was for. A value is chosen when a quorum has accepted it in
one ballot. A message that was sent stays: loss is that nobody reads it.

Source: L. Lamport, Paxos made simple, SIGACT News 32 (2001); TLA+ Examples, PaxosHowToWinATuringAward.
"""

from itertools import combinations

import workbench.model.formal as wb

__all__ = ["Paxos"]


def Paxos(acceptors: int = 3, values: int = 2, ballots: int = 2) -> type[wb.Model]:
    """Return single-decree Paxos for so many acceptors, values and ballots.

    Quorums are the smallest majorities. Its invariant: no two values are chosen (`agreement`).
    """
    everybody, all_values, all_ballots = range(acceptors), range(values), range(ballots)
    quorums = tuple(combinations(everybody, acceptors // 2 + 1))
    Promise = wb.Record(sent=bool, ballot=wb.Maybe(all_ballots), value=wb.Maybe(all_values))

    class Paxos(wb.Model):
        """What the acceptors remember, and the messages by ballot: who sent which."""

        promised = wb.Array(acceptors, wb.Maybe(all_ballots))  # the highest ballot that each takes part in
        voted_in = wb.Array(acceptors, wb.Maybe(all_ballots))  # the ballot of each one's latest vote,
        voted_for = wb.Array(acceptors, wb.Maybe(all_values))  # and its value
        prepares = wb.Set(all_ballots)
        promises = wb.Array(ballots, wb.Array(acceptors, Promise))
        proposals = wb.Array(ballots, wb.Set(all_values))
        votes = wb.Array(ballots, wb.Array(acceptors, wb.Set(all_values)))

        @wb.action(b=all_ballots)
        def prepare(s, b):
            s.prepares.add(b)

        @wb.action(a=everybody, b=all_ballots)
        def promise(s, a, b):
            wb.require(b in s.prepares)
            wb.require(s.promised[a] is None or s.promised[a] < b)
            s.promised[a] = b
            s.promises[b][a] = Promise(sent=True, ballot=s.voted_in[a], value=s.voted_for[a])

        @wb.action(b=all_ballots, v=all_values, quorum=quorums)
        def propose_freely(s, b, v, quorum):
            wb.require(len(s.proposals[b]) == 0)
            wb.require(all(s.promises[b][a].sent and s.promises[b][a].ballot is None for a in quorum))
            s.proposals[b].add(v)

        @wb.action(b=all_ballots, latest=everybody, quorum=quorums)
        def propose_latest(s, b, latest, quorum):
            wb.require(latest in quorum)
            wb.require(len(s.proposals[b]) == 0)
            wb.require(all(s.promises[b][a].sent for a in quorum))
            wb.require(s.promises[b][latest].ballot is not None)
            wb.require(all(s.is_latest(b, a, latest) for a in quorum))
            s.proposals[b].add(s.promises[b][latest].value)

        def is_latest(s, b, a, latest):
            """Tell whether acceptor `a` told ballot `b` of no later vote than `latest` did."""
            ballot = s.promises[b][a].ballot
            return ballot is None or ballot <= s.promises[b][latest].ballot

        @wb.action(a=everybody, b=all_ballots, v=all_values)
        def accept(s, a, b, v):
            wb.require(v in s.proposals[b])
            wb.require(s.promised[a] is None or s.promised[a] <= b)
            s.promised[a] = b
            s.voted_in[a] = b
            s.voted_for[a] = v
            s.votes[b][a].add(v)

        @wb.predicate
        def decided(s):
            return any(s.is_chosen(v) for v in all_values)

        def is_chosen(s, v):
            """Tell whether a majority has accepted a value in one ballot."""
            return any(2 * sum(1 for a in everybody if v in s.votes[b][a]) > acceptors for b in all_ballots)

        @wb.invariant
        def agreement(s):
            return sum(1 for v in all_values if s.is_chosen(v)) <= 1

    return Paxos
