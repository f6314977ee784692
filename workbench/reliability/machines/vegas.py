"""Vegas: a concurrency limit from the number of calls that queue at the callee.

    queue <- ceil(limit * (1 - shortest rtt / rtt))

With ``r(limit)``, the whole part of log10(limit), at least 1, and sqrt(limit) from 1,000 on:

    limit <- limit - r            if a call was dropped
    limit <- limit + beta * r     if queue <= r
    limit <- limit + r            if queue < alpha * r
    limit <- limit - r            if queue > beta * r

and unchanged in between, or while less than half of the limit is in use. The shortest round-trip time is
taken anew from a single sample about every ``probe * limit`` samples (times a random number from [0.5, 1), so
that clients do not probe together), as the callee may have become slower for good.

Source: L. Brakmo, L. Peterson, TCP Vegas (1995); in this form Netflix, concurrency-limits, `VegasLimit`.
"""

import math
from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "begin", "update"]


@dataclass(slots=True)
class Parameters:
    """Bounds of the limit, of a good queue in units of r; the weight of a sample; how often to probe."""

    minimum: int
    maximum: int
    alpha: int
    beta: int
    smoothing: float
    probe: int


@dataclass(slots=True)
class State:
    """The limit, the shortest round-trip time (0: none yet), and when it is taken anew."""

    limit: float = 20.0
    shortest_s: float = 0.0
    samples: int = 0
    jitter: float = 1.0


@transition
def begin(s: Any, u: float) -> None:
    """Say when the shortest time is taken anew first; `u` spreads the probes."""
    s.jitter = 0.5 + 0.5 * u


@transition
def update(p: Any, s: Any, rtt_s: float, inflight: int, dropped: bool, u: float) -> float:  # noqa: FBT001, PLR0913, C901 - one formula
    """Learn from a sample; return the new limit. `u` spreads the probes."""
    limit = s.limit
    s.samples += 1
    if s.jitter * p.probe * limit <= s.samples:
        s.jitter = 0.5 + 0.5 * u
        s.samples = 0
        s.shortest_s = rtt_s
    elif s.shortest_s == 0.0 or rtt_s < s.shortest_s:
        s.shortest_s = rtt_s
    else:
        queue = math.ceil(limit * (1.0 - s.shortest_s / rtt_s))
        root = 1
        if limit >= 1000.0:
            root = int(math.sqrt(math.floor(limit)))
        elif limit >= 100.0:
            root = 2
        wanted = limit
        if dropped:
            wanted = limit - root
        elif inflight * 2 >= limit:
            if queue <= root:
                wanted = limit + p.beta * root
            elif queue < p.alpha * root:
                wanted = limit + root
            elif queue > p.beta * root:
                wanted = limit - root
        if wanted != limit:
            wanted = max(float(p.minimum), min(float(p.maximum), wanted))
            s.limit = (1.0 - p.smoothing) * limit + p.smoothing * wanted
    return s.limit
