"""The tower of Hanoi: move it to another peg, a disc at a time, and never put a larger disc onto a smaller.

Source: E. Lucas, Recreations mathematiques (1883); TLA+ Examples, tower_of_hanoi.
"""

import workbench.model.formal as wb

__all__ = ["Hanoi"]


def Hanoi(discs: int = 3, pegs: int = 3) -> type[wb.Model]:
    """Return the puzzle for a number of discs: disc 0 is the smallest.

    The invariant `unsolved` says that some disc is not on the last peg: a behaviour that violates it is a
    solution, and the shortest one with three pegs has `2 ** discs - 1` moves.
    """

    class Hanoi(wb.Model):
        """The peg of each disc: smaller discs lie above larger ones, so nothing else need be known."""

        peg = wb.Array(discs, wb.Int(0, pegs - 1))

        @wb.action(disc=range(discs), to=range(pegs))
        def move(s, disc, to):
            wb.require(s.peg[disc] != to)
            wb.require(s.is_free(disc, s.peg[disc]))
            wb.require(s.is_free(disc, to))
            s.peg[disc] = to

        def is_free(s, disc, peg):
            """Tell whether no smaller disc lies on a peg."""
            return not any(smaller < disc and s.peg[smaller] == peg for smaller in range(discs))

        @wb.invariant
        def unsolved(s):
            return any(peg != pegs - 1 for peg in s.peg)

    return Hanoi
