"""The game of life: every board, and the one that follows it.

A cell lives on with two or three living neighbours, and comes to life with three: it is alive next if there
are three living cells in the square of nine around it, or four and it is one of them.

Source: M. Gardner, The fantastic combinations of John Conway's new solitaire game "life", Scientific American
223 (1970); TLA+ Examples, GameOfLife.
"""

import workbench.model.formal as wb

__all__ = ["GameOfLife"]


def GameOfLife(n: int = 3) -> type[wb.Model]:
    """Return the game on a board of `n` by `n` cells with nothing around it, begun from every board.

    Each board has exactly one successor, so the levels are one and every edge is taken from the start.
    It takes three living cells to have any on the next board (`two_bring_nobody_to_life`).
    """
    cells = range(n * n)

    class GameOfLife(wb.Model):
        """The living cells, row by row."""

        alive = wb.Set(cells)

        def init(s):
            for board in range(2 ** (n * n)):
                s.alive = {cell for cell in cells if board >> cell & 1}
                yield

        @wb.action(fair="weak")
        def tick(s):
            s.alive = {cell for cell in cells if s.will_live(cell)}

        def will_live(s, cell):
            """Tell whether a cell is alive after the next tick."""
            row, column = cell // n, cell % n
            living = sum(
                1
                for r in range(row - 1, row + 2)
                for c in range(column - 1, column + 2)
                if 0 <= r < n and 0 <= c < n and n * r + c in s.alive
            )
            return living == 3 or (living == 4 and cell in s.alive)

        @wb.action_property
        def two_bring_nobody_to_life(s, after):
            return len(s.alive) > 2 or len(after.alive) == 0

        @wb.predicate
        def is_dead(s):
            return len(s.alive) == 0

    return GameOfLife
