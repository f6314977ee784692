"""EWD 998: termination detection on a ring when messages take time.

As in `EWD840` a token goes round; besides a colour it carries a sum. Each node counts messages sent less
messages received, and the token adds up the counts: nothing is on the way when they sum to zero. A node that
received a message is black, for its count may be part of the sum already.

Source: E. W. Dijkstra, Shmuel Safra's version of termination detection, EWD 998 (1987); TLA+ Examples,
ewd998.
"""

import workbench.model.formal as wb

__all__ = ["EWD998"]


def EWD998(n: int = 3, most: int = 3) -> type[wb.Model]:
    """Return the algorithm on a ring of `n` nodes, begun with any nodes active and of any colours.

    No count and no number of messages to one node is above `most`, and no sum of the token above `3 * most`.

    Its invariants: who says that all is ended is right (`detection_is_right`); counts sum to the messages on
    the way (`counts_are_right`); and Safra's own (`safra`), from which the first follows.
    """
    nodes = range(n)
    farthest = n * (most + 1)

    class EWD998(wb.Model):
        """The nodes' activity, colours and counts, the messages on the way to each, and the token."""

        active = wb.Array(n, wb.Bool())
        black = wb.Array(n, wb.Bool())
        count = wb.Array(n, wb.Int(-farthest, most + 1))
        pending = wb.Array(n, wb.Int(0, most + 1))
        token_at = wb.Int(0, n - 1)
        token_sum = wb.Int(-n * farthest, 3 * most + most + 1)
        token_is_black = wb.Bool()

        def init(s):
            s.count = [0 for _ in nodes]
            s.token_sum = 0
            s.token_is_black = True
            for s.token_at in nodes:
                for bits in range(2 ** (2 * n)):
                    s.active = [bool(bits >> i & 1) for i in nodes]
                    s.black = [bool(bits >> n + i & 1) for i in nodes]
                    yield

        @wb.constraint
        def few_messages(s):
            return (
                all(s.count[i] <= most for i in nodes)
                and all(s.pending[i] <= most for i in nodes)
                and s.token_sum <= 3 * most
            )

        @wb.action(because=("token is black", "node is black", "messages are on the way"), fair="weak")
        def start_round(s, because):
            wb.require(s.token_at == 0)
            wb.require(because != "token is black" or s.token_is_black)
            wb.require(because != "node is black" or s.black[0])
            wb.require(because != "messages are on the way" or s.count[0] + s.token_sum > 0)
            s.token_at = n - 1
            s.token_sum = 0
            s.token_is_black = False
            s.black[0] = False

        @wb.action(i=range(1, n), fair="weak")
        def pass_token(s, i):
            wb.require(s.token_at == i)
            wb.require(not s.active[i])
            s.token_at = i - 1
            s.token_sum += s.count[i]
            s.token_is_black = s.token_is_black or s.black[i]
            s.black[i] = False

        @wb.action(i=nodes, j=nodes)
        def send(s, i, j):
            wb.require(s.active[i])
            wb.require(i != j)
            s.count[i] += 1
            s.pending[j] += 1

        @wb.action(i=nodes)
        def receive(s, i):
            wb.require(s.pending[i] > 0)
            s.pending[i] -= 1
            s.count[i] -= 1
            s.black[i] = True
            s.active[i] = True

        @wb.action(i=nodes)
        def become_idle(s, i):
            wb.require(s.active[i])
            s.active[i] = False

        @wb.terminal
        def detected(s):
            return (
                s.token_at == 0
                and not s.token_is_black
                and not s.black[0]
                and not s.active[0]
                and s.token_sum + s.count[0] == 0
            )

        @wb.predicate
        def terminated(s):
            return not any(s.active) and sum(s.pending) == 0

        @wb.invariant
        def detection_is_right(s):
            return not s.detected() or s.terminated()

        @wb.invariant
        def counts_are_right(s):
            return sum(s.pending) == sum(s.count)

        @wb.invariant
        def safra(s):
            passed_are_idle = not any(s.active[i] for i in nodes if i > s.token_at)
            passed_are_summed = s.token_sum == sum(s.count[i] for i in nodes if i > s.token_at)
            before = sum(s.count[i] for i in nodes if i <= s.token_at)
            somebody_before_is_black = any(s.black[i] for i in nodes if i <= s.token_at)
            return (
                (passed_are_idle and passed_are_summed)
                or before + s.token_sum > 0
                or somebody_before_is_black
                or s.token_is_black
            )

    return EWD998
