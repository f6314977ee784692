"""A fixed window: time is cut into windows, each lets so many calls through.

The windows begin at multiples of `window_s` of the clock. Around the border between two of them twice the
limit can pass within any time, however short: `t` seconds touch at most ``ceil(t / window_s) + 1``
windows. Whoever waits takes a place in the next window that has one; later ones go no further back.

Source: the counter of the Redis documentation of INCR ("Pattern: Rate limiter").
"""

from dataclasses import dataclass
from math import inf
from typing import Any

from workbench.reliability.machines._tolerance import TOLERANCE
from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "parameters", "surplus", "take"]


@dataclass(slots=True)
class Parameters:
    """How many calls a window lets through, and how long it is.

    Those that can be taken within `patience_s` are taken, and wait.
    """

    limit: float
    window_s: float
    patience_s: float = 0.0


@dataclass(slots=True)
class State:
    """The number of the last window that was used, and what was taken in it; and how many calls passed."""

    window: float = -inf
    count: float = 0.0
    taken: int = 0
    refused: int = 0


def parameters(limit: float, window_s: float, patience_s: float = 0.0) -> Parameters:
    """Return the parameters of a limit and a window."""
    return Parameters(limit, window_s, patience_s)


@transition
def take(p: Any, s: Any, now: float, cost: float) -> float:
    """Take so many places of a window, or none; return the seconds until they can be taken, 0 for now.

    They are taken where that is within the patience.
    """
    time = now / p.window_s + TOLERANCE
    window = time // 1.0
    count = 0.0
    if s.window >= window:
        window = s.window
        count = s.count
    if count + cost > p.limit + TOLERANCE:
        window += 1.0
        count = 0.0
    wait_s = 0.0
    if window > time:
        wait_s = (window - time + TOLERANCE) * p.window_s
    if wait_s <= p.patience_s:
        s.window = window
        s.count = count + cost
        s.taken += 1
    else:
        s.refused += 1
    return wait_s


@transition
def surplus(p: Any, s: Any, now: float) -> float:
    """Return how long ago, in windows, it came to be as good as new; negative where it is not yet."""
    return (now / p.window_s + TOLERANCE) // 1.0 - s.window - 1.0
