"""The queue of a load shedder: priorities, fairness between the keys of one priority, CoDel for each key.

    priority 0   flow a: [w w w]   flow b: [w]      deficit round robin goes round the flows
    priority 1   flow a: [w w]                      only served when nobody waits above

Each flow, the calls of one key and one priority, has a CoDel of its own, as in FQ-CoDel: a key that sends too
much is dropped from, its neighbours are not. With adaptive LIFO the whole queue is judged at once, and flows
give their newest call while it is overloaded.

Source: RFC 8290 (2018), section 4, with calls for packets.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from workbench.reliability.machines import adaptive_lifo, codel
from workbench.reliability.machines.fair_queue import Flow, begin_turn, displaces, end_flow, serve
from workbench.reliability.policies._waiters import Waiter

__all__ = ["FairOrder"]

REMEMBERED = 1024  # flows that nobody waits in, whose CoDel is kept: as many as FQ-CoDel has flows


class _Calls:
    """Those that wait in one flow, the first first."""

    __slots__ = ("codel", "flow", "waiters")

    def __init__(self, weight: float) -> None:
        self.flow = Flow(weight)
        self.codel = codel.State()
        self.waiters: OrderedDict[Waiter, None] = OrderedDict()


class FairOrder:
    """Who waits, by priority and key.

    Parameters
    ----------
    codel_parameters : machines.codel.Parameters, optional
        How calls are dropped that have waited; none are without it.
    lifo_parameters : machines.adaptive_lifo.Parameters, optional
        When the newest goes first; it never does without it.
    weights : mapping
        Shares of keys; 1 for keys that it does not have.
    """

    def __init__(
        self,
        *,
        codel_parameters: codel.Parameters | None,
        lifo_parameters: adaptive_lifo.Parameters | None,
        weights: Mapping[Any, float],
    ) -> None:
        self._codel, self._lifo, self._weights = codel_parameters, lifo_parameters, weights
        self._levels: dict[int, OrderedDict[object, _Calls]] = {}
        self._idle: OrderedDict[tuple[int, object], _Calls] = OrderedDict()
        self._count = 0
        self._emptied = adaptive_lifo.State()

    def __len__(self) -> int:
        return self._count

    def is_overloaded(self, now: float) -> bool:
        """Tell whether the newest goes first."""
        if self._lifo is None or not self._count:
            return False
        return bool(adaptive_lifo.is_overloaded(self._lifo, self._emptied, now))

    def forget(self, now: float) -> None:
        """Forget what CoDel has learnt, and how long the queue has been in use; not who waits."""
        for level in self._levels.values():
            for calls in level.values():
                calls.codel = codel.State()
        self._idle.clear()
        adaptive_lifo.note_empty(self._emptied, now)

    def patience(self, now: float) -> float:
        """Return for how long a call that comes now may wait under adaptive LIFO."""
        if self._lifo is None:
            return math.inf
        self._note_whether_empty(now)
        return float(adaptive_lifo.patience(self._lifo, self._emptied, now))

    def push(self, waiter: Waiter, now: float) -> None:
        """Have one more wait."""
        self._note_whether_empty(now)
        level = self._levels.setdefault(waiter.priority, OrderedDict())
        calls = level.get(waiter.key)
        if calls is None:
            calls = level[waiter.key] = self._calls(waiter)
            codel.note_empty(calls.codel)
        calls.waiters[waiter] = None
        self._count += 1

    def remove(self, waiter: Waiter) -> None:
        """Forget one that waits."""
        del self._levels[waiter.priority][waiter.key].waiters[waiter]
        self._taken_from(waiter.priority, waiter.key)

    def select(self, now: float) -> tuple[Waiter, list[Waiter]]:
        """Take out who is next, and those that CoDel drops on the way to it."""
        priority = min(self._levels)
        dropped: list[Waiter] = []
        key, calls = self._next_flow(self._levels[priority])
        while True:
            waiter = calls.waiters.popitem(last=self.is_overloaded(now))[0]
            left = len(calls.waiters)
            self._taken_from(priority, key)
            wait_s = now - waiter.since_s
            if self._codel is None or not codel.judge(self._codel, calls.codel, now, wait_s, left):
                break
            dropped.append(waiter)
        self._note_whether_empty(now)
        return waiter, dropped

    def make_room(self, waiter: Waiter) -> Waiter | None:
        """Take out the oldest of the longest flow of the least priority, if it gives way to a newcomer."""
        if not self._count:
            return None
        priority = max(self._levels)
        flows = self._levels[priority]
        key = max(flows, key=lambda each: len(flows[each].waiters))
        length = self._length(waiter)
        if not displaces(waiter.priority, length, priority, len(flows[key].waiters)):
            return None
        victim = flows[key].waiters.popitem(last=False)[0]
        self._taken_from(priority, key)
        return victim

    def _length(self, waiter: Waiter) -> int:
        """Return how many wait in the flow of a newcomer."""
        flows = self._levels.get(waiter.priority)
        own = None if flows is None else flows.get(waiter.key)
        return 0 if own is None else len(own.waiters)

    def _calls(self, waiter: Waiter) -> _Calls:
        found = self._idle.pop((waiter.priority, waiter.key), None)
        return _Calls(self._weights.get(waiter.key, 1.0)) if found is None else found

    def _next_flow(self, flows: OrderedDict[object, _Calls]) -> tuple[object, _Calls]:
        """Return the flow whose turn it is; the first of `flows` has it, the others follow."""
        while True:
            key, calls = next(iter(flows.items()))
            if serve(calls.flow):
                return key, calls
            begin_turn(calls.flow)
            flows.move_to_end(key)

    def _note_whether_empty(self, now: float) -> None:
        if not self._count:
            adaptive_lifo.note_empty(self._emptied, now)

    def _taken_from(self, priority: int, key: object) -> None:
        """Count one waiter less; a flow that nobody waits in goes to those that are only remembered."""
        self._count -= 1
        flows = self._levels[priority]
        if flows[key].waiters:
            return
        calls = flows.pop(key)
        end_flow(calls.flow)
        self._idle[priority, key] = calls
        if len(self._idle) > REMEMBERED:
            self._idle.popitem(last=False)
        if not flows:
            del self._levels[priority]
