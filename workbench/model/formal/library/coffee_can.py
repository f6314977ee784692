"""The coffee can: take out two beans, put one back, until one is left.

Of two beans of one colour, both are thrown away and a black one is put in; of two colours, the white one goes
back. Which colour has the last?

Source: D. Gries, The Science of Programming (1981), page 165, after E. W. Dijkstra and C. S. Scholten; TLA+
Examples, CoffeeCan.
"""

import workbench.model.formal as wb

__all__ = ["CoffeeCan"]


def CoffeeCan(beans: int = 10) -> type[wb.Model]:
    """Return the game for every can of 1 to `beans` beans.

    Each step but the last takes one bean away (`fewer_beans`) and keeps the white beans even or odd
    (`parity_of_white`): so the last bean is white exactly if there was an odd number of white ones.
    """

    class CoffeeCan(wb.Model):
        """Black and white beans, counted."""

        black = wb.Int(0, beans)
        white = wb.Int(0, beans)

        def init(s):
            for black in range(beans + 1):
                for white in range(beans + 1 - black):
                    if black + white > 0:
                        s.black, s.white = black, white
                        yield

        @wb.action(fair="weak")
        def pick_two_black(s):
            wb.require(s.black >= 2)
            s.black -= 1

        @wb.action(fair="weak")
        def pick_two_white(s):
            wb.require(s.white >= 2)
            s.white -= 2
            s.black += 1

        @wb.action(fair="weak")
        def pick_one_of_each(s):
            wb.require(s.black >= 1 and s.white >= 1)
            s.black -= 1

        @wb.action
        def rest(s):
            wb.require(s.black + s.white == 1)

        @wb.action_property
        def fewer_beans(s, after):
            return s.black + s.white == 1 or after.black + after.white == s.black + s.white - 1

        @wb.action_property
        def parity_of_white(s, after):
            return s.white % 2 == after.white % 2

        @wb.invariant
        def never_empty(s):
            return s.black + s.white >= 1

        @wb.predicate
        def one_is_left(s):
            return s.black + s.white == 1

        @wb.predicate
        def white_is_odd(s):
            return s.white % 2 == 1

        @wb.predicate
        def one_white_is_left(s):
            return s.black == 0 and s.white == 1

    return CoffeeCan
