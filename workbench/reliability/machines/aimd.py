"""AIMD: a concurrency limit that grows by one while calls succeed, and shrinks by a share when not.

    limit <- limit * backoff   if a call was dropped or took longer than timeout_s
    limit <- limit + 1         otherwise, if at least half of the limit was in use

Source: D.-M. Chiu, R. Jain, Analysis of the increase and decrease algorithms for congestion avoidance (1989);
in this form and with these roundings Netflix, concurrency-limits, `AIMDLimit`.
"""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "update"]


@dataclass(slots=True)
class Parameters:
    """Bounds of the limit, the factor by which it shrinks, and the longest time that counts as success."""

    minimum: int
    maximum: int
    backoff: float
    timeout_s: float


@dataclass(slots=True)
class State:
    """The limit: a whole number."""

    limit: float = 20.0


@transition
def update(p: Any, s: Any, rtt_s: float, inflight: int, dropped: bool, u: float) -> float:  # noqa: ARG001, FBT001, PLR0913 - as all algorithms
    """Learn from a sample; return the new limit."""
    limit = int(s.limit)
    if dropped or rtt_s > p.timeout_s:
        limit = int(limit * p.backoff)
    elif inflight * 2 >= limit:
        limit += 1
    limit = min(p.maximum, max(p.minimum, limit))
    s.limit = float(limit)
    return s.limit
