"""The game of life: every board, and the one that follows it.

A cell lives on with two or three living neighbours, and comes to life with three.

Source: M. Gardner, The fantastic combinations of John Conway's new solitaire game "life", Scientific American 223
(1970); TLA+ Examples, GameOfLife.
"""

import workbench.model.formal as wb

__all__ = ["GameOfLife"]


def GameOfLife(n: int = 3) -> type[wb.Model]:
    """Return the game on a board of `n` by `n` cells with nothing around it, begun from each of its `2 ** n ** 2` boards.

    Each board has exactly one successor, so the levels are one and every edge is taken from the start.
    """
    cells = range(n * n)
    neighbourhoods = tuple((cell, _around(cell, n)) for cell in cells)

    class GameOfLife(wb.Model):
        """The living cells, row by row."""

        alive = wb.Set(cells)

        def init(s):
            for board in range(2 ** (n * n)):
                s.alive = {cell for cell in cells if board >> cell & 1}
                yield

        @wb.action(fair="weak")
        def tick(s):
            s.alive = {cell for cell, around in neighbourhoods if s.will_live(cell, around)}

        def will_live(s, cell, around):
            """Tell whether a cell is alive after the next tick."""
            living = sum(1 for neighbour in around if neighbour in s.alive)
            return living == 3 or (living == 2 and cell in s.alive)

        @wb.predicate
        def is_dead(s):
            return len(s.alive) == 0

    return GameOfLife


def _around(cell: int, n: int) -> tuple[int, ...]:
    """Return the neighbours of a cell on the board."""
    row, column = divmod(cell, n)
    rows, columns = range(max(0, row - 1), min(n, row + 2)), range(max(0, column - 1), min(n, column + 2))
    return tuple(n * r + c for r in rows for c in columns if (r, c) != (row, column))
