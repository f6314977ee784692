"""`TimeLimit`: until when, by which clock, and who says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workbench.clock import DEFAULT_CLOCK, Clock
from workbench.reliability._deadline_headers import (
    GRPC_HEADER,
    HEADER,
    grpc_timeout,
    header_timeout_s,
    timeout_ms,
)
from workbench.reliability.errors.rejections import AttemptTimeoutError, DeadlineExceededError

__all__ = ["TimeLimit"]


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """Until when something must be done.

    In other processes it goes on with the time that was left when it was pickled.

    Attributes
    ----------
    at_s : float
        The instant, seconds of `clock`.
    timeout_s : float
        How much time there was at first.
    name : str
        The policy that set it.
    per_attempt : bool
        Whether it is the limit of one attempt, of which there may be another.
    """

    at_s: float
    timeout_s: float
    name: str = ""
    per_attempt: bool = False
    clock: Clock = field(default=DEFAULT_CLOCK, repr=False, compare=False)

    @classmethod
    def after(
        cls, timeout_s: float, *, name: str = "", per_attempt: bool = False, clock: Clock = DEFAULT_CLOCK
    ) -> "TimeLimit":
        """Return the limit that comes after so many seconds from now."""
        return cls(clock.now() + timeout_s, timeout_s, name, per_attempt, clock)

    def left_s(self) -> float:
        """Return the seconds that are left; negative when it has passed. For the timeouts of sockets, say."""
        return self.at_s - self.clock.now()

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.left_s() <= 0.0

    def check(self) -> None:
        """Raise an error if it has passed: for loops that work long without calling anything.

        Raises
        ------
        DeadlineExceededError or AttemptTimeoutError
        """
        if self.passed:
            raise self.error(started=True)

    def error(self, *, started: bool) -> DeadlineExceededError | AttemptTimeoutError:
        """Return the error of who did not keep it."""
        if self.per_attempt:
            return AttemptTimeoutError(self.name, self.timeout_s)
        return DeadlineExceededError(self.name, self.timeout_s, started)

    def to_headers(self) -> dict[str, str]:
        """Return the time left as HTTP headers; see `_deadline_headers`.

        Examples
        --------
        >>> from workbench.clock import VirtualClock
        >>> TimeLimit.after(1.5, clock=VirtualClock()).to_headers()
        {'grpc-timeout': '1500000u', 'x-request-timeout-ms': '1500'}
        """
        left_s = self.left_s()
        return {GRPC_HEADER: grpc_timeout(left_s), HEADER: timeout_ms(left_s)}

    def to_metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the time left as metadata of a gRPC call, beside its ``timeout=limit.left_s()``."""
        return ((HEADER, timeout_ms(self.left_s())),)

    @classmethod
    def from_headers(
        cls,
        headers: Mapping[str, object] | Iterable[tuple[str, object]],
        *,
        name: str = "caller",
        clock: Clock = DEFAULT_CLOCK,
    ) -> "TimeLimit | None":
        """Return the limit that headers or metadata set, or None where they set none.

        Raises
        ------
        DeadlineHeaderError
            When one of them cannot be read.
        """
        left_s = header_timeout_s(headers)
        return None if left_s is None else cls.after(left_s, name=name, clock=clock)

    def __reduce__(self) -> tuple[object, ...]:
        return _resumed, (self.left_s(), self.timeout_s, self.name, self.per_attempt)


def _resumed(left_s: float, timeout_s: float, name: str, per_attempt: bool) -> TimeLimit:  # noqa: FBT001 - from pickle
    return TimeLimit(DEFAULT_CLOCK.now() + left_s, timeout_s, name, per_attempt)
