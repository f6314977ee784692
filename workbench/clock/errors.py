"""What can be wrong about time.

::

    WorkbenchError
    └── ClockError
        ├── InvalidDurationError    (also a ValueError) a time or duration that no clock can keep
        ├── VirtualDeadlockError    (also a RuntimeError) nothing can ever run again
        ├── VirtualTimeActiveError  (also a RuntimeError) another thread is inside `virtual_time`
        └── UnsupportedLoopError    (also a RuntimeError) an event loop that does not tell whether it is idle
"""

from workbench.errors import WorkbenchError

__all__ = [
    "ClockError",
    "InvalidDurationError",
    "UnsupportedLoopError",
    "VirtualDeadlockError",
    "VirtualTimeActiveError",
]


class ClockError(WorkbenchError):
    """The root of the clock's errors."""


class InvalidDurationError(ClockError, ValueError):
    """Raised for a duration that is negative, NaN or infinite, and for an instant that is not finite."""


class VirtualDeadlockError(ClockError, RuntimeError):
    """Raised by a virtual event loop that nothing can wake: no timer, no I/O, no worker.

    Some task awaits an event that nobody will set. On a real loop the program would hang.
    """


class VirtualTimeActiveError(ClockError, RuntimeError):
    """Raised by `virtual_time` when another thread is inside it: the default clock is one per process.

    Give the clock to the code by hand instead (``clock=VirtualClock()``), or use one thread.
    """


class UnsupportedLoopError(ClockError, RuntimeError):
    """Raised by `VirtualClock.asleep` on a loop that is neither asyncio's own nor this clock's.

    Run the code in `virtual_time`, or by `VirtualClock.run`.
    """
