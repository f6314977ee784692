"""`SharedLimits`: limits that several processes share exactly, kept by a Redis or Valkey server.

Each decision is one script, and one round trip: the server reads, decides and writes as a whole. A state
vanishes by itself once it is as good as new. The client is the user's: its time limits, retries and pools
hold, and what it raises reaches the caller, who decides whether calls pass while the server is away
(`Fallback`, `CircuitBreaker`).
"""

from collections.abc import Callable, Hashable
from types import ModuleType
from typing import Any

from workbench.reliability.shared._client import SharedClientError, arun, check_client, run
from workbench.reliability.shared._scripts import RESTORE, SCRIPTS

__all__ = ["SharedClientError", "SharedLimits"]

Swapped = tuple[float, bytes, bytes]
FOREVER_S = 1e300  # Lua reads no infinities


class SharedLimits:
    """A server that keeps limiters' states: ``RateLimiter.gcra(rate_hz=10, shared=SharedLimits(client))``.

    Parameters
    ----------
    client : redis.Redis, redis.asyncio.Redis, or the same of valkey-py
        A synchronous one serves sync code, an asynchronous one async code.
    prefix : str
        The beginning of all its keys; limiters that share a limit have the same one, and the same parameters.
    server_time : bool
        Whether the server's clock counts, one for all; otherwise that of each limiter, which then have to
        agree (`time.monotonic` does not, between machines), and must not be much slower than the server's.
    """

    def __init__(self, client: Any, prefix: str = "limit", *, server_time: bool = True) -> None:
        self.client, self.prefix, self.server_time = check_client(client), prefix, server_time

    def __repr__(self) -> str:
        return f"SharedLimits(prefix={self.prefix!r}, server_time={self.server_time})"

    def states(self, machine: ModuleType, parameters: Any, memory: Any, lock: Any) -> "SharedStates":
        """Return the states of a limiter; `RateLimiter` asks for them."""
        return SharedStates(self, machine, parameters, memory, lock)


class SharedStates:
    """The states of one limiter, where a server keeps them: as `policies._limiter_states`, and more."""

    forgotten = evicted = cancelled = 0

    def __init__(
        self, shared: SharedLimits, machine: ModuleType, parameters: Any, memory: Any, lock: Any
    ) -> None:
        self.shared, self.memory, self.lock = shared, memory, lock
        algorithm = machine.__name__.rpartition(".")[2]
        self.script = SCRIPTS[algorithm]
        self.stem = f"{shared.prefix}:{algorithm}"
        by_window = hasattr(parameters, "window_s")
        p = parameters
        numbers = (p.limit, p.window_s) if by_window else (p.rate_hz, p.burst)
        self.numbers = tuple(_text(number) for number in numbers)

    def trying(self, p: Any, limiter: Any) -> Callable[..., bool]:
        """Return the limiter's `try_acquire`."""
        clock, refused, check = limiter.clock, limiter.refused, limiter.checked_cost

        def try_acquire(key: Hashable = None, cost: float = 1) -> bool:
            """Take, or do not; tell whether it was taken. Never waits for its turn, only for the server."""
            now = clock.now()
            wait_s = self.take(p, key, now, check(cost))
            return wait_s <= 0.0 or bool(refused(key, cost, now, wait_s))

        return try_acquire

    def take(self, p: Any, key: Hashable, now: float, cost: float) -> float:
        """Take for a key, or for None; return the seconds to wait."""
        return self.swap(p, key, now, cost)[0]

    def swap(self, p: Any, key: Hashable, now: float, cost: float) -> Swapped:
        """Do the same, and return the states before and after."""
        answer = run(self.shared.client, self.script, self._name(key), *self._arguments(p, now, cost))
        return self._counted(p, answer)

    async def aswap(self, p: Any, key: Hashable, now: float, cost: float) -> Swapped:
        """Do what `swap` does, by an asynchronous client."""
        answer = await arun(self.shared.client, self.script, self._name(key), *self._arguments(p, now, cost))
        return self._counted(p, answer)

    def restore(self, key: Hashable, before: Any, after: Any) -> bool:
        """Put an earlier state back where the later one is still there; tell whether it was."""
        return bool(run(self.shared.client, RESTORE, self._name(key), before, after))

    async def arestore(self, key: Hashable, before: Any, after: Any) -> bool:
        """Do what `restore` does, by an asynchronous client."""
        return bool(await arun(self.shared.client, RESTORE, self._name(key), before, after))

    def clear(self) -> None:
        """Forget the counts of this process; what others share is not ours to forget."""
        self.cancelled = 0

    def sweep(self, _now: float) -> int:
        """Forget nothing: the server does."""
        return 0

    def __len__(self) -> int:
        return 0

    def _name(self, key: Hashable) -> str:
        return self.stem if key is None else f"{self.stem}:{key if isinstance(key, str) else repr(key)}"

    def _arguments(self, p: Any, now: float, cost: float) -> tuple[str, ...]:
        time = "" if self.shared.server_time else _text(now)
        return (time, _text(cost), _text(min(p.patience_s, FOREVER_S)), *self.numbers)

    def _counted(self, p: Any, answer: Any) -> Swapped:
        wait_s, before, after = answer
        seconds = float(wait_s)
        with self.lock:
            if seconds <= p.patience_s:
                self.memory.taken += 1
            else:
                self.memory.refused += 1
        return seconds, before, after


def _text(number: float) -> str:
    """Return a number as Lua reads it, exactly."""
    return repr(float(number))
