"""Chandy and Misra's philosophers: forks are clean or dirty, and dirty ones are handed over.

A fork that was eaten with is dirty. Who holds a dirty fork cleans it and gives it to the neighbour; a clean
one is kept until its holder has eaten. So nobody eats twice before a hungry neighbour has eaten once, and
nobody starves.

Source: K. M. Chandy, J. Misra, The drinking philosophers problem, ACM TOPLAS 6 (1984); TLA+ Examples,
DiningPhilosophers, whose steps these are.
"""

import workbench.model.formal as wb

__all__ = ["ChandyMisra"]


def ChandyMisra(n: int = 5) -> type[wb.Model]:
    """Return `n` philosophers; philosopher `i` has fork `i` on the left and fork `i + 1` on the right.

    Its invariants: neighbours never eat together (`neighbours_do_not_eat_together`), and who eats holds both
    forks, clean (`eating_needs_clean_forks`). At first each fork is dirty and with the lower of its two
    philosophers.
    """
    seats = range(n)

    class ChandyMisra(wb.Model):
        """Where each philosopher is in its loop, whether it is hungry, and each fork's holder and state."""

        at = wb.Array(n, wb.Enum("loop", "eat", "think"))
        hungry = wb.Array(n, wb.Bool())
        holder = wb.Array(n, wb.Int(0, n - 1))
        clean = wb.Array(n, wb.Bool())

        def init(s):
            s.hungry = [True for _ in seats]
            s.holder = [0 if fork == 1 else fork for fork in seats]

        @wb.action(i=seats, fair="weak")
        def loop(s, i):
            left, right = i, (i + 1) % n
            wb.require(s.at[i] == "loop")
            if s.holder[left] == i and not s.clean[left]:
                s.holder[left] = (i + n - 1) % n
                s.clean[left] = True
            elif s.holder[right] == i and not s.clean[right]:
                s.holder[right] = (i + 1) % n
                s.clean[right] = True
            if not s.hungry[i]:
                s.at[i] = "think"
            elif s.may_eat(i):
                s.at[i] = "eat"

        @wb.action(i=seats, fair="weak")
        def eat(s, i):
            wb.require(s.at[i] == "eat")
            s.hungry[i] = False
            s.clean[i] = False
            s.clean[(i + 1) % n] = False
            s.at[i] = "loop"

        @wb.action(i=seats, fair="weak")
        def think(s, i):
            wb.require(s.at[i] == "think")
            s.hungry[i] = True
            s.at[i] = "loop"

        def may_eat(s, i):
            """Tell whether a philosopher holds both its forks, and both are clean."""
            right = (i + 1) % n
            return s.holder[i] == i and s.holder[right] == i and s.clean[i] and s.clean[right]

        @wb.invariant
        def neighbours_do_not_eat_together(s):
            return not any(s.at[i] == "eat" and s.at[(i + 1) % n] == "eat" for i in seats)

        @wb.invariant
        def eating_needs_clean_forks(s):
            return all(s.at[i] != "eat" or s.may_eat(i) for i in seats)

        @wb.predicate
        def first_is_sated(s):
            return not s.hungry[0]

    return ChandyMisra
