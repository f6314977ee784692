"""Inside a loop that runs already, as in JupyterLab: `asleep` works there, and `run` beside it."""

import asyncio
import contextvars
import signal
import threading
import time

import pytest

from workbench.clock import UnsupportedLoopError, VirtualClock, VirtualDeadlockError, virtual_time

NAME = contextvars.ContextVar("NAME", default="nobody")


async def nap(clock, seconds):
    await asyncio.sleep(seconds)
    return NAME.get(), clock.now()


def test_run_works_where_no_loop_runs():
    clock = VirtualClock(1)
    assert clock.run(nap(clock, 9)) == ("nobody", 10.0)


def test_run_works_inside_an_ordinary_loop_with_the_callers_context():
    clock = VirtualClock()

    async def cell():
        NAME.set("caller")
        first = clock.run(nap(clock, 9))
        await asyncio.sleep(0)
        return first, clock.run(nap(clock, 1))

    assert asyncio.run(cell()) == (("caller", 9.0), ("caller", 10.0))


def test_run_works_inside_a_loop_of_the_same_clock():
    with virtual_time(patience_s=60) as clock:

        async def main():
            task = asyncio.create_task(asyncio.sleep(3))
            await asyncio.sleep(0)
            inner = clock.run(nap(clock, 5))
            await task
            return inner, clock.now()

        assert asyncio.run(main()) == (("nobody", 5.0), 5.0)


def test_run_raises_what_the_coroutine_raised():
    clock = VirtualClock(patience_s=0.01)

    async def fail():
        raise KeyError

    async def cell():
        with pytest.raises(KeyError):
            clock.run(fail())
        with pytest.raises(VirtualDeadlockError):
            clock.run(asyncio.Event().wait())

    asyncio.run(cell())


@pytest.fixture
def _interruptible():
    """Also where the tests run in the background of a shell, which ignores interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupt_cancels_what_runs_beside_the_loop():
    clock, cancelled, started = VirtualClock(), [], threading.Event()

    async def stuck():
        started.set()
        try:
            with clock.hold():
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def cell():
        clock.run(stuck())

    def interrupt():
        started.wait()
        time.sleep(0.05)  # not needed for the result: only so that join() waits already, as a rule
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    loop = asyncio.new_event_loop()
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(cell())
    thread.join()
    loop.close()
    assert cancelled == [True]


def test_a_block_in_a_cell_that_awaits():
    """What a notebook does: the kernel's loop runs, and the cell awaits inside `virtual_time`."""

    async def cell():
        with virtual_time() as clock:
            await clock.asleep(3600)
            clock.sleep(1)
            with clock.hold():
                clock.sleep(1)
            return clock.now()

    assert asyncio.run(cell()) == 3602.0


def test_ready_work_is_done_before_time_moves():
    clock = VirtualClock()

    async def chatter():
        for _ in range(50):
            await asyncio.sleep(0)
        return clock.now()

    async def main():
        return (await asyncio.gather(clock.asleep(10), chatter()))[1]

    assert asyncio.run(main()) == 0.0
    assert clock.now() == 10.0


def test_a_loop_that_ends_leaves_no_trace():
    clock = VirtualClock()
    for _ in range(3):
        asyncio.run(clock.asleep(1))
        clock.sleep(1)

    async def leave_early():
        asyncio.ensure_future(clock.asleep(1000))  # noqa: RUF006  # cancelled by the end of the loop
        await clock.asleep(1)

    asyncio.run(leave_early())
    clock.sleep(1)
    assert repr(clock) == "VirtualClock(now_s=8.0, sleepers=0)"


def test_zero_sleeps_and_advances_without_auto():
    clock = VirtualClock(auto=False)

    async def main():
        await clock.asleep(0)
        sleeper = asyncio.ensure_future(clock.asleep(5))
        await asyncio.sleep(0)
        await asyncio.sleep(0.002)
        assert not sleeper.done()
        clock.advance(5)
        await sleeper
        sleeper = asyncio.ensure_future(clock.asleep(5))
        await asyncio.sleep(0)
        await clock.aadvance(5)
        assert sleeper.done()

    asyncio.run(main())
    assert clock.now() == 10.0


def test_a_loop_that_is_not_asyncios_is_told_from_one_that_is():
    class Stranger(asyncio.SelectorEventLoop):
        """A loop that hides what is ready."""

        def __getattribute__(self, name):
            if name == "_ready" and getattr(STATE, "hide", False):
                raise AttributeError(name)
            return super().__getattribute__(name)

    clock = VirtualClock()
    loop = Stranger()

    async def main():
        STATE.hide = True
        try:
            coroutine = clock.asleep(1)
            with pytest.raises(UnsupportedLoopError, match="virtual_time"):
                coroutine.send(None)
        finally:
            STATE.hide = False

    loop.run_until_complete(main())
    loop.close()


STATE = threading.local()


def test_a_held_clock_keeps_an_ordinary_loops_sleepers_waiting():
    clock, held, release = VirtualClock(), threading.Event(), threading.Event()

    def holder():
        with clock.hold():
            held.set()
            release.wait()

    thread = threading.Thread(target=holder)
    thread.start()
    held.wait()

    async def main():
        sleeper = asyncio.ensure_future(clock.asleep(1))
        await asyncio.sleep(0.01)
        assert not sleeper.done()
        release.set()
        await sleeper

    asyncio.run(main())
    thread.join()
    assert clock.now() == 1.0
