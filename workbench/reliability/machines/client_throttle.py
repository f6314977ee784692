"""Client-side throttling: who is mostly refused asks less.

    p(reject) = max(0, (requests - K * accepts) / (requests + 1))

over the last `window_s`, where `requests` counts what the application wanted to send, rejected here or not,
and `accepts` what the callee accepted. With K = 2 a client sends about twice as much as is accepted, so that
it notices when more is accepted.

The window is a ring of `buckets` pieces of time; the newest is being filled, so it covers between
``window_s`` and ``window_s * (1 - 1 / buckets)``. An accept is counted in the piece of the newest request.

Source: B. Beyer et al., Site Reliability Engineering (2016), chapter 21, equation 21-1. The upper bound of
the probability is failsafe-go's.
"""

import math
from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "accept", "is_doubtful", "reject", "rejects", "request", "turn"]


@dataclass(slots=True)
class Parameters:
    """K, the greatest probability, and the window: so many buckets of so many seconds."""

    ratio: float
    max_rejection: float
    bucket_s: float
    buckets: int


@dataclass(slots=True)
class State:
    """Requests and accepts in the window, when the bucket ends and its number; and all that were rejected."""

    requests: int = 0
    accepts: int = 0
    at: int = 0
    until_s: float = -1e300
    bucket: int = 0
    rejected: int = 0


@transition
def turn(p: Any, s: Any, requests: Any, accepts: Any, now: float) -> None:
    """Begin the bucket that holds `now`, and forget those that have left the window."""
    if now >= s.until_s:
        bucket = math.floor(now / p.bucket_s)
        for _ in range(min(p.buckets, bucket - s.bucket)):
            at = s.at + 1
            if at == p.buckets:
                at = 0
            s.requests -= requests[at]
            s.accepts -= accepts[at]
            requests[at] = 0
            accepts[at] = 0
            s.at = at
        s.bucket = bucket
        s.until_s = (bucket + 1) * p.bucket_s
        if s.until_s <= now:  # rounded down
            s.until_s = now + p.bucket_s


@transition
def is_doubtful(p: Any, s: Any) -> bool:
    """Tell whether a call may be rejected now, so that a random number is needed."""
    return s.requests > p.ratio * s.accepts


@transition
def rejects(p: Any, s: Any, u: float) -> bool:
    """Tell whether to reject a call, with a random number from [0, 1)."""
    probability = (s.requests - p.ratio * s.accepts) / (s.requests + 1.0)
    if probability > p.max_rejection:  # noqa: PLR1730 - a call would need the lock
        probability = p.max_rejection
    return u < probability


@transition
def request(s: Any, requests: Any) -> None:
    """Count a call that is sent."""
    s.requests += 1
    requests[s.at] += 1


@transition
def reject(s: Any, requests: Any) -> None:
    """Count a call that is rejected: the application wanted it, too."""
    s.requests += 1
    requests[s.at] += 1
    s.rejected += 1


@transition
def accept(s: Any, accepts: Any) -> None:
    """Count a request that the callee accepted."""
    s.accepts += 1
    accepts[s.at] += 1
