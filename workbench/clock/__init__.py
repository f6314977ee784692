"""Time as an argument: the real clock, and a virtual one on which nobody waits.

::

    Clock (protocol)      now() -> seconds, sleep(seconds), await asleep(seconds)
    ├── SystemClock       the machine's; SYSTEM_CLOCK
    ├── VirtualClock      moves when everybody sleeps, or by advance(seconds)
    └── DefaultClock      whichever of them is current; DEFAULT_CLOCK, for policies that were given no clock
    Alarm(clock, seconds)  a thread's wait that other threads may end early
    keeps_time(loop, clock)  whether the timers of a loop go by a clock
    moment(loop, when_s)   a time, with its place among timers of the same instant

``with virtual_time() as clock:`` makes a virtual clock the current one and puts asyncio's new loops on it:
ordinary code that sleeps, times out and retries runs at once, and the same way every time.

A policy keeps ``clock: Clock = DEFAULT_CLOCK`` and calls ``self._clock.now()``: one attribute more than
`time.monotonic`, and on virtual time wherever it was made.

The idea is that of trio's MockClock with autojump, and of tokio's paused time.
"""

from workbench.clock._alarm import Alarm
from workbench.clock._default import DEFAULT_CLOCK, DefaultClock, current_clock, virtual_time
from workbench.clock._system import SYSTEM_CLOCK, Clock, SystemClock
from workbench.clock._timekeeping import keeps_time, moment
from workbench.clock._virtual import VirtualClock
from workbench.clock.errors import (
    ClockError,
    InvalidDurationError,
    UnsupportedLoopError,
    VirtualDeadlockError,
    VirtualTimeActiveError,
)

__all__ = [
    "DEFAULT_CLOCK",
    "SYSTEM_CLOCK",
    "Alarm",
    "Clock",
    "ClockError",
    "DefaultClock",
    "InvalidDurationError",
    "SystemClock",
    "UnsupportedLoopError",
    "VirtualClock",
    "VirtualDeadlockError",
    "VirtualTimeActiveError",
    "current_clock",
    "keeps_time",
    "moment",
    "virtual_time",
]
