"""Small models that several tests check; each shows one thing of the language."""

import workbench.model.formal as wb


class Jugs(wb.Model):
    """Die Hard: three and five gallons, four are wanted."""

    big = wb.Int(0, 5)
    small = wb.Int(0, 3)

    def init(s):
        s.big, s.small = 0, 0

    @wb.action
    def fill_big(s):
        s.big = 5

    @wb.action
    def fill_small(s):
        s.small = 3

    @wb.action(k=range(2))
    def empty(s, k):
        if k:
            s.small = 0
        else:
            s.big = 0

    @wb.action
    def small_to_big(s):
        n = min(s.small, 5 - s.big)
        s.big += n
        s.small -= n

    @wb.action
    def big_to_small(s):
        n = min(s.big, 3 - s.small)
        s.big -= n
        s.small += n

    @wb.invariant
    def unsolved(s):
        return s.big != 4


def Tokens(places=3):
    """Return tokens that move round a ring; the last place swallows them."""

    class Tokens(wb.Model):
        at = wb.Array(places, wb.Int(0, 2))

        def init(s):
            s.at[0] = 2

        @wb.action(i=range(places - 1))
        def move(s, i):
            wb.require(s.at[i] > 0)
            wb.require(s.at[i + 1] < 2)
            s.at[i] -= 1
            s.at[i + 1] += 1

        @wb.terminal
        def all_swallowed(s):
            return s.at[places - 1] == 2

        @wb.invariant
        def none_is_lost(s):
            return sum(s.at) == 2

        @wb.action_property
        def the_last_only_grows(before, after):
            return after.at[places - 1] >= before.at[places - 1]

    return Tokens


class Stuck(wb.Model):
    """Counts to three, and can do nothing more."""

    n = wb.Int(0, 3)

    @wb.action
    def up(s):
        wb.require(s.n < 3)
        s.n += 1


class Asserting(wb.Model):
    """Says of itself that it never gets to two."""

    n = wb.Int(0, 3)

    @wb.action
    def up(s):
        wb.require(s.n < 3)
        s.n += 1
        assert s.n != 2, "two is too many"

    @wb.terminal
    def anywhere(s):
        return True


class Overflowing(wb.Model):
    """Leaves its domain in the third step."""

    n = wb.Int(0, 2)

    @wb.action
    def up(s):
        s.n += 1


class Bounded(wb.Model):
    """Counts without an end, but for a constraint; what lies just beyond it is still judged."""

    n = wb.Int(0, 1_000_000)

    @wb.action
    def up(s):
        s.n += 1

    @wb.constraint
    def small(s):
        return s.n < 10

    @wb.invariant
    def below_ten(s):
        return s.n < 10


def Cube(n):
    """Return three counters: n^3 states, 3 n^2 (n - 1) steps, 3 (n - 1) + 1 levels."""

    class Cube(wb.Model):
        at = wb.Array(3, wb.Int(0, n - 1))

        @wb.action(i=range(3))
        def up(s, i):
            wb.require(s.at[i] < n - 1)
            s.at[i] += 1

        @wb.terminal
        def at_the_end(s):
            return all(x == n - 1 for x in s.at)

    return Cube
