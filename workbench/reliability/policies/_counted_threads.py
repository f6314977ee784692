"""Threads that policies start, on virtual time: it stands still while they run."""

from contextlib import AbstractContextManager, nullcontext

from workbench.clock import Clock, DefaultClock, VirtualClock

__all__ = ["counted"]


def counted(clock: Clock) -> AbstractContextManager[None]:
    """Have this thread counted among those who run, where the clock is virtual."""
    while isinstance(clock, DefaultClock):
        clock = clock.current
    return clock.hold() if isinstance(clock, VirtualClock) else nullcontext()
