"""The jugs of Die Hard: measure four gallons with a jug of five and one of three.

Source: the film Die Hard 3 (1995); TLA+ Examples, DieHard.
"""

import workbench.model.formal as wb

__all__ = ["DieHard"]


class DieHard(wb.Model):
    """Two jugs without marks: fill one, empty one, or pour one into the other as far as that goes.

    The invariant `unsolved` says that there are never four gallons in the big jug: a behaviour that violates
    it is a solution of the puzzle.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> [step.action for step in wb.check(wb.library.DieHard, engine="python").trace[-2:]]
    ['fill_big', 'big_to_small']
    """

    big = wb.Int(0, 5)
    small = wb.Int(0, 3)

    @wb.action
    def fill_big(s):
        s.big = 5

    @wb.action
    def fill_small(s):
        s.small = 3

    @wb.action
    def empty_big(s):
        s.big = 0

    @wb.action
    def empty_small(s):
        s.small = 0

    @wb.action
    def small_to_big(s):
        poured = min(s.small, 5 - s.big)
        s.big += poured
        s.small -= poured

    @wb.action
    def big_to_small(s):
        poured = min(s.big, 3 - s.small)
        s.big -= poured
        s.small += poured

    @wb.invariant
    def unsolved(s):
        return s.big != 4

    @wb.predicate
    def solved(s):
        return s.big == 4
