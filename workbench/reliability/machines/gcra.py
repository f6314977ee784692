"""The generic cell rate algorithm: a rate limit that remembers one number.

A cell is expected every `interval_s`; the theoretical arrival time of the next is kept, in cells: the time
at which it is due, times the rate. As many as a burst holds may come early. It is a token bucket that
stores when it will be full, instead of how full it is.

In any interval of `t` seconds it lets at most ``burst + rate_hz * t`` through.

Source: ITU-T I.371 (2004), annex A (virtual scheduling).
"""

from dataclasses import dataclass
from math import inf
from typing import Any

from workbench.reliability.machines._tolerance import TOLERANCE
from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "parameters", "surplus", "take"]


@dataclass(slots=True)
class Parameters:
    """The rate and its inverse, the burst, and how far it may be exceeded by rounding (`depth`), in cells.

    Those that can be taken within `patience_s` are taken, and wait.
    """

    rate_hz: float
    interval_s: float
    burst: float
    depth: float
    patience_s: float = 0.0


@dataclass(slots=True)
class State:
    """The theoretical arrival time of the next cell, in cells; and how many calls were let through, or not.

    The counts are floats, for CPython adds these faster than integers.
    """

    arrival: float = -inf
    taken: float = 0.0
    refused: float = 0.0


def parameters(rate_hz: float, burst: float, patience_s: float = 0.0) -> Parameters:
    """Return the parameters of a rate and a burst."""
    return Parameters(rate_hz, 1.0 / rate_hz, burst, burst + TOLERANCE, patience_s)


@transition
def take(p: Any, s: Any, now: float, cost: float) -> float:
    """Take so many cells, or none; return the seconds until they can be taken, 0 when that is now.

    They are taken where that is within the patience.
    """
    time = now * p.rate_hz
    expected = s.arrival
    if expected < time:  # noqa: PLR1730 - a call would let other threads run
        expected = time
    following = expected + cost
    if following - time <= p.depth:
        wait_s = 0.0
        s.arrival = following
        s.taken += 1.0
    else:
        wait_s = (following - time - p.burst) * p.interval_s
        if wait_s <= p.patience_s:
            s.arrival = following
            s.taken += 1.0
        else:
            s.refused += 1.0
    return wait_s


@transition
def surplus(p: Any, s: Any, now: float) -> float:
    """Return how long ago, in cells, it came to be as good as new; negative where it is not yet."""
    return now * p.rate_hz - s.arrival
