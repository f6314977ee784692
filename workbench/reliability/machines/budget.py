"""A budget of retries, or of hedges: further attempts are paid for by calls.

A bucket of `burst` tokens gets `ratio` of a token with each call and `minimum_hz` tokens a second; a retry
takes a whole one. It starts full, and what does not fit is lost. So in every interval

    retries <= burst + ratio calls + minimum_hz seconds

which is the law that keeps retries from feeding an overload. Kept is what is missing, so that zero is full.

Source: retry budgets of Finagle (a share of the calls, and some a second for callers that seldom call), with
the bounded bucket of gRPC's retry throttling (proposal A6) in place of a window of time: paying in reads no
clock.
"""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "deposit", "withdraw"]


@dataclass(slots=True)
class Parameters:
    """Tokens a call, tokens a second, and tokens at most."""

    ratio: float
    minimum_hz: float
    burst: float


@dataclass(slots=True)
class State:
    """Tokens that are missing, when the seconds were last counted, and totals."""

    missing: float = 0.0
    counted_s: float = 0.0
    calls: int = 0
    granted: int = 0
    refused: int = 0


@transition
def deposit(p: Any, s: Any) -> int:
    """Count a call."""
    missing = s.missing - p.ratio
    if missing < 0.0:  # noqa: PLR1730 - a call would need a lock
        missing = 0.0
    s.missing = missing
    s.calls += 1
    return s.calls


@transition
def withdraw(p: Any, s: Any, now: float) -> bool:
    """Take a token for a retry, if there is one."""
    missing = s.missing
    if now > s.counted_s:
        missing -= (now - s.counted_s) * p.minimum_hz
        s.counted_s = now
    if missing < 0.0:  # noqa: PLR1730 - as above
        missing = 0.0
    granted = missing + 1.0 <= p.burst
    if granted:
        missing += 1.0
        s.granted += 1
    else:
        s.refused += 1
    s.missing = missing
    return granted
