"""`RateLimiter`: at most so many calls a second, in all or for each key."""

from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from math import inf
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypedDict, Unpack

from workbench.clock import Clock
from workbench.reliability.errors import RateLimitedError
from workbench.reliability.fusing.layers import Layer, entry_time, in_world, with_call
from workbench.reliability.machines import (
    fixed_window,
    gcra,
    leaky_bucket,
    sliding_log,
    sliding_window,
    token_bucket,
)
from workbench.reliability.machines.gcra import take
from workbench.reliability.policies._arguments import check_count, check_seconds
from workbench.reliability.policies._limiter_arguments import (
    UnattainableCostError,
    burst_of,
    cost_of,
    rate_of,
    window_of,
)
from workbench.reliability.policies._limiter_bounds import most_within
from workbench.reliability.policies._limiter_logs import Logs
from workbench.reliability.policies._limiter_reservation import Reservation
from workbench.reliability.policies._limiter_states import States
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policy import Generator, Policy, PolicyError

__all__ = [
    "LimiterOptions",
    "LimiterStatistics",
    "RateLimiter",
    "Reservation",
    "SharedStore",
    "UnattainableCostError",
]

MAX_KEYS = 1_000_000


def limit_rate(q: Any, proceed: Any) -> None:
    """Let a call pass, or refuse it: by GCRA, all calls alike."""
    p, s, clock = q.parameters, q.memory, q.clock
    entered = entry_time(clock)
    wait_s = take(p, s, entered, 1.0)
    if wait_s > 0.0:
        q.reconsider(None, entered, wait_s)
    result = proceed()  # noqa: F841 - what all layers share


def limit_each(q: Any, proceed: Any) -> None:
    """Let a call pass, have it wait, or refuse it: by any machine, for each key."""
    p, clock, take_for, key_of, cost_of_call = q.parameters, q.clock, q.states.take, q.key_of, q.cost_of
    entered = entry_time(clock)
    key = None
    cost = 1
    if KEYED:  # type: ignore[name-defined] # noqa: F821 - a constant of the layer
        key = with_call(key_of)
    if COSTED:  # type: ignore[name-defined] # noqa: F821 - as above
        cost = with_call(cost_of_call)
    if WAITS:  # type: ignore[name-defined] # noqa: F821 - as above
        in_world(q.pace, q.apace)(p, key, entered, cost)
    else:
        wait_s = take_for(p, key, entered, cost)
        if wait_s > 0.0:
            q.reconsider(key, entered, wait_s, cost)
    result = proceed()  # noqa: F841 - what all layers share


class SharedStore(Protocol):
    """What keeps states for several processes: `shared.limits.SharedLimits`."""

    def states(self, machine: ModuleType, parameters: Any, memory: Any, lock: Any) -> Any:
        """Return the states of a limiter."""
        ...


class LimiterOptions(TypedDict, total=False):
    """What all limiters take: see `RateLimiter`."""

    key: Callable[..., Hashable] | None
    cost: Callable[..., float] | None
    wait_s: float
    max_keys: int
    shared: "SharedStore | None"
    name: str | None
    clock: Clock | None
    rng: Generator | None


_OPTIONS = frozenset(LimiterOptions.__annotations__)


@dataclass(frozen=True, slots=True, repr=False)
class LimiterStatistics(Statistics):
    """What a rate limiter has counted.

    Attributes
    ----------
    taken, refused, cancelled : int
        Calls that it let through, did not, and reservations that were given back.
    keys : int
        Keys that are remembered.
    forgotten : int
        Keys that were as good as new, and are no longer remembered.
    evicted : int
        Keys that were forgotten for want of room, and had more afterwards than they had left.
    """

    taken: int
    refused: int
    cancelled: int
    keys: int
    forgotten: int
    evicted: int


class RateLimiter(Policy):
    """At most so many calls a second, in all or for each key; made by one of its class methods.

    ======================  =========  ====================================  ===============================
    algorithm               a key has  lets through in `t` seconds at most   what is special
    ======================  =========  ====================================  ===============================
    ``gcra``                1 number   ``burst + rate_hz * t``               fastest, smallest
    ``token_bucket``        2 numbers  the same, and decides alike           the well-known form of it
    ``leaky_bucket``        2 numbers  the same, and decides alike           as a meter; as a queue see there
    ``fixed_window``        2 numbers  ``limit * (ceil(t / window_s) + 1)``  twice the limit at a border
    ``sliding_window``      3 numbers  ``limit * (1 + t / window_s)``        estimates the last window
    ``sliding_log``         `limit`    ``limit * ceil(t / window_s)``        exact
    ======================  =========  ====================================  ===============================

    Around a call it refuses what comes too early with `RateLimitedError`, or has it wait. By itself it offers
    `try_acquire`, `acquire`, `aacquire` and `reserve`, for one of any number of keys or for none.

    Parameters
    ----------
    key : callable, optional
        Returns the key of a call from its arguments: ``key=lambda request: request.user``.
    cost : callable, optional
        Returns what a call costs from its arguments; without, it costs 1.
    wait_s : float
        How long a decorated call may wait for its turn; by default it is refused at once.
    max_keys : int
        How many keys are remembered. When that many are in use, an eighth of them is forgotten, those that
        are closest to new, and counted as `evicted`: these may exceed their limit once.
    shared : SharedLimits, optional
        Keeps the limit for several processes (`max_keys` does not apply there).
    name, clock, rng
        As for all policies; limiters use no randomness.

    Notes
    -----
    Calls that wait take their turn when they begin to, so they are let through in the order in which they
    came, and a call that could not be let through in time is refused at once. A call that is up to a
    millionth of an interval early is on time: rounding must not refuse what is allowed on paper.

    Defaults: a burst of 1 and refusing at once are those of failsafe-go's smooth limiter. resilience4j waits
    5 s for one of 50 calls every 500 ns, which limits nothing; Polly by default limits concurrency, which
    is a `Bulkhead` here; so neither was taken.

    Examples
    --------
    >>> from workbench.clock import VirtualClock
    >>> clock = VirtualClock()
    >>> limiter = RateLimiter.gcra(rate_hz=10, burst=2, clock=clock)
    >>> [limiter.try_acquire("ann") for _ in range(3)], limiter.try_acquire("bob")
    ([True, True, False], True)
    >>> clock.advance(0.1)
    >>> limiter.try_acquire("ann")
    True
    """

    kind = "limiter"

    def __init__(
        self, machine: ModuleType, parameters: Any, most: float, **options: Unpack[LimiterOptions]
    ) -> None:
        for name in options.keys() - _OPTIONS:
            msg = f"a RateLimiter has no option {name!r}; it has {', '.join(LimiterOptions.__annotations__)}"
            raise PolicyError(msg)
        key, cost = options.get("key"), options.get("cost")
        wait_s = check_seconds("wait_s", options.get("wait_s", 0.0), zero=True, endless=True)
        max_keys = check_count("max_keys", options.get("max_keys", MAX_KEYS))
        self.machine, self.most = machine, most
        self.parameters = replace(parameters, patience_s=wait_s)
        self.memory = machine.State()
        self.states: Any
        self.key_of = _given("key", key)
        self.cost_of = self._checked(_given("cost", cost))
        super().__init__(name=options.get("name"), clock=options.get("clock"), rng=options.get("rng"))
        self.shared = options.get("shared")
        if self.shared is not None:
            if not callable(getattr(self.shared, "states", None)):
                msg = f"shared is {self.shared!r:.80}, expected what keeps states, as SharedLimits(client)"
                raise PolicyError(msg)
            self.states = self.shared.states(machine, self.parameters, self.memory, self.lock)
        else:
            kind = Logs if machine is sliding_log else States
            self.states = kind(machine, self.parameters, self.memory, self.lock, max_keys)
        self._at_once = replace(parameters, patience_s=0.0)
        trying = self.states.trying(self._at_once, self)
        setattr(self, "try_acquire", trying)  # noqa: B010 - no method: it is fused with the machine

    def __repr__(self) -> str:
        p = self.parameters
        by_window = hasattr(p, "window_s")
        given = (
            f"limit={p.limit:g}, window_s={p.window_s:g}"
            if by_window
            else f"rate_hz={p.rate_hz:g}, burst={p.burst:g}"
        )
        waits = f", wait_s={p.patience_s:g}" if p.patience_s else ""
        return f"RateLimiter.{self.algorithm}({given}{waits}, name={self.name!r})"

    @property
    def algorithm(self) -> str:
        """The name of its algorithm, which is that of the class method that makes it."""
        return self.machine.__name__.rpartition(".")[2]

    def most_within(self, seconds: float) -> float:
        """Return the most that it lets through for a key within any so many seconds, whatever comes.

        Raises
        ------
        PolicyError
            When the seconds are not positive.

        Examples
        --------
        >>> RateLimiter.gcra(rate_hz=10, burst=10).most_within(1.0)
        20.0
        >>> RateLimiter.sliding_log(limit=10, window_s=1.0).most_within(1.0)
        10.0
        """
        return most_within(self.algorithm, self.parameters, check_seconds("seconds", seconds))

    @classmethod
    def gcra(cls, *, rate_hz: float, burst: float = 1, **options: Unpack[LimiterOptions]) -> Self:
        """Return a limiter by the generic cell rate algorithm: `rate_hz` calls a second, `burst` at once."""
        return cls(gcra, gcra.parameters(rate_of(rate_hz), burst_of(burst)), burst, **options)

    @classmethod
    def token_bucket(cls, *, rate_hz: float, burst: float = 1, **options: Unpack[LimiterOptions]) -> Self:
        """Return a limiter by a bucket of `burst` tokens, filled at `rate_hz` tokens a second."""
        return cls(token_bucket, token_bucket.parameters(rate_of(rate_hz), burst_of(burst)), burst, **options)

    @classmethod
    def leaky_bucket(cls, *, rate_hz: float, burst: float = 1, **options: Unpack[LimiterOptions]) -> Self:
        """Return a limiter by a bucket for `burst` calls, which leaks `rate_hz` of them a second.

        It is a meter: what fits in passes at once. For a queue, whose calls leave evenly spaced, have one
        call fit in, and the others wait: ``RateLimiter.leaky_bucket(rate_hz=10, wait_s=2.0)`` has up to 20
        of them queue.
        """
        return cls(leaky_bucket, leaky_bucket.parameters(rate_of(rate_hz), burst_of(burst)), burst, **options)

    @classmethod
    def fixed_window(
        cls,
        *,
        limit: float | None = None,
        window_s: float | None = None,
        rate_hz: float | None = None,
        burst: float | None = None,
        **options: Unpack[LimiterOptions],
    ) -> Self:
        """Return a limiter that lets `limit` calls through in each window, from multiples of `window_s` on.

        A window may also be given as a burst and a rate: `burst` calls in ``burst / rate_hz`` seconds.
        """
        calls, seconds = window_of(limit, window_s, rate_hz, burst)
        return cls(fixed_window, fixed_window.parameters(calls, seconds), calls, **options)

    @classmethod
    def sliding_window(
        cls,
        *,
        limit: float | None = None,
        window_s: float | None = None,
        rate_hz: float | None = None,
        burst: float | None = None,
        **options: Unpack[LimiterOptions],
    ) -> Self:
        """Return a limiter of `limit` calls in the last `window_s` seconds, estimated from two counters.

        The estimate takes the calls of the window before to have been spread evenly; `sliding_log` is exact.
        A window may also be given as a burst and a rate: `burst` calls in ``burst / rate_hz`` seconds.
        """
        calls, seconds = window_of(limit, window_s, rate_hz, burst)
        return cls(sliding_window, sliding_window.parameters(calls, seconds), calls, **options)

    @classmethod
    def sliding_log(cls, *, limit: int, window_s: float, **options: Unpack[LimiterOptions]) -> Self:
        """Return a limiter of `limit` calls in any `window_s` seconds, which remembers the time of each."""
        _, seconds = window_of(check_count("limit", limit), window_s, None, None)
        return cls(sliding_log, sliding_log.parameters(limit, seconds), limit, **options)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy what it was made with: the other one has seen no calls."""
        options = {name: value for name, value in self.made_with[1].items() if name in _OPTIONS}
        return _made_again, (type(self), self.algorithm, self.parameters, self.most, options)

    if TYPE_CHECKING:

        def try_acquire(self, key: Hashable = None, cost: float = 1) -> bool:
            """Take, or do not; tell whether it was taken. Never waits."""

    async def atry_acquire(self, key: Hashable = None, cost: float = 1) -> bool:
        """Do what `try_acquire` does, where an asynchronous client has to ask a server."""
        if self.shared is None:
            return self.try_acquire(key, cost)
        now = self.clock.now()
        wait_s = (await self.states.aswap(self._at_once, key, now, self.checked_cost(cost)))[0]
        return wait_s <= 0.0 or self.refused(key, cost, now, wait_s)

    def acquire(self, key: Hashable = None, cost: float = 1, timeout_s: float | None = None) -> float:
        """Take, and wait by the clock until it is let through; return the seconds waited.

        Raises
        ------
        RateLimitedError
            At once, when it would take longer than `timeout_s`; nothing is taken then.
        UnattainableCostError, PolicyError
            As for `try_acquire`.
        """
        return self.pace(self._patient(timeout_s), key, self.clock.now(), self.checked_cost(cost))

    async def aacquire(self, key: Hashable = None, cost: float = 1, timeout_s: float | None = None) -> float:
        """Do what `acquire` does, in a task; a cancelled one gives back what it can."""
        return await self.apace(self._patient(timeout_s), key, self.clock.now(), self.checked_cost(cost))

    def reserve(self, key: Hashable = None, cost: float = 1) -> Reservation:
        """Take now for when it is let through; the caller waits until then, or cancels.

        Raises
        ------
        UnattainableCostError, PolicyError
            As for `try_acquire`.
        """
        return self._reserve(self._patient(None), key, self.clock.now(), self.checked_cost(cost))

    async def areserve(self, key: Hashable = None, cost: float = 1) -> Reservation:
        """Do what `reserve` does, where an asynchronous client has to ask a server."""
        return await self._areserve(self._patient(None), key, self.clock.now(), self.checked_cost(cost))

    @property
    def statistics(self) -> LimiterStatistics:
        """What it has counted."""
        s, states = self.memory, self.states
        return LimiterStatistics(
            int(s.taken), int(s.refused), states.cancelled, len(states), states.forgotten, states.evicted
        )

    def forget_idle(self) -> int:
        """Forget all keys that are as good as new, instead of when their number doubles; return how many."""
        return self.states.sweep(self.clock.now())

    def reset(self) -> None:
        """Forget all calls, keys and counts."""
        with self.lock:
            super().reset()
            self.states.clear()

    def adopt(self, old: "RateLimiter") -> bool:
        """Go on with the keys of another one, and what they have left, where the rate is the same."""
        p, its = self.parameters, old.parameters
        same = self.machine is old.machine and replace(p, patience_s=0.0) == replace(its, patience_s=0.0)
        if old.shared is not None or not same:
            return False
        old.states.max_keys = self.states.max_keys
        self.states = old.states
        setattr(self, "try_acquire", self.states.trying(self._at_once, self))  # noqa: B010 - as it was made
        return self.adopt_counts(old)

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        waits = self.parameters.patience_s > 0.0 or self.shared is not None  # for the server, too
        keyed, costed = self.key_of is not None, self.cost_of is not None
        if self.machine is gcra and not (waits or keyed or costed or self.shared is not None):
            return Layer(limit_rate)
        return Layer(limit_each, (("KEYED", keyed), ("COSTED", costed), ("WAITS", waits)), waits=waits)

    def pace(self, p: Any, key: Any, now: float, cost: float) -> float:
        """Take, and wait for it, no longer than the patience of `p`; return the seconds waited."""
        reservation = self._reserve(p, key, now, cost)
        if reservation.wait_s > 0.0:
            try:
                self.clock.sleep(reservation.wait_s)
            except BaseException:
                with suppress(Exception):  # the server may be away: what ends the wait matters more
                    reservation.cancel()
                raise
        return reservation.wait_s

    async def apace(self, p: Any, key: Any, now: float, cost: float) -> float:
        """Do what `pace` does, in a task."""
        reservation = await self._areserve(p, key, now, cost)
        if reservation.wait_s > 0.0:
            try:
                await self.clock.asleep(reservation.wait_s)
            except BaseException:
                with suppress(Exception):  # as above
                    await reservation.acancel()
                raise
        return reservation.wait_s

    def reconsider(self, key: Any, now: float, wait_s: float, cost: float = 1) -> None:
        """Raise the error of a call that comes too early, unless by now it does not.

        A thread may be kept from running between its reading of the clock and the decision. Others then have
        taken at later times, and by its own reading it comes too early by as much as it was kept waiting.
        """
        while self.shared is None and 0.0 < wait_s <= (present := self.clock.now()) - now:
            now, wait_s = present, self._taken_after_all(key, present, cost)
        if wait_s > 0.0:
            self.refuse(key, now, wait_s)

    def refuse(self, key: Any, now: float, wait_s: float) -> None:
        """Raise the error of a call that comes too early."""
        if self.listening:
            self.emit("refused", now, key=key, wait_s=wait_s)
        raise RateLimitedError(self.name, wait_s)

    def _taken_after_all(self, key: Any, now: float, cost: float) -> float:
        """Take at a later time for a call that was counted as refused; return the seconds to wait."""
        wait_s: float = self.states.take(self._at_once, key, now, cost)
        with self.lock:
            self.memory.refused -= 1  # it is one call
        return wait_s

    def _reserve(self, p: Any, key: Any, now: float, cost: float) -> Reservation:
        return self._reserved(p, key, now, cost, self.states.swap(p, key, now, cost))

    async def _areserve(self, p: Any, key: Any, now: float, cost: float) -> Reservation:
        if self.shared is None:
            return self._reserve(p, key, now, cost)
        return self._reserved(p, key, now, cost, await self.states.aswap(p, key, now, cost))

    def _reserved(self, p: Any, key: Any, now: float, cost: float, swapped: Any) -> Reservation:
        wait_s, before, after = swapped
        if wait_s > p.patience_s:
            self.refuse(key, now, wait_s)
        if wait_s > 0.0 and self.listening:
            self.emit("waits", now, key=key, wait_s=wait_s)
        return Reservation(wait_s, now + wait_s, key, cost, False, self.states, before, after)

    def refused(self, key: Any, cost: float, now: float, wait_s: float) -> bool:
        """End a `try_acquire` that took nothing: by an error where it never could."""
        self.checked_cost(cost)
        if self.listening:
            self.emit("refused", now, key=key, wait_s=wait_s)
        return False

    def checked_cost(self, cost: float) -> float:
        """Return what a call costs, where it can be let through at all."""
        return cost_of(cost, self.most, whole=self.machine is sliding_log)

    def _checked(self, cost: Callable[..., float] | None) -> Callable[..., float] | None:
        if cost is None:
            return None
        return lambda *args, **kwargs: self.checked_cost(cost(*args, **kwargs))

    def _patient(self, timeout_s: float | None) -> Any:
        patience_s = (
            inf if timeout_s is None else check_seconds("timeout_s", timeout_s, zero=True, endless=True)
        )
        return replace(self.parameters, patience_s=patience_s)


def _made_again(kind: type[RateLimiter], algorithm: str, parameters: Any, most: float, options: Any) -> Any:
    machine = import_module(f"{gcra.__package__}.{algorithm}")
    return kind(machine, parameters, most, **options)


def _given(name: str, function: Any) -> Callable[..., Any] | None:
    """Return what is called with a call's arguments, as one that is called with the function, too."""
    if function is None:
        return None
    if not callable(function):
        msg = (
            f"{name} is {function!r}, expected a function of a call's arguments: lambda request: request.user"
        )
        raise PolicyError(msg)
    return lambda _called, *args, **kwargs: function(*args, **kwargs)
