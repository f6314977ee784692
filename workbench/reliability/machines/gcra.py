"""The generic cell rate algorithm: a rate limit that remembers one number.

A cell is expected every `interval_s`; the theoretical arrival time of the next is kept. As many as a burst holds
may come early. It is a token bucket that stores when it will be full, instead of how full it is.

Source: ITU-T I.371 (2004), annex A (virtual scheduling).
"""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "take"]


@dataclass(slots=True)
class Parameters:
    """Seconds between cells at the given rate, and the seconds that a burst of cells stands for."""

    interval_s: float
    burst_s: float


@dataclass(slots=True)
class State:
    """The theoretical arrival time of the next cell."""

    arrival_s: float = 0.0
    taken: int = 0
    refused: int = 0


@transition
def take(p: Any, s: Any, now: float, cost: float) -> float:
    """Take so many cells now, or none; return the seconds until they could be taken, 0 when they were."""
    expected = s.arrival_s
    if expected < now:
        expected = now
    following = expected + cost * p.interval_s
    wait_s = following - now - p.burst_s
    if wait_s > 0.0:
        s.refused += 1
    else:
        wait_s = 0.0
        s.arrival_s = following
        s.taken += 1
    return wait_s
