"""Whose turn it is: the one place where virtual time moves.

Everything that shares a virtual clock is either *running* or *asleep until a deadline*. `Turns` counts who
runs, and keeps who sleeps in a heap ordered by (deadline, arrival); at one instant, who was called by
another and only waits for its turn goes first, and who drives last. Time moves only when nobody runs::

    running == 0   ->   pop the earliest sleeper, now = its deadline, wake it, running += its weight

so parties run one after the other, in an order that depends on deadlines and arrivals alone. Time is set to a
stored deadline and never summed up in steps: no drift beyond the one addition of each sleep. With `auto` off,
sleepers whose deadline lies ahead wait until somebody *drives* (`VirtualClock.advance`).
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heapify, heappop, heappush

__all__ = ["Sleeper", "Turns"]

STALE_MIN = 64
AT_AN_INSTANT = 2**62  # more than will ever sleep


class Sleeper:
    """Somebody who waits until `deadline_s`; `wake` is called, outside of all locks, when it has come.

    `weight` is how many of those who run it is; 0 for one whom the clock does not know.
    """

    __slots__ = ("awake", "deadline_s", "drives", "parked", "wake", "weight")

    def __init__(
        self, deadline_s: float, wake: Callable[[], object], *, weight: int, drives: bool = False
    ) -> None:
        self.deadline_s = deadline_s
        self.wake = wake
        self.weight = weight
        self.drives = drives
        self.parked = False
        self.awake = False


class Turns:
    """The virtual instant, who runs, and who sleeps."""

    def __init__(self, start_s: float, *, auto: bool) -> None:
        self.now_s = start_s
        self.auto = auto
        self._lock = (
            threading.RLock()
        )  # a signal handler, or a coroutine that is collected, may come in between
        self._running = 0
        self._drivers = 0
        self._queue: list[tuple[float, int, Sleeper]] = []
        self._stale = 0
        self._arrivals = itertools.count()
        self._calls = itertools.count(-AT_AN_INSTANT)
        self._drives = itertools.count(AT_AN_INSTANT)
        self._thread = threading.local()

    # Who runs

    def adjust(self, parties: int) -> None:
        """Count `parties` more (or fewer) who run; when none is left, the next sleeper has its turn."""
        with self._lock:
            self._running += parties
            woken = self._turn()
        for sleeper in woken:
            sleeper.wake()

    @property
    def weight(self) -> int:
        """How often the calling thread is counted among those who run."""
        return getattr(self._thread, "weight", 0)

    @contextmanager
    def attending(self, *, already_counted: bool = False) -> Iterator[None]:
        """Count the calling thread (once more) among those who run, except while it sleeps by this clock."""
        self._thread.weight = self.weight + 1
        self.adjust(1 - already_counted)
        try:
            yield
        finally:
            self._thread.weight -= 1
            self.adjust(already_counted - 1)

    @contextmanager
    def standing_aside(self) -> Iterator[None]:
        """Do not count the calling thread while it waits for others who share this clock."""
        weight = self.weight
        self._thread.weight = 0
        self.adjust(-weight)
        try:
            yield
        finally:
            self._thread.weight = weight
            self.adjust(weight)

    # Who sleeps

    def wait_until(self, deadline_s: float, *, drives: bool = False) -> None:
        """Block the calling thread until it is `deadline_s`."""
        weight = self.weight
        if self.jump(deadline_s, weight=weight, drives=drives):
            return
        called = threading.Event()
        sleeper = Sleeper(deadline_s, called.set, weight=weight, drives=drives)
        try:
            self.park(sleeper)
            called.wait()
        finally:
            self.rouse(sleeper)

    def jump(self, deadline_s: float, *, weight: int, drives: bool = False) -> bool:
        """Move to `deadline_s` at once, if the caller alone runs and no one sleeps until then or less."""
        with self._lock:
            first = self._first()
            if self._running != weight or (first is not None and first.deadline_s <= deadline_s):
                return False
            if not (drives or self._may_come(deadline_s)):
                return False
            self.now_s = max(self.now_s, deadline_s)
            return True

    def park(self, sleeper: Sleeper) -> None:
        """Put a sleeper to sleep; who was counted no longer runs."""
        with self._lock:
            if sleeper.awake:
                return
            self._enqueue(sleeper)
            self._running -= sleeper.weight
            woken = self._turn()
        for each in woken:
            each.wake()

    def enqueue(self, sleeper: Sleeper, *, called: bool = False) -> None:
        """Announce a sleeper that did not run until now, and leave the turn to `turn` or to others."""
        with self._lock:
            self._enqueue(sleeper, called=called)

    def rouse(self, sleeper: Sleeper) -> bool:
        """Wake a sleeper before its time, without calling it; whether it was asleep."""
        with self._lock:
            if sleeper.awake:
                return False
            self._stale += sleeper.parked
            self._awaken(sleeper)
            self._compact()
            return True

    def turn(self, *, single: bool = False) -> bool:
        """Let sleepers wake if nobody runs, with `single` one at most; whether one did."""
        with self._lock:
            woken = self._turn(single=single)
        for sleeper in woken:
            sleeper.wake()
        return bool(woken)

    @contextmanager
    def driving(self) -> Iterator[None]:
        """Let time move by itself even when `auto` is off."""
        with self._lock:
            self._drivers += 1
        try:
            yield
        finally:
            with self._lock:
                self._drivers -= 1

    @property
    def sleepers(self) -> int:
        """How many sleep."""
        with self._lock:
            return len(self._queue) - self._stale

    @property
    def stalled(self) -> bool:
        """Whether nobody runs, and nobody will by the passing of time."""
        with self._lock:
            first = self._first()
            return not self._running and (first is None or not self._may_come(first.deadline_s))

    # All below is called with the lock held

    def _enqueue(self, sleeper: Sleeper, *, called: bool = False) -> None:
        others = self._drives if sleeper.drives else self._arrivals
        number = next(self._calls if called else others)
        heappush(self._queue, (sleeper.deadline_s, number, sleeper))
        sleeper.parked = True
        self._drivers += sleeper.drives

    def _turn(self, *, single: bool = False) -> list[Sleeper]:
        woken: list[Sleeper] = []
        while not self._running and not (single and woken):
            sleeper = self._first()
            if sleeper is None or not self._may_come(sleeper.deadline_s):
                break
            heappop(self._queue)
            self.now_s = max(self.now_s, sleeper.deadline_s)
            self._awaken(sleeper)
            woken.append(sleeper)
        return woken

    def _first(self) -> Sleeper | None:
        while self._queue and self._queue[0][2].awake:
            heappop(self._queue)
            self._stale -= 1
        return self._queue[0][2] if self._queue else None

    def _may_come(self, deadline_s: float) -> bool:
        return deadline_s < float("inf") and (self.auto or self._drivers > 0 or deadline_s <= self.now_s)

    def _awaken(self, sleeper: Sleeper) -> None:
        sleeper.awake = True
        if sleeper.parked:
            self._running += sleeper.weight
            self._drivers -= sleeper.drives

    def _compact(self) -> None:
        if self._stale > STALE_MIN and self._stale * 2 > len(self._queue):
            self._queue = [entry for entry in self._queue if not entry[2].awake]
            heapify(self._queue)
            self._stale = 0
