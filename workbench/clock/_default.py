"""Which clock applies to code that was given none: `virtual_time`, `current_clock`, `DEFAULT_CLOCK`."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from workbench.clock._system import SYSTEM_CLOCK, Clock
from workbench.clock._virtual import VirtualClock
from workbench.clock.errors import VirtualTimeActiveError

__all__ = ["DEFAULT_CLOCK", "DefaultClock", "current_clock", "virtual_time"]


class DefaultClock:
    """The clock of everything that was given none: always the current one, and as cheap to read.

    ``DEFAULT_CLOCK.now`` is the current clock's own `now` (outside of `virtual_time` the builtin
    `time.monotonic`), put there when `virtual_time` is entered and left. Keep this object, not its methods:
    ``self.clock.now()`` follows the current clock, ``now = clock.now`` made earlier does not.
    """

    __slots__ = ("asleep", "current", "now", "sleep")

    now: Callable[[], float]
    sleep: Callable[[float], None]
    asleep: Callable[[float], Coroutine[Any, Any, None]]
    current: Clock

    def __init__(self) -> None:
        self.follow(SYSTEM_CLOCK)

    def follow(self, clock: Clock) -> None:
        """Make `clock` the current one."""
        self.current = clock
        self.now = clock.now
        self.sleep = clock.sleep
        self.asleep = clock.asleep

    def __reduce__(self) -> str:
        """Pickle and copy as the name of the one there is."""
        return "DEFAULT_CLOCK"

    def __repr__(self) -> str:
        return f"DEFAULT_CLOCK({self.current!r})"


DEFAULT_CLOCK = DefaultClock()


def current_clock() -> Clock:
    """Return the clock of the innermost active `virtual_time`, else the system's.

    For a policy that lives longer than one call keep `DEFAULT_CLOCK`, which follows the current clock.
    """
    return DEFAULT_CLOCK.current


@contextmanager
def virtual_time(
    start_s: float = 0.0, *, auto: bool = True, io_grace_s: float = 0.05, patience_s: float = 1.0
) -> Iterator[VirtualClock]:
    """Run the block on virtual time, without waiting.

    Inside, `DEFAULT_CLOCK` is the new clock, in all threads. ``asyncio.run``, ``asyncio.Runner`` and
    ``asyncio.new_event_loop``, called in this thread or in one that the clock counts, make loops of this
    clock; other threads keep real loops. Loops that run already keep real time: there, tasks sleep by
    ``clock.asleep``, and ``clock.run`` runs a coroutine on a loop of its own. `time.sleep` and
    `time.monotonic` themselves are never touched. Blocks nest in one thread; all is put back at the end,
    whatever was raised.

    Parameters
    ----------
    start_s, auto, io_grace_s, patience_s
        As for `VirtualClock`.

    Raises
    ------
    VirtualTimeActiveError
        When another thread is inside `virtual_time`.

    Examples
    --------
    >>> async def day():
    ...     await asyncio.sleep(86_400)
    >>> with virtual_time() as clock:
    ...     asyncio.run(day())
    >>> clock.now()
    86400.0
    """
    clock = VirtualClock(start_s, auto=auto, io_grace_s=io_grace_s, patience_s=patience_s)
    _active.enter(clock)
    try:
        yield clock
    finally:
        _active.leave(clock)


class _Active:
    """The clocks of the blocks that are active, innermost last, and the thread that entered them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clocks: list[VirtualClock] = []
        self._owner = 0
        self._new_event_loop = asyncio.new_event_loop

    def enter(self, clock: VirtualClock) -> None:
        with self._lock:
            if self._clocks and self._owner != threading.get_ident():
                msg = (
                    "another thread is inside virtual_time(), and the default clock is one per process: "
                    "pass clock=VirtualClock() here, or start this thread by clock.run_threads()"
                )
                raise VirtualTimeActiveError(msg)
            if not self._clocks:
                self._owner = threading.get_ident()
                if asyncio.new_event_loop != self.new_event_loop:  # others may have put our stand-in back
                    self._new_event_loop = asyncio.new_event_loop
                _patch(self._new_event_loop, self.new_event_loop)
            self._clocks.append(clock)
            DEFAULT_CLOCK.follow(clock)

    def leave(self, clock: VirtualClock) -> None:
        with self._lock:
            self._clocks.remove(clock)
            DEFAULT_CLOCK.follow(self._clocks[-1] if self._clocks else SYSTEM_CLOCK)
            if not self._clocks:
                _patch(self.new_event_loop, self._new_event_loop)

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """Stand in for `asyncio.new_event_loop` while a block is active."""
        clocks = tuple(self._clocks)
        if clocks and (self._owner == threading.get_ident() or clocks[-1].counts_this_thread):
            return clocks[-1].new_event_loop()
        return self._new_event_loop()


def _patch(old: Callable[[], object], new: Callable[[], object]) -> None:
    """Replace asyncio's function where it is looked up, but not what others have put there since."""
    for module in (asyncio, asyncio.events):
        if module.new_event_loop == old:
            setattr(module, "new_event_loop", new)  # noqa: B010


_active = _Active()
