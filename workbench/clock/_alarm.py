"""`Alarm`: wait until a moment of a clock, or until another thread says that it is time.

`Clock` can let time pass, but not be interrupted. On real time an alarm is a `threading.Event`. On virtual
time the one that waits is a sleeper like all others: who is counted does not hold time up, and is woken in
its turn, at the instant at which it was called. A thread that waits alone reaches its moment at once: nobody
else could call it. Where other threads live that are not counted, one of them might; so a wait without end is
given up only after the clock's patience, twice, as its loops do.

Other clocks cannot be interrupted: there the whole wait is slept.
"""

import math
import threading

from workbench.clock._default import DefaultClock
from workbench.clock._system import Clock, SystemClock
from workbench.clock._turns import Sleeper, Turns
from workbench.clock._virtual import VirtualClock
from workbench.clock.errors import VirtualDeadlockError

__all__ = ["Alarm"]


class Alarm:
    """One wait of the thread that makes it.

    Parameters
    ----------
    clock : Clock
    seconds : float
        For how long to wait at most; may be infinite.
    """

    __slots__ = ("_called", "_clock", "_due_s", "_patience_s", "_sleeper", "_turns")

    def __init__(self, clock: Clock, seconds: float) -> None:
        while isinstance(clock, DefaultClock):
            clock = clock.current
        self._clock = clock
        self._due_s = clock.now() + seconds
        self._called = threading.Event()
        self._turns: Turns | None = None
        self._patience_s = 0.0
        if isinstance(clock, VirtualClock):
            self._turns, self._patience_s = clock._turns, clock._patience_s  # noqa: SLF001 - one room
        self._sleeper: Sleeper | None = None

    def wait(self) -> None:
        """Block the calling thread until the moment has come, or `call` is called; whichever was first.

        Raises
        ------
        VirtualDeadlockError
            On virtual time, for a wait without end when no other thread lives that could end it, or none has.
        """
        if self._turns is not None:
            self._wait_virtually(self._turns)
        elif self._due_s == math.inf:
            self._called.wait()
        elif isinstance(self._clock, SystemClock):
            self._called.wait(min(max(0.0, self._due_s - self._clock.now()), threading.TIMEOUT_MAX))
        elif not self._called.is_set():
            self._clock.sleep(max(0.0, self._due_s - self._clock.now()))

    def call(self) -> None:
        """End the wait, now or when it begins; from any thread."""
        turns, sleeper = self._turns, self._sleeper
        if turns is None or sleeper is None:
            self._called.set()
        elif turns.rouse(sleeper):
            if sleeper.parked:
                self._call_in_turn(turns, sleeper.weight)
            else:  # it was about to fall asleep, and now does not
                self._called.set()

    def _call_in_turn(self, turns: Turns, weight: int) -> None:
        """Let the one that waits go on when those who run sleep, and before all whose time has come."""
        self._sleeper = Sleeper(turns.now_s, self._called.set, weight=weight)
        turns.enqueue(self._sleeper, called=True)
        turns.adjust(-weight)

    def _wait_virtually(self, turns: Turns) -> None:
        if self._due_s == math.inf and threading.active_count() == 1:
            raise _deadlock()
        weight = turns.weight
        if self._called.is_set() or turns.jump(self._due_s, weight=weight):
            return
        sleeper = Sleeper(self._due_s, self._called.set, weight=weight)
        self._sleeper = sleeper
        try:
            if not self._called.is_set():
                turns.park(sleeper)
                self._wait_for_call(turns)
        finally:
            turns.rouse(self._sleeper)

    def _wait_for_call(self, turns: Turns) -> None:
        patience_s = self._patience_s if self._due_s == math.inf and turns.auto else None
        hopeless = False
        while not self._called.wait(patience_s):
            if hopeless and turns.stalled:
                raise _deadlock()
            hopeless = turns.stalled


def _deadlock() -> VirtualDeadlockError:
    return VirtualDeadlockError("a wait without end, and no other thread that could end it: give it a limit")
