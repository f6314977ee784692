"""What a virtual loop does when it has nothing to run: look at real I/O, then let time pass.

An ordinary loop waits in ``select(timeout)`` until its next timer. Here, in this order:

1. I/O that is ready now is served.
2. While a child process of the loop lives, the loop waits as it really would: until the next timer, in real
   seconds. While another file is watched, it waits `io_grace_s` real seconds, and no longer than until the
   next timer. Listening sockets do not count: nothing is due there.
3. The loop sleeps in `Turns`: if nobody else runs, time jumps to the earliest deadline. If workers or other
   threads run, the loop really waits until they sleep, end, or call it.
4. If nobody runs, no deadline is to come and nothing from outside can wake the loop, it is deadlocked.

A timer rings when it is due and the loop has nothing else to run. A loop that always has (it asks again and
again, in ``sleep(0)``, for what a timer will bring) would never come to that: there a timer that is due rings
after `LONGEST_BUSY` rounds all the same.
"""

import math
import os
import selectors
import socket
import threading
from typing import Any, Protocol

from workbench.clock._turns import Sleeper, Turns

__all__ = ["Idle", "VirtualSelector"]

LONGEST_S = 86_400.0  # what the operating system takes as a timeout
LONGEST_BUSY = 1_000  # rounds of the loop

Events = list[tuple[selectors.SelectorKey, int]]


class Idle(Protocol):
    """What the selector asks of its loop."""

    parked: Sleeper | None
    weight: int

    def next_deadline_s(self) -> float:
        """Return when the next timer is due, infinity without timers."""

    def ring(self) -> None:
        """Make the next timer ready."""

    def has_ready(self) -> bool:
        """Whether a callback is ready."""

    def has_children(self) -> bool:
        """Whether a child process of this loop lives."""

    def may_be_signalled(self) -> bool:
        """Whether the loop handles signals."""

    def nudge(self) -> None:
        """Make ``select`` return."""

    def deadlock(self) -> Exception:
        """Describe who waits in vain."""


class VirtualSelector(selectors.DefaultSelector):
    """The platform's selector, which lets virtual time pass instead of waiting for timers."""

    def __init__(self, turns: Turns, *, io_grace_s: float, patience_s: float) -> None:
        super().__init__()
        self.loop: Idle | None = None
        self._turns = turns
        self._io_grace_s = io_grace_s
        self._patience_s = patience_s
        self._quiet: set[int] = set()
        self._own: set[int] = set()
        self._busy = 0  # rounds in which a timer was due, and others ran

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch a file; the first that a loop registers is its own pipe, by which other threads wake it."""
        key = super().register(fileobj, events, data)
        if self.loop is None:
            self._own.add(key.fd)
        elif _is_listening(key.fd):
            self._quiet.add(key.fd)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Watch a file no longer."""
        key = super().unregister(fileobj)
        self._quiet.discard(key.fd)
        self._own.discard(key.fd)
        return key

    def select(self, timeout: float | None = None) -> Events:
        """Return I/O that is ready; if there is none and the loop is idle, let virtual time pass."""
        events = super().select(0)
        if self.loop is None:
            return events
        if not events and (timeout is None or timeout > 0):
            deadline_s = self.loop.next_deadline_s()
            events = self._watch(self.loop, deadline_s) or self._sleep(self.loop, deadline_s)
        self._ring(self.loop, others=bool(events))
        return events

    def _ring(self, loop: Idle, *, others: bool) -> None:
        """Let the next timer ring, if it is due and its turn."""
        if loop.next_deadline_s() > self._turns.now_s:
            self._busy = 0
        elif not (others or loop.has_ready()) or self._busy == LONGEST_BUSY:
            self._busy = 0
            loop.ring()
        else:
            self._busy += 1

    def _watch(self, loop: Idle, deadline_s: float) -> Events:
        really_s = deadline_s - self._turns.now_s
        if deadline_s == math.inf:
            return []  # nothing to jump to: `_sleep` waits for I/O
        if loop.has_children():
            return super().select(min(really_s, LONGEST_S))
        if self._watched > len(self._quiet):
            return super().select(min(really_s, self._io_grace_s))
        return []

    @property
    def _watched(self) -> int:
        return len(self.get_map()) - len(self._own)

    def _sleep(self, loop: Idle, deadline_s: float) -> Events:
        if deadline_s < math.inf and self._turns.jump(deadline_s, weight=loop.weight):
            return []
        sleeper = Sleeper(deadline_s, loop.nudge, weight=loop.weight)
        loop.parked = sleeper
        try:
            if loop.has_ready():  # a thread called before it could see that we sleep
                return []
            self._turns.park(sleeper)
            return self._wait(loop, sleeper)
        finally:
            loop.parked = None
            self._turns.rouse(sleeper)

    def _wait(self, loop: Idle, sleeper: Sleeper) -> Events:
        hopeless = False
        while not sleeper.awake:
            if not self._is_hopeless(loop):
                hopeless = False
            elif hopeless or threading.active_count() == 1:
                raise loop.deadlock()
            else:
                hopeless = True
            events = super().select(self._patience_s)
            if events:
                return events
        return []

    def _is_hopeless(self, loop: Idle) -> bool:
        if not self._turns.stalled or (not self._turns.auto and threading.active_count() > 1):
            return False
        return not (self._watched or loop.has_children() or loop.may_be_signalled() or loop.has_ready())


def _is_listening(fd: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(fd)) as twin:
            return bool(twin.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False
