"""`SharedBreakerState`: when one process finds a service broken, the breakers of all processes open.

Calls need no network: each breaker decides by its own memory. A change of state is written to a hash and
published, by a thread; another thread follows what others publish, and reads the hash again whenever it has
been cut off. The server numbers all news of a breaker, and everybody applies them in that order, so all end
in the same state.

Keys: ``{key}:{name}`` is a hash of `state`, `since` (server time) and `version`; news go over the channel
``{key}``.
"""

import queue
import threading
import time
import uuid
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from workbench.reliability.shared._client import SharedClientError, check_client, is_async, run
from workbench.reliability.shared._scripts import Script

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.reliability.policies.breaker import CircuitBreaker

__all__ = ["SharedBreakerState"]

TELL = Script("""
local clock = redis.call('TIME')
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
local since = clock[1] .. '.' .. string.format('%06d', clock[2])
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'since', since)
redis.call('PUBLISH', ARGV[1], ARGV[3] .. ' ' .. version .. ' ' .. ARGV[2] .. ' ' .. ARGV[4])
return version
""")
READ = Script("""
local clock = redis.call('TIME')
local found = redis.call('HMGET', KEYS[1], 'state', 'since', 'version')
if not found[1] then return {} end
local age_s = (tonumber(clock[1]) - tonumber(string.match(found[2], '^%d+')))
  + (tonumber(clock[2]) / 1000000 - tonumber('0' .. string.match(found[2], '%..*$')))
return {found[1], string.format('%.6f', age_s), found[3]}
""")


class SharedBreakerState:
    """What ties circuit breakers of several processes: ``CircuitBreaker(name="billing", shared=...)``.

    Parameters
    ----------
    client : redis.Redis, or the same of valkey-py
        A synchronous client, also where the breakers surround async functions: it is used by threads only.
    key : str
        The beginning of all its keys. Breakers of the same name belong together.
    retry_s : float
        How long it waits before it asks again a server that did not answer, and how long a new breaker waits
        to learn what others know: one that does not answer in time is heard later.

    Attributes
    ----------
    errors : int
        How often the server did not answer; `last_error` is the last of the errors. Meanwhile each breaker
        goes by what it sees itself.

    Notes
    -----
    `close` ends its threads, and so does the end of the process; it is a context manager, too. How long a
    thread may hang that talks to a server which accepts and says nothing is up to the client: give it a
    ``socket_timeout``.
    """

    def __init__(self, client: Any, key: str = "breaker", *, retry_s: float = 1.0) -> None:
        if is_async(check_client(client)):
            msg = "the client is asynchronous, and news are sent by threads: give a redis.Redis(...)"
            raise SharedClientError(msg)
        self.client, self.key, self.retry_s = client, key, retry_s
        self.errors = 0
        self.last_error: Exception | None = None
        self._owner = uuid.uuid4().hex
        self._names: dict[str, _Name] = {}
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[Callable[[], bool] | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._following = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=f"{key} {work.__name__}", daemon=True)
            for work in (self._send, self._follow)
        ]
        for thread in self._threads:
            thread.start()

    def __repr__(self) -> str:
        return f"SharedBreakerState(key={self.key!r}, errors={self.errors})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, timeout_s: float = 5.0) -> None:
        """Send what is still to be sent, and end the threads; the breakers go on by themselves.

        It waits no longer than `timeout_s`: a thread that hangs by then ends when its client gives up.
        """
        until_s = time.monotonic() + timeout_s
        self._closed.set()
        self._jobs.put(None)
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def wait_ready(self, timeout_s: float = 5.0) -> bool:
        """Wait until it hears what others publish; tell whether it does."""
        return self._following.wait(timeout_s)

    def join(self, breaker: "CircuitBreaker") -> None:
        """Learn of a breaker, and tell it what others know; `CircuitBreaker(shared=...)` calls it."""
        with self._lock:
            self._names.setdefault(breaker.name, _Name()).breakers.add(breaker)
        learnt = threading.Event()

        def learn() -> bool:
            try:
                return self._attempt(lambda: self._read(breaker.name))
            finally:
                learnt.set()

        if not self._closed.is_set():
            self._jobs.put(learn)
            learnt.wait(self.retry_s)

    def changed(self, breaker: "CircuitBreaker", state: str) -> None:
        """Tell others that a breaker has changed its state; returns at once and raises nothing."""
        with self._lock:
            self._names.setdefault(breaker.name, _Name()).pending += 1
        self._jobs.put(partial(self._tell, breaker.name, state))

    def _send(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not job() and self._closed.is_set():
                break  # the server is away: what is left would take as long, and fail as well

    def _tell(self, name: str, state: str) -> bool:
        arguments = (self.key, state, self._owner, name)
        told = self._attempt(lambda: run(self.client, TELL, f"{self.key}:{name}", *arguments))
        if not told:  # others learn of the next change, or by reading
            with self._lock:
                self._names[name].came_back()
        return told

    def _follow(self) -> None:
        while not self._closed.is_set():
            if not self._attempt(self._listen):
                self._following.clear()
                self._closed.wait(self.retry_s)

    def _listen(self) -> None:
        with self.client.pubsub(ignore_subscribe_messages=False) as channel:
            channel.subscribe(self.key)
            while not self._closed.is_set():
                message = channel.get_message(timeout=0.1)
                if message is None:
                    continue
                if (
                    message["type"] == "subscribe"
                ):  # nothing is missed from here on; what was before stands in the hash
                    self._catch_up()
                    self._following.set()
                elif message["type"] == "message":
                    self._heard(*_text(message["data"]).split(" ", 3))

    def _catch_up(self) -> None:
        with self._lock:
            names = list(self._names)
            for known in self._names.values():
                known.pending = 0  # what was published while we were cut off does not come back
        for name in names:
            self._read(name)

    def _heard(self, owner: str, version: str, state: str, name: str) -> None:
        """Follow the news of others, and our own last one: news of others may have come between."""
        with self._lock:
            known = self._names.get(name)
            if known is None:
                return
            if owner == self._owner:
                known.came_back()
            if int(version) < known.version:
                return
            known.version = int(version)
            breakers = list(known.breakers) if owner != self._owner or not known.pending else []
        for breaker in breakers:
            breaker.follow(state)  # type: ignore[arg-type]

    def _read(self, name: str) -> None:
        found = run(self.client, READ, f"{self.key}:{name}")
        if not found:
            return
        state, age_s, version = _text(found[0]), max(0.0, float(found[1])), int(found[2])
        with self._lock:
            known = self._names[name]
            known.version = max(known.version, version)
            breakers = list(known.breakers) if not known.pending else []
        for breaker in breakers:
            breaker.follow(state, since_s=age_s)  # type: ignore[arg-type]

    def _attempt(self, work: Any) -> bool:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - calls must not suffer from it; it is counted, and shown
            self.errors += 1
            self.last_error = error
            return False
        return True


class _Name:
    """The breakers of one name, the last news of them, and how many of ours have not come back yet."""

    __slots__ = ("breakers", "pending", "version")

    def __init__(self) -> None:
        self.breakers: weakref.WeakSet[CircuitBreaker] = weakref.WeakSet()
        self.version = 0
        self.pending = 0

    def came_back(self) -> None:
        """Note that one of ours is no longer under way."""
        self.pending = max(0, self.pending - 1)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
