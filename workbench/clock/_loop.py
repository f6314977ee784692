"""`VirtualEventLoop`: asyncio's selector loop, whose time is virtual.

Four things differ from its parent: ``time()`` is the virtual instant; the selector lets time pass instead of
waiting (`_selector`); timers that are due at the same instant ring in the order in which they were set, one
at a time, each when all that followed from the one before has run; jobs in executors and child processes are
known, so that time waits for them. Everything else is asyncio's.

Relies on these names of asyncio's loop, the same in Python 3.11, 3.12 and 3.13: ``_scheduled``, ``_ready``,
``_clock_resolution``, ``_default_executor``, ``_check_default_executor``, ``_check_closed``,
``_write_to_self``, ``_signal_handlers``.
"""

import asyncio
import heapq
import itertools
import math
import threading
from asyncio import Handle, TimerHandle
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple
from weakref import WeakSet

from workbench.clock._jobs import Jobs
from workbench.clock._selector import VirtualSelector
from workbench.clock._turns import Sleeper, Turns
from workbench.clock.errors import InvalidDurationError, VirtualDeadlockError

__all__ = ["VirtualEventLoop"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

TASKS_SHOWN = 5
LAST = 2**62  # more than timers that will ever be set


class Deadline(float):
    """When a timer is due; earlier than another that is due at the same instant, if it was set earlier."""

    __slots__ = ("order",)
    order: int

    def __lt__(self, other: float) -> bool:
        if isinstance(other, Deadline) and float.__eq__(self, other):
            return self.order < other.order
        return float.__lt__(self, other)


class VirtualEventLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time; made by `VirtualClock.new_event_loop`."""

    _scheduled: list[TimerHandle]
    _ready: deque[Handle]
    _default_executor: ThreadPoolExecutor | None
    _check_default_executor: Callable[[], None]
    _check_closed: Callable[[], None]
    _write_to_self: Callable[[], None]
    _signal_handlers: dict[int, Handle]

    def __init__(self, turns: Turns, jobs: Jobs, *, io_grace_s: float, patience_s: float) -> None:
        self._turns = turns
        self._jobs = jobs
        self._order = itertools.count()
        self._last = itertools.count(LAST)
        self._children: WeakSet[asyncio.SubprocessTransport] = WeakSet()
        self._default_jobs: set[Future[Any]] = set()
        self.parked: Sleeper | None = None
        self.weight = 1
        self._runner = 0
        selector = VirtualSelector(turns, io_grace_s=io_grace_s, patience_s=patience_s)
        super().__init__(selector)
        selector.loop = self

    # Time

    def time(self) -> float:
        """Return the virtual instant in seconds."""
        return self._turns.now_s

    @property
    def _clock_resolution(self) -> float:
        """What the parent adds to the instant to find which timers are due: it finds none, see `ring`."""
        return -math.inf

    @_clock_resolution.setter
    def _clock_resolution(self, resolution_s: float) -> None:
        """Ignore the resolution of the machine's clock."""

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> TimerHandle:
        """Call `callback` when it is `when` seconds; at the same instant, in the order of these calls.

        A `when` that was `placed` has its place from then on.

        Raises
        ------
        InvalidDurationError
            When `when` is NaN.
        """
        deadline = when if isinstance(when, Deadline) else self.placed(when)
        return super().call_at(deadline, callback, *args, context=context)

    def placed(self, when: float, *, last: bool = False) -> Deadline:
        """Return a time with its place, from now on, among timers that are due at the same instant.

        With `last` it is behind all that have no such place, whenever they are set.

        Raises
        ------
        InvalidDurationError
            When `when` is NaN.
        """
        if math.isnan(when):
            msg = "a timer cannot be due at NaN seconds"
            raise InvalidDurationError(msg)
        deadline = Deadline(when)
        deadline.order = next(self._last if last else self._order)
        return deadline

    def keeps(self, turns: Turns) -> bool:
        """Whether this loop keeps the time of `turns`."""
        return self._turns is turns

    def run_forever(self) -> None:
        """Run until stopped; meanwhile time passes only when this loop is idle."""
        with self._turns.attending():
            self.weight = (
                self._turns.weight
            )  # with what the caller holds around us: all of it sleeps when we do
            self._runner = threading.get_ident()
            super().run_forever()

    # Other threads, executors, children

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Handle:
        """Call `callback` soon, from any thread.

        The loop counts as running at once: the caller may be the last who keeps time from moving.
        """
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        parked = self.parked
        if parked is not None and threading.get_ident() != self._runner and self._turns.rouse(parked):
            self.nudge()  # it may sleep anew since it heard of `callback`
        return handle

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run `func` in a worker; until it returns, time passes only while it sleeps by this clock."""
        self._check_closed()
        default = executor is None
        if executor is None:
            executor = self._running_default_executor()
        future, told = self._jobs.submit(executor, func, *args)
        if default:
            self._default_jobs.add(future)
            future.add_done_callback(self._default_jobs.discard)
        answer = asyncio.wrap_future(future, loop=self)
        future.add_done_callback(told)
        return answer

    async def shutdown_default_executor(self, *args: Any, **kwargs: Any) -> None:
        """Let the default executor finish its jobs, those that sleep included, and end its threads."""
        while self._default_jobs:
            jobs = [asyncio.wrap_future(job, loop=self) for job in tuple(self._default_jobs)]
            await asyncio.gather(*jobs, return_exceptions=True)
        self._turns.adjust(1)  # the thread that joins the workers is not known to the clock
        try:
            await super().shutdown_default_executor(*args, **kwargs)
        finally:
            self._turns.adjust(-1)

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> Any:
        """Start a child process; while it lives, time passes no faster than really."""
        return self._adopted(await super().subprocess_exec(*args, **kwargs))

    async def subprocess_shell(self, *args: Any, **kwargs: Any) -> Any:
        """Start a shell; while it lives, time passes no faster than really."""
        return self._adopted(await super().subprocess_shell(*args, **kwargs))

    def _adopted(self, child: tuple[Any, Any]) -> tuple[Any, Any]:
        self._children.add(child[0])
        return child

    def _running_default_executor(self) -> ThreadPoolExecutor:
        self._check_default_executor()
        executor = self._default_executor
        if executor is None:
            executor = ThreadPoolExecutor(thread_name_prefix="asyncio")
            self.set_default_executor(executor)
        return executor

    # What the selector asks

    def next_deadline_s(self) -> float:
        """Return when the next timer is due, infinity without timers."""
        return float(self._scheduled[0].when()) if self._scheduled else math.inf

    def ring(self) -> None:
        """Make the next timer ready."""
        timer = heapq.heappop(self._scheduled)
        timer._scheduled = False  # type: ignore[attr-defined]  # noqa: SLF001 - as the parent does
        self._ready.append(timer)

    def has_ready(self) -> bool:
        """Whether a callback is ready."""
        return bool(self._ready)

    def has_children(self) -> bool:
        """Whether a child process of this loop lives."""
        return any(child.get_returncode() is None for child in self._children)

    def may_be_signalled(self) -> bool:
        """Whether the loop handles signals."""
        return bool(self._signal_handlers)

    def nudge(self) -> None:
        """Make ``select`` return."""
        self._write_to_self()

    def deadlock(self) -> VirtualDeadlockError:
        """Describe who waits in vain."""
        tasks = [task for task in asyncio.all_tasks(self) if not task.done()]
        places = sorted(_place(task) for task in tasks)
        shown = ", ".join(places[:TASKS_SHOWN]) + (", ..." if len(places) > TASKS_SHOWN else "")
        cause = "no timer" if self._turns.auto else "no timer that may come before advance() is called"
        return VirtualDeadlockError(
            f"nothing can wake this loop at {self.time():g} s: {cause}, no I/O, no worker, no child process. "
            f"{len(tasks)} waiting: {shown}. Something that they await is never set, or by a thread that "
            "the clock does not know: let that thread enter clock.hold() before the loop is idle"
        )


def _place(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=1)
    if not frames:
        return task.get_name()
    return f"{task.get_name()} in {frames[-1].f_code.co_name} (line {frames[-1].f_lineno})"
