"""A leaky bucket, as a meter: calls pour water in, it leaks at a rate, and what would overflow is refused.

As a meter it lets a burst pass at once: it is the token bucket seen from the other side. As a queue, the
water is the calls, and leaves at the rate: that is a bucket that holds one call, whose callers wait. In any
interval of `t` seconds the meter lets at most ``burst + rate_hz * t`` through; the queue, ``1 + rate_hz *
t``.

Source: J. Turner, New directions in communications, IEEE Communications Magazine 24(10), 1986 (the meter);
ITU-T I.371 (2004), annex A (the continuous-state leaky bucket).
"""

from dataclasses import dataclass
from math import inf
from typing import Any

from workbench.reliability.machines._tolerance import TOLERANCE
from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "parameters", "surplus", "take"]


@dataclass(slots=True)
class Parameters:
    """Calls a second that leak, seconds for one to leak, and how many the bucket holds.

    Those that fit in within `patience_s` are poured in, and wait.
    """

    rate_hz: float
    interval_s: float
    burst: float
    patience_s: float = 0.0


@dataclass(slots=True)
class State:
    """How full it was, and when, in calls since the clock's zero; and how many calls were let through."""

    level: float = 0.0
    updated: float = -inf
    taken: int = 0
    refused: int = 0


def parameters(rate_hz: float, burst: float, patience_s: float = 0.0) -> Parameters:
    """Return the parameters of a rate and a burst."""
    return Parameters(rate_hz, 1.0 / rate_hz, burst, patience_s)


@transition
def take(p: Any, s: Any, now: float, cost: float) -> float:
    """Pour so much in, or nothing; return the seconds until it fits in, 0 when that is now.

    It is poured in where that is within the patience.
    """
    time = now * p.rate_hz
    level = s.level
    updated = s.updated
    if time > updated:
        level -= time - updated
        updated = time
        if level < 0.0:  # noqa: PLR1730 - a call would let other threads run
            level = 0.0
    # A clock that reads less than before finds what has not leaked yet at what it reads.
    over = level + (updated - time) + cost - p.burst
    wait_s = 0.0
    if over > TOLERANCE:
        wait_s = over * p.interval_s
    if wait_s <= p.patience_s:
        s.level = level + cost
        s.updated = updated
        s.taken += 1
    else:
        s.refused += 1
    return wait_s


@transition
def surplus(p: Any, s: Any, now: float) -> float:
    """Return how long ago, in calls, it came to be empty; negative where it is not yet."""
    return (now * p.rate_hz - s.updated) - s.level
