"""`AdaptiveLimit`: as many calls at a time as the callee can take, found by watching it."""

from dataclasses import dataclass, fields
from typing import Any

from workbench.clock import Clock
from workbench.reliability.errors.rejections import LoadShedError
from workbench.reliability.errors.taxonomy import ErrorClass
from workbench.reliability.fusing.layers import Layer, in_world
from workbench.reliability.machines import bulkhead as machine
from workbench.reliability.machines import sampling
from workbench.reliability.machines.bulkhead import leave, take
from workbench.reliability.machines.sampling import end_window, sample
from workbench.reliability.policies._arguments import check_count, check_seconds
from workbench.reliability.policies._orders import OrderName, order_named
from workbench.reliability.policies._outcomes import Failures, On
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policies._waiters import DROPPED, EXPIRED
from workbench.reliability.policies._waiting_room import WaitingRoom, constant_patience
from workbench.reliability.policies.adaptive_algorithms import Algorithm, AlgorithmName, algorithm_of
from workbench.reliability.policies.limit_history import LimitHistory
from workbench.reliability.policy import Generator, Policy, PolicyError

__all__ = ["AdaptiveLimit", "AdaptiveLimitStatistics"]

OVERLOADED = (ErrorClass.TIMEOUT, ErrorClass.OVERLOAD, ErrorClass.THROTTLED)


def limit_adaptively(q: Any, proceed: Any) -> None:
    """Let a call run in a place of its own, and learn from how long it takes."""
    p, s, w, window, clock, room = q.parameters, q.memory, q.sampling, q.window, q.clock, q.room
    taken = take(p, s)
    if not taken:
        in_world(room.wait, room.wait_async)()
    inflight = s.running
    started = 0.0
    try:
        started = clock.now()
        result = proceed()  # noqa: F841 - what all layers share
        now = clock.now()
    except BaseException as error:
        awaited = leave(s)
        if awaited:
            room.hand_on()
        q.learn_failure(error, started, inflight)
        raise
    awaited = leave(s)
    if awaited:
        room.hand_on()
    ended = sample(w, window, now, now - started, inflight, False)
    if ended:
        q.learn(now)


@dataclass(frozen=True, slots=True, repr=False)
class AdaptiveLimitStatistics(Statistics):
    """An adaptive limit now, and how calls fared that found no place.

    Attributes
    ----------
    limit : int
        Calls that may run at once.
    running, waiting : int
        Calls that run and wait now.
    rejected, expired, displaced, cancelled : int
        Calls that found the queue full, waited for too long, gave way to a more important one, or no longer
        wanted their place.
    updates : int
        How often the algorithm has learnt.
    rtt_s : float
        The mean round-trip time of the last window, seconds.
    """

    limit: int
    running: int
    waiting: int
    rejected: int
    expired: int
    displaced: int
    cancelled: int
    updates: int
    rtt_s: float


class AdaptiveLimit(Policy):
    """Let as many calls run at a time as the callee can take without queueing; reject the others.

    Parameters
    ----------
    algorithm : {"gradient2", "vegas", "aimd"}, Gradient2, Vegas or AIMD
        How the limit is found; see `adaptive_algorithms`.
    queue : int
        Calls that wait at most for a place.
    max_wait_s : float, optional
        For how long a call waits at most; None is without limit.
    order : {"fifo", "lifo", "priority"}
        Who waits gets a place in this order.
    on : exception types, ErrorClass, or function of an exception
        What means that a call was dropped for lack of capacity. Calls that end by other exceptions say
        nothing of the callee's load, and are not learnt from.
    window_s, least : float, int
        Times are averaged over windows that are so long and have so many samples; 0 learns from every call.
    min_rtt_s : float
        Shorter times are not learnt from.
    name, clock, rng
        As for all policies.
    **options
        The algorithm's: ``initial=``, ``minimum=``, ``maximum=`` and others.

    Raises
    ------
    PolicyError
        When an argument is out of range, or the algorithm has no such option.

    Notes
    -----
    A rejected call raises `LoadShedError`. The calls in flight are sampled when a call starts, itself
    included.

    Defaults are those of Netflix's concurrency-limits: of its algorithms; of its `WindowedLimit` (1 s, 10
    samples, 100 µs); of its `LifoBlockingLimiter` the second for which a call waits, if `queue` is more than
    the 0 of its `SimpleLimiter`. What counts as dropped there is the caller's choice, for gRPC UNAVAILABLE
    and DEADLINE_EXCEEDED: here all that `classify` calls a timeout, overload or throttling. Polly and
    resilience4j have no adaptive limits.

    Examples
    --------
    >>> limit = AdaptiveLimit("vegas", initial=10)
    >>> limit.call(len, "abc"), limit.limit
    (3, 10)
    """

    kind = "adaptive limit"
    parameters: machine.Parameters
    memory: machine.State

    def __init__(  # noqa: PLR0913 - its parameters
        self,
        algorithm: AlgorithmName | Algorithm = "gradient2",
        *,
        queue: int = 0,
        max_wait_s: float | None = 1.0,
        order: OrderName = "fifo",
        on: On = OVERLOADED,
        window_s: float = 1.0,
        least: int | None = None,
        min_rtt_s: float = 1e-4,
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name=name, clock=clock, rng=rng)
        self.algorithm = algorithm_of(algorithm, options)
        self.max_wait_s = None if max_wait_s is None else check_seconds("max_wait_s", max_wait_s, zero=True)
        if order not in ("fifo", "lifo", "priority"):
            msg = f'order is {order!r}, expected "fifo", "lifo" or "priority"'
            raise PolicyError(msg)
        self.order = order
        self.parameters = machine.Parameters(self.algorithm.initial, check_count("queue", queue, least=0))
        self.memory = machine.State()
        self.sampling = sampling.Parameters(
            check_seconds("window_s", window_s, zero=True),
            check_count("least", (10 if window_s else 1) if least is None else least),
            check_seconds("min_rtt_s", min_rtt_s),
        )
        self.window = sampling.State()
        self.on = Failures.of(on)
        self.updates = 0
        self.rules: Any
        self.estimate: Any
        self.rules, self.estimate = self.algorithm.begin(self.rng.random())
        self.room = WaitingRoom(self, order_named(order), self.refusal, constant_patience(self.max_wait_s))

    def adopt(self, old: "AdaptiveLimit") -> bool:
        """Go on from the limit of another one, within its own bounds, where the algorithm is the same."""
        if type(self.algorithm) is not type(old.algorithm):
            return False
        for each in fields(old.estimate):
            setattr(self.estimate, each.name, getattr(old.estimate, each.name))
        limit = min(max(old.estimate.limit, self.algorithm.minimum), self.algorithm.maximum)
        self.estimate.limit = float(limit)
        self._set_limit(int(limit))
        return True

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        return Layer(limit_adaptively, waits=self.parameters.queue > 0)

    @property
    def limit(self) -> int:
        """How many calls may run at a time now."""
        return self.parameters.limit

    @property
    def statistics(self) -> AdaptiveLimitStatistics:
        """The limit, and what became of calls that found no place."""
        s = self.memory
        with self.lock:
            return AdaptiveLimitStatistics(
                limit=self.parameters.limit,
                running=s.running,
                waiting=s.waiting,
                rejected=s.rejected,
                expired=s.expired,
                displaced=s.shed,
                cancelled=s.cancelled,
                updates=self.updates,
                rtt_s=self.window.rtt_s,
            )

    def record(self) -> LimitHistory:
        """Return a recorder of the limit from now on; it draws the limit over time."""
        return LimitHistory(self)

    def reset(self) -> None:
        """Begin with the initial limit again, and count anew; calls that run or wait go on doing so."""
        with self.lock:
            self.room.forget()
            self.window.until_s = sampling.State().until_s
            self.window.samples = self.window.most = self.window.drops = self.updates = 0
            self.window.total_s = self.window.rtt_s = 0.0
            self.rules, self.estimate = self.algorithm.begin(self.rng.random())
            self._set_limit(self.algorithm.initial)

    def learn(self, now: float) -> None:
        """End the window, and find the new limit."""
        w = self.window
        with self.lock:
            ready = end_window(self.sampling, w, now)
            if ready:
                limit = self.algorithm.machine.update(
                    self.rules, self.estimate, w.rtt_s, w.inflight, w.dropped, self.rng.random()
                )
                self.updates += 1
                before, rtt_s, inflight = self.limit, w.rtt_s, w.inflight
                self._set_limit(int(limit))
        if ready and self.listening:
            self.emit("limit", now, limit=int(limit), before=before, rtt_s=rtt_s, inflight=inflight)

    def learn_failure(self, error: BaseException, started: float, inflight: int) -> None:
        """Learn from a call that ended by an exception, if that means that it was dropped."""
        if self.on.include(error):
            now = self.clock.now()
            with self.lock:
                ended = sample(self.sampling, self.window, now, now - started, inflight, True)
            if ended:
                self.learn(now)

    def refusal(self, outcome: int, waited_s: float) -> LoadShedError:
        """Return the error of a call that gets no place."""
        reason = f"{self.limit:,} calls at once"
        if outcome == EXPIRED:
            reason = f"no place within {waited_s:.4g} s, {reason}"
        elif outcome == DROPPED:
            reason = f"a more important call came, {reason}"
        return LoadShedError(self.name, None, reason)

    def _set_limit(self, limit: int) -> None:
        self.parameters.limit = limit
        self.room.promote()

    def __repr__(self) -> str:
        s, kind = self.memory, type(self.algorithm).__name__
        return f"AdaptiveLimit({self.name!r}, {kind}, {s.running}/{self.limit} running)"
