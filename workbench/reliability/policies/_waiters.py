"""One call that waits for a place: in a thread, or in a task of asyncio.

A waiter is told what became of it by `settle`, once, with the lock of its waiting room held, from whichever
thread it happens in. The waiter itself looks at `outcome` when it has woken up.
"""

import asyncio
import math
from collections.abc import Awaitable

from workbench.clock import Alarm, Clock, keeps_time

__all__ = ["DROPPED", "EXPIRED", "GRANTED", "WAITING", "TaskWaiter", "ThreadWaiter", "Waiter"]

WAITING, GRANTED, EXPIRED, DROPPED = 0, 1, 2, 3


class Waiter:
    """What both kinds have in common: how long it waits and may, how important it is, and for whom."""

    __slots__ = ("key", "outcome", "patience_s", "priority", "since_s")

    def __init__(self, priority: int, key: object) -> None:
        self.priority = priority
        self.key = key
        self.outcome = WAITING
        self.since_s = 0.0
        self.patience_s = math.inf

    def settle(self, outcome: int) -> bool:
        """Say what became of it, and wake it up; False if nobody is there any more."""
        self.outcome = outcome
        return self.wake()

    def wake(self) -> bool:
        """Wake up who waits."""
        raise NotImplementedError


class ThreadWaiter(Waiter):
    """A thread that waits."""

    __slots__ = ("_alarm",)

    _alarm: Alarm | None

    def prepare(self, clock: Clock) -> None:
        """Set the alarm; from now on it may be woken."""
        self._alarm = Alarm(clock, self.patience_s)

    def wait(self) -> None:
        """Block until it is settled, or for as long as it may wait."""
        if self._alarm is not None:
            self._alarm.wait()

    def wake(self) -> bool:
        """Wake up the thread."""
        if self._alarm is not None:
            self._alarm.call()
        return True


class TaskWaiter(Waiter):
    """A task that waits."""

    __slots__ = ("_clock", "_future", "_loop")

    def prepare(self, clock: Clock) -> None:
        """Make the future; from now on it may be woken."""
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()

    async def wait(self) -> None:
        """Suspend the task until it is settled, or for as long as it may wait."""
        if self.patience_s == math.inf:
            await self._future
        elif keeps_time(self._loop, self._clock):
            timer = self._loop.call_later(self.patience_s, self._ring)
            try:
                await self._future
            finally:
                timer.cancel()
        else:
            await self._wait_by(self._clock.asleep(self.patience_s))

    async def _wait_by(self, sleep: Awaitable[None]) -> None:
        timer = asyncio.ensure_future(sleep)
        try:
            await asyncio.wait({timer, self._future}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        if timer.done() and not timer.cancelled():
            timer.result()

    def wake(self) -> bool:
        """Wake up the task, also from other threads; False if its loop is closed."""
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._ring()
            return True
        try:
            self._loop.call_soon_threadsafe(self._ring)
        except RuntimeError:  # the loop was closed under its tasks
            return False
        return True

    def _ring(self) -> None:
        if not self._future.done():
            self._future.set_result(None)
