"""Attempts at one call, in tasks or in threads: who wins, and what becomes of the others."""

import asyncio
import contextvars
import math
import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from workbench.clock import Clock, keeps_time
from workbench.clock._alarm import Alarm
from workbench.reliability.policies._counted_threads import counted

__all__ = ["Attempt", "arace", "race"]


class Attempt:
    """One attempt at a call: its number, from 0, and whether its answer is still wanted."""

    __slots__ = ("_event", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self._event = threading.Event()

    @property
    def abandoned(self) -> bool:
        """Whether the call has ended without it: what it returns is not used."""
        return self._event.is_set()

    def abandon(self) -> None:
        """Tell it that its answer is not wanted."""
        self._event.set()

    def __repr__(self) -> str:
        return f"Attempt({self.number}{', abandoned' if self.abandoned else ''})"


# Tasks


async def arace(q: Any, proceed: Callable[[], Awaitable[Any]], current: ContextVar[Attempt | None]) -> Any:
    """Return what the first attempt that succeeds returns; all others have ended by then."""
    race = _TaskRace(q, proceed, current)
    try:
        return await race.won()
    finally:
        await race.end()


class _Race:
    """What races in tasks and in threads have in common.

    Errors are kept here and not in local variables, from where their own tracebacks would hold them; they are
    forgotten when the race ends.
    """

    def __init__(self, q: Any, proceed: Callable[[], Any], current: ContextVar[Attempt | None]) -> None:
        self.q, self.proceed, self.current = q, proceed, current
        self.number = 0  # of the newest attempt
        self.open = True  # whether there may be more
        self.first_error: BaseException | None = None
        self.fatal: BaseException | None = None  # what no other attempt may mend
        self.answer: Any = None
        self.started_s: float = q.clock.now()
        self.first_s = math.nan
        self.winner = -1

    @property
    def patience_s(self) -> float:
        """How long to wait before the next attempt; without end where there is none."""
        return self.q.delay_s if self.open and self.number < self.q.hedges else math.inf

    def start_next(self) -> None:
        """Start another attempt, if there may be one; else there is none for this call."""
        self.open = self.q.may_hedge(self.number + 1, self.q.clock.now())
        if self.open:
            self.number += 1
            self.start(self.number)

    def start(self, number: int) -> None:
        """Start an attempt."""
        raise NotImplementedError

    def note_end(self, number: int, answer: Any, error: BaseException | None) -> bool:
        """Note how an attempt ended; tell whether that decides the race."""
        if number == 0:
            self.first_s = self.q.clock.now() - self.started_s
        if error is None:
            self.winner, self.answer = number, answer
            return True
        if number == 0 or self.first_error is None:
            self.first_error = error
        if not self.q.is_failure(error):
            self.fatal = error
        return self.fatal is not None

    def outcome(self) -> Any:
        """Return the answer that won, or raise why there is none."""
        if self.winner >= 0:
            return self.answer
        lost = self.fatal or self.first_error
        assert lost is not None  # noqa: S101 - a race without a winner had a first loser
        try:
            raise lost
        finally:
            del lost

    def note_race(self) -> None:
        """Let the policy learn from the call, and forget its errors."""
        self.fatal = self.first_error = self.answer = None
        elapsed_s = self.q.clock.now() - self.started_s
        self.q.ended(self.winner, elapsed_s if math.isnan(self.first_s) else self.first_s)


class _TaskRace(_Race):
    """Attempts, and the timer of the next one, wake the task of the call."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.loop = asyncio.get_running_loop()
        self.tasks: dict[asyncio.Future[Any], int] = {}
        self.timers: list[asyncio.Future[None]] = []
        self.woken: asyncio.Future[None] = self.loop.create_future()
        self.is_late = False

    async def won(self) -> Any:
        """Wait until an attempt succeeds, or none is left."""
        self.start(0)
        while self.tasks:
            late, running = await self.wait(), len(self.tasks)
            if self.is_decided():
                break
            if (late or len(self.tasks) < running) and self.open:
                self.start_next()
        return self.outcome()

    def is_decided(self) -> bool:
        """Note how attempts have ended; tell whether that decides the race."""
        return any(map(self.look_at, [task for task in self.tasks if task.done()]))

    def look_at(self, task: "asyncio.Future[Any]") -> bool:
        """Note how an attempt ended; tell whether that decides the race."""
        number = self.tasks.pop(task)
        error = task.exception()  # one that was cancelled raises that
        return self.note_end(number, None if error else task.result(), error)

    def start(self, number: int) -> None:
        context = contextvars.copy_context()
        context.run(self.current.set, Attempt(number))
        task = self.loop.create_task(_awaited(self.proceed), context=context)
        task.add_done_callback(self.wake)
        self.tasks[task] = number

    def wake(self, _: object = None) -> None:
        """Have the call look at its attempts."""
        if not self.woken.done():
            self.woken.set_result(None)

    def ring(self, _: object = None) -> None:
        """Have the call start the next attempt."""
        self.is_late = True
        self.wake()

    async def wait(self) -> bool:
        """Wait until an attempt ends, or it is time for the next; tell whether it is."""
        self.is_late = False
        stop = self.set_timer(self.patience_s)
        try:
            await self.woken
        finally:
            stop()
            self.woken = self.loop.create_future()
        return self.is_late

    def set_timer(self, seconds: float) -> Callable[[], object]:
        """Ring after some seconds of the clock; return what stops that."""
        if seconds == math.inf:
            return _nothing
        if keeps_time(self.loop, self.q.clock):  # a handle of the loop is cheaper than a task
            return self.loop.call_later(seconds, self.ring).cancel
        timer = self.loop.create_task(_slept(self.q.clock, seconds))
        timer.add_done_callback(self.ring)
        self.timers.append(timer)

        def stop() -> None:
            timer.remove_done_callback(self.ring)
            timer.cancel()

        return stop

    async def end(self) -> None:
        """Cancel what is left and wait for it, however often this task is cancelled meanwhile."""
        self.note_race()
        left = [*self.tasks, *self.timers]
        for task in left:
            task.cancel()
        cancelled: asyncio.CancelledError | None = None
        while pending := [task for task in left if not task.done()]:
            try:
                await asyncio.wait(pending)
            except asyncio.CancelledError as error:
                cancelled = error
        for task in left:
            if not task.cancelled():
                task.exception()  # it was looked at: nobody needs to be warned
        if cancelled is not None:
            raise cancelled


def _nothing() -> None:
    """Stop a timer that was never set."""


async def _slept(clock: Clock, seconds: float) -> None:
    await clock.asleep(seconds)


async def _awaited(proceed: Callable[[], Awaitable[Any]]) -> Any:
    return await proceed()


# Threads


def race(q: Any, proceed: Callable[[], Any], current: ContextVar[Attempt | None]) -> Any:
    """Return what the first attempt that succeeds returns; others are told, and abandoned."""
    race = _ThreadRace(q, proceed, current)
    with counted(q.clock):
        try:
            return race.won()
        finally:
            race.end()


class _ThreadRace(_Race):
    """Attempts report, and wake the thread of the call."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.lock = threading.Lock()
        self.running: dict[int, Attempt] = {}
        self.reports: list[tuple[int, Any, BaseException | None]] = []
        self.alarm: Alarm | None = None

    def won(self) -> Any:
        """Wait until an attempt succeeds, or none is left."""
        self.start(0)
        while True:
            if any(self.note_end(*report) for report in self.wait()):
                return self.outcome()
            if self.open:
                self.start_next()
            with self.lock:
                if not self.running and not self.reports:
                    break
        return self.outcome()

    def start(self, number: int) -> None:
        attempt = self.running[number] = Attempt(number)
        context, started = contextvars.copy_context(), threading.Event()

        def work() -> None:
            with counted(self.q.clock):
                started.set()
                self.current.set(attempt)
                value, error = None, None
                try:
                    value = self.proceed()
                except BaseException as raised:  # noqa: BLE001 - handed to the caller
                    error = raised
                self.report(number, value, error)
                del error

        try:
            threading.Thread(target=context.run, args=(work,), name=f"hedge-{number}", daemon=True).start()
        except BaseException:
            del self.running[number]
            raise
        started.wait()

    def report(self, number: int, value: Any, error: BaseException | None) -> None:
        """Tell the call, in the thread of an attempt, how it ended; where nobody waits, that it has."""
        with self.lock:
            wanted = self.running.pop(number, None) is not None
            if wanted:
                self.reports.append((number, value, error))
                if self.alarm is not None:
                    self.alarm.call()
        if not wanted:
            self.q.abandon(-1)

    def wait(self) -> list[tuple[int, Any, BaseException | None]]:
        """Return what attempts have reported; nothing when it is time for the next."""
        with self.lock:
            if not self.reports:
                self.alarm = Alarm(self.q.clock, self.patience_s)
        if self.alarm is not None:
            self.alarm.wait()
        with self.lock:
            reports, self.reports, self.alarm = self.reports, [], None
        return reports

    def end(self) -> None:
        """Tell attempts that are still at work that they are not wanted."""
        self.note_race()
        with self.lock:
            left, self.running = list(self.running.values()), {}
            self.q.abandon(len(left))
        for attempt in left:
            attempt.abandon()
