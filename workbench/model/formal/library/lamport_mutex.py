"""Lamport's mutual exclusion by clocks: a queue of requests that everybody keeps for themselves.

A request carries its sender's clock; each receiver moves its own clock beyond it, notes the request and
acknowledges it. Who has all acknowledgements and the earliest request that it knows of (ties go to the lower
process) may enter. Channels between two processes keep the order.

Source: L. Lamport, Time, clocks and the ordering of events in a distributed system, CACM 21 (1978); TLA+
Examples, lamport_mutex.
"""

import workbench.model.formal as wb

__all__ = ["LamportMutex"]


def LamportMutex(n: int = 2, highest: int = 5) -> type[wb.Model]:
    """Return the algorithm for `n` processes, as far as no clock is above `highest`.

    Its invariants: one is in the critical section at most (`mutual_exclusion`), and no channel ever holds
    more than three messages (`channels_are_short`).
    """
    everybody = range(n)
    Message = wb.Record(kind=wb.Enum("request", "acknowledge", "release"), clock=wb.Int(0, highest))

    class LamportMutex(wb.Model):
        """Clocks, requests as each process knows them (0: none), acknowledgements, and channels."""

        clock = wb.Array(n, wb.Int(1, highest + 1))
        requested = wb.Array(n, wb.Array(n, wb.Int(0, highest)))
        acknowledged = wb.Array(n, wb.Set(everybody))
        channel = wb.Array(n, wb.Array(n, wb.Seq(Message, 4)))
        critical = wb.Set(everybody)

        @wb.constraint
        def clocks_are_low(s):
            return all(clock <= highest for clock in s.clock)

        @wb.action(p=everybody)
        def request(s, p):
            wb.require(s.requested[p][p] == 0)
            s.requested[p][p] = s.clock[p]
            s.acknowledged[p] = {p}
            for q in everybody:
                if q != p:
                    s.channel[p][q].append(Message(kind="request", clock=s.clock[p]))

        @wb.action(p=everybody, q=everybody, fair="weak")
        def receive_request(s, p, q):
            wb.require(len(s.channel[q][p]) > 0)
            wb.require(s.channel[q][p][0].kind == "request")
            clock = s.channel[q][p][0].clock
            s.requested[p][q] = clock
            s.clock[p] = max(clock, s.clock[p]) + 1
            s.channel[q][p].pop(0)
            s.channel[p][q].append(Message(kind="acknowledge", clock=0))

        @wb.action(p=everybody, q=everybody, fair="weak")
        def receive_acknowledgement(s, p, q):
            wb.require(len(s.channel[q][p]) > 0)
            wb.require(s.channel[q][p][0].kind == "acknowledge")
            s.acknowledged[p].add(q)
            s.channel[q][p].pop(0)

        @wb.action(p=everybody, q=everybody, fair="weak")
        def receive_release(s, p, q):
            wb.require(len(s.channel[q][p]) > 0)
            wb.require(s.channel[q][p][0].kind == "release")
            s.requested[p][q] = 0
            s.channel[q][p].pop(0)

        @wb.action(p=everybody, fair="weak")
        def enter(s, p):
            wb.require(len(s.acknowledged[p]) == n)
            wb.require(all(p == q or s.comes_first(p, q) for q in everybody))
            s.critical.add(p)

        @wb.action(p=everybody, fair="weak")
        def leave(s, p):
            wb.require(p in s.critical)
            s.critical.discard(p)
            s.requested[p][p] = 0
            s.acknowledged[p] = set()
            for q in everybody:
                if q != p:
                    s.channel[p][q].append(Message(kind="release", clock=0))

        def comes_first(s, p, q):
            """Tell whether process `p` takes its own request for earlier than that of `q`."""
            mine, other = s.requested[p][p], s.requested[p][q]
            return other == 0 or mine < other or (mine == other and p < q)

        @wb.invariant
        def mutual_exclusion(s):
            return len(s.critical) <= 1

        @wb.invariant
        def channels_are_short(s):
            return all(len(s.channel[p][q]) <= 3 for p in everybody for q in everybody)

        @wb.predicate
        def first_wants(s):
            return s.requested[0][0] != 0

        @wb.predicate
        def first_is_critical(s):
            return 0 in s.critical

    return LamportMutex
