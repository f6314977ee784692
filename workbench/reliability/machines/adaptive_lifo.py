"""Adaptive LIFO with controlled delay: how long a call may wait, and whether the newest goes first.

While a queue empties at least once in `interval_s` it is served in order, and calls may wait for
`interval_s`. When it has not been empty for as long, there is too much load: a new call may wait for
`target_s` only, and the newest goes first, as it is the one most likely to be answered in time.

Source: B. Maurer, Fail at Scale, ACM Queue 13 (8), 2015.
"""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "is_overloaded", "note_empty", "patience"]


@dataclass(slots=True)
class Parameters:
    """How long a call may wait under overload (Maurer's M), and normally (his N)."""

    target_s: float
    interval_s: float


@dataclass(slots=True)
class State:
    """When the queue was empty for the last time."""

    empty_s: float = -1e300


@transition
def note_empty(s: Any, now: float) -> None:
    """Note that nobody waits."""
    s.empty_s = now


@transition
def is_overloaded(p: Any, s: Any, now: float) -> bool:
    """Tell whether the queue has not been empty for an interval: then the newest goes first."""
    return s.empty_s < now - p.interval_s


@transition
def patience(p: Any, s: Any, now: float) -> float:
    """Return for how long a call that comes now may wait."""
    patience_s = p.interval_s
    if s.empty_s < now - p.interval_s:
        patience_s = p.target_s
    return patience_s
