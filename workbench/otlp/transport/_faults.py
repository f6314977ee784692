"""Faults as values: what a receiver does to a request instead of answering it well.

A receiver takes them in order, one a request, and then behaves; or at a seeded rate, with `Faulty`; or from
any function ``(signal, number) -> fault or None``.

=================  ===========================================  ===========================================
fault              over HTTP                                    over gRPC
=================  ===========================================  ===========================================
`Throttle`         429 (or 503) with Retry-After                UNAVAILABLE with RetryInfo
`PartialSuccess`   200, the last records rejected               OK, the last records rejected
`Slow`             answers well, late                           answers well, late
`Reset`            the connection is aborted, no answer         UNAVAILABLE, as a client sees a lost channel
`Oversize`         200 with a body over the client's limit      OK with a message over the client's limit
`GzipBomb`         200, few bytes that inflate to many          OK, few bytes that inflate to many
`Status`           that status, with a google.rpc.Status        that code
=================  ===========================================  ===========================================
"""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import grpc

from workbench.otlp.transport._retrying import RETRYABLE_HTTP
from workbench.otlp.transport._services import ServiceName
from workbench.otlp.transport.errors import ConfigurationError

__all__ = [
    "Fault",
    "FaultScript",
    "Faulty",
    "GzipBomb",
    "Oversize",
    "PartialSuccess",
    "Reset",
    "Slow",
    "Status",
    "Throttle",
    "fault_script",
]

MIB = 1 << 20
LARGEST_BYTES = 1 << 30
LONGEST_RETRY_S = 1e9  # the year is one of four digits still
CODES = {code.name: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Throttle:
    """Tell the client to come back later; nothing is kept.

    Attributes
    ----------
    retry_after_s : float or None
        Up to 1e9; None says nothing of when. HTTP has whole seconds: it is rounded up there.
    status : {429, 503, 502, 504}
        Over HTTP.
    as_date : bool
        Write Retry-After as a date instead of seconds.
    """

    retry_after_s: float | None = 1.0
    status: int = 429
    as_date: bool = False

    def __post_init__(self) -> None:
        _check_retry_after(self.retry_after_s)
        if self.status not in RETRYABLE_HTTP:
            msg = f"status must be one of {sorted(RETRYABLE_HTTP)}, got {self.status}"
            raise ConfigurationError(msg)


@dataclass(frozen=True, slots=True)
class PartialSuccess:
    """Keep all but the last `rejected` records; with none rejected, the message is a warning."""

    rejected: int = 1
    message: str = "rejected on purpose"

    def __post_init__(self) -> None:
        if self.rejected < 0:
            msg = f"rejected must be 0 or more, got {self.rejected}"
            raise ConfigurationError(msg)


@dataclass(frozen=True, slots=True)
class Slow:
    """Keep everything, and answer after so many seconds, or when the receiver closes."""

    seconds: float

    def __post_init__(self) -> None:
        if not self.seconds >= 0:
            msg = f"seconds must be 0 or more, got {self.seconds}"
            raise ConfigurationError(msg)


@dataclass(frozen=True, slots=True)
class Reset:
    """Break the connection; with `kept`, only the acknowledgement is lost, and a retry is a duplicate."""

    kept: bool = False


@dataclass(frozen=True, slots=True)
class Oversize:
    """Keep everything, and answer with more bytes than a client may read."""

    size_bytes: int = 5 * MIB

    def __post_init__(self) -> None:
        _check_size("size_bytes", self.size_bytes)


@dataclass(frozen=True, slots=True)
class GzipBomb:
    """Keep everything, and answer with few bytes that inflate to many."""

    inflated_bytes: int = 64 * MIB

    def __post_init__(self) -> None:
        _check_size("inflated_bytes", self.inflated_bytes)


@dataclass(frozen=True, slots=True)
class Status:
    """Fail with this status: a number over HTTP, a name such as ``"INTERNAL"`` over gRPC; nothing is kept.

    With `retry_after_s` the client is told when to come back, by Retry-After or RetryInfo.
    """

    http: int = 500
    grpc: str = "INTERNAL"
    message: str = "failed on purpose"
    retry_after_s: float | None = None

    def __post_init__(self) -> None:
        _check_retry_after(self.retry_after_s)
        if not 400 <= self.http <= 599:
            msg = f"http must be a status from 400 to 599, got {self.http}"
            raise ConfigurationError(msg)
        if self.grpc not in CODES or self.grpc == "OK":
            msg = f"grpc must be the name of a failing status code, such as 'INTERNAL', got {self.grpc!r}"
            raise ConfigurationError(msg)


def _check_retry_after(seconds: float | None) -> None:
    if seconds is not None and not 0 <= seconds <= LONGEST_RETRY_S:
        msg = f"retry_after_s must be from 0 to {LONGEST_RETRY_S:g}, or None, got {seconds}"
        raise ConfigurationError(msg)


def _check_size(name: str, size_bytes: int) -> None:
    if not 0 <= size_bytes <= LARGEST_BYTES:
        msg = f"{name} must be from 0 to {LARGEST_BYTES:,}, got {size_bytes:,}"
        raise ConfigurationError(msg)


Fault: TypeAlias = Throttle | PartialSuccess | Slow | Reset | Oversize | GzipBomb | Status
FaultScript: TypeAlias = Callable[[ServiceName, int], Fault | None]


class Faulty:
    """Faults at a rate: each request meets one of them with this probability; a seed gives the same run.

    Examples
    --------
    >>> half = Faulty([Throttle(0.5), Reset()], rate=0.5, seed=7)
    >>> [type(half("traces", number)).__name__ for number in range(4)]
    ['NoneType', 'NoneType', 'NoneType', 'Throttle']
    """

    def __init__(self, faults: Sequence[Fault], *, rate: float = 1.0, seed: int = 0) -> None:
        if not faults or not 0 <= rate <= 1:
            msg = f"expected faults and a rate from 0 to 1, got {list(faults)} and {rate}"
            raise ConfigurationError(msg)
        self.faults = tuple(faults)
        self.rate = rate
        self.seed = seed
        self._random = random.Random(seed)  # noqa: S311 (repeatable is what is wanted)

    def __call__(self, _signal: ServiceName, _number: int) -> Fault | None:
        """Return the fault that this request meets, if any."""
        chosen = self._random.choice(self.faults)
        return chosen if self._random.random() < self.rate else None

    def __repr__(self) -> str:
        return f"Faulty({list(self.faults)}, rate={self.rate:g}, seed={self.seed})"


def fault_script(faults: Iterable[Fault | None] | FaultScript) -> FaultScript:
    """Return faults in order, or a function of them, as a function."""
    if callable(faults):
        return faults
    checked = _checked(_listed(faults))
    if isinstance(faults, Sequence):
        checked = iter(list(checked))  # what is no fault is refused at once, and not in a server's thread
    rest = itertools.chain(checked, itertools.repeat(None))
    return lambda _signal, _number: next(rest)


def _listed(faults: object) -> Iterable[object]:
    if not isinstance(faults, Iterable):
        msg = f"expected faults, or a function of signal and number, got {faults!r}"
        raise ConfigurationError(msg)
    return faults


def _checked(faults: Iterable[object]) -> Iterator[Fault | None]:
    for fault in faults:
        if fault is not None and not isinstance(fault, Fault):
            msg = f"expected a fault such as Throttle() or Reset(), got {fault!r}"
            raise ConfigurationError(msg)
        yield fault
