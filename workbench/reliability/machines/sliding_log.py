"""A sliding window that remembers each call: exact, at the price of a number for each call of the limit.

The times of the last `limit` places taken stand in a ring; one can be taken again when it is `window_s` old.
No interval that is shorter than `window_s` has more than `limit` calls.

Source: the sorted set of the Redis documentation's sliding window log, here a ring as the limit bounds it.
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

    limit: int
    window_s: float
    patience_s: float = 0.0


@dataclass(slots=True)
class State:
    """The place in the ring that was taken first, and when one was last taken, in windows."""

    at: int = 0
    latest: float = -inf
    taken: int = 0
    refused: int = 0


def parameters(limit: int, window_s: float, patience_s: float = 0.0) -> Parameters:
    """Return the parameters of a limit and a window."""
    return Parameters(limit, window_s, patience_s)


@transition
def take(p: Any, s: Any, ring: Any, now: float, cost: int) -> float:
    """Take so many places, or none; return the seconds until they can be taken, 0 when that is now.

    They are taken where that is within the patience. The ring has `limit` times in windows, at first all
    -inf.
    """
    time = now / p.window_s
    ready = time
    if ready < s.latest:  # noqa: PLR1730 - a call would let other threads run
        ready = s.latest
    wait_s = 0.0
    if cost > 0:
        last = s.at + cost - 1
        if last >= p.limit:
            last -= p.limit
        if ready < ring[last] + 1.0:  # noqa: PLR1730 - a call would let other threads run
            ready = ring[last] + 1.0
    if ready - time > TOLERANCE:
        wait_s = (ready - time) * p.window_s
    if wait_s <= p.patience_s:
        at = s.at
        for _ in range(cost):
            ring[at] = ready
            at += 1
            if at == p.limit:
                at = 0
        s.at = at
        s.latest = ready
        s.taken += 1
    else:
        s.refused += 1
    return wait_s


@transition
def surplus(p: Any, s: Any, now: float) -> float:
    """Return how long ago, in windows, it came to be as good as new; negative where it is not yet."""
    return now / p.window_s - s.latest - 1.0
