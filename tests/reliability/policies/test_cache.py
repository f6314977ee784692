"""`Cache`: how old an answer may be, who asks for it, and who waits."""

import asyncio
import inspect
import itertools
import sys
import threading

import pytest

from workbench.clock import VirtualClock
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.cache import Cache, CacheKeyError
from workbench.reliability.policy import PolicyError


@pytest.fixture
def clock():
    return VirtualClock()


class Source:
    """Answers with the number of the call, or fails; takes its time."""

    def __init__(self, clock, seconds=0.0):
        self.clock, self.seconds, self.asked, self.error = clock, seconds, 0, None

    def ask(self, *_args, **_named):
        self.asked += 1
        number = self.asked
        self.clock.sleep(self.seconds)
        return self.answer(number)

    async def aask(self, *_args, **_named):
        self.asked += 1
        number = self.asked
        await self.clock.asleep(self.seconds)
        return self.answer(number)

    def answer(self, number):
        if self.error is not None:
            raise self.error
        return number


# Freshness


def test_an_answer_is_used_until_it_is_as_old_as_it_may_be(clock):
    source = Source(clock)
    ask = Cache(10.0, clock=clock)(source.ask)
    assert [ask("a"), ask("a")] == [1, 1]
    clock.advance(9.999)
    assert ask("a") == 1
    clock.advance(0.001)
    assert ask("a") == 2


def test_it_is_as_old_as_the_time_since_it_came(clock):
    source = Source(clock, seconds=8.0)
    ask = Cache(10.0, clock=clock)(source.ask)
    ask()
    clock.advance(9.0)
    assert ask() == 1


def test_the_least_recently_used_is_forgotten_first(clock):
    source, cache = Source(clock), Cache(10.0, max_entries=2, clock=clock)
    ask = cache(source.ask)
    ask("a"), ask("b"), ask("a"), ask("c")
    assert ask("a") == 1
    assert ask("b") == 4
    assert (len(cache), cache.statistics.evicted) == (2, 2)


@pytest.mark.parametrize("world", ["sync", "async"])
def test_an_old_answer_is_used_if_a_new_one_cannot_be_had(clock, world):
    source, cache = Source(clock), Cache(10.0, stale_if_error_s=5.0, stale_on=OSError, clock=clock)
    call = cache(source.ask if world == "sync" else source.aask)
    ask = call if world == "sync" else lambda: clock.run(call())
    assert ask() == 1
    source.error = OSError()
    clock.advance(14.999)
    assert ask() == 1
    assert cache.statistics.rescued == 1
    source.error = KeyError()
    with pytest.raises(KeyError):
        ask()
    source.error = OSError()
    clock.advance(0.001)
    with pytest.raises(OSError):
        ask()
    source.error = None
    assert ask() == 5


def test_a_stale_answer_is_used_while_a_task_fetches_a_new_one(clock):
    source, cache = Source(clock, 2.0), Cache(10.0, stale_while_revalidate_s=5.0, clock=clock)
    ask = cache(source.aask)

    async def main():
        assert await ask("x") == 1
        await clock.asleep(11.0)
        before = clock.now()
        assert [await ask("x"), await ask("x")] == [1, 1]
        assert clock.now() == before
        await clock.asleep(2.5)
        assert await ask("x") == 2
        assert source.asked == 2

    clock.run(main())
    assert cache.statistics.stale == 2


def test_a_stale_answer_is_used_while_a_thread_fetches_a_new_one(clock):
    source, cache = Source(clock, 2.0), Cache(10.0, stale_while_revalidate_s=5.0, clock=clock)
    ask = cache(source.ask)

    def main():
        ask("x")
        clock.sleep(11.0)
        before = clock.now()
        assert [ask("x"), ask("x"), clock.now()] == [1, 1, before]
        clock.sleep(3.0)
        assert ask("x") == 2

    clock.run_threads(main)
    assert source.asked == 2


def test_a_refresh_that_fails_is_told_and_tried_again(clock):
    source, cache, heard = Source(clock), Cache(10.0, stale_while_revalidate_s=50.0, clock=clock), []
    cache.listen(lambda event: heard.append(event.kind))
    ask = cache(source.aask)

    async def main():
        await ask()
        await clock.asleep(11.0)
        source.error = OSError()
        for _ in range(2):
            assert await ask() == 1
            await clock.asleep(1.0)
        source.error = None
        assert await ask() == 1
        await clock.asleep(1.0)
        assert await ask() == 4

    clock.run(main())
    assert heard == ["refresh_failed", "refresh_failed"]


def test_a_refresh_that_is_cancelled_with_its_loop_leaves_nobody_waiting(clock):
    source, cache = Source(clock, 2.0), Cache(10.0, stale_while_revalidate_s=50.0, clock=clock)
    ask = cache(source.aask)
    clock.run(ask())
    clock.advance(11.0)
    assert clock.run(ask()) == 1  # its loop ends, and the refresh with it
    clock.advance(60.0)
    assert clock.run(ask()) == source.asked


# Errors


def test_errors_are_not_remembered_unless_asked(clock):
    source = Source(clock)
    source.error = OSError()
    ask = Cache(10.0, clock=clock)(source.ask)
    for _ in range(2):
        with pytest.raises(OSError):
            ask()
    assert source.asked == 2


def test_errors_that_are_meant_are_remembered_for_their_own_time(clock):
    source, cache = Source(clock), Cache(10.0, error_ttl_s=1.0, error_on=OSError, clock=clock)
    ask = cache(source.ask)
    source.error = OSError("gone")
    for _ in range(3):
        with pytest.raises(OSError, match="gone"):
            ask()
    assert source.asked == 1
    clock.advance(1.0)
    source.error = KeyError()
    for _ in range(2):
        with pytest.raises(KeyError):
            ask()
    assert source.asked == 3


def test_a_result_may_be_one_that_is_not_remembered(clock):
    source = Source(clock)
    ask = Cache(10.0, store_if=lambda result: result > 1, clock=clock)(source.ask)
    assert [ask(), ask(), ask()] == [1, 2, 2]


# Keys


def test_arguments_are_the_key_however_they_are_given(clock):
    asked, cache = [], Cache(10.0, clock=clock)

    @cache
    def add(a, b):
        asked.append((a, b))
        return a + b

    assert add(1, 2) == add(a=1, b=2) == add(1, b=2)
    assert asked == [(1, 2)]
    assert cache.call(add, 1, 2) == 3


def test_functions_are_kept_apart_unless_asked(clock):
    cache = Cache(10.0, clock=clock)
    assert [cache(lambda x: x)(1), cache(lambda x: -x)(1)] == [1, -1]
    together = Cache(10.0, by_function=False, key=lambda x: x % 10, clock=clock)
    assert [together.call(lambda x: x, 1), together.call(lambda x: -x, 11)] == [1, 1]


def test_methods_of_objects_are_kept_apart(clock):
    class Shop:
        def __init__(self, price):
            self.price_now = price

        @Cache(10.0, clock=clock)
        def price(self):
            return self.price_now

    assert [Shop(1).price(), Shop(2).price()] == [1, 2]


def test_a_key_that_cannot_be_hashed_is_an_error_that_tells_what_to_do(clock):
    cache = Cache(10.0, clock=clock)
    with pytest.raises(CacheKeyError, match=r"unhashable type: 'list'.*give key="):
        cache.call(len, [1])
    assert isinstance(CacheKeyError(), TypeError)


def test_an_answer_can_be_forgotten(clock):
    source, cache = Source(clock), Cache(10.0, clock=clock)

    @cache
    def ask(x):
        return source.ask(x)

    ask(1), ask(2)
    assert cache.invalidate(ask, 1) is True
    assert cache.invalidate(ask, 1) is False
    assert [ask(1), ask(2)] == [3, 2]
    cache.clear()
    assert ask(2) == 4


def test_an_answer_that_is_forgotten_while_it_is_fetched_is_not_remembered(clock):
    source, cache = Source(clock, 1.0), Cache(10.0, clock=clock)
    ask = cache(source.aask)

    async def main():
        first = asyncio.ensure_future(ask())
        await clock.asleep(0.5)
        assert cache.invalidate(ask) is True
        second = asyncio.ensure_future(ask())
        assert await first == 1
        assert await second == 2
        assert await ask() == 2

    clock.run(main())


# Single flight


def test_tasks_that_miss_together_ask_once(clock):
    source, cache = Source(clock, 1.0), Cache(10.0, clock=clock)
    ask = cache(source.aask)

    async def main():
        return await asyncio.gather(*(ask("x") for _ in range(5)), ask("y"))

    assert clock.run(main()) == [1, 1, 1, 1, 1, 2]
    assert (cache.statistics.misses, cache.statistics.shared) == (6, 4)


def test_threads_that_miss_together_ask_once(clock):
    source, cache = Source(clock, 1.0), Cache(10.0, clock=clock)
    ask = cache(source.ask)
    assert clock.run_threads(*[lambda: ask("x")] * 5) == [1] * 5
    assert (source.asked, cache.statistics.shared) == (1, 4)


def test_a_thread_and_a_task_share_an_answer():
    cache, inside, go = Cache(10.0, by_function=False, key=lambda: "x"), threading.Event(), threading.Event()

    def slow():
        inside.set()
        go.wait(10)
        return "from the thread"

    async def never():
        raise AssertionError

    async def main():
        follower = asyncio.ensure_future(cache.acall(never))
        await asyncio.sleep(0)
        go.set()
        return await follower

    leader = threading.Thread(target=cache.call, args=(slow,))
    leader.start()
    inside.wait(10)
    assert asyncio.run(main()) == "from the thread"
    leader.join()


def test_all_that_wait_get_the_exception(clock):
    source = Source(clock, 1.0)
    source.error = OSError("gone")
    ask = Cache(10.0, clock=clock)(source.aask)

    async def main():
        return await asyncio.gather(*(ask() for _ in range(3)), return_exceptions=True)

    assert clock.run(main()) == [source.error] * 3
    assert source.asked == 1


def test_all_that_wait_get_the_old_answer_if_there_is_one(clock):
    source, cache = Source(clock), Cache(10.0, stale_if_error_s=100.0, clock=clock)
    ask = cache(source.aask)

    async def main():
        await ask()
        await clock.asleep(20.0)
        source.error, source.seconds = OSError(), 1.0
        return await asyncio.gather(*(ask() for _ in range(3)))

    assert clock.run(main()) == [1, 1, 1]
    assert source.asked == 2


def test_a_cancelled_leader_hands_over_to_one_that_waits(clock):
    source = Source(clock, 1.0)
    ask = Cache(10.0, clock=clock)(source.aask)

    async def main():
        leader, *others = [asyncio.ensure_future(ask()) for _ in range(4)]
        await clock.asleep(0.5)
        leader.cancel("enough")
        assert await asyncio.gather(*others) == [2, 2, 2]
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await leader

    clock.run(main())
    assert source.asked == 2


def test_an_interrupted_thread_hands_over_to_one_that_waits(clock):
    source, cache = Source(clock, 1.0), Cache(10.0, clock=clock)

    def ask():
        if source.asked == 0:
            source.ask()
            raise KeyboardInterrupt
        return source.ask()

    def interrupted():
        with pytest.raises(KeyboardInterrupt):
            cached()

    cached = cache(ask)
    assert clock.run_threads(interrupted, cached, cached) == [None, 2, 2]


def test_a_cancelled_follower_leaves_the_others_alone(clock):
    source = Source(clock, 1.0)
    ask = Cache(10.0, clock=clock)(source.aask)

    async def main():
        tasks = [asyncio.ensure_future(ask()) for _ in range(3)]
        await clock.asleep(0.5)
        tasks[1].cancel()
        assert (await tasks[0], await tasks[2]) == (1, 1)
        assert tasks[1].cancelled()

    clock.run(main())


def test_a_call_within_the_fetching_call_does_not_wait_for_it(clock):
    cache = Cache(10.0, clock=clock)

    @cache
    def down(depth):
        inner.append(depth)
        return down(depth) if len(inner) < 3 else "bottom"

    @cache
    async def adown(depth):
        inner.append(depth)
        return await adown(depth) if len(inner) < 3 else "bottom"

    inner = []
    assert (down(1), inner) == ("bottom", [1, 1, 1])
    inner.clear()
    assert (clock.run(adown(1)), inner) == ("bottom", [1, 1, 1])


def test_hammering_threads_ask_once_a_key():
    asked, cache, interval = [], Cache(1000.0), sys.getswitchinterval()
    ask = cache(asked.append)
    gate = threading.Barrier(4)

    def work():
        gate.wait(10)
        for turn in range(500):
            ask(turn % 100)

    threads = [threading.Thread(target=work) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert sorted(asked) == list(range(100))
    seen = cache.statistics
    assert seen.hits + seen.misses == 2000
    assert seen.misses - seen.shared == 100


# All the rest


def test_it_works_around_and_within_others(clock):
    source = Source(clock)
    ask = Pipeline(Cache(10.0, clock=clock), Cache(20.0, clock=clock))(source.ask)
    assert [ask("a", b=1), ask("a", b=1)] == [1, 1]
    clock.advance(15.0)
    assert ask("a", b=1) == 1
    assert source.asked == 1


def test_reset_forgets_answers_and_counts(clock):
    cache = Cache(10.0, clock=clock)
    cache.call(int)
    cache.reset()
    assert cache.statistics == Cache().statistics
    assert repr(cache) == "Cache('cache', 0 of 128 entries)"
    assert "<td" in cache.statistics._repr_html_()


def test_decorated_functions_keep_their_signature():
    @Cache(10.0)
    def price(item: str) -> float:
        """Ask for a price."""
        return 1.0

    assert price("tea") == 1.0
    assert (price.__name__, str(inspect.signature(price))) == ("price", "(item: str) -> float")


@pytest.mark.parametrize(
    "arguments",
    [
        {"ttl_s": 0.0}, {"ttl_s": "1"}, {"max_entries": 0}, {"stale_if_error_s": -1.0}, {"error_ttl_s": 0.0},
        {"stale_while_revalidate_s": -1.0}, {"key": 3}, {"store_if": 3},
    ],
)  # fmt: skip
def test_arguments_out_of_range_are_named(arguments):
    with pytest.raises(PolicyError, match=next(iter(arguments))):
        Cache(**arguments)


def in_loop_that_is_closed_under_its_tasks(coroutine):
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    task = loop.create_task(coroutine)
    loop.run_until_complete(asyncio.wait({task}, timeout=0.01))
    loop.close()
    return task


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("stale", [False, True])
def test_a_fetch_that_was_lost_with_its_loop_is_given_up(stale):
    clock, numbers = VirtualClock(), itertools.count(1)
    cache = Cache(1.0, stale_while_revalidate_s=100.0, clock=clock)
    lost = []

    @cache
    async def number():
        found = next(numbers)
        if found == 1 + stale:
            lost.append(asyncio.current_task())
            await asyncio.Future()
        return found

    if stale:
        assert asyncio.run(number()) == 1
        clock.advance(2.0)
    task = in_loop_that_is_closed_under_its_tasks(number())
    lost[0]._log_destroy_pending = False  # it is what happens here

    async def ask():
        first = await asyncio.wait_for(number(), 5.0)
        await asyncio.sleep(0)
        return first, await number()

    assert asyncio.run(ask()) == ((1, 3) if stale else (2, 2))
    del task
