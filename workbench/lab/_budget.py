"""The time that a notebook has: so much for all its cells together, and so much for one."""

from dataclasses import dataclass

__all__ = ["Budget"]


@dataclass(slots=True)
class Budget:
    """Seconds that a notebook may spend, and has spent; None is no limit."""

    total: float | None = None
    cell: float | None = None
    spent: float = 0.0

    def for_next_cell(self) -> float | None:
        """Return how long the next cell may take."""
        left = None if self.total is None else max(self.total - self.spent, 0.0)
        limits = [limit for limit in (left, self.cell) if limit is not None]
        return min(limits, default=None)

    def is_used_up(self) -> bool:
        """Say whether nothing is left for all cells together."""
        return self.total is not None and self.spent >= self.total
