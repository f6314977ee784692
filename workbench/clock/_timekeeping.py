"""Whose time a loop's timers keep, and in which order they ring that are due at the same instant."""

import asyncio

from workbench.clock._default import DefaultClock
from workbench.clock._loop import VirtualEventLoop
from workbench.clock._system import Clock, SystemClock
from workbench.clock._virtual import VirtualClock

__all__ = ["keeps_time", "moment"]


def keeps_time(loop: asyncio.AbstractEventLoop, clock: Clock) -> bool:
    """Tell whether a loop's timers go by a clock; else a task has to sleep by it.

    A loop on virtual time has no other: there the system's clock sleeps by that, too.
    """
    while isinstance(clock, DefaultClock):
        clock = clock.current
    if isinstance(clock, VirtualClock):
        return isinstance(loop, VirtualEventLoop) and loop.keeps(clock._turns)  # noqa: SLF001 - one room
    return isinstance(clock, SystemClock)


def moment(loop: asyncio.AbstractEventLoop, when_s: float) -> float:
    """Return a time that has its place from now on among timers of the same instant, whenever one is set.

    On real time there is no such place, and it is the time as it was given.
    """
    return loop.placed(when_s) if isinstance(loop, VirtualEventLoop) else when_s
