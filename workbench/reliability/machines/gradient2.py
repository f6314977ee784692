"""Gradient2: a concurrency limit from the ratio of the usual round-trip time to the present one.

    long     <- exponential average of rtt over `long_window` samples (the plain mean of the first `warmup`)
    gradient <- max(1/2, min(1, tolerance * long / rtt))
    limit    <- (1 - smoothing) * limit + smoothing * (gradient * limit + queue)

While calls are as fast as usual the gradient is 1 and the limit grows by ``smoothing * queue``; it rests
where ``limit * (1 - gradient) = queue``: `queue` calls more than the callee works on at the same time. The
limit stays as it is while less than half of it is in use. When the long average is more than twice the
present time (an overload has ended) it decays by 5 % a sample.

Drops do not count: this algorithm learns from times alone.

Source: Netflix, concurrency-limits, `Gradient2Limit` and its `ExpAvgMeasurement`.
"""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "update"]


@dataclass(slots=True)
class Parameters:
    """Bounds of the limit; what is usual; the weight of a sample; calls that may queue; the averages."""

    minimum: int
    maximum: int
    tolerance: float
    smoothing: float
    queue: float
    long_window: int
    warmup: int


@dataclass(slots=True)
class State:
    """The limit, and the long average of round-trip times."""

    limit: float = 20.0
    long_s: float = 0.0
    samples: int = 0
    total_s: float = 0.0


@transition
def update(p: Any, s: Any, rtt_s: float, inflight: int, dropped: bool, u: float) -> float:  # noqa: ARG001, FBT001, PLR0913 - as all algorithms
    """Learn from a sample; return the new limit."""
    if s.samples < p.warmup:
        s.samples += 1
        s.total_s += rtt_s
        s.long_s = s.total_s / s.samples
    else:
        factor = 2.0 / (p.long_window + 1)
        s.long_s = s.long_s * (1.0 - factor) + rtt_s * factor
    long_s = s.long_s
    if long_s / rtt_s > 2.0:
        s.long_s = long_s * 0.95
    if inflight >= s.limit / 2.0:
        gradient = max(0.5, min(1.0, p.tolerance * long_s / rtt_s))
        allowed = s.limit * gradient + p.queue
        smoothed = s.limit * (1.0 - p.smoothing) + allowed * p.smoothing
        s.limit = max(float(p.minimum), min(float(p.maximum), smoothed))
    return s.limit
