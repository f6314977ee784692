"""Tasks of ordinary event loops that sleep by a virtual clock: guests, whose loop keeps real time.

A kernel's loop in Jupyter, or a program that got ``clock=VirtualClock()`` but runs in plain ``asyncio.run``,
waits in `Visitors.sleep_until`. A probe, a callback that puts itself behind all that is ready, finds when the
loop has nothing else to run; then the earliest sleeper has its turn, one at a time, so that its continuation
runs before the next. Real timers and I/O of such a loop are not waited for: only what is ready counts.
"""

import asyncio
from contextlib import suppress
from weakref import WeakKeyDictionary

from workbench.clock._turns import Sleeper, Turns
from workbench.clock.errors import UnsupportedLoopError

__all__ = ["Visitors", "answer"]

QUIET_ROUNDS = 2  # of the loop: one to run what is ready, one to see that I/O brought nothing more
RETRY_S = 0.001  # real seconds, while other threads run


class Visitors:
    """The sleepers of ordinary loops, and one probe for each loop that has any."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._probes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Probe] = WeakKeyDictionary()

    async def sleep_until(self, deadline_s: float, *, drives: bool) -> None:
        """Suspend the calling task until it is `deadline_s`.

        Raises
        ------
        UnsupportedLoopError
            When the loop is not one of asyncio's, and nobody but the probe would move time.
        """
        loop = asyncio.get_running_loop()
        called = loop.create_future()
        sleeper = Sleeper(deadline_s, lambda: _call(loop, called), weight=0, drives=drives)
        probing = self._turns.auto or drives
        probe = self._probe(loop) if probing else None
        self._turns.enqueue(sleeper)
        if probe is not None:
            probe.join()
        elif deadline_s <= self._turns.now_s:
            self._turns.turn()
        try:
            await called
        finally:
            self._turns.rouse(sleeper)
            if probe is not None:
                probe.leave()

    def _probe(self, loop: asyncio.AbstractEventLoop) -> "_Probe":
        if not hasattr(loop, "_ready"):
            msg = (
                f"{type(loop).__name__} does not tell when it is idle: "
                "run the code in virtual_time(), or by VirtualClock.run()"
            )
            raise UnsupportedLoopError(msg)
        return self._probes.setdefault(loop, _Probe(self._turns))


class _Probe:
    """Gives the next sleeper its turn whenever its loop is idle, as long as the loop has sleepers."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._guests = 0
        self._scheduled = False
        self._quiet = 0

    def join(self) -> None:
        self._guests += 1
        self._quiet = 0
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._look)

    def leave(self) -> None:
        self._guests -= 1

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._scheduled = bool(self._guests)
        if not self._scheduled:
            return
        self._quiet = 0 if getattr(loop, "_ready") else self._quiet + 1  # noqa: B009
        if self._quiet < QUIET_ROUNDS:
            loop.call_soon(self._look)
        elif self._turns.turn(single=True):
            self._quiet = 0
            loop.call_soon(self._look)
        else:
            loop.call_later(RETRY_S, self._look)


def answer(called: asyncio.Future[None]) -> None:
    """Tell who waits for it, unless nobody does any more."""
    if not called.done():
        called.set_result(None)


def _call(loop: asyncio.AbstractEventLoop, called: asyncio.Future[None]) -> None:
    with suppress(RuntimeError):  # the loop was closed under its sleepers
        loop.call_soon_threadsafe(answer, called)
