"""Dekker's lock: the first correct one for two processes that can only read and write.

Who wants the lock raises its flag. If the other's flag is up too, the one whose turn it is not lowers its
flag and waits for its turn.

Source: E. W. Dijkstra, Cooperating sequential processes, EWD 123 (1965), who credits T. J. Dekker.
"""

import workbench.model.formal as wb

__all__ = ["Dekker"]


class Dekker(wb.Model):
    """Two processes; one step is one access of a shared variable.

    Its invariant: the two are never in the critical section together (`mutual_exclusion`).
    """

    at = wb.Array(
        2,
        wb.Enum(
            "outside",
            "look at flag",
            "look at turn",
            "wait for turn",
            "raise again",
            "critical",
            "lower flag",
        ),
    )
    flag = wb.Array(2, wb.Bool())
    turn = wb.Int(0, 1)

    @wb.action(p=range(2))
    def raise_flag(s, p):
        wb.require(s.at[p] == "outside")
        s.flag[p] = True
        s.at[p] = "look at flag"

    @wb.action(p=range(2), fair="weak")
    def look_at_flag(s, p):
        wb.require(s.at[p] == "look at flag")
        s.at[p] = "look at turn" if s.flag[1 - p] else "critical"

    @wb.action(p=range(2), fair="weak")
    def look_at_turn(s, p):
        wb.require(s.at[p] == "look at turn")
        if s.turn == p:
            s.at[p] = "look at flag"
        else:
            s.flag[p] = False
            s.at[p] = "wait for turn"

    @wb.action(p=range(2), fair="weak")
    def wait_for_turn(s, p):
        wb.require(s.at[p] == "wait for turn")
        wb.require(s.turn == p)
        s.at[p] = "raise again"

    @wb.action(p=range(2), fair="weak")
    def raise_again(s, p):
        wb.require(s.at[p] == "raise again")
        s.flag[p] = True
        s.at[p] = "look at flag"

    @wb.action(p=range(2), fair="weak")
    def leave(s, p):
        wb.require(s.at[p] == "critical")
        s.turn = 1 - p
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
    def first_wants(s):
        return s.at[0] == "look at flag"

    @wb.predicate
    def first_is_critical(s):
        return s.at[0] == "critical"
