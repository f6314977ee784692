"""What executors do for virtual loops: time stands still while a worker runs.

A job in a pool of threads counts as running from the moment it is submitted, because a thread is about to
take it, but not while it queues behind workers who all are taken: those may be asleep, and must be let go on.
A job of any other executor (processes, a cluster) counts until its result is there.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

from workbench.clock._turns import Turns

__all__ = ["Jobs"]


class Jobs:
    """The jobs that the loops of one clock gave to executors."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._pools: WeakKeyDictionary[Executor, _Pool] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def submit(
        self, executor: Executor, function: Callable[..., Any], *args: Any
    ) -> tuple[Future[Any], Callable[[Future[Any]], None]]:
        """Submit a job; also return the callback that is due once its caller has been told of the result."""
        if isinstance(executor, ThreadPoolExecutor):
            return self._pool(executor).submit(executor, function, *args)
        self._turns.adjust(1)
        try:
            future = executor.submit(function, *args)
        except BaseException:
            self._turns.adjust(-1)
            raise
        return future, lambda _: self._turns.adjust(-1)

    def _pool(self, executor: ThreadPoolExecutor) -> "_Pool":
        with self._lock:
            threads = executor._max_workers  # noqa: SLF001
            return self._pools.setdefault(executor, _Pool(self._turns, threads))


class _Pool:
    """How many jobs of a thread pool are queued, and how many have a thread."""

    def __init__(self, turns: Turns, threads: int) -> None:
        self._turns = turns
        self._threads = threads
        self._queued = 0
        self._started = 0
        self._lock = threading.Lock()

    def submit(
        self, executor: Executor, function: Callable[..., Any], *args: Any
    ) -> tuple[Future[Any], Callable[[Future[Any]], None]]:
        started = threading.Event()

        def job() -> Any:
            self._move(queued=-1, started=1)
            started.set()
            with self._turns.attending(already_counted=True):
                return function(*args)

        def done(_: Future[Any]) -> None:
            if started.is_set():
                self._move(started=-1)
            else:
                self._move(queued=-1)

        self._move(queued=1)
        try:
            return executor.submit(job), done
        except BaseException:
            self._move(queued=-1)
            raise

    def _move(self, *, queued: int = 0, started: int = 0) -> None:
        with self._lock:
            before = self._running
            self._queued += queued
            self._started += started
            self._turns.adjust(self._running - before)

    @property
    def _running(self) -> int:
        return self._started + min(self._queued, max(0, self._threads - self._started))
