"""Raft's election: at most one leader a term, though servers stop and start again.

A server that hears nothing becomes a candidate in the next term and votes for itself. A server votes once a
term, for who asks first, and remembers that on disk. Who gets the votes of a majority leads. Who sees a
higher term follows it. Logs are left out: they decide who may be elected, not how many.

Source: D. Ongaro, J. Ousterhout, In search of an understandable consensus algorithm, USENIX ATC 2014,
sections 5.1 and 5.2.
"""

import workbench.model.formal as wb

__all__ = ["RaftElection"]


def RaftElection(servers: int = 3, terms: int = 2) -> type[wb.Model]:
    """Return the election among a number of servers, in the terms 1 to `terms`.

    Its invariant: no term has had two leaders (`one_leader_a_term`). Requests and votes that were sent stay,
    so that they may arrive late or never; `leaders` remembers who was elected.
    """
    everybody, all_terms = range(servers), range(1, terms + 1)

    class RaftElection(wb.Model):
        """What each server knows, and what was sent in each term."""

        role = wb.Array(servers, wb.Enum("follower", "candidate", "leader"))
        term = wb.Array(servers, wb.Int(0, terms))
        voted_for = wb.Array(servers, wb.Maybe(everybody))
        asked = wb.Array(terms + 1, wb.Set(everybody))  # who asks for votes in a term
        votes = wb.Array(terms + 1, wb.Array(servers, wb.Set(everybody)))  # of a term and a candidate
        leaders = wb.Array(terms + 1, wb.Set(everybody))

        @wb.action(i=everybody, fair="weak")
        def time_out(s, i):
            wb.require(s.role[i] != "leader")
            wb.require(s.term[i] < terms)
            s.term[i] += 1
            s.role[i] = "candidate"
            s.voted_for[i] = i
            s.asked[s.term[i]].add(i)
            s.votes[s.term[i]][i].add(i)

        @wb.action(i=everybody, t=all_terms, fair="weak")
        def see_higher_term(s, i, t):
            wb.require(len(s.asked[t]) > 0)
            wb.require(s.term[i] < t)
            s.term[i] = t
            s.role[i] = "follower"
            s.voted_for[i] = None

        @wb.action(i=everybody, candidate=everybody, fair="weak")
        def vote(s, i, candidate):
            wb.require(candidate in s.asked[s.term[i]])
            wb.require(s.voted_for[i] is None)
            s.voted_for[i] = candidate
            s.votes[s.term[i]][candidate].add(i)

        @wb.action(i=everybody, fair="weak")
        def win(s, i):
            wb.require(s.role[i] == "candidate")
            wb.require(2 * len(s.votes[s.term[i]][i]) > servers)
            s.role[i] = "leader"
            s.leaders[s.term[i]].add(i)

        @wb.action(i=everybody)
        def restart(s, i):
            wb.require(s.role[i] != "follower")
            s.role[i] = "follower"

        @wb.terminal
        def terms_are_used_up(s):
            return all(s.term[i] == terms for i in everybody)

        @wb.invariant
        def one_leader_a_term(s):
            return all(len(s.leaders[t]) <= 1 for t in all_terms)

        @wb.predicate
        def somebody_leads(s):
            return "leader" in s.role

    return RaftElection
