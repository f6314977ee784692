"""Sleepers wake in the order of a naive simulation: threads, tasks, guests of ordinary loops, driven ones."""

import asyncio
import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.clock import VirtualClock, virtual_time

INSTANTS = st.floats(0, 1e9)
DURATIONS = st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.5, 1.0]) | st.floats(1e-12, 1e6)
PLANS = st.lists(st.lists(DURATIONS, max_size=5), max_size=6)


def simulate(plans, start_s):
    """The naive twin: look through all sleepers for the first of those who are due first."""
    events, asleep, arrivals = [], [], 0
    for name, plan in enumerate(plans):
        if plan:
            asleep.append((start_s + plan[0], arrivals, name, plan[1:]))
            arrivals += 1
    while asleep:
        due = min(asleep, key=lambda sleeper: sleeper[:2])
        asleep.remove(due)
        now_s, _, name, rest = due
        events.append((now_s, name))
        if rest:
            asleep.append((now_s + rest[0], arrivals, name, rest[1:]))
            arrivals += 1
    return events


def sleepers(clock, plans, events):
    async def sleeper(name, plan):
        for seconds in plan:
            await clock.asleep(seconds)
            events.append((clock.now(), name))

    return [sleeper(name, plan) for name, plan in enumerate(plans)]


async def all_of(coroutines):
    async with asyncio.TaskGroup() as group:
        for coroutine in coroutines:
            group.create_task(coroutine)


@given(PLANS, INSTANTS)
def test_tasks_of_a_virtual_loop(plans, start_s):
    events = []
    with virtual_time(start_s) as clock:
        asyncio.run(all_of(sleepers(clock, plans, events)))
    assert events == simulate(plans, start_s)


@given(PLANS, INSTANTS)
def test_tasks_of_an_ordinary_loop(plans, start_s):
    events, clock = [], VirtualClock(start_s)
    asyncio.run(all_of(sleepers(clock, plans, events)))
    assert events == simulate(plans, start_s)


@given(st.lists(st.lists(DURATIONS | st.just(0.0), max_size=4), max_size=4), INSTANTS)
def test_threads(plans, start_s):
    events, clock = [], VirtualClock(start_s)

    def sleeper(name, plan):
        for seconds in plan:
            clock.sleep(seconds)
            events.append((clock.now(), name))

    clock.run_threads(*(lambda name=name, plan=plan: sleeper(name, plan) for name, plan in enumerate(plans)))
    assert events == simulate(plans, start_s)


@given(PLANS, INSTANTS, st.lists(st.floats(0, 1e6), max_size=5))
def test_tasks_while_another_task_drives_the_clock(plans, start_s, steps):
    """Time never goes beyond what was driven, and who is due on the way sees its own deadline."""
    events = []
    clock = VirtualClock(start_s, auto=False)

    async def drive():
        for step in steps:
            before_s = clock.now()
            await clock.aadvance(step)
            assert clock.now() == before_s + step
            assert all(now_s <= clock.now() for now_s, _ in events)

    async def main():
        tasks = [asyncio.ensure_future(each) for each in sleepers(clock, plans, events)]
        await asyncio.sleep(0)
        await drive()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    clock.run(main())
    expected = simulate(plans, start_s)
    assert events == expected[: len(events)]
    assert all(now_s >= clock.now() for now_s, _ in expected[len(events) :])


@given(st.lists(st.lists(DURATIONS, max_size=3), max_size=3), st.lists(DURATIONS, max_size=5))
def test_threads_while_another_drives_the_clock(plans, steps):
    events, clock = [], VirtualClock(auto=False)

    def sleeper(name, plan):
        for seconds in plan:
            clock.sleep(seconds)
            events.append((clock.now(), name))

    def drive():
        for step in steps:
            before_s = clock.now()
            clock.advance(step)
            assert clock.now() == before_s + step
        clock.advance(1e9)

    clock.run_threads(
        *(lambda name=name, plan=plan: sleeper(name, plan) for name, plan in enumerate(plans)), drive
    )
    assert events == simulate(plans, 0.0)


def test_ten_thousand_tasks_finish_in_the_order_of_their_deadlines():
    draw = random.Random(7)
    plans = [[draw.choice([5.0, draw.random() * 1e6])] for _ in range(10_000)]
    events = []
    with virtual_time() as clock:
        asyncio.run(all_of(sleepers(clock, plans, events)))
    assert events == sorted((plan[0], name) for name, plan in enumerate(plans))
    assert clock.now() == max(plan[0] for plan in plans)


def jittery_program(clock, seed):
    """Tasks, workers and time-outs whose pauses are random, and what happened in which order."""
    draw, events = random.Random(seed), []

    def work(name):
        clock.sleep(draw.random())
        events.append((clock.now(), "worker", name))

    async def retry(name):
        for attempt in range(4):
            try:
                async with asyncio.timeout(draw.random()):
                    await asyncio.sleep(draw.random())
            except TimeoutError:
                events.append((clock.now(), "timeout", name, attempt))
                await asyncio.sleep(draw.random() * 2**attempt)
            else:
                events.append((clock.now(), "done", name, attempt))
        await asyncio.to_thread(work, name)

    async def main():
        await asyncio.gather(*(retry(name) for name in range(8)))

    asyncio.run(main())
    return events


def test_the_same_program_gives_the_same_run_twenty_times():
    runs = set()
    for _ in range(20):
        with virtual_time() as clock:
            runs.add(tuple(jittery_program(clock, seed=3)))
    assert len(runs) == 1
    with virtual_time() as clock:
        assert tuple(jittery_program(clock, seed=4)) not in runs


def test_threads_interleave_the_same_way_twenty_times():
    def contend():
        clock, draw, events = VirtualClock(), random.Random(5), []

        def work(name):
            for _ in range(10):
                clock.sleep(draw.choice([0.0, 0.1, 0.2]))
                events.append((clock.now(), name))

        clock.run_threads(*(lambda name=name: work(name) for name in range(5)))
        return tuple(events)

    assert len({contend() for _ in range(20)}) == 1


def test_threads_run_one_at_a_time():
    clock, inside = VirtualClock(), threading.Lock()

    def work():
        for _ in range(50):
            assert inside.acquire(blocking=False)
            inside.release()
            clock.sleep(0.1)

    clock.run_threads(*[work] * 4)
    assert clock.now() == pytest.approx(5.0)


def test_threads_return_results_in_order_and_raise_in_a_group():
    clock = VirtualClock()
    assert clock.run_threads(lambda: clock.sleep(2) or "a", lambda: clock.sleep(1) or "b") == ["a", "b"]
    assert clock.run_threads() == []
    ended = []
    with pytest.RaisesGroup(ZeroDivisionError, KeyError):
        clock.run_threads(lambda: 1 / 0, lambda: {}["x"], lambda: clock.sleep(9) or ended.append(clock.now()))
    assert ended == [11.0]
    clock.sleep(1)
    assert clock.now() == 12.0


def test_cancelled_sleepers_leave_nothing_behind():
    clock = VirtualClock()

    async def main():
        for _ in range(1_000):
            task = asyncio.ensure_future(clock.asleep(1e6))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert repr(clock) == "VirtualClock(now_s=0.0, sleepers=0)"
    assert len(clock._turns._queue) < 200
