"""A bulkhead: so many calls at a time, so many more that wait.

Source: M. Nygard, Release It! (2007), chapter 5.
"""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["REJECTED", "RUNS", "WAITS", "Parameters", "State", "enter", "leave"]

RUNS, WAITS, REJECTED = 0, 1, 2


@dataclass(slots=True)
class Parameters:
    """How many calls run at a time, and how many wait at most."""

    limit: int
    queue: int


@dataclass(slots=True)
class State:
    """How many run, and how many wait."""

    running: int = 0
    waiting: int = 0
    rejected: int = 0


@transition
def enter(p: Any, s: Any) -> int:
    """Let a call run, wait, or reject it."""
    if s.running < p.limit:
        s.running += 1
        decision = RUNS
    elif s.waiting < p.queue:
        s.waiting += 1
        decision = WAITS
    else:
        s.rejected += 1
        decision = REJECTED
    return decision


@transition
def leave(s: Any) -> bool:
    """End a call; tell whether its place goes to one that waits."""
    handed = s.waiting > 0
    if handed:
        s.waiting -= 1
    else:
        s.running -= 1
    return handed
