"""`Cache`: answer from memory while that is fresh enough; ask once when many want to know."""

import asyncio
import contextvars
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.clock import Clock
from workbench.reliability.fusing.layers import Layer, entry_time, in_world, with_call
from workbench.reliability.machines import cache as machine
from workbench.reliability.machines.cache import FALLBACK, FRESH, MISSING, NEVER, STALE, look
from workbench.reliability.policies._arguments import check_count, check_function, check_seconds
from workbench.reliability.policies._cache_flights import Entry, Flight, Turn
from workbench.reliability.policies._counted_threads import counted
from workbench.reliability.policies._outcomes import Failures, On
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policy import Generator, Policy, PolicyError

__all__ = ["Cache", "CacheKeyError", "CacheStatistics"]


if TYPE_CHECKING:  # a constant of the layer: the compiler puts its value in
    REVALIDATES = bool()  # noqa: UP018 - a literal is known to be false


def remember(q: Any, proceed: Any) -> None:
    """Answer a call from memory, or make it, or wait for who makes it."""
    key_of, enter, clock = q.key_of, q.enter, q.clock
    key = with_call(key_of)
    entered = entry_time(clock)
    turn = enter(key, entered)
    while turn.followed is not None:
        turn = in_world(q.follow, q.afollow)(turn)
    if turn.led is not None:
        try:
            result = proceed()
        except BaseException as error:
            turn = q.fail(turn, error)
            if not turn.answered:
                raise
            result = turn.value
        else:
            q.store(turn, result)
    else:
        if REVALIDATES and turn.refreshed is not None:

            def refresh() -> Any:
                result = proceed()
                return result  # noqa: RET504 - the form that is fused

            in_world(q.refresh, q.arefresh)(turn, refresh)
        result = turn.value


class CacheKeyError(PolicyError, TypeError):
    """Raised for a call whose arguments cannot be a key: give `key`, a function that makes one of them."""


@dataclass(frozen=True, slots=True, repr=False)
class CacheStatistics(Statistics):
    """What a cache did.

    Attributes
    ----------
    entries : int
        Answers that are remembered, fresh or not.
    hits, stale, misses : int
        Calls that found a fresh answer, one that was used while it was fetched anew, or none.
    shared : int
        Misses that waited for the answer to another call.
    rescued : int
        Calls that got an old answer because fetching failed.
    evicted : int
        Answers that were forgotten for want of room.
    hit_rate : float
        Share of calls that were answered from memory, rescued ones not included.
    """

    entries: int
    hits: int
    stale: int
    misses: int
    shared: int
    rescued: int
    evicted: int
    hit_rate: float


class Cache(Policy):
    """Answer from memory while that is fresh; where many ask for the same at once, ask for all of them.

    Parameters
    ----------
    ttl_s : float
        How long an answer is fresh.
    max_entries : int
        How many answers are remembered; the one that was used least recently is forgotten first.
    stale_if_error_s : float
        For how long after that an answer is still used if fetching a new one fails.
    stale_while_revalidate_s : float
        For how long after that an answer is used at once, while a new one is fetched beside it, in a thread
        or task.
    stale_on : exception type, ErrorClass, function of an exception, or several of them
        Which failures `stale_if_error_s` is for.
    error_ttl_s : float, optional
        For how long an exception (of `error_on`) is remembered and raised again; without it, none is.
    error_on : as `stale_on`
    store_if : function of a result, optional
        Tells whether a result may be remembered.
    key : function of the call's arguments, optional
        Makes the key; without it, the arguments are the key.
    by_function : bool
        Whether functions that share this cache are kept apart.
    name, clock, rng
        As for all policies.

    Raises
    ------
    PolicyError
        When an argument is out of range.
    CacheKeyError
        When a call's key is not hashable.

    Notes
    -----
    The two periods of staleness are those of RFC 5861, and none by default, as without its directives. The
    size is that of functools.lru_cache.

    All calls that miss the same key while it is fetched wait for the one that fetches (single flight),
    threads and tasks alike, and share its answer or exception. When that one is cancelled or interrupted,
    one of them takes over. A call made from within the fetching call itself does not wait: it would wait
    forever. Answers are shared, not copied.

    Examples
    --------
    >>> from workbench.clock import VirtualClock
    >>> clock = VirtualClock()
    >>> asked = []
    >>> @Cache(ttl_s=60.0, clock=clock)
    ... def price(item):
    ...     asked.append(item)
    ...     return len(asked)
    >>> price("tea"), price("tea"), price("cup"), asked
    (1, 1, 2, ['tea', 'cup'])
    >>> clock.advance(60.0)
    >>> price("tea")
    3
    """

    kind = "cache"
    parameters: machine.Parameters
    memory: machine.State

    def __init__(  # noqa: PLR0913 - what can be said about a cache
        self,
        ttl_s: float = 60.0,
        *,
        max_entries: int = 128,
        stale_if_error_s: float = 0.0,
        stale_while_revalidate_s: float = 0.0,
        stale_on: On = Exception,
        error_ttl_s: float | None = None,
        error_on: On = Exception,
        store_if: Callable[[Any], bool] | None = None,
        key: Callable[..., Hashable] | None = None,
        by_function: bool = True,
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> None:
        if store_if is not None:
            check_function("store_if", store_if, "of a result")
        if key is not None:
            check_function("key", key, "of the call's arguments")
        self.parameters = machine.Parameters(
            check_seconds("ttl_s", ttl_s, endless=True),
            check_seconds("stale_while_revalidate_s", stale_while_revalidate_s, zero=True, endless=True),
            check_seconds("stale_if_error_s", stale_if_error_s, zero=True, endless=True),
        )
        self.memory = machine.State()
        self.max_entries = check_count("max_entries", max_entries)
        self.errors = machine.Parameters(
            0.0 if error_ttl_s is None else check_seconds("error_ttl_s", error_ttl_s, endless=True)
        )
        self._stale_on = Failures.of(stale_on, least=Exception)
        self._error_on = Failures.of(error_on, least=Exception)
        self._store_if, self._key, self._by_function = store_if, key, by_function
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._flights: dict[Hashable, Flight] = {}
        self._refreshing: set[asyncio.Task[None]] = set()
        super().__init__(name=name, clock=clock, rng=rng)

    def adopt(self, old: "Cache") -> bool:
        """Go on with the answers of another one, where keys are made alike."""
        if (self._key, self._by_function) != (old._key, old._by_function):  # noqa: SLF001 - of our kind
            return False
        self._entries, self._flights = old._entries, old._flights  # noqa: SLF001 - as above
        self._refreshing = old._refreshing  # noqa: SLF001 - as above
        return self.adopt_counts(old)

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        revalidates = self.parameters.stale_while_revalidate_s > 0
        return Layer(remember, (("REVALIDATES", revalidates),), waits=True)

    def __len__(self) -> int:
        """Return how many answers are remembered, fresh or not."""
        return len(self._entries)

    def __bool__(self) -> bool:
        return True  # also an empty cache is one

    @property
    def statistics(self) -> CacheStatistics:
        """What it did."""
        with self.lock:
            s = self.memory
            calls = s.hits + s.stale + s.misses
            rate = (s.hits + s.stale) / calls if calls else 0.0
            return CacheStatistics(len(self), s.hits, s.stale, s.misses, s.shared, s.rescued, s.evicted, rate)

    def reset(self) -> None:
        """Forget all answers and counts; answers that are being fetched are not remembered."""
        with self.lock:
            self.clear()
            super().reset()

    def clear(self) -> None:
        """Forget all answers, and those that are being fetched."""
        with self.lock:
            self._entries.clear()
            for flight in self._flights.values():
                flight.wanted = False
            self._flights.clear()

    def invalidate(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> bool:
        """Forget the answer to a call, also if it is being fetched; tell whether there was any.

        `function` is what the cache was put around: the decorated function or the one within.
        """
        known = [self._forget(self.key_of(each, *args, **kwargs)) for each in _with_wrapped(function)]
        return any(known)

    def _forget(self, key: Hashable) -> bool:
        with self.lock:
            flight = self._flights.pop(key, None)
            if flight is not None:
                flight.wanted = False
            return self._entries.pop(key, None) is not None or flight is not None

    def keeps(self, result: Any) -> bool:
        """Tell whether a result may be remembered."""
        return self._store_if is None or bool(self._store_if(result))

    def rescues(self, error: BaseException) -> bool:
        """Tell whether an old answer may do where fetching raised an error."""
        return self._stale_on.include(error)

    def remembers(self, error: BaseException) -> bool:
        """Tell whether an error may be remembered."""
        return self._error_on.include(error)

    # What its layer calls

    def key_of(self, function: Any, /, *args: Any, **kwargs: Any) -> Hashable:
        """Return the key of a call."""
        if self._key is not None:
            key = self._key(*args, **kwargs)
        else:
            key = (args, frozenset(kwargs.items())) if kwargs else args
        if self._by_function:
            key = (function, key)
        try:
            hash(key)
        except TypeError as error:
            msg = f"{self.name}: {error}, in {key!r:.200}; give key=, a function that makes one"
            raise CacheKeyError(msg) from None
        return key

    def enter(self, key: Hashable, now: float, *, again: bool = False) -> Turn:
        """Return what a call has to do; `again` if it has been counted."""
        with self.lock:
            entry = self._entries.get(key)
            grade = self._grade(entry, now, again=again)
            if entry is not None and grade in {FRESH, STALE}:
                self._entries.move_to_end(key)
                if entry.error is not None:
                    raise entry.error.with_traceback(None)
                refreshed = None
                if grade == STALE and self._flight(key) is None:
                    refreshed = self._flights[key] = Flight(key, entry)
                return Turn(value=entry.value, answered=True, refreshed=refreshed)
            spare = entry if grade == FALLBACK else None
            flight = self._flight(key)
            if flight is not None:
                return Turn(followed=flight)
            flight = self._flights[key] = Flight(key, spare)
            return Turn(led=flight)

    def follow(self, turn: Turn) -> Turn:
        """Block until the call that another one follows has ended; return what it has to do then."""
        flight: Any = turn.followed
        if flight.is_of_this_thread():
            return Turn(led=Flight(flight.key, flight.spare))
        flight.wait(self.clock, self.lock)
        return self._landed(flight)

    async def afollow(self, turn: Turn) -> Turn:
        """Wait until the call that another one follows has ended; return what it has to do then."""
        flight: Any = turn.followed
        if flight.is_of_this_task():
            return Turn(led=Flight(flight.key, flight.spare))
        await flight.await_(self.lock)
        return self._landed(flight)

    def store(self, turn: Turn, result: Any) -> None:
        """Remember the answer, and give it to all that wait for it."""
        flight: Any = turn.led
        keep = False
        try:
            keep = self._store_if is None or bool(self._store_if(result))
        finally:
            with self.lock:
                if keep and flight.wanted:
                    self._remember(flight.key, Entry(self.clock.now(), result))
                self._end(flight, Turn(value=result, answered=True))

    def fail(self, turn: Turn, error: BaseException) -> Turn:
        """End a call without an answer: an old one may do; a cancelled call is handed over to another."""
        flight: Any = turn.led
        failed = isinstance(error, Exception)
        outcome = Turn(error=error) if failed else Turn()
        try:
            if failed and flight.spare is not None and self._stale_on.include(error):
                outcome = Turn(value=flight.spare.value, answered=True)
            elif failed and self.errors.ttl_s > 0 and flight.wanted and self._error_on.include(error):
                self._remember(flight.key, Entry(self.clock.now(), None, error))
        finally:
            with self.lock:
                self.memory.rescued += outcome.answered
                self._end(flight, outcome)
        if self.listening:
            kind = "stale_if_error" if outcome.answered else "error" if failed else "handed_over"
            self.emit(kind, self.clock.now(), key=flight.key, error=error)
        return outcome

    def refresh(self, turn: Turn, fetch: Callable[[], Any]) -> None:
        """Fetch anew, in a thread of its own."""
        flight: Any = turn.refreshed
        context, started = contextvars.copy_context(), threading.Event()

        def work() -> None:
            with counted(self.clock):
                started.set()
                try:
                    result = fetch()
                except BaseException as error:  # noqa: BLE001 - listeners are told
                    self._refresh_failed(flight, error)
                else:
                    self.store(Turn(led=flight), result)

        try:
            threading.Thread(target=context.run, args=(work,), name="cache-refresh", daemon=True).start()
        except BaseException as error:
            self._refresh_failed(flight, error)
            raise
        started.wait()

    async def arefresh(self, turn: Turn, fetch: Callable[[], Awaitable[Any]]) -> None:
        """Fetch anew, in a task of its own."""
        flight: Any = turn.refreshed

        async def work() -> None:
            try:
                result = await fetch()
            except Exception as error:  # noqa: BLE001 - listeners are told
                self._refresh_failed(flight, error)
            except BaseException as error:
                self._refresh_failed(flight, error)
                raise
            else:
                self.store(Turn(led=flight), result)

        task = asyncio.get_running_loop().create_task(work())
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)
        task.add_done_callback(lambda _: self._abandon(flight))

    # With the lock held, or for those above

    def _flight(self, key: Hashable) -> Flight | None:
        """Return who fetches an answer, if somebody does; who was lost on the way is given up."""
        flight = self._flights.get(key)
        if flight is not None and flight.is_lost():
            self._end(flight, Turn())
            return None
        return flight

    def _grade(self, entry: Entry | None, now: float, *, again: bool) -> int:
        stored_s = NEVER if entry is None else entry.stored_s
        p = self.parameters if entry is None or entry.error is None else self.errors
        found = look(p, machine.State() if again else self.memory, stored_s, now)
        return MISSING if entry is not None and entry.error is not None and found != FRESH else found

    def _landed(self, flight: Flight) -> Turn:
        outcome = flight.outcome
        if outcome is None or (outcome.error is None and not outcome.answered):
            return self.enter(
                flight.key, self.clock.now(), again=True
            )  # it was cancelled: one of us takes over
        with self.lock:
            self.memory.shared += 1
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def _remember(self, key: Hashable, entry: Entry) -> None:
        with self.lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            while len(self._entries) > self.max_entries:
                self._entries.popitem(last=False)
                self.memory.evicted += 1

    def _end(self, flight: Flight, outcome: Turn) -> None:
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]
        flight.land(outcome)

    def _refresh_failed(self, flight: Flight, error: BaseException) -> None:
        with self.lock:
            self._end(flight, Turn())  # who waits for it asks again, by itself
        if self.listening:
            self.emit("refresh_failed", self.clock.now(), key=flight.key, error=error)

    def _abandon(self, flight: Flight) -> None:
        """End a refresh whose task was cancelled before it began."""
        with self.lock:
            if flight.outcome is None:
                self._end(flight, Turn())

    def __repr__(self) -> str:
        return f"Cache({self.name!r}, {len(self):,} of {self.max_entries:,} entries)"


def _with_wrapped(function: Any) -> list[Any]:
    return [each for each in (function, getattr(function, "__wrapped__", None)) if each is not None]
