"""Chang and Roberts: the nodes of a ring elect the one with the lowest identity.

A node that begins sends its identity round. A node passes on what is lower than its own, and gives up; what
is higher it drops. Who gets its own back has won.

Source: E. Chang, R. Roberts, An improved algorithm for decentralized extrema-finding in circular
configurations of processes, CACM 22 (1979); TLA+ Examples, chang_roberts.
"""

import workbench.model.formal as wb

__all__ = ["ChangRoberts"]


def ChangRoberts(identities: tuple[int, ...] = (0, 1, 2)) -> type[wb.Model]:
    """Return the election among nodes with identities of their own, in the order of the ring.

    Any of them may begin.

    Its invariant: who has won began, all others know that they lost, and none that began has a lower identity
    (`the_winner_is_the_lowest`).
    """
    n = len(identities)
    nodes = range(n)
    values = range(min(identities), max(identities) + 1)

    class ChangRoberts(wb.Model):
        """Who begins, who has begun, what each node thinks of itself, and the identities on the way to it."""

        initiator = wb.Array(n, wb.Bool())
        begun = wb.Array(n, wb.Bool())
        role = wb.Array(n, wb.Enum("candidate", "lost", "won"))
        inbox = wb.Array(n, wb.Set(values))

        def init(s):
            for bits in range(2**n):
                s.initiator = [bool(bits >> i & 1) for i in nodes]
                s.role = ["candidate" if bits >> i & 1 else "lost" for i in nodes]
                yield

        @wb.action(i=nodes, fair="weak")
        def begin(s, i):
            wb.require(not s.begun[i])
            s.begun[i] = True
            if s.initiator[i]:
                s.inbox[(i + 1) % n].add(identities[i])

        @wb.action(i=nodes, identity=sorted(identities), fair="weak")
        def receive(s, i, identity):
            wb.require(s.begun[i])
            wb.require(identity in s.inbox[i])
            s.inbox[i].discard(identity)
            if s.role[i] == "lost" or identity < identities[i]:
                s.inbox[(i + 1) % n].add(identity)
                s.role[i] = "lost"
            elif identity == identities[i]:
                s.role[i] = "won"

        @wb.terminal
        def all_is_quiet(s):
            return all(s.begun) and all(len(inbox) == 0 for inbox in s.inbox)

        @wb.predicate
        def somebody_is_candidate(s):
            return "candidate" in s.role

        @wb.predicate
        def somebody_has_won(s):
            return "won" in s.role

        @wb.invariant
        def the_winner_is_the_lowest(s):
            return all(s.role[i] != "won" or s.is_rightly_elected(i) for i in nodes)

        def is_rightly_elected(s, i):
            """Tell whether node `i` began, and the others have lost and are no better."""
            return s.initiator[i] and all(
                i == j or (s.role[j] == "lost" and (not s.initiator[j] or identities[j] > identities[i]))
                for j in nodes
            )

    return ChangRoberts
