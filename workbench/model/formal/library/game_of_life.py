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
    around = tuple(
        tuple(
            n * row + column
            for row in range(max(0, cell // n - 1), min(n, cell // n + 2))
            for column in range(max(0, cell % n - 1), min(n, cell % n + 2))
            if n * row + column != cell
        )
        for cell in cells
    )

    class GameOfLife(wb.Model):
        """The living cells, row by row."""

        alive = wb.Set(cells)

        def init(s):
            for board in range(2 ** (n * n)):
                s.alive = {cell for cell in cells if board >> cell & 1}
                yield

        @wb.action(fair="weak")
        def tick(s):
            s.alive = {
                cell
                for cell in cells
                for living in (sum(1 for neighbour in around[cell] if neighbour in s.alive),)
                if living == 3 or (living == 2 and cell in s.alive)
            }

        @wb.predicate
        def is_dead(s):
            return len(s.alive) == 0

    return GameOfLife
