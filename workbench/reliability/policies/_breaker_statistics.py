"""What a circuit breaker sees now, and has counted."""

from dataclasses import dataclass
from typing import Any, Literal

from workbench.reliability.policies._statistics import Statistics

__all__ = ["STATES", "BreakerStatistics", "BreakerStatus", "statistics_of"]

BreakerStatus = Literal["closed", "open", "half_open", "forced_open", "disabled"]
STATES: tuple[BreakerStatus, ...] = ("closed", "open", "half_open", "forced_open", "disabled")


@dataclass(frozen=True, slots=True, repr=False)
class BreakerStatistics(Statistics):
    """What a circuit breaker sees now, and has counted.

    Attributes
    ----------
    state : str
        "closed", "open", "half_open", "forced_open" or "disabled".
    calls, failed, slow : int
        Calls in the window, or back from the trial, and those of them that failed or were slow. A window of
        time is as it was when the last call ended. For failures in a row, `calls` are those since the last
        success.
    failure_rate, slow_rate : float
        Their shares; 0 where there are no calls.
    permits : int
        Trial calls that may still come.
    opened : int
        How often it has opened by itself, or by `open`.
    rejected : int
        Calls that were not let through.
    uncounted : int
        Calls that ended without an outcome: cancelled, or with an exception that does not count.
    """

    state: BreakerStatus
    calls: int
    failed: int
    slow: int
    failure_rate: float
    slow_rate: float
    permits: int
    opened: int
    rejected: int
    uncounted: int


def statistics_of(breaker: Any) -> BreakerStatistics:
    """Return the statistics of a breaker."""
    s = breaker.memory
    calls, state = s.calls, STATES[s.state]
    return BreakerStatistics(
        state=state,
        calls=calls,
        failed=s.failed,
        slow=s.slow,
        failure_rate=s.failed / calls if calls else 0.0,
        slow_rate=s.slow / calls if calls else 0.0,
        permits=s.permits if state == "half_open" else 0,
        opened=s.opened,
        rejected=s.rejected,
        uncounted=s.uncounted,
    )
