"""`VirtualClock`: time that passes when everybody sleeps, or when it is told to."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from workbench.clock._durations import checked_deadline_s, checked_duration_s, checked_instant_s
from workbench.clock._helper import Helper
from workbench.clock._jobs import Jobs
from workbench.clock._loop import VirtualEventLoop
from workbench.clock._turns import Sleeper, Turns
from workbench.clock._visitors import Visitors, answer

__all__ = ["VirtualClock"]

T = TypeVar("T")


class VirtualClock:
    """A clock whose time is a number: nobody waits, and the same program gives the same run.

    Time moves in two ways only, and never backwards: by `advance`, and, unless `auto` is off, by itself
    to the earliest deadline whenever nobody who is counted runs. Counted are: event loops of this clock
    while they run, their jobs in executors, threads of `run_threads`, threads and tasks inside `hold`.

    Parameters
    ----------
    start_s
        The first instant, in seconds.
    auto
        Whether time moves by itself. If not, sleepers wait until someone calls `advance`.
    io_grace_s
        For how many real seconds an idle loop of this clock waits for watched files (sockets but listening
        ones, pipes) before it jumps to its next timer; never longer than until that timer.
    patience_s
        For how many real seconds a loop that nothing can wake waits for threads that the clock does not know
        before it raises `VirtualDeadlockError`; not at all when no other thread lives.

    Notes
    -----
    Guaranteed: time moves only when nobody who is counted runs, and then to the earliest deadline; who is due
    at the same instant wakes in the order of falling asleep, those who advance the clock last, and one at a
    time, each until it sleeps again, as do all that it has woken; who is counted reads its own deadline from
    `now`. A program gives the same run every time if it consists of tasks, of threads of `run_threads`, and
    of jobs that were submitted at different instants; if its randomness is seeded; and if it talks to no
    other process.

    Not guaranteed: the order of jobs that start at the same instant, and of threads inside `hold`, until each
    has slept once: they run side by side, as the system likes. Threads that are not counted push time on by
    each of their sleeps as soon as nobody counted runs; it may be past their deadline when they read it.

    A counted thread that waits for anything but this clock (a lock, a queue) counts as running: time stands
    still until it goes on. If what it waits for is held by a sleeper, that is for good, and no error.

    Examples
    --------
    >>> clock = VirtualClock()
    >>> clock.sleep(3600)
    >>> clock.advance(0.5)
    >>> clock.now()
    3600.5
    """

    def __init__(
        self, start_s: float = 0.0, *, auto: bool = True, io_grace_s: float = 0.05, patience_s: float = 1.0
    ) -> None:
        self._turns = Turns(checked_instant_s(start_s, "start_s"), auto=auto)
        self._jobs = Jobs(self._turns)
        self._visitors = Visitors(self._turns)
        self._io_grace_s = checked_duration_s(io_grace_s)
        self._patience_s = checked_duration_s(patience_s)

    @property
    def auto(self) -> bool:
        """Whether time moves by itself when everybody sleeps."""
        return self._turns.auto

    @property
    def counts_this_thread(self) -> bool:
        """Whether the calling thread keeps time from moving while it runs."""
        return self._turns.weight > 0

    def now(self) -> float:
        """Return the virtual instant in seconds."""
        return self._turns.now_s

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass for the calling thread: at once if it is alone, else in its turn.

        In a coroutine this blocks the loop, as `time.sleep` would: its timers run late.

        Raises
        ------
        InvalidDurationError
            When `seconds` is negative, NaN, infinite, or too long for the floats.
        """
        self._turns.wait_until(checked_deadline_s(self._turns.now_s, seconds))

    async def asleep(self, seconds: float) -> None:
        """Let `seconds` pass for the calling task, on a loop of this clock or on any loop of asyncio.

        Raises
        ------
        InvalidDurationError
            When `seconds` is negative, NaN, infinite, or too long for the floats.
        UnsupportedLoopError
            When the loop is neither this clock's nor asyncio's own.
        """
        deadline_s = checked_deadline_s(self._turns.now_s, seconds)
        if self._owns_running_loop():
            await _until(deadline_s)
        else:
            await self._visitors.sleep_until(deadline_s, drives=False)

    def advance(self, seconds: float) -> None:
        """Move time on by `seconds`; sleepers that are due until then wake first, each at its deadline.

        Returns when all counted threads and loops of other threads that woke on the way sleep again. Tasks of
        a loop that runs in the calling thread continue when they get control, in the order of their
        deadlines: await `aadvance` to have them run on the way.

        Raises
        ------
        InvalidDurationError
            When `seconds` is negative, NaN, infinite, or too long for the floats.
        """
        self._turns.wait_until(checked_deadline_s(self._turns.now_s, seconds), drives=True)

    async def aadvance(self, seconds: float) -> None:
        """Move time on by `seconds`; tasks that are due until then run first, each at its deadline.

        Raises
        ------
        InvalidDurationError
            When `seconds` is negative, NaN, infinite, or too long for the floats.
        UnsupportedLoopError
            When the loop is neither this clock's nor asyncio's own.
        """
        deadline_s = checked_deadline_s(self._turns.now_s, seconds)
        if self._owns_running_loop():
            with self._turns.driving():
                await _until(deadline_s, last=True)
        else:
            await self._visitors.sleep_until(deadline_s, drives=True)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep time from moving by itself while the block works at something that the clock cannot see.

        In a thread, time goes on while that thread sleeps by this clock. In a coroutine, it stands still
        through all its awaits: await nothing in the block that needs time to pass.
        """
        with self._turns.attending():
            yield

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """Return an event loop on this clock, for ``asyncio.Runner(loop_factory=clock.new_event_loop)``."""
        return VirtualEventLoop(
            self._turns, self._jobs, io_grace_s=self._io_grace_s, patience_s=self._patience_s
        )

    def run(self, coroutine: Coroutine[Any, Any, T], *, debug: bool | None = None) -> T:
        """Run a coroutine on a fresh loop of this clock; also inside a loop that runs, as in JupyterLab.

        There it runs in a helper thread, with the caller's context variables, and the caller's loop stands
        still until it returns. An interrupt cancels it.

        Raises
        ------
        VirtualDeadlockError
            When nothing can wake the coroutine.
        """
        loops: list[asyncio.AbstractEventLoop] = []

        def work() -> T:
            with asyncio.Runner(debug=debug, loop_factory=self.new_event_loop) as runner:
                loops.append(runner.get_loop())
                return runner.run(coroutine)

        if not _runs_a_loop():
            return work()
        helper = Helper(work, "virtual-loop")
        with self._turns.standing_aside():
            try:
                helper.join()
            except BaseException:
                _cancel_tasks(loops)
                helper.join()
                raise
        return helper.result()

    def run_threads(self, *functions: Callable[[], T]) -> list[T]:
        """Run functions in threads of their own, one at a time, and return their results in order.

        The first runs until it sleeps by this clock or returns, then the second, and so on; then always the
        one whose deadline comes first. The interleaving is the same in every run. With `auto` off, one of
        them has to `advance`.

        Raises
        ------
        BaseExceptionGroup
            What the functions raised, after all have ended.

        Examples
        --------
        >>> clock, order = VirtualClock(), []
        >>> def work(name, seconds):
        ...     clock.sleep(seconds)
        ...     order.append((clock.now(), name))
        >>> _ = clock.run_threads(lambda: work("a", 2), lambda: work("b", 1))
        >>> order
        [(1.0, 'b'), (2.0, 'a')]
        """
        helpers = [Helper(self._in_turn(function), "virtual-thread") for function in functions]
        with self._turns.standing_aside():
            self._turns.turn()
            for helper in helpers:
                helper.join()
        errors = [helper.error for helper in helpers if helper.error is not None]
        if errors:
            msg = f"{len(errors)} of {len(helpers)} threads failed"
            raise BaseExceptionGroup(msg, errors)
        return [helper.result() for helper in helpers]

    def _in_turn(self, function: Callable[[], T]) -> Callable[[], T]:
        """Return a function that waits for its turn; it has its place in the queue from now on."""
        called = threading.Event()
        self._turns.enqueue(Sleeper(self._turns.now_s, called.set, weight=1))

        def wait_and_run() -> T:
            called.wait()
            try:
                with self._turns.attending(already_counted=True):
                    return function()
            finally:
                self._turns.adjust(-1)

        return wait_and_run

    def _owns_running_loop(self) -> bool:
        loop = asyncio.get_running_loop()
        return isinstance(loop, VirtualEventLoop) and loop.keeps(self._turns)

    def __repr__(self) -> str:
        manual = "" if self.auto else ", auto=False"
        return f"VirtualClock(now_s={self.now()!r}{manual}, sleepers={self._turns.sleepers})"


async def _until(deadline_s: float, *, last: bool = False) -> None:
    """Suspend the calling task until its turn at `deadline_s`, also where that is now."""
    loop: Any = asyncio.get_running_loop()
    called: asyncio.Future[None] = loop.create_future()
    timer = loop.call_at(loop.placed(deadline_s, last=last), answer, called)
    try:
        await called
    finally:
        timer.cancel()


def _runs_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _cancel_tasks(loops: list[asyncio.AbstractEventLoop]) -> None:
    def cancel(loop: asyncio.AbstractEventLoop) -> None:
        for task in asyncio.all_tasks(loop):
            task.cancel()

    for loop in loops:
        with suppress(RuntimeError):  # it is closed: nothing is left to cancel
            loop.call_soon_threadsafe(cancel, loop)
