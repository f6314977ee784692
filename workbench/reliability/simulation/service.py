"""The service that is called, the clients that call it, and what goes wrong with it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.distributions import Distribution
from workbench.reliability.simulation.errors import SimulationError

__all__ = [
    "Arrivals",
    "Closed",
    "Errors",
    "Even",
    "Fault",
    "Outage",
    "Poisson",
    "Recorded",
    "Service",
    "Slowdown",
    "Surge",
]


@dataclass(frozen=True, kw_only=True)
class Service:
    """So many servers with one queue.

    Parameters
    ----------
    servers : int
    service_time : Distribution
        How long a server is busy with an attempt.
    queue : {"fifo", "lifo"}
        Whose turn it is: who waits longest, or who came last.
    queue_limit : int, optional
        How many may wait; further attempts fail at once. Without, all may.
    drop_after_s : float
        An attempt that waited longer is not served any more.
    failure_rate : float
        The share of served attempts that fail.
    cancels : bool
        Whether the service learns that a caller has given up, and leaves out its attempt in the queue.
    """

    servers: int = 1
    service_time: Distribution
    queue: Literal["fifo", "lifo"] = "fifo"
    queue_limit: int | None = None
    drop_after_s: float = math.inf
    failure_rate: float = 0.0
    cancels: bool = False

    def __post_init__(self) -> None:
        if self.servers < 1 or self.servers != int(self.servers):
            msg = f"servers must be a positive integer, got {self.servers!r}"
            raise SimulationError(msg)
        time: object = self.service_time
        if not isinstance(time, Distribution):
            msg = f"service_time must be a distribution, such as Exponential(mean_s=0.1), got {time!r}"
            raise SimulationError(msg)
        if self.queue not in ("fifo", "lifo"):
            msg = f"queue must be 'fifo' or 'lifo', got {self.queue!r}"
            raise SimulationError(msg)
        if self.queue_limit is not None and (
            self.queue_limit < 0 or self.queue_limit != int(self.queue_limit)
        ):
            msg = f"queue_limit must be an integer from 0 on, got {self.queue_limit!r}"
            raise SimulationError(msg)
        if not 0 <= self.failure_rate <= 1:
            msg = f"failure_rate must be a share from 0 to 1, got {self.failure_rate!r}"
            raise SimulationError(msg)

    @property
    def mean_service_s(self) -> float:
        """The mean service time, in seconds."""
        return self.service_time.mean_s


class Arrivals:
    """How clients come."""

    kind = codes.POISSON
    rate_hz = 0.0
    users = 0
    think_s = 0.0

    def times(self) -> npt.NDArray[np.float64]:
        """Return the times of those that come at given times."""
        return np.zeros(0)


def _rate(value: float) -> None:
    if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
        msg = f"rate_hz must be a positive number, got {value!r}"
        raise SimulationError(msg)


@dataclass(frozen=True)
class Poisson(Arrivals):
    """Clients that know nothing of each other, so many a second on average."""

    rate_hz: float
    kind = codes.POISSON

    def __post_init__(self) -> None:
        _rate(self.rate_hz)


@dataclass(frozen=True)
class Even(Arrivals):
    """Clients at equal distances."""

    rate_hz: float
    kind = codes.EVEN

    def __post_init__(self) -> None:
        _rate(self.rate_hz)


@dataclass(frozen=True)
class Recorded(Arrivals):
    """Clients at given times, in seconds, ascending."""

    at_s: Any
    kind = codes.RECORDED

    def times(self) -> npt.NDArray[np.float64]:
        """Return the times.

        Raises
        ------
        SimulationError
            When they do not ascend, or begin before 0.
        """
        found = np.array(self.at_s, np.float64)
        if found.ndim != 1 or (np.diff(found) < 0).any() or (len(found) and not found[0] >= 0):
            msg = "at_s must be times in ascending order, from 0 on"
            raise SimulationError(msg)
        return found


@dataclass(frozen=True)
class Closed(Arrivals):
    """So many users, each of whom calls again after its call has ended and it has thought, exponentially."""

    users: int
    think_s: float
    kind = codes.CLOSED

    def __post_init__(self) -> None:
        if self.users < 1 or not 0 <= self.think_s < math.inf:
            msg = (
                f"expected one user at least and a think_s from 0 on, got {self.users!r} and {self.think_s!r}"
            )
            raise SimulationError(msg)


@dataclass(frozen=True)
class Fault:
    """Something that is wrong from a time on, up to another."""

    start_s: float
    end_s: float
    kind = codes.OUTAGE
    bounds = (0.0, 1.0)  # of the amount: a share

    def __post_init__(self) -> None:
        if not 0 <= self.start_s < self.end_s:
            msg = f"a fault must start before it ends, got {self.start_s!r} to {self.end_s!r}"
            raise SimulationError(msg)
        least, most = self.bounds
        if not least <= self.amount <= most:
            msg = f"{type(self).__name__}: expected an amount from {least:g} to {most:g}, got {self.amount!r}"
            raise SimulationError(msg)

    @property
    def amount(self) -> float:
        """How much of it there is."""
        return 1.0


@dataclass(frozen=True)
class Outage(Fault):
    """Attempts are refused at once: all, or a share of them."""

    share: float = 1.0
    kind = codes.OUTAGE

    @property
    def amount(self) -> float:
        """The share that is refused."""
        return self.share


@dataclass(frozen=True)
class Errors(Fault):
    """A share of the attempts is served and fails."""

    rate: float = 1.0
    kind = codes.ERRORS

    @property
    def amount(self) -> float:
        """The share that fails."""
        return self.rate


@dataclass(frozen=True)
class Slowdown(Fault):
    """Service that begins takes so many times as long: a tenth of the capacity is a factor of 10."""

    factor: float = 10.0
    kind = codes.SLOWDOWN
    bounds = (1.0, math.inf)

    @property
    def amount(self) -> float:
        """The factor."""
        return self.factor


@dataclass(frozen=True)
class Surge(Fault):
    """So many times as many clients come."""

    factor: float = 2.0
    kind = codes.SURGE
    bounds = (0.0, math.inf)

    @property
    def amount(self) -> float:
        """The factor."""
        return self.factor


def fault_records(faults: Iterable[Fault]) -> npt.NDArray[Any]:
    """Return faults as the kernel reads them."""
    from workbench.reliability.simulation._records import FAULT  # noqa: PLC0415

    return np.array([(fault.kind, fault.start_s, fault.end_s, fault.amount) for fault in faults], FAULT)
