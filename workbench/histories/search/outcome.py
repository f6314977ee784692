"""What bounds a search, and what it found."""

import time
from dataclasses import dataclass
from typing import Self

from workbench.histories.errors import HistoryError

__all__ = ["Bounds", "Outcome"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many steps, until when, and with how much memory."""

    max_steps: int
    ends_at_s: float  # of time.monotonic()
    max_memory_bytes: int

    @classmethod
    def of(cls, max_steps: int | None, timeout_s: float | None, max_memory_bytes: int) -> Self:
        """Return bounds, the time of which begins now."""
        given = {"max_steps": max_steps, "timeout_s": timeout_s, "max_memory_bytes": max_memory_bytes}
        for name, bound in given.items():
            if bound is not None and not bound > 0:
                msg = f"{name} must be more than zero, got {bound!r}; None is without that bound"
                raise HistoryError(msg)
        ends_at_s = float("inf") if timeout_s is None else time.monotonic() + timeout_s
        return cls((1 << 62) if max_steps is None else max_steps, ends_at_s, max_memory_bytes)

    def after(self, steps: int) -> "Bounds":
        """Return what is left of them after some steps."""
        return Bounds(self.max_steps - steps, self.ends_at_s, self.max_memory_bytes)

    def reached(self, steps: int) -> str:
        """Return the bound of time or steps that is reached, in words; empty when none is."""
        if steps >= self.max_steps:
            return f"after max_steps={self.max_steps:,}"
        return "after timeout_s" if time.monotonic() >= self.ends_at_s else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether there is an order, the longest that was found, and what could not be placed, by rows."""

    holds: bool | None
    placed: list[int]
    blocking: int | None
    steps: int
    bound: str = ""  # why holds is None
