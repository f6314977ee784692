"""Calls that fetch an answer, and those that wait for it: threads and tasks of any loop, together."""

import asyncio
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from workbench.clock import Clock
from workbench.clock._alarm import Alarm

__all__ = ["Entry", "Flight", "Turn"]


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer (or the exception in its place), and when it was stored."""

    stored_s: float
    value: Any
    error: Exception | BaseException | None = None


@dataclass(slots=True)
class Turn:
    """What a call has to do: take an answer, fetch one (`led`), or wait for who does (`followed`).

    With an old answer, it may have to see to it that there is a newer one (`refreshed`).
    """

    value: Any = None
    answered: bool = False
    error: BaseException | None = None
    led: "Flight | None" = None
    followed: "Flight | None" = None
    refreshed: "Flight | None" = None


class Flight:
    """A call that fetches an answer; `spare` is an old one, for the case that it fails.

    All that follow it are woken once, when it has landed. It is made and landed with its cache's lock held.
    """

    def __init__(self, key: Hashable, spare: Entry | None) -> None:
        self.key, self.spare = key, spare
        self.wanted = True
        self.outcome: Turn | None = None
        self._wakes: dict[Callable[[], None], None] = {}  # in the order of their coming
        self._thread, self._task = threading.get_ident(), _current_task()
        self._loop = None if self._task is None else self._task.get_loop()

    def is_of_this_thread(self) -> bool:
        """Tell whether blocking this thread would keep it from landing."""
        return threading.get_ident() == self._thread

    def is_of_this_task(self) -> bool:
        """Tell whether suspending this task would keep it from landing."""
        return self.is_of_this_thread() and self._task in {None, _current_task()}

    def is_lost(self) -> bool:
        """Tell whether it will never land, as the loop of its task was closed under it."""
        return self._loop is not None and self._loop.is_closed()

    def wait(self, clock: Clock, lock: Any) -> None:
        """Block until it has landed."""
        with lock:
            if self.outcome is not None:
                return
            alarm = Alarm(clock, float("inf"))
            wake = alarm.call
            self._wakes[wake] = None
        try:
            alarm.wait()
        finally:
            with lock:
                self._wakes.pop(wake, None)

    async def await_(self, lock: Any) -> None:
        """Suspend until it has landed."""
        loop = asyncio.get_running_loop()
        landed = loop.create_future()

        def wake() -> None:
            if _running_loop() is loop:
                _settle(landed)
                return
            with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(_settle, landed)

        with lock:
            if self.outcome is not None:
                return
            self._wakes[wake] = None
        try:
            await landed
        finally:
            with lock:
                self._wakes.pop(wake, None)

    def land(self, outcome: Turn) -> None:
        """Wake all that follow it."""
        self.outcome = outcome
        wakes, self._wakes = self._wakes, {}
        for wake in wakes:
            wake()


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    with suppress(RuntimeError):
        return asyncio.get_running_loop()
    return None


def _current_task() -> "asyncio.Task[Any] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
