"""Daemon threads and a pool of them, for servers that live until the interpreter is gone.

The standard library's pool takes no work once the interpreter begins to end, and is joined before anything
else is closed: a server on it cannot answer the last requests, and its own end hangs. From Python 3.12 on no
thread can be started by then either; so one is there from the beginning, and does alone what there is to do.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

__all__ = ["DaemonPool", "Worker"]

P = ParamSpec("P")
T = TypeVar("T")
Task = tuple[Future[Any], Callable[[], Any]]
START_S = 1.0  # a thread whose start was interrupted is there by then, or never


class Worker(threading.Thread):
    """A daemon thread that can be waited for again after an interrupt of its start, or of a wait for it.

    Until Python 3.13 a `join` that was interrupted takes its thread for ended (CPython issue 90882).
    """

    def __init__(self, call: Callable[[], object], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._call = call
        self._asked = self._begun = False
        self._running = threading.Event()
        self._ended = threading.Event()

    def start(self) -> None:
        """Start it."""
        self._asked = True
        super().start()
        self._begun = True

    def run(self) -> None:
        """Make the call."""
        self._running.set()
        try:
            self._call()
        finally:
            self._ended.set()

    def wait(self) -> None:
        """Return when it has ended, or will never begin."""
        if self._begun or (self._asked and self._running.wait(START_S)):
            self._ended.wait()
            self.join()


class DaemonPool(Executor):
    """Runs calls in up to `most` threads; the first is there at once, the others are started when needed."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._threads: list[Worker] = []
        self._spare = 1  # threads without a call; below zero, calls without a thread
        self._lock = threading.Lock()
        self._closed = False
        try:
            self._start()
        except BaseException:
            self.shutdown()
            raise

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call in a thread."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                msg = f"{self._name} has been shut down"
                raise RuntimeError(msg)
            self._tasks.put((future, lambda: fn(*args, **kwargs)))
            if self._spare > 0 or not self._has_grown():
                self._spare -= 1  # one of those that are there will take it
        return future

    def _has_grown(self) -> bool:
        """Start one more thread, unless there are enough, or none is to be had: the interpreter ends."""
        if len(self._threads) >= self._most:
            return False
        try:
            self._start()
        except RuntimeError:
            return False
        return True

    def _start(self) -> None:
        number = len(self._threads)
        thread = Worker(self._work, f"{self._name}-{number}")
        self._threads.append(thread)
        try:
            thread.start()
        except RuntimeError:
            self._threads.remove(thread)
            raise

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            _run(*task)
            del task  # what it holds must not live until the next one comes
            with self._lock:
                self._spare += 1

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 (Executor's)
        """Take no more calls; with `wait`, return when those that were taken are done."""
        with self._lock:
            self._closed = True
        while cancel_futures and not self._tasks.empty():
            task = self._tasks.get()
            if task is not None:
                task[0].cancel()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads if wait else ():
            thread.wait()


def _run(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 (it is the caller's)
        future.set_exception(error)
