"""Peterson's lock: two processes exclude each other with two flags and a turn.

Each process goes round and round: outside, it may want the lock; it raises its flag, leaves the turn to the
other, and waits until the other's flag is down or the turn is its own.

Source: G. L. Peterson, Myths about the mutual exclusion problem, Information Processing Letters 12 (1981);
TLA+ Examples, locks_auxiliary_vars/Peterson.
"""

import workbench.model.formal as wb

__all__ = ["Peterson"]


class Peterson(wb.Model):
    """Two processes, each a loop of six steps; one step is one access of a shared variable.

    Its invariant: the two are never in the critical section together (`mutual_exclusion`).
    """

    at = wb.Array(2, wb.Enum("outside", "raise flag", "leave turn", "wait", "critical", "lower flag"))
    flag = wb.Array(2, wb.Bool())
    turn = wb.Int(0, 1)

    @wb.action(p=range(2))
    def want(s, p):
        wb.require(s.at[p] == "outside")
        s.at[p] = "raise flag"

    @wb.action(p=range(2), fair="weak")
    def raise_flag(s, p):
        wb.require(s.at[p] == "raise flag")
        s.flag[p] = True
        s.at[p] = "leave turn"

    @wb.action(p=range(2), fair="weak")
    def leave_turn(s, p):
        wb.require(s.at[p] == "leave turn")
        s.turn = 1 - p
        s.at[p] = "wait"

    @wb.action(p=range(2), fair="weak")
    def enter(s, p):
        wb.require(s.at[p] == "wait")
        wb.require(not s.flag[1 - p] or s.turn == p)
        s.at[p] = "critical"

    @wb.action(p=range(2), fair="weak")
    def leave(s, p):
        wb.require(s.at[p] == "critical")
        s.at[p] = "lower flag"

    @wb.action(p=range(2), fair="weak")
    def lower_flag(s, p):
        wb.require(s.at[p] == "lower flag")
        s.flag[p] = False
        s.at[p] = "outside"

    @wb.invariant
    def mutual_exclusion(s):
        return not (s.at[0] == "critical" and s.at[1] == "critical")

    @wb.predicate
    def first_waits(s):
        return s.at[0] == "wait"

    @wb.predicate
    def first_is_critical(s):
        return s.at[0] == "critical"
