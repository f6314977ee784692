"""EWD 840: a node of a ring learns that all work has ended, by a token that goes round.

An active node may wake others by messages, which arrive at once. Node 0 sends a white token down the ring; a
node that woke somebody the token has passed already is black, and stains it. If the token comes back white to
a white and idle node 0, nobody is active.

Source: E. W. Dijkstra, W. H. J. Feijen, A. J. M. van Gasteren, Derivation of a termination detection
algorithm for distributed computations, EWD 840 (1983); TLA+ Examples, ewd840.
"""

import workbench.model.formal as wb

__all__ = ["EWD840"]


def EWD840(n: int = 3) -> type[wb.Model]:
    """Return the algorithm on a ring of `n` nodes, begun in any state but for a black token.

    A step of the token names its reason, and there may be several for one: what is black already can be no
    proof, so an active node need not keep it.

    Its invariants: who says that all is ended is right (`detection_is_right`), and Dijkstra's own
    (`dijkstra`), from which that follows.
    """
    nodes = range(n)

    class EWD840(wb.Model):
        """The nodes' activity and colours, and the token's place and colour."""

        active = wb.Array(n, wb.Bool())
        black = wb.Array(n, wb.Bool())
        token_at = wb.Int(0, n - 1)
        token_is_black = wb.Bool()

        def init(s):
            s.token_is_black = True
            for s.token_at in nodes:
                for bits in range(2 ** (2 * n)):
                    s.active = [bool(bits >> i & 1) for i in nodes]
                    s.black = [bool(bits >> n + i & 1) for i in nodes]
                    yield

        @wb.action(because=("token is black", "node is black"), fair="weak")
        def start_round(s, because):
            wb.require(s.token_at == 0)
            wb.require(s.token_is_black if because == "token is black" else s.black[0])
            s.token_at = n - 1
            s.token_is_black = False
            s.black[0] = False

        @wb.action(i=range(1, n), because=("node is idle", "node is black", "token is black"), fair="weak")
        def pass_token(s, i, because):
            wb.require(s.token_at == i)
            wb.require(because != "node is idle" or not s.active[i])
            wb.require(because != "node is black" or s.black[i])
            wb.require(because != "token is black" or s.token_is_black)
            s.token_at = i - 1
            s.token_is_black = s.token_is_black or s.black[i]
            s.black[i] = False

        @wb.action(i=nodes, j=nodes)
        def wake(s, i, j):
            wb.require(s.active[i])
            wb.require(i != j)
            s.active[j] = True
            s.black[i] = s.black[i] or j > i

        @wb.action(i=nodes)
        def become_idle(s, i):
            wb.require(s.active[i])
            s.active[i] = False

        @wb.terminal
        def detected(s):
            return s.token_at == 0 and not s.token_is_black and not s.black[0] and not s.active[0]

        @wb.predicate
        def all_idle(s):
            return not any(s.active)

        @wb.invariant
        def detection_is_right(s):
            return not s.detected() or s.all_idle()

        @wb.invariant
        def dijkstra(s):
            passed_are_idle = not any(s.active[i] for i in nodes if i > s.token_at)
            somebody_before_is_black = any(s.black[i] for i in nodes if i <= s.token_at)
            return passed_are_idle or somebody_before_is_black or s.token_is_black

    return EWD840
