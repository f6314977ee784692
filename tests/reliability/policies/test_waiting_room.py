"""No place and no wake-up is lost: arrivals, departures, cancellations and time-outs of tasks and threads."""

import asyncio
import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from workbench.clock import VirtualClock
from workbench.reliability import Bulkhead, BulkheadFullError, Criticality, criticality


class Places(RuleBasedStateMachine):
    """Tasks of one loop, driven step by step, against lists of who runs and who waits."""

    @initialize(limit=st.integers(1, 3), queue=st.integers(0, 4), order=st.sampled_from(["fifo", "lifo"]))
    def open(self, limit, queue, order):
        self.loop = asyncio.new_event_loop()
        self.clock = VirtualClock(auto=False)
        self.limit, self.queue, self.order = limit, queue, order
        self.bulkhead = Bulkhead(limit, queue=queue, max_wait_s=10.0, order=order, clock=self.clock)
        self.running, self.waiting, self.tasks, self.stops, self.names = [], [], {}, {}, iter(range(10**9))
        self.started, self.refused, self.since_s = set(), set(), {}

    def teardown(self):
        if hasattr(self, "loop"):
            for task in self.tasks.values():
                task.cancel()

            async def end():
                await asyncio.gather(*self.tasks.values(), return_exceptions=True)

            self.loop.run_until_complete(end())
            self.turn()  # for the timers of those that no longer wait
            self.loop.close()
            assert (self.bulkhead.statistics.running, self.bulkhead.statistics.waiting) == (0, 0)

    def turn(self):
        """Let the loop do all that is ready."""

        async def rounds():
            for _ in range(20):
                await asyncio.sleep(0)

        self.loop.run_until_complete(rounds())

    async def work(self, name):
        async def body():
            self.started.add(name)
            await self.stops[name].wait()

        try:
            await self.bulkhead.acall(body)
        except BulkheadFullError:
            self.refused.add(name)

    def next_waiter(self):
        return self.waiting.pop(0 if self.order == "fifo" else -1)

    def freed(self, count=1):
        for _ in range(count):
            if self.waiting and len(self.running) < self.limit:
                self.running.append(self.next_waiter())

    @rule()
    def arrive(self):
        name = next(self.names)
        self.stops[name], self.since_s[name] = asyncio.Event(), self.clock.now()
        self.tasks[name] = self.loop.create_task(self.work(name))
        self.turn()
        if len(self.running) < self.limit:
            self.running.append(name)
        elif len(self.waiting) < self.queue:
            self.waiting.append(name)
        else:
            assert name in self.refused

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def leave(self, data):
        name = data.draw(st.sampled_from(self.running))
        self.stops[name].set()
        self.running.remove(name)
        self.turn()
        self.freed()

    @precondition(lambda self: self.running or self.waiting)
    @rule(data=st.data())
    def cancel(self, data):
        name = data.draw(st.sampled_from(self.running + self.waiting))
        self.tasks[name].cancel()
        self.turn()
        assert self.tasks[name].cancelled()
        (self.running if name in self.running else self.waiting).remove(name)
        self.freed()

    @precondition(lambda self: self.running and self.waiting)
    @rule(data=st.data())
    def leave_and_cancel_the_next_before_it_wakes(self, data):
        """The place is given to a task that is cancelled in the same turn of the loop."""
        name = data.draw(st.sampled_from(self.running))
        victim = self.waiting[0 if self.order == "fifo" else -1]
        self.stops[name].set()
        before = self.bulkhead.memory.waiting

        async def until_given():
            for _ in range(20):
                if self.bulkhead.memory.waiting != before:
                    break
                await asyncio.sleep(0)
            assert self.bulkhead.memory.waiting == before - 1
            self.tasks[victim].cancel()

        self.loop.run_until_complete(until_given())
        self.turn()
        assert self.tasks[victim].cancelled()
        self.running.remove(name)
        self.waiting.remove(victim)
        self.freed()

    @rule(seconds=st.sampled_from([0.0, 3.0, 10.0]))
    def time_passes(self, seconds):
        self.loop.run_until_complete(self.clock.aadvance(seconds))
        self.turn()
        now = self.clock.now()
        late = [name for name in self.waiting if now >= self.since_s[name] + 10.0]
        assert set(late) <= self.refused
        self.waiting = [name for name in self.waiting if name not in late]

    @invariant()
    def who_runs_and_waits_is_who_should(self):
        if not hasattr(self, "loop"):
            return
        s = self.bulkhead.statistics
        assert (s.running, s.waiting) == (len(self.running), len(self.waiting))
        assert set(self.running) <= self.started
        assert not self.started & set(self.waiting)
        assert s.waited == s.waiting + s.handed + s.expired + s.displaced + s.cancelled


Places.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestPlaces = Places.TestCase


@pytest.mark.parametrize("order", ["fifo", "lifo", "priority"])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=15)
def test_whatever_threads_do_on_virtual_time_all_are_served_or_refused_in_time(order, seed):
    clock, rng = VirtualClock(), random.Random(seed)
    bulkhead = Bulkhead(rng.randint(1, 3), queue=rng.randint(0, 4), max_wait_s=2.0, order=order, clock=clock)
    plans = [
        [(rng.random() * 3, rng.random() * 3, rng.choice(list(Criticality))) for _ in range(4)]
        for _ in range(6)
    ]
    served, refused = [], []

    def work(plan):
        for pause_s, work_s, level in plan:
            clock.sleep(pause_s)
            came_s = clock.now()
            try:
                with criticality(level):
                    bulkhead.call(
                        lambda work_s=work_s, came_s=came_s: (
                            served.append(clock.now() - came_s),
                            clock.sleep(work_s),
                        )
                    )
            except BulkheadFullError:
                refused.append(clock.now() - came_s)

    clock.run_threads(*(lambda plan=plan: work(plan) for plan in plans))
    assert len(served) + len(refused) == 24
    assert all(0 <= wait_s <= 2.0 + 1e-9 for wait_s in served + refused)
    s = bulkhead.statistics
    assert (s.running, s.waiting) == (0, 0)
    assert len(refused) == s.rejected + s.expired + s.displaced


def test_a_thread_that_is_interrupted_while_it_waits_leaves_the_queue(monkeypatch):
    bulkhead = Bulkhead(1, queue=1)

    def interrupt(_waiter):
        raise KeyboardInterrupt

    monkeypatch.setattr("workbench.reliability.policies._waiters.ThreadWaiter.wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        bulkhead.call(lambda: bulkhead.call(int))
    assert (bulkhead.statistics.running, bulkhead.statistics.waiting, bulkhead.statistics.cancelled) == (
        0,
        0,
        1,
    )


def test_a_thread_that_is_interrupted_when_it_has_a_place_already_hands_it_on(monkeypatch):
    from workbench.reliability.policies import _waiters

    bulkhead = Bulkhead(1, queue=2)
    original = _waiters.ThreadWaiter.wait
    interrupted = []

    def wait(waiter):
        original(waiter)
        if not interrupted:
            interrupted.append(waiter)
            raise KeyboardInterrupt

    monkeypatch.setattr(_waiters.ThreadWaiter, "wait", wait)
    outcomes = []

    def work(name):
        try:
            outcomes.append(bulkhead.call(lambda: name))
        except KeyboardInterrupt:
            outcomes.append("interrupted")

    threads = [threading.Thread(target=work, args=(name,)) for name in ("first", "second")]

    def start_both():
        for number, thread in enumerate(threads):
            thread.start()
            while bulkhead.memory.waiting != number + 1 and thread.is_alive():
                threading.Event().wait(0.0001)

    bulkhead.call(start_both)
    for thread in threads:
        thread.join()
    assert outcomes == ["interrupted", "second"]
    assert (bulkhead.statistics.running, bulkhead.statistics.waiting) == (0, 0)
