"""The servers and the queue of a `LoopbackService`, within one event loop.

A server that is late (the loop had something else to do) begins with the next attempt at the time at which it
should have been free: so the capacity is the one that was asked for, on a busy machine too.
"""

import asyncio
import math
from collections import Counter, deque
from dataclasses import dataclass

from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._streams import ServiceDraws
from workbench.reliability.simulation.service import Fault, Service

__all__ = ["CLOSED", "Desk"]

CLOSED = -1  # what becomes of attempts that are there when the service ends


@dataclass(eq=False, slots=True)
class _Attempt:
    number: int
    arrived_s: float
    until_s: float  # its caller does not wait any longer
    outcome: asyncio.Future[int]


class Desk:
    """Serves attempts; all is called within the loop, but `begin`."""

    def __init__(self, service: Service, faults: tuple[Fault, ...], seed: int) -> None:
        self.service, self.faults = service, faults
        self.outcomes: Counter[int] = Counter()
        self.busy = 0
        self.waiting: deque[_Attempt] = deque()
        self.requests = 0
        self._draws = ServiceDraws(service, seed)
        self._draws.time_s(0)  # compiled before it matters
        self._began_s: float | None = None
        self._serving: dict[_Attempt, asyncio.TimerHandle] = {}
        self._is_closed = False

    def begin(self, at_s: float) -> None:
        """Count the times of the faults from a time of the loop on."""
        self._began_s = at_s

    async def serve(self, left_s: float = math.inf) -> int:
        """Return what became of an attempt that arrives now, and is waited for so long, when it is known."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        attempt = _Attempt(self.requests, now_s, now_s + left_s, loop.create_future())
        self.requests += 1
        self._arrive(attempt)
        return await attempt.outcome

    def close(self) -> None:
        """End all that is there, and what comes."""
        self._is_closed = True
        for timer in self._serving.values():
            timer.cancel()
        for attempt in (*self._serving, *self.waiting):
            self._answer(attempt, CLOSED)
        self._serving.clear()
        self.waiting.clear()
        self.busy = 0

    def _arrive(self, attempt: _Attempt) -> None:
        limit, now_s = self.service.queue_limit, attempt.arrived_s
        if self._is_closed:
            self._answer(attempt, CLOSED)
        elif self._draws.is_lost(attempt.number, self._amount(codes.OUTAGE, now_s)):
            self._answer(attempt, codes.FAILED)
        elif attempt.until_s <= now_s:
            self._answer(attempt, codes.SERVICE_DROPPED)
        elif self.busy < self.service.servers:
            self._start(attempt, now_s)
        elif limit is not None and len(self.waiting) >= limit:
            self._answer(attempt, codes.SERVICE_FULL)
        else:
            self.waiting.append(attempt)

    def _start(self, attempt: _Attempt, at_s: float) -> None:
        self.busy += 1
        time_s = self._draws.time_s(attempt.number) * max(1.0, self._amount(codes.SLOWDOWN, at_s))
        rate = max(self.service.failure_rate, self._amount(codes.ERRORS, at_s))
        outcome = codes.FAILED if self._draws.fails(attempt.number, rate) else codes.OK
        done_s = at_s + time_s
        self._serving[attempt] = asyncio.get_running_loop().call_at(
            done_s, self._finish, attempt, outcome, done_s
        )

    def _finish(self, attempt: _Attempt, outcome: int, at_s: float) -> None:
        del self._serving[attempt]
        self.busy -= 1
        self._answer(attempt, outcome)
        while self.waiting and self.busy < self.service.servers:
            following = self.waiting.pop() if self.service.queue == "lifo" else self.waiting.popleft()
            start_s = max(at_s, following.arrived_s)
            if start_s > min(following.arrived_s + self.service.drop_after_s, following.until_s):
                self._answer(following, codes.SERVICE_DROPPED)
            else:
                self._start(following, start_s)

    def _answer(self, attempt: _Attempt, outcome: int) -> None:
        self.outcomes[outcome] += 1
        if not attempt.outcome.done():
            attempt.outcome.set_result(outcome)

    def _amount(self, kind: int, at_s: float) -> float:
        """Return the largest amount of a kind of fault at a time; 0 without, and before the beginning."""
        if self._began_s is None:
            return 0.0
        since_s = at_s - self._began_s
        return max(
            (
                fault.amount
                for fault in self.faults
                if fault.kind == kind and fault.start_s <= since_s < fault.end_s
            ),
            default=0.0,
        )
