"""`RetryBudget`: how many retries all callers of something may make together."""

import threading
from dataclasses import dataclass
from typing import Any

from workbench.clock import Clock
from workbench.reliability.machines import budget as machine
from workbench.reliability.machines.budget import deposit, withdraw
from workbench.reliability.policies._arguments import check_factor, check_share
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policy import checked_clock, deep_copy_but_clock

__all__ = ["BudgetStatistics", "RetryBudget"]


@dataclass(frozen=True, slots=True, repr=False)
class BudgetStatistics(Statistics):
    """Calls that paid in, retries that were granted and refused, and how many are left now."""

    calls: int
    granted: int
    refused: int
    left: float


class RetryBudget:
    """How many retries all callers of something may make together: give the same one to all their policies.

    In every interval there are no more retries than ``burst + ratio * calls + minimum_hz * seconds``. So when
    everything fails, the load grows by `ratio` and not by the number of attempts.

    Parameters
    ----------
    ratio : float
        Retries that each call pays for.
    minimum_hz : float
        Retries a second that need no calls, for those who seldom call.
    burst : float
        Retries that may be saved up; it starts with so many.

    Notes
    -----
    ``ratio=0.2`` is the default of Finagle and Envoy. `minimum_hz` is 1, a tenth of Finagle's, whose 10 a
    second are meant for busy servers; `burst` is what 10 seconds of it save up, Finagle's time to live of a
    token, and the maximum in gRPC's example (A6). A bounded bucket was taken instead of a window of time: its
    bound holds in every interval, and paying in reads no clock.

    Threads may share it; it is no policy, as it surrounds no calls.

    Examples
    --------
    >>> from workbench.clock import VirtualClock
    >>> budget = RetryBudget(ratio=0.5, minimum_hz=0.0, burst=1.0, clock=VirtualClock())
    >>> budget.try_withdraw(), budget.try_withdraw()
    (True, False)
    >>> budget.deposit(), budget.deposit(), budget.try_withdraw()
    (None, None, True)
    """

    def __init__(
        self,
        *,
        ratio: float = 0.2,
        minimum_hz: float = 1.0,
        burst: float = 10.0,
        name: str = "budget",
        clock: Clock | None = None,
    ) -> None:
        check_share("ratio", ratio, zero=True)
        check_factor("minimum_hz", minimum_hz, least=0.0)
        check_factor("burst", burst)
        self.name = name
        self.clock: Clock = checked_clock(clock)
        self.lock = threading.RLock()
        self.parameters = machine.Parameters(float(ratio), float(minimum_hz), float(burst))
        self.memory = machine.State()

    def deposit(self) -> None:
        """Count a call, which pays for a part of a retry."""
        with self.lock:
            deposit(self.parameters, self.memory)

    def try_withdraw(self) -> bool:
        """Take a retry, if there is one."""
        with self.lock:
            return withdraw(self.parameters, self.memory, self.clock.now())

    def left(self) -> float:
        """Return how many retries are left now."""
        p, s = self.parameters, self.memory
        with self.lock:
            saved = max(0.0, self.clock.now() - s.counted_s) * p.minimum_hz
            return p.burst - max(0.0, s.missing - saved)

    def wait_s(self) -> float | None:
        """Return the seconds until there is a retry without further calls, or None when there never is."""
        short = 1.0 - self.left()
        if short <= 0.0:
            return 0.0
        return short / self.parameters.minimum_hz if self.parameters.minimum_hz else None

    @property
    def statistics(self) -> BudgetStatistics:
        """What was paid in and taken, and what is left."""
        with self.lock:
            s = self.memory
            return BudgetStatistics(s.calls, s.granted, s.refused, self.left())

    def adopt(self, old: "RetryBudget") -> None:
        """Go on with what is left of another one, and its counts."""
        self.memory, self.lock = old.memory, old.lock

    def reset(self) -> None:
        """Fill it, and forget what was counted."""
        with self.lock:
            fresh = machine.State()
            for name in machine.State.__slots__:
                setattr(self.memory, name, getattr(fresh, name))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy what it was made with: the other one is full, and is shared anew."""
        p = self.parameters
        return _made_again, (p.ratio, p.minimum_hz, p.burst, self.name, self.clock)

    def __deepcopy__(self, memo: dict[int, Any]) -> "RetryBudget":
        """Copy what it was made with, but not time: the copy goes by the same clock."""
        return deep_copy_but_clock(self, memo)

    def __repr__(self) -> str:
        p = self.parameters
        return f"RetryBudget(ratio={p.ratio:g}, minimum_hz={p.minimum_hz:g}, burst={p.burst:g})"


def _made_again(ratio: float, minimum_hz: float, burst: float, name: str, clock: Clock) -> RetryBudget:
    return RetryBudget(ratio=ratio, minimum_hz=minimum_hz, burst=burst, name=name, clock=clock)
