"""Missionaries and cannibals: cross a river, and never leave missionaries outnumbered.

Source: S. Amarel, On representations of problems of reasoning about actions, Machine Intelligence 3 (1968);
TLA+ Examples, MissionariesAndCannibals.
"""

import workbench.model.formal as wb

__all__ = ["MissionariesAndCannibals"]


def MissionariesAndCannibals(each: int = 3, seats: int = 2) -> type[wb.Model]:
    """Return the puzzle for `each` missionaries and as many cannibals, and a boat with a number of seats.

    The invariant `unsolved` says that somebody is still on the first bank: a behaviour that violates it is a
    solution.
    """
    people = range(each + 1)

    class MissionariesAndCannibals(wb.Model):
        """Who is on the first bank, and whether the boat is there; everybody else is across."""

        missionaries = wb.Int(0, each)
        cannibals = wb.Int(0, each)
        boat_is_here = wb.Bool()

        def init(s):
            s.missionaries = each
            s.cannibals = each
            s.boat_is_here = True

        @wb.action(m=people, c=people)
        def cross(s, m, c):
            wb.require(s.boat_is_here and 1 <= m + c <= seats)
            wb.require(m <= s.missionaries and c <= s.cannibals)
            s.missionaries -= m
            s.cannibals -= c
            s.boat_is_here = False
            wb.require(s.is_safe())

        @wb.action(m=people, c=people)
        def come_back(s, m, c):
            wb.require(not s.boat_is_here and 1 <= m + c <= seats)
            wb.require(m <= each - s.missionaries and c <= each - s.cannibals)
            s.missionaries += m
            s.cannibals += c
            s.boat_is_here = True
            wb.require(s.is_safe())

        @wb.predicate
        def is_safe(s):
            here = s.missionaries == 0 or s.missionaries >= s.cannibals
            across = s.missionaries == each or s.missionaries <= s.cannibals
            return here and across

        @wb.invariant
        def unsolved(s):
            return s.missionaries > 0 or s.cannibals > 0

        @wb.invariant
        def nobody_is_eaten(s):
            return s.is_safe()

    return MissionariesAndCannibals
