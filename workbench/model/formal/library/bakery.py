"""The bakery lock: take a number higher than all you see, and wait for all who have a lower one.

While a process chooses it reads the others' numbers one by one, so two may choose the same: then the lower
process goes first. Who is just choosing is waited for.

Source: L. Lamport, A new solution of Dijkstra's concurrent programming problem, CACM 17 (1974); TLA+
Examples, Bakery-Boulangerie.
"""

import workbench.model.formal as wb

__all__ = ["Bakery"]


def Bakery(processes: int = 2, highest: int = 3) -> type[wb.Model]:
    """Return the lock for a number of processes, as far as no number is above `highest`.

    Without a bound, numbers grow for ever.

    Its invariant: no two are in the critical section together (`mutual_exclusion`).
    """
    everybody = range(processes)

    class Bakery(wb.Model):
        """One step reads or writes one number. `left` holds whom a process must still look at."""

        at = wb.Array(processes, wb.Enum("outside", "choosing", "has chosen", "waiting", "critical"))
        number = wb.Array(processes, wb.Int(0, highest + 1))
        choosing = wb.Array(processes, wb.Bool())
        seen = wb.Array(processes, wb.Int(0, highest + 1))
        left = wb.Array(processes, wb.Set(everybody))

        @wb.constraint
        def numbers_are_low(s):
            return all(number <= highest for number in s.number)

        @wb.action(p=everybody)
        def begin(s, p):
            wb.require(s.at[p] == "outside")
            s.choosing[p] = True
            s.left[p] = {q for q in everybody if q != p}
            s.at[p] = "choosing"

        @wb.action(p=everybody, q=everybody, fair="weak")
        def read_number(s, p, q):
            wb.require(s.at[p] == "choosing")
            wb.require(q in s.left[p])
            s.left[p].discard(q)
            s.seen[p] = max(s.seen[p], s.number[q])

        @wb.action(p=everybody, fair="weak")
        def take_number(s, p):
            wb.require(s.at[p] == "choosing")
            wb.require(len(s.left[p]) == 0)
            s.number[p] = s.seen[p] + 1
            s.seen[p] = 0
            s.at[p] = "has chosen"

        @wb.action(p=everybody, fair="weak")
        def end_choice(s, p):
            wb.require(s.at[p] == "has chosen")
            s.choosing[p] = False
            s.left[p] = {q for q in everybody if q != p}
            s.at[p] = "waiting"

        @wb.action(p=everybody, q=everybody, fair="weak")
        def pass_by(s, p, q):
            wb.require(s.at[p] == "waiting")
            wb.require(q in s.left[p])
            wb.require(not s.choosing[q])
            wb.require(s.goes_first(p, q))
            s.left[p].discard(q)

        @wb.action(p=everybody, fair="weak")
        def enter(s, p):
            wb.require(s.at[p] == "waiting")
            wb.require(len(s.left[p]) == 0)
            s.at[p] = "critical"

        @wb.action(p=everybody, fair="weak")
        def leave(s, p):
            wb.require(s.at[p] == "critical")
            s.number[p] = 0
            s.at[p] = "outside"

        def goes_first(s, p, q):
            """Tell whether `p` need not wait for `q`: by the numbers, then by the processes' own order."""
            return s.number[q] == 0 or s.number[p] < s.number[q] or (s.number[p] == s.number[q] and p < q)

        @wb.invariant
        def mutual_exclusion(s):
            return sum(1 for at in s.at if at == "critical") <= 1

        @wb.predicate
        def first_waits(s):
            return s.at[0] == "waiting"

        @wb.predicate
        def first_is_critical(s):
            return s.at[0] == "critical"

    return Bakery
