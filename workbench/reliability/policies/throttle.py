"""`ClientThrottle`: a client that is mostly refused asks less, by itself."""

from dataclasses import dataclass
from typing import Any

from workbench.clock import Clock
from workbench.reliability.errors.classification import classify
from workbench.reliability.errors.rejections import ThrottledError
from workbench.reliability.errors.taxonomy import ErrorClass
from workbench.reliability.fusing.layers import Layer, entry_time
from workbench.reliability.machines import client_throttle as machine
from workbench.reliability.machines.client_throttle import (
    accept,
    is_doubtful,
    reject,
    rejects,
    request,
    turn,
)
from workbench.reliability.policies._arguments import check_count, check_factor, check_seconds, check_share
from workbench.reliability.policies._outcomes import Failures, On
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policy import Generator, Policy

__all__ = ["ClientThrottle", "ThrottleStatistics"]


def throttle_client(q: Any, proceed: Any) -> None:
    """Let a call pass with the probability that the callee's answers leave it."""
    p, s, requests, accepts, clock, rng = q.parameters, q.memory, q.requests, q.accepts, q.clock, q.rng
    entered = entry_time(clock)
    if entered >= s.until_s:
        turn(p, s, requests, accepts, entered)
    doubtful = is_doubtful(p, s)
    if doubtful:
        u = rng.random()
        rejected = rejects(p, s, u)
        if rejected:
            reject(s, requests)
            raise q.refusal(entered)
    request(s, requests)
    try:
        result = proceed()  # noqa: F841 - what all layers share
    except BaseException as error:
        if q.was_accepted(error):
            accept(s, accepts)
        raise
    accept(s, accepts)


@dataclass(frozen=True, slots=True, repr=False)
class ThrottleStatistics(Statistics):
    """What a client throttle knows.

    Attributes
    ----------
    requests, accepts : int
        Calls of the window (as it was when the last call came), and those that the callee accepted.
    rejection_rate : float
        The probability with which the next call is rejected.
    rejected : int
        All calls that were rejected here, since the last reset.
    """

    requests: int
    accepts: int
    rejection_rate: float
    rejected: int


class ClientThrottle(Policy):
    """Reject calls here that the callee would reject anyway, with the SRE book's probability.

    Parameters
    ----------
    ratio : float
        K: how many times as many calls are sent as are accepted. The nearer to 1, the fewer are sent in vain,
        and the later it is noticed that more are accepted.
    window_s : float
        The time that is looked back upon.
    max_rejection : float
        The greatest probability. With 1 only one call a window still passes after an outage that is longer
        than the window, and then K times as many each window: for a fast recovery take 0.9, as failsafe-go.
    on : exception types, ErrorClass, or function of an exception, optional
        What means that the callee did not accept a call. By default all that `classify` does not call
        PERMANENT: an answer that says what is wrong with the call was worked for. What never comes back (a
        cancelled call) was not accepted either.
    buckets : int
        In how many pieces the window moves on.
    name, clock, rng
        As for all policies.

    Raises
    ------
    PolicyError
        When an argument is out of range.

    Notes
    -----
    A rejected call raises `ThrottledError`. Of R calls a window, a callee that accepts up to C gets ``K C +
    1``, once that is less than R; one that accepts a share ``a < 1 / K``, whatever comes, gets ``R / (1 + R
    (1 - K a))``: next to nothing, as sending less does not help.

    Defaults: K = 2 and two minutes are the book's (chapter 21). `max_rejection` is 1, as there; failsafe-go
    has 0.9. 20 buckets are failsafe-go's. Polly and resilience4j have nothing of the kind.

    Examples
    --------
    >>> throttle = ClientThrottle(max_rejection=0.9)
    >>> throttle.call(len, "abc"), throttle.rejection_rate
    (3, 0.0)
    """

    kind = "throttle"
    parameters: machine.Parameters
    memory: machine.State

    def __init__(  # noqa: PLR0913 - its parameters
        self,
        *,
        ratio: float = 2.0,
        window_s: float = 120.0,
        max_rejection: float = 1.0,
        on: On | None = None,
        buckets: int = 20,
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> None:
        check_factor("ratio", ratio)
        pieces = check_factor("buckets", check_count("buckets", buckets, least=2))
        bucket_s = check_seconds("window_s", window_s) / pieces
        self.parameters = machine.Parameters(
            float(ratio), check_share("max_rejection", max_rejection), bucket_s, buckets
        )
        self.memory = machine.State()
        self.requests = [0] * buckets
        self.accepts = [0] * buckets
        self.on = None if on is None else Failures.of(on)
        super().__init__(name=name, clock=clock, rng=rng)

    def adopt(self, old: "ClientThrottle") -> bool:
        """Go on with the window of another one, where it is divided alike."""
        p, its = self.parameters, old.parameters
        if (p.bucket_s, p.buckets) != (its.bucket_s, its.buckets):
            return False
        self.requests, self.accepts = old.requests, old.accepts
        return self.adopt_counts(old)

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        return Layer(throttle_client)

    @property
    def rejection_rate(self) -> float:
        """The probability with which the next call is rejected."""
        p, s = self.parameters, self.memory
        return min(p.max_rejection, max(0.0, (s.requests - p.ratio * s.accepts) / (s.requests + 1.0)))

    @property
    def statistics(self) -> ThrottleStatistics:
        """The window's counts, and all calls that were rejected."""
        s = self.memory
        return ThrottleStatistics(s.requests, s.accepts, self.rejection_rate, s.rejected)

    def reset(self) -> None:
        """Forget the window."""
        with self.lock:
            self.requests[:] = [0] * len(self.requests)
            self.accepts[:] = [0] * len(self.accepts)
            super().reset()

    def refusal(self, now: float) -> ThrottledError:
        """Return the error of a call that is rejected."""
        probability = self.rejection_rate
        if self.listening:
            self.emit("rejected", now, probability=probability)
        return ThrottledError(self.name, None, probability)

    def was_accepted(self, error: BaseException) -> bool:
        """Tell whether an exception is an answer of a callee that accepted the call."""
        if not isinstance(error, Exception):
            return False
        if self.on is None:
            return classify(error) is ErrorClass.PERMANENT
        return not self.on.include(error)

    def __repr__(self) -> str:
        s = self.memory
        return f"ClientThrottle({self.name!r}, {s.accepts:,} of {s.requests:,} accepted)"
