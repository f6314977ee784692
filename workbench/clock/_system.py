"""`Clock`, what every policy asks of time, and `SystemClock`, the real one."""

import asyncio
import time
from typing import Protocol, runtime_checkable

from workbench.clock._durations import checked_duration_s

__all__ = ["SYSTEM_CLOCK", "Clock", "SystemClock"]


@runtime_checkable
class Clock(Protocol):
    """Monotonic time, and two ways to let it pass."""

    def now(self) -> float:
        """Return seconds since a fixed but arbitrary moment; never less than before."""

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for `seconds`."""

    async def asleep(self, seconds: float) -> None:
        """Suspend the calling task for `seconds`."""


class SystemClock:
    """The clock of the machine: `time.monotonic`, `time.sleep` and `asyncio.sleep`.

    `now` is the builtin itself: it costs what `time.monotonic` costs.

    Examples
    --------
    >>> before_s = SYSTEM_CLOCK.now()
    >>> SYSTEM_CLOCK.sleep(0.001)
    >>> SYSTEM_CLOCK.now() - before_s >= 0.001
    True
    """

    __slots__ = ()

    now = staticmethod(time.monotonic)

    def __reduce__(self) -> str:
        """Pickle and copy as the name of the one there is."""
        return "SYSTEM_CLOCK"

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for `seconds`.

        Raises
        ------
        InvalidDurationError
            When `seconds` is negative, NaN or infinite.
        """
        time.sleep(checked_duration_s(seconds))

    async def asleep(self, seconds: float) -> None:
        """Suspend the calling asyncio task for `seconds`.

        Raises
        ------
        InvalidDurationError
            When `seconds` is negative, NaN or infinite.
        """
        await asyncio.sleep(checked_duration_s(seconds))

    def __repr__(self) -> str:
        return "SystemClock()"


SYSTEM_CLOCK = SystemClock()
