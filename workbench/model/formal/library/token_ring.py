"""EWD 426: a ring that finds back to one token by itself, whatever state it is in.

Node 0 has the token if its number is that of the last node; any other node if its number is not that of its
predecessor. Who has the token may pass it on: node 0 by adding one, the others by taking over their
predecessor's number. There may be several at first. They become one.

Source: E. W. Dijkstra, Self-stabilizing systems in spite of distributed control, CACM 17 (1974), EWD 426;
TLA+ Examples, ewd426/TokenRing.
"""

import workbench.model.formal as wb

__all__ = ["TokenRing"]


def TokenRing(n: int = 4, numbers: int = 4) -> type[wb.Model]:
    """Return a ring of `n` nodes whose numbers are taken modulo `numbers`, begun in every state.

    There is always a token (`somebody_has_a_token`), and never more than before (`no_token_is_made`). That
    they become one needs `numbers` to be at least `n - 1`.
    """
    nodes = range(n)

    class TokenRing(wb.Model):
        """A number for each node."""

        number = wb.Array(n, wb.Int(0, numbers - 1))

        def init(s):
            for board in range(numbers**n):
                s.number = [board // numbers**i % numbers for i in nodes]
                yield

        @wb.action(fair="weak")
        def pass_from_first(s):
            wb.require(s.number[0] == s.number[n - 1])
            s.number[0] = (s.number[0] + 1) % numbers

        @wb.action(i=range(1, n), fair="weak")
        def pass_on(s, i):
            wb.require(s.number[i] != s.number[i - 1])
            s.number[i] = s.number[i - 1]

        def tokens(s):
            """Return how many nodes have a token."""
            of_others = sum(1 for i in range(1, n) if s.number[i] != s.number[i - 1])
            return of_others + (1 if s.number[0] == s.number[n - 1] else 0)

        @wb.invariant
        def somebody_has_a_token(s):
            return s.tokens() >= 1

        @wb.action_property
        def no_token_is_made(s, after):
            return after.tokens() <= s.tokens()

        @wb.predicate
        def one_token(s):
            return s.tokens() == 1

    return TokenRing
