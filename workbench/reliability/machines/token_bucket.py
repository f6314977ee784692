"""A token bucket: tokens come at a rate, up to a burst; a call takes as many as it costs, or none.

Whoever waits takes tokens that are still to come: the bucket then holds fewer than none, and whoever comes
later waits longer. In any interval of `t` seconds it lets at most ``burst + rate_hz * t`` through.

Source: J. Turner, New directions in communications, IEEE Communications Magazine 24(10), 1986; RFC 2697,
section 3.
"""

from dataclasses import dataclass
from math import inf
from typing import Any

from workbench.reliability.machines._tolerance import TOLERANCE
from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "parameters", "surplus", "take"]


@dataclass(slots=True)
class Parameters:
    """Tokens a second and seconds a token, and how many the bucket holds.

    Those that can be taken within `patience_s` are taken, and wait.
    """

    rate_hz: float
    interval_s: float
    burst: float
    patience_s: float = 0.0


@dataclass(slots=True)
class State:
    """How many tokens there were, and when, in tokens since the clock's zero; and how many calls passed."""

    tokens: float = 0.0
    updated: float = -inf
    taken: int = 0
    refused: int = 0


def parameters(rate_hz: float, burst: float, patience_s: float = 0.0) -> Parameters:
    """Return the parameters of a rate and a burst."""
    return Parameters(rate_hz, 1.0 / rate_hz, burst, patience_s)


@transition
def take(p: Any, s: Any, now: float, cost: float) -> float:
    """Take so many tokens, or none; return the seconds until they can be taken, 0 when that is now.

    They are taken where that is within the patience.
    """
    time = now * p.rate_hz
    tokens = s.tokens
    updated = s.updated
    if time > updated:
        tokens += time - updated
        updated = time
        if tokens > p.burst:  # noqa: PLR1730 - a call would let other threads run
            tokens = p.burst
    # A clock that reads less than before finds no tokens yet at what it reads.
    missing = cost - tokens + (updated - time)
    wait_s = 0.0
    if missing > TOLERANCE:
        wait_s = missing * p.interval_s
    if wait_s <= p.patience_s:
        s.tokens = tokens - cost
        s.updated = updated
        s.taken += 1
    else:
        s.refused += 1
    return wait_s


@transition
def surplus(p: Any, s: Any, now: float) -> float:
    """Return how long ago, in tokens, it came to be as good as new; negative where it is not yet."""
    return s.tokens + (now * p.rate_hz - s.updated) - p.burst
