"""What became of a call, by code, by name, and as the exception that is raised where it happens live."""

from collections.abc import Callable

from workbench.reliability.errors import (
    AttemptTimeoutError,
    BudgetExhaustedError,
    BulkheadFullError,
    ChaosError,
    CircuitOpenError,
    DeadlineExceededError,
    LoadShedError,
    RateLimitedError,
    ThrottledError,
)
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.errors import ServiceDroppedError, ServiceFailedError, ServiceFullError

__all__ = ["NAMES", "error_of", "failure_bits"]

STATIC = (
    "ok",
    "failed",
    "rate_limited",
    "circuit_open",
    "bulkhead_full",
    "timed_out",
    "service_full",
    "service_dropped",
    "out_of_budget",
    "out_of_time",
    "load_shed",
    "throttled",
    "chaos_failed",
    "cancelled",
)
NAMES = (
    *STATIC,
    *(f"unused_{code}" for code in range(len(STATIC), codes.RESULTS)),
    *(f"result_{number}" for number in range(codes.EXCEPTIONS - codes.RESULTS)),
    *(f"exception_{number}" for number in range(codes.REPLIES_END - codes.EXCEPTIONS)),
)

ERRORS: dict[int, Callable[[], Exception]] = {
    codes.FAILED: lambda: ServiceFailedError("the service failed"),
    codes.RATE_LIMITED: lambda: RateLimitedError("limiter"),
    codes.CIRCUIT_OPEN: lambda: CircuitOpenError("breaker"),
    codes.BULKHEAD_FULL: lambda: BulkheadFullError("bulkhead"),
    codes.TIMED_OUT: lambda: AttemptTimeoutError("timeout"),
    codes.SERVICE_FULL: lambda: ServiceFullError("the service's queue is full"),
    codes.SERVICE_DROPPED: lambda: ServiceDroppedError("the service dropped the call from its queue"),
    codes.OUT_OF_BUDGET: lambda: BudgetExhaustedError("budget"),
    codes.OUT_OF_TIME: lambda: DeadlineExceededError("deadline"),
    codes.LOAD_SHED: lambda: LoadShedError("shedder"),
    codes.THROTTLED: lambda: ThrottledError("throttle"),
    codes.CHAOS_FAILED: lambda: ChaosError("chaos"),
}


def error_of(outcome: int) -> Exception:
    """Return the exception that an outcome is, live."""
    return ERRORS[outcome]()


def failure_bits(counts: Callable[[Exception], bool]) -> int:
    """Return which outcomes count as failures, a bit each, from what tells so of exceptions."""
    return sum(1 << outcome for outcome in range(codes.FAILED, codes.CANCELLED) if counts(error_of(outcome)))
