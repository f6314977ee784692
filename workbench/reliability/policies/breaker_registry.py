"""`BreakerRegistry`: a circuit breaker a key, such as a host, as many as fit."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar

from workbench import display
from workbench.clock import Clock
from workbench.reliability.fusing.decorated import is_async, named_like, objection
from workbench.reliability.policies._arguments import check_count, check_function, check_seconds
from workbench.reliability.policies._breaker_statistics import BreakerStatus
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policy import Event, Listener, PolicyError, checked_clock

__all__ = ["BreakerRegistry", "RegistryStatistics"]

P = ParamSpec("P")
R = TypeVar("R")
K = TypeVar("K", bound=Hashable)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, repr=False)
class RegistryStatistics(Statistics):
    """How many breakers there are, were made, and were evicted; `evicted_open` of them were not closed."""

    breakers: int
    made: int
    evicted: int
    evicted_open: int


@dataclass(slots=True)
class _Entry:
    breaker: CircuitBreaker
    used_s: float


class BreakerRegistry(Generic[K]):
    """A circuit breaker a key, made when it is first asked for.

    When there are more than `max_keys`, the closed one that was used least recently goes. One that is not
    closed protects somebody: it goes only when none is closed, and then it is counted, logged and told to
    listeners. One that was not used for `idle_s` goes when the next key is asked for, if it is closed, or
    if it would let a trial call through by now.

    Parameters
    ----------
    factory : function of a key, optional
        Makes a breaker; its name becomes the key's text, if it has none of its own.
    max_keys : int
    idle_s : float, optional
    clock : Clock, optional

    Examples
    --------
    >>> breakers = BreakerRegistry(lambda host: CircuitBreaker.consecutive(3), max_keys=100)
    >>> breakers.call("db-1", lambda: "fine")
    'fine'
    >>> breakers
    BreakerRegistry(1 of 100 keys, 1 closed)
    """

    def __init__(
        self,
        factory: Callable[[K], CircuitBreaker] | None = None,
        *,
        max_keys: int = 1024,
        idle_s: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.max_keys = check_count("max_keys", max_keys)
        self.idle_s = None if idle_s is None else check_seconds("idle_s", idle_s)
        self.clock: Clock = checked_clock(clock)
        if factory is not None:
            check_function("factory", factory, "of a key that makes a breaker")
        self._factory = factory or (lambda _: CircuitBreaker(clock=clock))
        self._entries: OrderedDict[K, _Entry] = OrderedDict()
        self._lock = threading.RLock()
        self._listeners: tuple[Listener, ...] = ()
        self._made = self._evicted = self._evicted_open = 0

    def __getitem__(self, key: K) -> CircuitBreaker:
        """Return the breaker of a key; a new one if there is none."""
        now = self.clock.now()
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry(self._made_for(key), now)
            entry.used_s = now
            self._entries.move_to_end(key)
            gone = self._evict(key, now)
        self._tell(gone, now)
        return entry.breaker

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[K]:
        """Go through the keys, those first that were used least recently."""
        with self._lock:
            return iter(list(self._entries))

    def call(self, key: K, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function through the breaker of a key."""
        return self[key].call(function, *args, **kwargs)

    async def acall(
        self, key: K, function: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Await an async function through the breaker of a key."""
        return await self[key].acall(function, *args, **kwargs)

    def by(self, key: Callable[..., K]) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Return a decorator: each call goes through the breaker of the key that its arguments give."""

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            if problem := objection(function):
                raise PolicyError(problem)
            called: Any = function

            def through(*args: P.args, **kwargs: P.kwargs) -> Any:
                return self.call(key(*args, **kwargs), called, *args, **kwargs)

            async def athrough(*args: P.args, **kwargs: P.kwargs) -> Any:
                return await self.acall(key(*args, **kwargs), called, *args, **kwargs)

            chosen: Any = athrough if is_async(function) else through
            found: Any = named_like(chosen, called)
            return found

        return decorate

    def remove(self, key: K) -> None:
        """Forget the breaker of a key, whatever its state; nothing if there is none."""
        with self._lock:
            self._entries.pop(key, None)

    def reset(self) -> None:
        """Reset all breakers."""
        with self._lock:
            breakers = [entry.breaker for entry in self._entries.values()]
        for breaker in breakers:
            breaker.reset()

    def states(self) -> dict[K, BreakerStatus]:
        """Return the state of each breaker."""
        with self._lock:
            return {key: entry.breaker.state for key, entry in self._entries.items()}

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have a function called when a breaker is evicted; return what ends it."""
        self._listeners = (*self._listeners, listener)

        def end() -> None:
            self._listeners = tuple(known for known in self._listeners if known is not listener)

        return end

    @property
    def statistics(self) -> RegistryStatistics:
        """How many breakers there are, were made, and were evicted."""
        with self._lock:
            return RegistryStatistics(len(self), self._made, self._evicted, self._evicted_open)

    def __repr__(self) -> str:
        states = list(self.states().values())
        counts = [f"{states.count(state)} {state}" for state in dict.fromkeys(sorted(states))]
        return f"BreakerRegistry({', '.join([f'{len(states)} of {self.max_keys} keys', *counts])})"

    def _repr_html_(self) -> str:
        with self._lock:
            known = [(key, entry.breaker.statistics) for key, entry in reversed(self._entries.items())]
        columns = ("key", "state", "calls", "failed", "slow", "opened", "rejected")
        rows = [(str(key), *(getattr(each, name) for name in columns[1:])) for key, each in known]
        return display.table(columns, rows, title=repr(self))._repr_html_()

    def _made_for(self, key: K) -> CircuitBreaker:
        breaker = self._factory(key)
        if breaker.name == breaker.kind:
            breaker.name = str(key)
        self._made += 1
        return breaker

    def _evict(self, wanted: K, now: float) -> list[tuple[K, CircuitBreaker]]:
        """Take out what is idle or too much; return those that were not closed."""
        gone = [self._taken_out(key) for key in self._idle(wanted, now)]
        while len(self._entries) > self.max_keys:
            closed = (key for key, entry in self._entries.items() if _is_closed(entry) and key != wanted)
            gone.append(self._taken_out(next(closed, next(iter(self._entries)))))
        return [(key, breaker) for key, breaker in gone if breaker.state != "closed"]

    def _idle(self, wanted: K, now: float) -> list[K]:
        if self.idle_s is None:
            return []
        found = []
        for key, entry in self._entries.items():
            if now - entry.used_s < self.idle_s or key == wanted:
                break
            if _is_closed(entry) or entry.breaker.left_s(entry.breaker.clock.now()) == 0:
                found.append(key)
        return found

    def _taken_out(self, key: K) -> tuple[K, CircuitBreaker]:
        breaker = self._entries.pop(key).breaker
        self._evicted += 1
        self._evicted_open += breaker.state != "closed"
        return key, breaker

    def _tell(self, gone: list[tuple[K, CircuitBreaker]], now: float) -> None:
        for key, breaker in gone:
            logger.warning("circuit breaker of %r evicted while %s", key, breaker.state)
            event = Event("breaker registry", "evicted", now, (("key", key), ("state", breaker.state)))
            for listener in self._listeners:
                listener(event)


def _is_closed(entry: _Entry) -> bool:
    return entry.breaker.state in {"closed", "disabled"}
