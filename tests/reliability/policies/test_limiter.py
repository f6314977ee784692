"""`RateLimiter`: around calls and by itself, in both worlds, on a clock that nobody waits for."""

import asyncio
import inspect
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.clock import VirtualClock, virtual_time
from workbench.reliability import RateLimitedError, RateLimiter, UnattainableCostError
from workbench.reliability.errors import ErrorClass, classify, retry_after_s
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policy import PolicyError

RATES = {
    "gcra": {"rate_hz": 10, "burst": 3},
    "token_bucket": {"rate_hz": 10, "burst": 3},
    "leaky_bucket": {"rate_hz": 10, "burst": 3},
    "fixed_window": {"limit": 3, "window_s": 0.25},
    "sliding_window": {"limit": 3, "window_s": 0.25},
    "sliding_log": {"limit": 3, "window_s": 0.25},
}


@pytest.fixture
def clock():
    return VirtualClock(start_s=1000.0)


@pytest.fixture(params=RATES)
def make(request, clock):
    """Make a limiter that lets three through at once, by each algorithm."""
    arguments = {**RATES[request.param], "clock": clock}
    return lambda **more: getattr(RateLimiter, request.param)(**{**arguments, **more})


def test_three_pass_and_the_fourth_does_not_for_each_key_and_for_none(make):
    limiter = make()
    for key in (None, "ann", ("ann", 1), b"bob", 7, frozenset({1})):
        assert [limiter.try_acquire(key) for _ in range(4)] == [True, True, True, False]
    assert (limiter.statistics.taken, limiter.statistics.refused, limiter.statistics.keys) == (18, 6, 5)


def test_a_cost_counts_as_so_many_and_nothing_of_it_is_taken_where_it_does_not_fit(make):
    limiter = make()
    assert limiter.try_acquire("a", 2)
    assert not limiter.try_acquire("a", cost=2)
    assert limiter.try_acquire("a", cost=1)
    assert limiter.try_acquire("a", cost=0)
    assert not limiter.try_acquire("a")


class Readings(VirtualClock):
    """A clock whose readings are given: those of a thread that was kept from running between two of them."""

    def __init__(self, *readings_s):
        super().__init__()
        self.left = list(readings_s)

    def now(self):
        return self.left.pop(0)


@pytest.mark.parametrize("key", [None, lambda *_: "ann"])
@pytest.mark.parametrize(("now_s", "passes"), [(1.06, True), (1.04, False)])
def test_a_call_that_was_kept_from_running_is_judged_by_the_present_time(key, now_s, passes):
    """It came at 0.5 s; meanwhile another took at 0.95 s: the next one may pass at 1.05 s."""
    limiter = RateLimiter.gcra(rate_hz=10, key=key, clock=Readings(0.95, 0.5, now_s))
    limiter.call(len, "abc")
    if passes:
        assert limiter.call(len, "abc") == 3
    else:
        with pytest.raises(RateLimitedError):
            limiter.call(len, "abc")
    assert (limiter.statistics.taken, limiter.statistics.refused) == (1 + passes, 1 - passes)


@pytest.mark.parametrize("key", [None, "ann"])
def test_a_cost_that_can_never_pass_is_an_error_that_says_so(make, key):
    limiter = make()
    for ask in (limiter.try_acquire, limiter.acquire, limiter.reserve):
        with pytest.raises(UnattainableCostError, match="cost 4 is more than the 3 ever let through at once"):
            ask(key, 4)
    assert limiter.try_acquire(key, 3)


@pytest.mark.parametrize("cost", [-1, math.nan, "two", True, None])
def test_a_cost_that_is_no_number_from_zero_on_is_an_error(make, cost):
    limiter = make()
    for ask in (limiter.acquire, limiter.reserve):
        with pytest.raises(PolicyError, match="cost is"):
            ask("a", cost)
    if not isinstance(cost, str | bool | None):
        with pytest.raises(PolicyError, match="cost is"):
            limiter.try_acquire("a", cost)
    assert limiter.try_acquire("a", 3)


def test_only_the_log_needs_whole_costs(clock):
    assert RateLimiter.gcra(rate_hz=1, burst=1, clock=clock).try_acquire(cost=0.5)
    with pytest.raises(PolicyError, match="expected a whole number"):
        RateLimiter.sliding_log(limit=3, window_s=1, clock=clock).try_acquire(cost=0.5)


def test_a_decorated_function_is_refused_with_the_time_until_it_passes(make, clock):
    limited = make(name="front")(clock.now)
    assert [limited() for _ in range(3)] == [1000.0] * 3
    with pytest.raises(RateLimitedError, match="rate limiter 'front' has no permit; try again in") as caught:
        limited()
    assert classify(caught.value) is ErrorClass.THROTTLED
    clock.advance(retry_after_s(caught.value))
    assert limited() > 1000.0


def test_an_async_function_is_refused_in_the_same_way(make, clock):
    limiter = make()

    @limiter
    async def limited():
        return clock.now()

    async def main():
        assert [await limited() for _ in range(3)] == [1000.0] * 3
        with pytest.raises(RateLimitedError):
            await limited()
        with pytest.raises(RateLimitedError):
            await limiter.acall(limited)

    clock.run(main())


def test_a_key_is_a_function_of_the_arguments(make, clock):
    seen = []

    @make(key=lambda user, *, size=1: user, cost=lambda user, *, size=1: size)
    def upload(user, *, size=1):
        seen.append((user, size))

    upload("ann", size=2)
    upload("bob", size=3)
    upload("ann")
    with pytest.raises(RateLimitedError):
        upload("ann")
    with pytest.raises(UnattainableCostError):
        upload("eve", size=4)
    assert seen == [("ann", 2), ("bob", 3), ("ann", 1)]


def test_calls_wait_for_their_turn_no_longer_than_they_may(clock):
    limited = RateLimiter.gcra(rate_hz=10, burst=2, wait_s=0.25, key=lambda key: key, clock=clock)(
        lambda _: clock.now()
    )

    async def limited_async(key):
        return clock.now()

    limiter = RateLimiter.token_bucket(rate_hz=10, burst=2, wait_s=0.25, clock=clock, key=lambda key: key)
    asynchronous = limiter(limited_async)

    async def main():
        return await asyncio.gather(*(asynchronous("a") for _ in range(6)), return_exceptions=True)

    found = clock.run(main())
    assert found[:4] == pytest.approx([1000.0, 1000.0, 1000.1, 1000.2])
    assert [type(each) for each in found[4:]] == [RateLimitedError] * 2
    assert limiter.statistics.refused == 2
    start_s = clock.now()
    assert [limited("a") for _ in range(4)] == pytest.approx([start_s, start_s, start_s + 0.1, start_s + 0.2])


def test_acquire_waits_by_the_clock_and_returns_for_how_long(make, clock):
    limiter = make()
    assert [limiter.acquire("a") for _ in range(3)] == [0.0] * 3
    waited_s = limiter.acquire("a")
    assert 0.0 < waited_s <= 0.5
    assert clock.now() == pytest.approx(1000.0 + waited_s)


def test_acquire_gives_up_at_once_where_it_would_take_too_long(make, clock):
    limiter = make()
    limiter.acquire("a", 3)
    with pytest.raises(RateLimitedError) as caught:
        limiter.acquire("a", timeout_s=0.05)
    assert clock.now() == 1000.0
    assert limiter.acquire("a", timeout_s=caught.value.retry_after_s + 1e-6) == caught.value.retry_after_s
    with pytest.raises(PolicyError, match="timeout_s is -1"):
        limiter.acquire(timeout_s=-1)


def test_tasks_acquire_in_the_order_in_which_they_asked(make, clock):
    limiter = make()
    order = []

    async def ask(number):
        await limiter.aacquire("a")
        order.append((number, clock.now()))

    async def main():
        await asyncio.gather(*(ask(number) for number in range(9)))
        return await limiter.atry_acquire("b")

    assert clock.run(main())
    assert [number for number, _ in order] == list(range(9))
    assert [at for _, at in order] == sorted(at for _, at in order)
    assert order[-1][1] > 1000.3


def test_a_reservation_tells_when_and_is_given_back_by_cancel(make, clock):
    limiter = make()
    limiter.acquire("a", 3)
    first = limiter.reserve("a")
    assert first.wait_s > 0.0
    assert first.at_s == clock.now() + first.wait_s
    assert first.cancel()
    assert first.cancel()
    assert (limiter.reserve("a").wait_s, limiter.statistics.cancelled) == (first.wait_s, 1)


@pytest.mark.parametrize("key", [None, "ann", frozenset({1})])
def test_a_reservation_that_others_came_after_is_not_given_back(make, key):
    """Their times were given with its place in mind; who got that place now would come with them."""
    limiter = make()
    first, second = limiter.reserve(key), limiter.reserve(key)
    assert not first.cancel()
    assert second.cancel()
    assert not first.cancelled
    assert limiter.statistics.cancelled == 1


@pytest.mark.parametrize("key", [None, "ann", frozenset({1})])
def test_what_was_given_back_is_as_if_it_had_never_been_taken(make, clock, key):
    limiter, other = make(), make()
    for moment in (limiter, other):
        moment.try_acquire(key)
    clock.advance(0.03)
    assert limiter.reserve(key, 2).cancel()
    assert [limiter.reserve(key).wait_s for _ in range(5)] == [other.reserve(key).wait_s for _ in range(5)]


def test_a_cancelled_wait_gives_back_what_it_reserved_and_keeps_its_error(make, clock):
    limiter = make(wait_s=10.0)

    @limiter
    async def limited():
        return clock.now()

    async def main():
        for _ in range(3):
            await limited()
        waiting = asyncio.create_task(limited())
        await asyncio.sleep(0)
        error = asyncio.CancelledError("enough")
        waiting.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await waiting
        return error

    clock.run(main())
    assert limiter.statistics.cancelled == 1
    assert limiter.reserve().wait_s <= 0.5


def test_an_interrupted_wait_in_a_thread_gives_back_what_it_reserved():
    class Interrupted(VirtualClock):
        def sleep(self, seconds):
            raise KeyboardInterrupt

    limiter = RateLimiter.gcra(rate_hz=1, clock=Interrupted())
    limiter.acquire()
    with pytest.raises(KeyboardInterrupt):
        limiter.acquire()
    assert limiter.reserve().wait_s == 1.0
    assert limiter.statistics.cancelled == 1


def test_errors_of_the_function_pass_and_count_as_taken(make):
    limiter = make()
    with pytest.raises(ZeroDivisionError):
        limiter.call(lambda: 1 / 0)
    assert limiter.statistics.taken == 1


def test_reset_forgets_calls_keys_and_counts(make):
    limiter = make()
    for key in (None, "a", frozenset({1})):
        limiter.acquire(key, 3)
    limiter.reset()
    assert limiter.statistics == type(limiter.statistics)(0, 0, 0, 0, 0, 0)
    assert all(limiter.try_acquire(key, 3) for key in (None, "a", frozenset({1})))


def test_listeners_learn_of_refusals_and_waits(make, clock):
    limiter, events = make(name="front"), []
    limiter.acquire("a", 3)
    end = limiter.listen(events.append)
    assert not limiter.try_acquire("a")
    wait_s = limiter.acquire("a")
    limiter.try_acquire("b")
    end()
    limiter.try_acquire("a", 3)
    assert [(event.policy, event.kind, dict(event.details)["key"]) for event in events] == [
        ("front", "refused", "a"),
        ("front", "waits", "a"),
    ]
    assert dict(events[1].details)["wait_s"] == wait_s


def test_the_default_clock_follows_virtual_time():
    limiter = RateLimiter.gcra(rate_hz=10)
    with virtual_time(start_s=5000.0) as clock:
        assert limiter.try_acquire()
        assert not limiter.try_acquire()
        limiter.acquire()
        assert clock.now() == pytest.approx(5000.1)


def test_a_limiter_is_a_layer_of_a_pipeline(make):
    limiter = make()
    limited = Pipeline(limiter, RateLimiter.gcra(rate_hz=1, burst=2, clock=limiter.clock))(lambda: 1)
    assert [limited(), limited()] == [1, 1]
    with pytest.raises(RateLimitedError):
        limited()
    assert limiter.statistics.taken == 3


def test_signatures_and_names_survive(make):
    def send(message: str) -> int:
        """Send it."""
        return len(message)

    limited = make()(send)
    assert (limited.__name__, limited.__doc__, inspect.signature(limited)) == (
        "send",
        "Send it.",
        inspect.signature(send),
    )


def test_a_window_may_be_given_by_a_burst_and_a_rate(clock):
    for make in (RateLimiter.fixed_window, RateLimiter.sliding_window):
        by_rate, by_window = make(rate_hz=10, burst=5, clock=clock), make(limit=5, window_s=0.5, clock=clock)
        assert by_rate.parameters == by_window.parameters


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rate_hz": 0}, "rate_hz is 0"),
        ({"rate_hz": math.inf}, "rate_hz is inf"),
        ({"rate_hz": "10"}, "rate_hz is '10'"),
        ({"rate_hz": 1, "burst": 0.5}, "burst is 0.5, expected a number of calls, 1 or more"),
        ({"rate_hz": 1, "wait_s": -1}, "wait_s is -1"),
        ({"rate_hz": 1, "max_keys": 0}, "max_keys is 0"),
        ({"rate_hz": 1, "key": "user"}, "key is 'user', expected a function"),
        ({"rate_hz": 1, "cost": 2}, "cost is 2, expected a function"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(PolicyError, match=re.escape(message)):
        RateLimiter.gcra(**arguments)


@pytest.mark.parametrize(
    "arguments", [{}, {"limit": 1}, {"limit": 1, "window_s": 1, "rate_hz": 1}, {"burst": 1}]
)
def test_a_window_is_given_in_one_of_two_ways(arguments):
    with pytest.raises(PolicyError, match="a window is given by limit"):
        RateLimiter.fixed_window(**arguments)


def test_a_log_needs_a_whole_limit():
    with pytest.raises(PolicyError, match=r"limit is 2\.5, expected a whole number"):
        RateLimiter.sliding_log(limit=2.5, window_s=1)


def test_statistics_draw_themselves(make):
    limiter = make()
    limiter.try_acquire("a")
    assert repr(limiter.statistics) == (
        "LimiterStatistics(taken=1, refused=0, cancelled=0, keys=1, forgotten=0, evicted=0)"
    )
    assert "taken" in limiter.statistics._repr_html_()
    assert limiter.statistics.to_pandas()["taken"].tolist() == [1]


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 0.4), st.sampled_from([None, "a", "b", frozenset()]), st.integers(0, 3)),
        max_size=40,
    ),
    name=st.sampled_from(sorted(RATES)),
)
def test_each_key_is_limited_as_if_it_had_a_limiter_of_its_own(steps, name):
    clock = VirtualClock()
    build = getattr(RateLimiter, name)
    together, alone = build(**RATES[name], clock=clock), {}
    for seconds, key, cost in steps:
        clock.advance(seconds)
        own = alone.setdefault(key, build(**RATES[name], clock=clock))
        assert together.try_acquire(key, cost) == own.try_acquire(None, cost)


def test_a_limiter_says_how_it_was_made(make):
    limiter = make(name="front", wait_s=2)
    given = "limit=3, window_s=0.25" if "window_s" in repr(limiter) else "rate_hz=10, burst=3"
    algorithm = limiter.machine.__name__.rpartition(".")[2]
    assert repr(limiter) == f"RateLimiter.{algorithm}({given}, wait_s=2, name='front')"


def test_an_option_that_it_does_not_have_is_refused_by_name():
    with pytest.raises(PolicyError, match=r"no option 'max_wait_s'; it has key, cost, wait_s"):
        RateLimiter.gcra(rate_hz=1.0, max_wait_s=1.0)
