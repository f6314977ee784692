"""asyncio's own pauses, timers and time-outs on virtual time; deadlocks are told, not suffered."""

import asyncio
import inspect
import math
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench.clock import InvalidDurationError, VirtualClock, VirtualDeadlockError, virtual_time


def run(function, **options):
    """What `function` returns, and when it was over."""
    with virtual_time(**options) as clock:
        return asyncio.run(function()), clock.now()


def test_sleep_timeout_wait_for_and_task_groups():
    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(3600)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.sleep(11)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.5)
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(1))
            group.create_task(asyncio.sleep(2))
        done, pending = await asyncio.wait(
            [asyncio.ensure_future(asyncio.sleep(n)) for n in (1, 5)], timeout=2
        )
        assert (len(done), len(pending)) == (1, 1)
        return loop.time()

    assert run(main) == (3614.5, 3614.5)


def test_a_day_takes_no_time():
    before_s = time.monotonic()
    assert run(lambda: asyncio.sleep(86_400)) == (None, 86_400.0)
    assert time.monotonic() - before_s < 100


def test_all_ways_to_get_a_loop():
    with virtual_time(5) as clock:
        with asyncio.Runner() as runner:
            runner.run(asyncio.sleep(1))
        for make in (asyncio.new_event_loop, asyncio.events.new_event_loop, clock.new_event_loop):
            loop = make()
            loop.run_until_complete(asyncio.sleep(1))
            assert loop.time() == clock.now()
            loop.close()
    assert clock.now() == 9.0


def test_a_loop_keeps_its_clock_after_the_block():
    with virtual_time() as clock:
        loop = asyncio.new_event_loop()
    loop.run_until_complete(asyncio.sleep(4))
    loop.close()
    assert clock.now() == 4.0


def test_timers_run_exactly_when_due_and_at_one_instant_in_the_order_they_were_set():
    async def main():
        loop, calls = asyncio.get_running_loop(), []
        for name in range(50):
            loop.call_at(loop.time() + 1.5, lambda name=name: calls.append((loop.time(), name)))
        loop.call_later(0.5, lambda: calls.append((loop.time(), "first")))
        loop.call_later(-1, lambda: calls.append((loop.time(), "late")))
        loop.call_later(1.0, calls.append, "cancelled").cancel()
        await asyncio.sleep(2)
        return calls

    calls, _ = run(main)
    assert calls == [(0.0, "late"), (0.5, "first"), *((1.5, name) for name in range(50))]


def test_timers_of_one_instant_ring_one_at_a_time_each_when_all_that_followed_from_the_other_is_over():
    async def main():
        log = []

        async def chatter(name):
            await asyncio.sleep(1)
            for step in range(3):
                log.append((name, step))
                await asyncio.sleep(0)

        await asyncio.gather(chatter("a"), chatter("b"))
        return log

    assert run(main)[0] == [(name, step) for name in "ab" for step in range(3)]


def test_a_timer_that_is_stopped_by_what_another_of_its_instant_brings_does_not_ring():
    async def main():
        async def stop():
            await asyncio.sleep(1)
            await asyncio.sleep(0)
            timer.cancel()

        rung, stopping = [], asyncio.create_task(stop())
        await asyncio.sleep(0)
        timer = asyncio.get_running_loop().call_later(1, rung.append, "rung")
        await stopping
        await asyncio.sleep(1)
        return rung

    assert run(main) == ([], 2.0)


def test_who_advances_the_clock_comes_last_at_its_instant():
    async def main(clock):
        log = []

        async def sleeper():
            await clock.asleep(1)
            await clock.asleep(0)
            await asyncio.sleep(0)
            log.append("slept")

        sleeping = asyncio.create_task(sleeper())
        await clock.aadvance(1)
        log.append("advanced")
        await sleeping
        return log

    with virtual_time() as clock:
        assert asyncio.run(main(clock)) == ["slept", "advanced"]


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_loop_that_is_never_idle_hears_its_timers_all_the_same(rounds):
    async def main():
        loop, rung = asyncio.get_running_loop(), []
        for number in range(rounds):
            loop.call_later(0, rung.append, number)
        while len(rung) < rounds:  # noqa: ASYNC110 - that is what it is about
            await asyncio.sleep(0)
        return rung, loop.time()

    assert run(main)[0] == (list(range(rounds)), 0.0)


@given(st.floats(-1e15, 1e15), st.lists(st.floats(0, 1e15), min_size=1, max_size=10))
@example(-1.0, [0.0, 1e-16])
def test_no_timer_runs_before_or_after_its_instant(start_s, delays):
    """Also where the machine's clock resolution is below, or far above, the spacing of the floats."""

    async def main():
        loop, seen = asyncio.get_running_loop(), []
        for when in (start_s + delay for delay in delays):
            loop.call_at(when, lambda when=when: seen.append((when, loop.time())))
        over = loop.create_future()
        loop.call_at(start_s + max(delays), over.set_result, None)
        await over
        return seen

    seen, end_s = run(main, start_s=start_s)
    assert seen == sorted((start_s + delay,) * 2 for delay in delays)
    assert end_s == start_s + max(delays)


@pytest.mark.parametrize("start_s", [0.0, 0.1, 1e-300, 1e9 + 0.1, 2.0**53, -(2.0**53)])
def test_neighbouring_floats_are_different_instants(start_s):
    async def main():
        loop, seen = asyncio.get_running_loop(), []
        when = start_s
        for _ in range(3):
            when = math.nextafter(when, math.inf)
            loop.call_at(when, lambda: seen.append(loop.time()))
        instants = [math.nextafter(start_s, math.inf)]
        instants.append(math.nextafter(instants[-1], math.inf))
        instants.append(when)
        await asyncio.sleep(abs(start_s) + 1)
        return seen == instants

    assert run(main, start_s=start_s)[0]


def test_tasks_run_until_all_are_idle_before_time_moves():
    async def main():
        loop, log = asyncio.get_running_loop(), []

        async def chatter():
            await asyncio.sleep(1)
            for _ in range(100):
                await asyncio.sleep(0)
            log.append(("chatter", loop.time()))

        async def other():
            await asyncio.sleep(1.0000001)
            log.append(("other", loop.time()))

        await asyncio.gather(other(), chatter())
        return log

    assert run(main)[0] == [("chatter", 1.0), ("other", 1.0000001)]


def test_an_endless_sleep_is_cut_by_its_time_out():
    async def main():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(math.inf), 30)

    assert run(main)[1] == 30.0


def test_a_timer_at_nan_is_refused():
    async def main():
        with pytest.raises(InvalidDurationError, match="NaN"):
            asyncio.get_running_loop().call_at(math.nan, print)

    run(main)


@pytest.mark.parametrize("debug", [False, True])
def test_asyncio_signatures_and_debug_mode_are_kept(debug):
    loop_kind = type(VirtualClock().new_event_loop())
    for name in ("call_at", "call_soon_threadsafe", "run_in_executor"):
        ours = inspect.signature(getattr(loop_kind, name)).parameters
        theirs = inspect.signature(getattr(asyncio.SelectorEventLoop, name)).parameters
        assert list(ours) == list(theirs)
    with virtual_time() as clock:
        asyncio.run(asyncio.sleep(60), debug=debug)
    assert clock.now() == 60.0


@pytest.fixture(autouse=True)
def _collect_loops():
    """Close the loops that a test only looked at."""
    made, make = [], VirtualClock.new_event_loop
    VirtualClock.new_event_loop = lambda self: made.append(make(self)) or made[-1]
    yield
    VirtualClock.new_event_loop = make
    for loop in made:
        loop.close()


def test_a_deadlock_is_named_with_those_who_wait():
    async def forgotten():
        await asyncio.Event().wait()

    async def main():
        await asyncio.sleep(7)
        await asyncio.gather(*(asyncio.create_task(forgotten(), name=f"task {n}") for n in range(9)))

    with (
        virtual_time(patience_s=0.01),
        pytest.raises(
            VirtualDeadlockError, match=r"at 7 s.*10 waiting.*task 0 in forgotten \(line \d+\).*hold"
        ),
    ):
        asyncio.run(main())


def test_endless_sleepers_are_a_deadlock():
    with virtual_time(patience_s=0.01), pytest.raises(VirtualDeadlockError):
        asyncio.run(asyncio.sleep(math.inf))


def test_a_deadlocked_program_is_cleaned_up_and_the_clock_goes_on():
    cleaned = []

    async def main():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(5)
            cleaned.append(True)

    with virtual_time(patience_s=0.01) as clock:
        with pytest.raises(VirtualDeadlockError):
            asyncio.run(main())
        asyncio.run(asyncio.sleep(1))
    assert cleaned == [True]
    assert clock.now() == 6.0


def test_without_auto_a_loop_that_nobody_drives_is_deadlocked_or_driven():
    async def driven(clock):
        task = asyncio.create_task(asyncio.sleep(5))
        await clock.aadvance(4)
        assert not task.done()
        await clock.aadvance(1)
        await task
        return clock.now()

    clock = VirtualClock(auto=False)
    assert clock.run(driven(clock)) == 5.0


def test_advance_in_a_coroutine_fires_what_was_due_in_order():
    async def main(clock):
        log = []

        async def sleeper(seconds):
            await asyncio.sleep(seconds)
            log.append((seconds, clock.now()))

        tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (3, 1, 2, 30)]
        await asyncio.sleep(0)
        clock.advance(10)
        assert log == []
        await asyncio.gather(*tasks)
        return log

    with virtual_time() as clock:
        assert asyncio.run(main(clock)) == [(1, 10.0), (2, 10.0), (3, 10.0), (30, 30.0)]


def test_asleep_and_aadvance_of_the_loops_own_clock():
    with virtual_time() as clock:

        async def main():
            await clock.asleep(1.5)
            await clock.aadvance(2)
            clock.sleep(1)
            await asyncio.sleep(1)

        asyncio.run(main())
    assert clock.now() == 5.5


def test_an_exception_leaves_the_loop_as_asyncio_does():
    async def main():
        await asyncio.sleep(1)
        raise KeyError

    with virtual_time() as clock:
        with pytest.raises(KeyError):
            asyncio.run(main())
        asyncio.run(asyncio.sleep(1))
        clock.sleep(1)
    assert clock.now() == 3.0


def test_async_generators_are_closed():
    closed = []

    async def ticks():
        try:
            while True:
                await asyncio.sleep(1)
                yield
        finally:
            closed.append(True)

    async def main():
        iterator = ticks()
        async for _ in iterator:
            break
        globals()["kept"] = iterator

    try:
        run(main)
    finally:
        del globals()["kept"]
    assert closed == [True]
