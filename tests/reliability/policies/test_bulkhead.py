"""`Bulkhead`: places, a bounded queue, and a wait limit, for threads and tasks together."""

import asyncio
import inspect
import sys
import threading
import time

import pytest

from workbench.clock import VirtualClock, VirtualDeadlockError, virtual_time
from workbench.reliability import Bulkhead, BulkheadFullError, Criticality, criticality
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policy import PolicyError


@pytest.fixture
def switching():
    """Threads take over from each other as often as CPython lets them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def idle(bulkhead):
    """Nobody runs or waits, and all who waited are accounted for."""
    s = bulkhead.statistics
    accounted = s.handed + s.expired + s.displaced + s.cancelled
    return (s.running, s.waiting, s.waited - accounted) == (0, 0, 0)


def test_it_returns_what_the_function_returns_and_keeps_its_signature():
    @Bulkhead(3)
    def add(a: int, b: int = 2, *, c: int = 3) -> int:
        """Add."""
        return a + b + c

    assert (add(1), add(1, 1, c=1)) == (6, 3)
    assert (add.__name__, add.__doc__) == ("add", "Add.")
    assert str(inspect.signature(add)) == "(a: int, b: int = 2, *, c: int = 3) -> int"
    assert Bulkhead().call(divmod, 7, 2) == (3, 1)


def test_without_a_queue_one_call_too_many_is_rejected():
    bulkhead = Bulkhead(1, name="db")
    with pytest.raises(BulkheadFullError, match="'db' is full, 1 calls at once") as raised:
        bulkhead.call(lambda: bulkhead.call(int))
    assert (raised.value.policy, raised.value.limit) == ("db", 1)
    assert bulkhead.call(int) == 0
    assert bulkhead.statistics.rejected == 1
    assert idle(bulkhead)


def test_a_failing_call_leaves_its_place_and_its_exception_passes_unchanged():
    bulkhead, error = Bulkhead(1), KeyError("x")

    def fail():
        raise error

    for _ in range(3):
        with pytest.raises(KeyError) as raised:
            bulkhead.call(fail)
        assert raised.value is error
    assert idle(bulkhead)


def test_in_one_thread_on_virtual_time_a_wait_that_nobody_can_end_takes_its_limit_and_is_rejected():
    clock = VirtualClock()
    bulkhead = Bulkhead(1, queue=1, max_wait_s=2.5, clock=clock)
    with pytest.raises(BulkheadFullError):
        bulkhead.call(lambda: bulkhead.call(int))
    assert clock.now() == 2.5
    assert (bulkhead.statistics.waited, bulkhead.statistics.expired) == (1, 1)
    assert idle(bulkhead)


def test_in_one_thread_on_virtual_time_a_wait_without_limit_is_a_deadlock_that_is_told():
    bulkhead = Bulkhead(1, queue=1, clock=VirtualClock())
    with pytest.raises(VirtualDeadlockError, match="no other thread"):
        bulkhead.call(lambda: bulkhead.call(int))
    assert idle(bulkhead)
    assert bulkhead.call(int) == 0


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("fifo", [(0, 0), (1, 1), (2, 2), (2.5, "3 full"), (2.5, "4 full")]),
        ("lifo", [(0, 0), (1, 4), (2, 3), (2.5, "1 full"), (2.5, "2 full")]),
    ],
)
def test_threads_on_virtual_time_get_places_in_order_and_wait_no_longer_than_they_may(order, expected):
    clock, log = VirtualClock(), []
    bulkhead = Bulkhead(1, queue=9, max_wait_s=2.5, order=order, clock=clock)

    def work(name):
        def body():
            log.append((clock.now(), name))
            clock.sleep(1)

        try:
            bulkhead.call(body)
        except BulkheadFullError:
            log.append((clock.now(), f"{name} full"))

    clock.run_threads(*(lambda name=name: work(name) for name in range(5)))
    assert log == expected
    assert idle(bulkhead)


def test_tasks_on_virtual_time_get_places_in_order_and_wait_no_longer_than_they_may():
    log = []

    async def main():
        bulkhead = Bulkhead(2, queue=3, max_wait_s=1.5)

        async def work(name):
            try:
                await bulkhead.acall(asyncio.sleep, 1)
                log.append((clock.now(), name))
            except BulkheadFullError:
                log.append((clock.now(), f"{name} full"))

        await asyncio.gather(*(work(name) for name in range(7)))
        assert idle(bulkhead)

    with virtual_time() as clock:
        asyncio.run(main())
    assert log == [
        (0, "5 full"),
        (0, "6 full"),
        (1, 0),
        (1, 1),
        (1.5, "4 full"),
        (2, 2),
        (2, 3),
    ]


def test_a_loop_on_real_time_may_wait_on_a_virtual_clock():
    clock = VirtualClock()
    bulkhead = Bulkhead(1, queue=5, max_wait_s=3600.0, clock=clock)

    async def main():
        first = asyncio.ensure_future(bulkhead.acall(asyncio.Event().wait))
        await asyncio.sleep(0)
        with pytest.raises(BulkheadFullError):
            await bulkhead.acall(asyncio.sleep, 0)
        first.cancel()

    asyncio.run(main())
    assert clock.now() == 3600.0


def test_a_wait_on_real_time_ends_at_its_limit():
    bulkhead = Bulkhead(1, queue=1, max_wait_s=0.01)
    with pytest.raises(BulkheadFullError):
        bulkhead.call(lambda: bulkhead.call(int))

    async def main():
        with pytest.raises(BulkheadFullError):
            await bulkhead.acall(bulkhead.acall, asyncio.sleep, 0)

    asyncio.run(main())
    assert bulkhead.statistics.expired == 2


def test_by_priority_the_most_important_goes_first_and_the_least_gives_way():
    clock, served = VirtualClock(), []
    bulkhead = Bulkhead(1, queue=3, max_wait_s=100.0, order="priority", clock=clock)

    def work(name, level):
        def body():
            served.append(name)
            clock.sleep(1)

        with criticality(level):
            try:
                bulkhead.call(body)
            except BulkheadFullError:
                served.append(f"{name} full")

    calls = [
        ("runs", Criticality.CRITICAL),
        ("batch 1", Criticality.SHEDDABLE),
        ("batch 2", Criticality.SHEDDABLE),
        ("user 1", Criticality.CRITICAL),
        ("payment", Criticality.CRITICAL_PLUS),
        ("user 2", Criticality.CRITICAL),
        ("batch 3", Criticality.SHEDDABLE),
    ]
    clock.run_threads(*(lambda call=call: work(*call) for call in calls))
    assert served == ["runs", "batch 2 full", "batch 1 full", "batch 3 full", "payment", "user 1", "user 2"]
    assert bulkhead.statistics.displaced == 2
    assert idle(bulkhead)


def test_a_cancelled_waiter_passes_its_cancellation_on_and_leaves_the_queue():
    async def main():
        bulkhead = Bulkhead(1, queue=2)
        release = asyncio.Event()
        first = asyncio.ensure_future(bulkhead.acall(release.wait))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(bulkhead.acall(asyncio.sleep, 0, "second"))
        third = asyncio.ensure_future(bulkhead.acall(asyncio.sleep, 0, "third"))
        await asyncio.sleep(0)
        second.cancel("not needed")
        with pytest.raises(asyncio.CancelledError) as raised:
            await second
        assert raised.value.args == ("not needed",)
        assert (bulkhead.statistics.waiting, bulkhead.statistics.cancelled) == (1, 1)
        release.set()
        assert await third == "third"
        await first
        assert idle(bulkhead)

    asyncio.run(main())


def test_a_waiter_that_is_cancelled_after_it_was_given_the_place_hands_it_on():
    async def main():
        bulkhead = Bulkhead(1, queue=2)
        release = asyncio.Event()
        first = asyncio.ensure_future(bulkhead.acall(release.wait))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(bulkhead.acall(asyncio.sleep, 0, "second"))
        third = asyncio.ensure_future(bulkhead.acall(asyncio.sleep, 0, "third"))
        await asyncio.sleep(0)
        release.set()
        while bulkhead.statistics.waiting == 2:  # noqa: ASYNC110 - until the place is the second one's
            await asyncio.sleep(0)
        second.cancel()
        assert await third == "third"
        assert second.cancelled()
        await first
        assert idle(bulkhead)

    asyncio.run(main())


def test_a_call_that_is_cancelled_while_it_runs_leaves_its_place():
    async def main():
        bulkhead = Bulkhead(1)
        running = asyncio.ensure_future(bulkhead.acall(asyncio.Event().wait))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await bulkhead.acall(asyncio.sleep, 0, 5) == 5
        assert idle(bulkhead)

    asyncio.run(main())


def test_a_task_whose_loop_is_closed_does_not_keep_a_place():
    bulkhead = Bulkhead(1, queue=2)
    loop = asyncio.new_event_loop()
    coroutine = bulkhead.acall(asyncio.sleep, 0)

    def occupy():
        async def wait_for_a_place():
            task = asyncio.ensure_future(coroutine)
            await asyncio.sleep(0)
            return task

        tasks.append(loop.run_until_complete(wait_for_a_place()))
        loop.close()

    tasks = []
    bulkhead.call(occupy)
    assert bulkhead.call(int) == 0
    assert bulkhead.statistics.running == 0
    tasks[0]._log_destroy_pending = False
    coroutine.close()
    assert (bulkhead.statistics.running, bulkhead.statistics.waiting) == (0, 0)


def test_threads_and_tasks_share_the_places():  # noqa: C901 - two worlds at once
    bulkhead = Bulkhead(2, queue=1000)
    most, running, guard = [0], [0], threading.Lock()

    def enter():
        with guard:
            running[0] += 1
            most[0] = max(most[0], running[0])

    def leave():
        with guard:
            running[0] -= 1

    def work():
        enter()
        leave()

    async def awork():
        enter()
        await asyncio.sleep(0)
        leave()

    def run_loop():
        async def main():
            await asyncio.gather(*(bulkhead.acall(awork) for _ in range(100)))

        asyncio.run(main())

    def run_calls():
        for _ in range(300):
            bulkhead.call(work)

    threads = [threading.Thread(target=target) for target in (run_loop, run_loop, run_calls, run_calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < most[0] <= 2
    assert bulkhead.statistics.rejected == 0
    assert idle(bulkhead)


@pytest.mark.parametrize(("queue", "max_wait_s"), [(0, None), (2, 0.0005), (100, None)])
@pytest.mark.usefixtures("switching")
def test_hammering_threads_never_exceed_the_limit_and_every_count_is_exact(queue, max_wait_s):
    bulkhead = Bulkhead(3, queue=queue, max_wait_s=max_wait_s)
    inside, exceeded, served, refused, together = [], [], [], [], threading.Barrier(8)

    @bulkhead
    def work():
        inside.append(1)
        if len(inside) > 3:
            exceeded.append(len(inside))
        time.sleep(1e-4)  # others come meanwhile
        inside.pop()

    def hammer():
        together.wait()
        for _ in range(800):
            try:
                work()
                served.append(1)
            except BulkheadFullError:
                refused.append(1)

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    s = bulkhead.statistics
    assert not exceeded
    assert len(served) + len(refused) == 8 * 800
    assert len(refused) == s.rejected + s.expired
    assert s.waited + s.rejected > 100  # the threads did compete
    assert idle(bulkhead)


def test_listeners_hear_of_rejections_and_nothing_is_told_without_them():
    clock, heard = VirtualClock(10.0), []
    bulkhead = Bulkhead(1, queue=1, max_wait_s=0.5, clock=clock)
    nested = bulkhead(lambda: bulkhead.call(int))
    end = bulkhead.listen(heard.append)
    with pytest.raises(BulkheadFullError):
        nested()
    assert [(event.kind, event.at_s, dict(event.details)) for event in heard] == [
        ("expired", 10.5, {"waited_s": 0.5, "priority": 1, "key": None})
    ]
    end()
    with pytest.raises(BulkheadFullError):
        nested()
    assert len(heard) == 1


def test_a_listener_that_fails_leaves_the_counts_right():
    bulkhead = Bulkhead(1)

    def fail(_event):
        raise RuntimeError

    bulkhead.listen(fail)
    with pytest.raises(RuntimeError):
        bulkhead.call(lambda: bulkhead.call(int))
    assert idle(bulkhead)
    assert bulkhead.call(int) == 0


def test_reset_forgets_counts_but_not_the_calls_that_run():
    bulkhead = Bulkhead(2)

    def rejected():
        with pytest.raises(BulkheadFullError):
            bulkhead.call(int)

    def inside():
        bulkhead.reset()
        assert bulkhead.statistics.running == 1
        return bulkhead.call(rejected)

    bulkhead.call(inside)
    assert bulkhead.statistics.rejected == 1
    bulkhead.reset()
    assert bulkhead.statistics.rejected == 0
    assert idle(bulkhead)


def test_it_takes_its_place_in_a_pipeline():
    clock = VirtualClock()
    outer, inner = Bulkhead(2, clock=clock), Bulkhead(1, clock=clock)
    pipeline = Pipeline(outer, inner)
    assert pipeline.call(lambda: (outer.statistics.running, inner.statistics.running)) == (1, 1)
    with pytest.raises(BulkheadFullError):
        pipeline.call(lambda: pipeline.call(int))
    assert idle(outer)
    assert idle(inner)


@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": 0},
        {"limit": 1.5},
        {"limit": True},
        {"queue": -1},
        {"max_wait_s": -0.1},
        {"max_wait_s": float("nan")},
        {"order": "random"},
    ],
)
def test_arguments_out_of_range_are_named(arguments):
    with pytest.raises(PolicyError, match=next(iter(arguments))):
        Bulkhead(**arguments)


def test_it_and_its_statistics_show_themselves():
    bulkhead = Bulkhead(2, queue=3, name="db")
    assert repr(bulkhead) == "Bulkhead('db', 0/2 running, 0/3 waiting)"
    assert repr(bulkhead.statistics).startswith("BulkheadStatistics(limit=2, queue=3, running=0, ")
    assert "<table>" in bulkhead.statistics._repr_html_()
    assert bulkhead.statistics.to_pandas()["limit"].tolist() == [2]
