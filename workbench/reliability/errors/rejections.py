"""What the policies raise: rejections, timeouts and injected faults.

::

    WorkbenchError
    └── ReliabilityError             a policy ended the call; `.error_class`, `.policy`, `.provenance`
        ├── RejectedError            the attempt was refused before it reached the callee
        │   ├── CircuitOpenError       OPEN              the breaker is open
        │   ├── RateLimitedError       THROTTLED         our rate limiter has no permit
        │   ├── ThrottledError         THROTTLED         client throttling: the callee accepts too few calls
        │   ├── BulkheadFullError      OVERLOAD          all places are taken, and the queue is full
        │   ├── LoadShedError          OVERLOAD          shed by priority, queue age or concurrency limit
        │   └── BudgetExhaustedError   BUDGET_EXHAUSTED  no retry or hedge is left; `__cause__` is the failure
        ├── DeadlineExceededError      TIMEOUT           (also a TimeoutError) the deadline of the whole call
        ├── AttemptTimeoutError        TIMEOUT           (also a TimeoutError) the time limit of one attempt
        └── ChaosError                 TRANSIENT         injected on purpose

A `RejectedError` says of one attempt only that it did not reach the callee: earlier attempts of the same
call may have. `DeadlineExceededError` is none, as the deadline may pass while the callee works; its
`started` tells.

Being refused must cost less than being served, so nothing is computed when an error is raised: the arguments
are kept in `args`, and the message is made when somebody reads it. That is also why they survive pickle and
copy with all they know.
"""

from typing import TYPE_CHECKING, ClassVar

from workbench.errors import WorkbenchError
from workbench.reliability.errors.taxonomy import ErrorClass

if TYPE_CHECKING:
    from workbench.reliability.errors.provenance import Provenance

__all__ = [
    "AttemptTimeoutError",
    "BudgetExhaustedError",
    "BulkheadFullError",
    "ChaosError",
    "CircuitOpenError",
    "DeadlineExceededError",
    "LoadShedError",
    "RateLimitedError",
    "RejectedError",
    "ReliabilityError",
    "ThrottledError",
]


class ReliabilityError(WorkbenchError):
    """Raised when a policy, not the callee, ended a call.

    Attributes
    ----------
    error_class : ErrorClass
        The class of all errors of this type; subclasses of yours may set their own.
    retryable : bool
        Whether another attempt makes sense.
    policy : str
        Name of the policy; empty where it has none.
    """

    error_class: ClassVar[ErrorClass] = ErrorClass.TRANSIENT
    retryable: ClassVar[bool] = True

    def __init_subclass__(cls, **options: object) -> None:
        """Let `retryable` follow the error class, where the subclass does not say otherwise."""
        super().__init_subclass__(**options)
        if "error_class" in vars(cls) and "retryable" not in vars(cls):
            cls.retryable = cls.error_class.retryable

    def __init__(self, policy: str = "") -> None:
        self.args = (policy,)

    def __str__(self) -> str:
        return f"{_named('policy', self.policy)} ended the call"

    @property
    def policy(self) -> str:
        """Name of the policy that ended the call."""
        return str(self._argument(0, ""))

    @property
    def provenance(self) -> "tuple[Provenance, ...]":
        """The policies that the error passed through, outermost first; see `provenance_of`."""
        from workbench.reliability.errors.provenance import provenance_of  # noqa: PLC0415 - it knows this module

        return provenance_of(self)

    def _argument(self, position: int, default: object = None) -> object:
        return self.args[position] if len(self.args) > position else default

    def _number(self, position: int) -> float | None:
        value = self._argument(position)
        return float(value) if isinstance(value, (int, float)) else None


class RejectedError(ReliabilityError):
    """Raised when an attempt was refused before it reached the callee.

    Attributes
    ----------
    retry_after_s : float or None
        Seconds until another attempt may be let through, where that is known.
    """

    error_class: ClassVar[ErrorClass] = ErrorClass.OVERLOAD

    def __init__(self, policy: str = "", retry_after_s: float | None = None) -> None:
        self.args = (policy, retry_after_s)

    def __str__(self) -> str:
        return f"{_named('policy', self.policy)} rejected the call{self._when()}"

    @property
    def retry_after_s(self) -> float | None:
        """Seconds until another attempt may be let through; never negative, None where unknown."""
        delay = self._number(1)
        return None if delay is None else max(0.0, delay)

    def _when(self) -> str:
        return "" if self.retry_after_s is None else f"; try again in {_seconds(self.retry_after_s)}"


class CircuitOpenError(RejectedError):
    """Raised when a circuit breaker is open; `retry_after_s` is the time until it probes the callee."""

    error_class = ErrorClass.OPEN

    def __str__(self) -> str:
        return f"{_named('circuit breaker', self.policy)} is open{self._when()}"


class RateLimitedError(RejectedError):
    """Raised when a rate limiter has no permit; `retry_after_s` is the time until it has one."""

    error_class = ErrorClass.THROTTLED

    def __str__(self) -> str:
        return f"{_named('rate limiter', self.policy)} has no permit{self._when()}"


class ThrottledError(RejectedError):
    """Raised when client throttling drops a call, because the callee accepts too few of those sent.

    Attributes
    ----------
    probability : float or None
        The share of calls that was being dropped.
    """

    error_class = ErrorClass.THROTTLED

    def __init__(
        self, policy: str = "", retry_after_s: float | None = None, probability: float | None = None
    ) -> None:
        self.args = (policy, retry_after_s, probability)

    def __str__(self) -> str:
        share = "" if self.probability is None else f", as {self.probability:.0%} of calls are"
        return f"{_named('client throttle', self.policy)} dropped the call{share}{self._when()}"

    @property
    def probability(self) -> float | None:
        """The share of calls that was being dropped, 0 to 1."""
        return self._number(2)


class BulkheadFullError(RejectedError):
    """Raised when all places of a bulkhead are taken and nobody may wait any more.

    Attributes
    ----------
    limit : int or None
        Calls that may run at once.
    """

    error_class = ErrorClass.OVERLOAD

    def __init__(
        self, policy: str = "", retry_after_s: float | None = None, limit: int | None = None
    ) -> None:
        self.args = (policy, retry_after_s, limit)

    def __str__(self) -> str:
        limit = "" if self.limit is None else f", {self.limit:,} calls at once"
        return f"{_named('bulkhead', self.policy)} is full{limit}{self._when()}"

    @property
    def limit(self) -> int | None:
        """Calls that may run at once."""
        value = self._argument(2)
        return value if isinstance(value, int) else None


class LoadShedError(RejectedError):
    """Raised when load is shed: by priority, by age in the queue, or by a limit of concurrency.

    Attributes
    ----------
    reason : str
        Why this call, such as ``"priority below 3"`` or ``"queued for 0.4 s"``.
    """

    error_class = ErrorClass.OVERLOAD

    def __init__(self, policy: str = "", retry_after_s: float | None = None, reason: str = "") -> None:
        self.args = (policy, retry_after_s, reason)

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        return f"{_named('load shedder', self.policy)} dropped the call{reason}{self._when()}"

    @property
    def reason(self) -> str:
        """Why this call was shed."""
        return str(self._argument(2, ""))


class BudgetExhaustedError(RejectedError):
    """Raised when a retry or hedge is refused because its budget is spent; `__cause__` is what failed."""

    error_class = ErrorClass.BUDGET_EXHAUSTED

    def __str__(self) -> str:
        return f"{_named('retry budget', self.policy)} is exhausted{self._when()}"


class DeadlineExceededError(ReliabilityError, TimeoutError):
    """Raised when the deadline of the whole call has passed: before, between or during its attempts.

    It is a timeout that is not worth another try, as no time is left for one.

    Attributes
    ----------
    timeout_s : float or None
        The time that the call had.
    started : bool
        Whether the callee was at work when the deadline passed.
    """

    error_class = ErrorClass.TIMEOUT
    retryable = False

    def __init__(self, policy: str = "", timeout_s: float | None = None, started: bool = False) -> None:  # noqa: FBT001, FBT002 - kept in `args`
        self.args = (policy, timeout_s, started)

    def __str__(self) -> str:
        limit = "" if self.timeout_s is None else f" of {_seconds(self.timeout_s)}"
        when = "while the callee was at work" if self.started else "before the callee was asked"
        return f"{_named('deadline', self.policy)}{limit} passed {when}"

    @property
    def timeout_s(self) -> float | None:
        """The time that the call had, seconds."""
        return self._number(1)

    @property
    def started(self) -> bool:
        """Whether the callee was at work when the deadline passed."""
        return bool(self._argument(2, False))


class AttemptTimeoutError(ReliabilityError, TimeoutError):
    """Raised when one attempt took longer than it may; the callee may still be at work.

    Attributes
    ----------
    timeout_s : float or None
        The time that the attempt had.
    """

    error_class = ErrorClass.TIMEOUT

    def __init__(self, policy: str = "", timeout_s: float | None = None) -> None:
        self.args = (policy, timeout_s)

    def __str__(self) -> str:
        limit = "its time" if self.timeout_s is None else _seconds(self.timeout_s)
        return f"{_named('timeout', self.policy)}: the attempt took longer than {limit}"

    @property
    def timeout_s(self) -> float | None:
        """The time that the attempt had, seconds."""
        return self._number(1)


class ChaosError(ReliabilityError):
    """Raised by fault injection, in place of an answer of the callee.

    Attributes
    ----------
    reason : str
        What was injected.
    """

    error_class = ErrorClass.TRANSIENT

    def __init__(self, policy: str = "", reason: str = "") -> None:
        self.args = (policy, reason)

    def __str__(self) -> str:
        return f"{_named('chaos', self.policy)} injected {self.reason or 'a fault'}"

    @property
    def reason(self) -> str:
        """What was injected."""
        return str(self._argument(1, ""))


def _named(kind: str, name: str) -> str:
    return f"{kind} {name!r}" if name else kind


def _seconds(value: float) -> str:
    return f"{value:.4g} s"
