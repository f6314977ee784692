"""A sliding window that counts: the last window's calls weigh as much as of it the sliding one still covers.

Time is cut into windows as by a fixed window. At a share `f` of the present one, the calls of the last
`window_s` are estimated as ``previous * (1 - f) + current``: as if the previous ones had been spread
evenly. That takes three numbers, whatever the limit; `sliding_log` counts exactly, and remembers each call.
In any interval of `t` seconds it lets at most ``limit * (1 + t / window_s)`` through: at a border no more
than the limit, but within one window almost twice the limit, where all of the previous ones came at its
end.

Source: J. Desgats, How we built rate limiting capable of scaling to millions of domains, Cloudflare (2017).
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
    """The number of the last window that was used, what was taken in it and in the one before it."""

    window: float = -inf
    current: float = 0.0
    previous: float = 0.0
    taken: int = 0
    refused: int = 0


def parameters(limit: float, window_s: float, patience_s: float = 0.0) -> Parameters:
    """Return the parameters of a limit and a window."""
    return Parameters(limit, window_s, patience_s)


@transition
def take(p: Any, s: Any, now: float, cost: float) -> float:
    """Take so many places, or none; return the seconds until they can be taken, 0 when that is now.

    They are taken where that is within the patience.
    """
    time = now / p.window_s + TOLERANCE
    window = time // 1.0
    current = 0.0
    previous = 0.0
    if window <= s.window:
        window = s.window
        current = s.current
        previous = s.previous
    elif window == s.window + 1.0:
        previous = s.current
    ready = time
    if ready < window:  # noqa: PLR1730 - a call would let other threads run
        ready = window
    room = p.limit - current - cost
    if room < -TOLERANCE:  # not before the next window
        window += 1.0
        ready = window
        previous = current
        current = 0.0
        room = p.limit - cost
    if previous * (window + 1.0 - ready) > room + TOLERANCE:
        ready = window + 1.0
        if room > 0.0:
            ready -= room / previous
    wait_s = 0.0
    if ready > time:
        wait_s = (ready - time + TOLERANCE) * p.window_s
    if wait_s <= p.patience_s:
        s.window = window
        s.current = current + cost
        s.previous = previous
        s.taken += 1
    else:
        s.refused += 1
    return wait_s


@transition
def surplus(p: Any, s: Any, now: float) -> float:
    """Return how long ago, in windows, it came to be as good as new; negative where it is not yet."""
    return (now / p.window_s + TOLERANCE) // 1.0 - s.window - 2.0
