"""Dining philosophers: everybody needs two forks, and shares each with a neighbour.

`DiningPhilosophers` take the left fork first, all of them, and may starve together: when each holds its left
fork, nothing can happen any more. Two ways out are the other variants: let one philosopher begin on the other
side, so that forks are taken in one order (`OrderedPhilosophers`), or let a waiter keep one seat free
(`SeatedPhilosophers`). A third, in which forks are asked for and handed over, is `chandy_misra`.

Source: E. W. Dijkstra, Hierarchical ordering of sequential processes, Acta Informatica 1 (1971).
"""

import workbench.model.formal as wb

__all__ = ["DiningPhilosophers", "OrderedPhilosophers", "SeatedPhilosophers"]

PHASES = ("thinks", "holds left", "eats", "has put left down")


def DiningPhilosophers(n: int = 5) -> type[wb.Model]:
    """Return `n` philosophers of four phases: think, hold the left fork, eat, have put the left fork down.

    Philosopher `i` has fork `i` on the left and fork `i + 1` on the right. Neighbours never eat together
    (`neighbours_do_not_eat_together`), and there is one deadlock: everybody holds the left fork.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> verdict = wb.check(wb.library.DiningPhilosophers(3), engine="python")
    >>> verdict.distinct == 3**3 - 1, verdict.property
    (True, 'deadlock')
    """

    class DiningPhilosophers(wb.Model):
        """Who holds a fork follows from the phases: no fork needs a field of its own."""

        phase = wb.Array(n, wb.Enum(*PHASES))

        @wb.action(i=range(n), fair="weak")
        def take_left(s, i):
            before = (i + n - 1) % n
            wb.require(s.phase[i] == "thinks")
            wb.require(s.phase[before] == "thinks" or s.phase[before] == "holds left")
            s.phase[i] = "holds left"

        @wb.action(i=range(n), fair="weak")
        def take_right(s, i):
            after = (i + 1) % n
            wb.require(s.phase[i] == "holds left")
            wb.require(s.phase[after] == "thinks" or s.phase[after] == "has put left down")
            s.phase[i] = "eats"

        @wb.action(i=range(n), fair="weak")
        def put_left_down(s, i):
            wb.require(s.phase[i] == "eats")
            s.phase[i] = "has put left down"

        @wb.action(i=range(n), fair="weak")
        def put_right_down(s, i):
            wb.require(s.phase[i] == "has put left down")
            s.phase[i] = "thinks"

        @wb.invariant
        def neighbours_do_not_eat_together(s):
            return not any(s.phase[i] == "eats" and s.phase[(i + 1) % n] == "eats" for i in range(n))

        @wb.predicate
        def first_is_hungry(s):
            return s.phase[0] == "holds left"

        @wb.predicate
        def first_eats(s):
            return s.phase[0] == "eats"

        @wb.predicate
        def somebody_eats(s):
            return any(phase == "eats" for phase in s.phase)

    return DiningPhilosophers


def OrderedPhilosophers(n: int = 5) -> type[wb.Model]:
    """Return `n` philosophers who take the lower of their two forks first.

    Only the last one differs from its neighbours: its right fork is fork 0. A circle of philosophers who wait
    for each other would need a fork with a number below itself, so there is no deadlock.
    """

    class OrderedPhilosophers(wb.Model):
        """Each fork has a field: who holds it."""

        holder = wb.Array(n, wb.Maybe(range(n)))
        eats = wb.Array(n, wb.Bool())

        @wb.action(i=range(n), fair="strong")
        def take_first(s, i):
            lower, upper = min(i, (i + 1) % n), max(i, (i + 1) % n)
            wb.require(s.holder[lower] is None)
            wb.require(s.holder[upper] != i)
            s.holder[lower] = i

        @wb.action(i=range(n), fair="strong")
        def take_second(s, i):
            lower, upper = min(i, (i + 1) % n), max(i, (i + 1) % n)
            wb.require(s.holder[lower] == i)
            wb.require(s.holder[upper] is None)
            wb.require(not s.eats[i])
            s.holder[upper] = i
            s.eats[i] = True

        @wb.action(i=range(n), fair="weak")
        def put_both_down(s, i):
            wb.require(s.eats[i])
            s.eats[i] = False
            s.holder[i] = None
            s.holder[(i + 1) % n] = None

        @wb.invariant
        def neighbours_do_not_eat_together(s):
            return not any(s.eats[i] and s.eats[(i + 1) % n] for i in range(n))

        @wb.predicate
        def first_eats(s):
            return s.eats[0]

    return OrderedPhilosophers


def SeatedPhilosophers(n: int = 5) -> type[wb.Model]:
    """Return `n` philosophers of whom a waiter lets at most `n - 1` sit down; only who sits takes forks.

    Then somebody at the table has a free seat beside it, gets both forks, and no deadlock remains.
    """

    class SeatedPhilosophers(wb.Model):
        """The four phases of `DiningPhilosophers`, and before them a seat."""

        phase = wb.Array(n, wb.Enum("away", *PHASES))

        @wb.action(i=range(n), fair="strong")
        def sit_down(s, i):
            wb.require(s.phase[i] == "away")
            wb.require(sum(1 for phase in s.phase if phase != "away") < n - 1)
            s.phase[i] = "thinks"

        @wb.action(i=range(n), fair="strong")
        def take_left(s, i):
            before = s.phase[(i + n - 1) % n]
            wb.require(s.phase[i] == "thinks")
            wb.require(before != "eats" and before != "has put left down")
            s.phase[i] = "holds left"

        @wb.action(i=range(n), fair="strong")
        def take_right(s, i):
            after = s.phase[(i + 1) % n]
            wb.require(s.phase[i] == "holds left")
            wb.require(after != "holds left" and after != "eats")
            s.phase[i] = "eats"

        @wb.action(i=range(n), fair="weak")
        def put_left_down(s, i):
            wb.require(s.phase[i] == "eats")
            s.phase[i] = "has put left down"

        @wb.action(i=range(n), fair="weak")
        def put_right_down(s, i):
            wb.require(s.phase[i] == "has put left down")
            s.phase[i] = "away"

        @wb.invariant
        def neighbours_do_not_eat_together(s):
            return not any(s.phase[i] == "eats" and s.phase[(i + 1) % n] == "eats" for i in range(n))

        @wb.predicate
        def first_eats(s):
            return s.phase[0] == "eats"

    return SeatedPhilosophers
