"""Where calls wait for places, of threads and of tasks together.

The machine (`machines.bulkhead`) counts; the room knows who the counted ones are. While its lock is free,
``memory.waiting`` is the number of waiters that it holds: both change only together, under the lock. A place
is taken and left without the lock as long as nobody waits; whoever leaves and finds that somebody does, comes
here:

    leave (finds waiting > 0)  ->  hand_on, under the lock: the next waiter has the place, before it wakes up

so no place is ever free while somebody waits, nobody who comes later overtakes, and no wake-up is lost: the
place belongs to the waiter from then on, and a waiter that no longer wants it (its task was cancelled, its
thread interrupted) leaves like anybody who had run.
"""

import math
from collections.abc import Callable
from typing import Any, TypeVar

from workbench.reliability.machines.bulkhead import (
    RUNS,
    WAITS,
    displace,
    enter,
    expire,
    give_up,
    hand_on,
    leave,
    promote,
    shed,
    take_back,
)
from workbench.reliability.policies._orders import Order
from workbench.reliability.policies._waiters import (
    DROPPED,
    EXPIRED,
    GRANTED,
    WAITING,
    TaskWaiter,
    ThreadWaiter,
    Waiter,
)
from workbench.reliability.policies.importance import current_criticality

__all__ = ["FULL", "Patience", "Refusal", "WaitingRoom", "constant_patience"]

FULL = 4  # the outcome of a call that was not even let in
EVENTS = {FULL: "rejected", EXPIRED: "expired", DROPPED: "shed"}

AnyWaiter = TypeVar("AnyWaiter", ThreadWaiter, TaskWaiter)
Refusal = Callable[[int, float], Exception]  # of a waiter's outcome, and of the seconds it waited
Patience = Callable[[float], float]  # of the time at which it comes


class WaitingRoom:
    """Those that wait for a place of one policy.

    Parameters
    ----------
    policy : Policy
        Its `parameters` and `memory` are those of a bulkhead, and its lock guards them.
    order : Order
    refusal : function
        Makes the error of a call that is not served.
    patience : function
        For how long a call may wait that comes at a time, seconds.
    """

    def __init__(self, policy: Any, order: Order, refusal: Refusal, patience: Patience) -> None:
        self._policy, self._clock, self._lock = policy, policy.clock, policy.lock
        self._order, self._refusal, self._patience = order, refusal, patience

    def wait(self) -> None:
        """Block until the calling thread has a place; raise the refusal if it gets none."""
        waiter = self._come(ThreadWaiter)
        if waiter is not None:
            try:
                waiter.wait()
            except BaseException:
                self._withdraw(waiter)
                raise
            self._see_off(waiter)

    async def wait_async(self) -> None:
        """Suspend the calling task until it has a place; raise the refusal if it gets none."""
        waiter = self._come(TaskWaiter)
        if waiter is not None:
            try:
                await waiter.wait()
            except BaseException:
                self._withdraw(waiter)
                raise
            self._see_off(waiter)

    def hand_on(self) -> None:
        """Give the place of a call that has ended to the next that waits."""
        p, s = self._policy.parameters, self._policy.memory
        with self._lock:
            while hand_on(p, s) and not self._admit_next():
                pass

    def leave(self) -> None:
        """End a call, whether somebody waits or not."""
        if leave(self._policy.memory):
            self.hand_on()

    def promote(self) -> None:
        """Give places that a higher limit made to those that wait."""
        p, s = self._policy.parameters, self._policy.memory
        with self._lock:
            while promote(p, s):
                if not self._admit_next():
                    self.hand_on()

    def forget(self) -> None:
        """Set all counts to zero, but those of calls that run and wait."""
        s = self._policy.memory
        with self._lock:
            s.waited = s.waiting
            s.rejected = s.handed = s.expired = s.shed = s.cancelled = 0

    def _come(self, kind: type[AnyWaiter]) -> AnyWaiter | None:
        """Let a call in that found no place; return who waits for one, None if there is one by now."""
        p, s = self._policy.parameters, self._policy.memory
        with self._lock:
            decision = enter(p, s)
            if decision == RUNS:
                return None
            if decision == WAITS or s.waiting:
                waiter = kind(*current_criticality())
                if decision == WAITS or self._makes_room(waiter):
                    now = self._clock.now()
                    waiter.since_s, waiter.patience_s = now, self._patience(now)
                    waiter.prepare(self._clock)
                    self._order.push(waiter, now)
                    return waiter
        raise self._refused(FULL, 0.0)

    def _makes_room(self, waiter: Waiter) -> bool:
        """Tell whether another waiter was dropped in favour of one that was rejected."""
        victim = self._order.make_room(waiter)
        if victim is None:
            return False
        displace(self._policy.memory)
        victim.settle(DROPPED)
        return True

    def _admit_next(self) -> bool:
        """Give a place that is counted as taken to the next waiter; tell whether it was still there."""
        now = self._clock.now()
        if not self._order:  # a task that waited was collected between two lines of ours
            take_back(self._policy.memory)
            return False
        waiter, dropped = self._order.select(now)
        for each in dropped:
            shed(self._policy.memory)
            each.settle(DROPPED)
        if waiter.settle(GRANTED):
            return True
        waiter.outcome = DROPPED  # its loop is closed: the place is not its own
        return False

    def _withdraw(self, waiter: Waiter) -> None:
        """Forget a waiter that was interrupted; if it has a place already, it leaves."""
        with self._lock:
            if waiter.outcome == WAITING:
                self._order.remove(waiter)
                give_up(self._policy.memory)
            elif waiter.outcome == GRANTED:
                self.leave()

    def _see_off(self, waiter: Waiter) -> None:
        """Let a waiter go that has woken up: it has a place, or is refused."""
        with self._lock:
            if waiter.outcome == WAITING:  # nobody woke it but its timer
                self._order.remove(waiter)
                expire(self._policy.memory)
                waiter.outcome = EXPIRED
        if waiter.outcome != GRANTED:
            raise self._refused(waiter.outcome, max(0.0, self._clock.now() - waiter.since_s))

    def _refused(self, outcome: int, waited_s: float) -> Exception:
        """Return the error of a call that is not served, told to those who listen."""
        if self._policy.listening:
            level, key = current_criticality()
            told = {"waited_s": waited_s, "priority": level, "key": key}
            self._policy.emit(EVENTS[outcome], self._clock.now(), **told)
        return self._refusal(outcome, waited_s)


def constant_patience(max_wait_s: float | None) -> Patience:
    """Return the patience of calls that may all wait for as long; None is without limit."""
    patience_s = math.inf if max_wait_s is None else max_wait_s
    return lambda _now: patience_s
