"""Keys of a rate limiter: forgotten when they are as good as new, bounded, exact under threads."""

import random
import sys
import threading
import tracemalloc
from dataclasses import dataclass

import pytest

from workbench.clock import VirtualClock
from workbench.reliability import RateLimiter

MAKERS = {
    "gcra": lambda **more: RateLimiter.gcra(rate_hz=10, burst=5, **more),
    "token_bucket": lambda **more: RateLimiter.token_bucket(rate_hz=10, burst=5, **more),
    "leaky_bucket": lambda **more: RateLimiter.leaky_bucket(rate_hz=10, burst=5, **more),
    "fixed_window": lambda **more: RateLimiter.fixed_window(limit=5, window_s=0.5, **more),
    "sliding_window": lambda **more: RateLimiter.sliding_window(limit=5, window_s=0.5, **more),
    "sliding_log": lambda **more: RateLimiter.sliding_log(limit=5, window_s=0.5, **more),
}


@pytest.fixture(params=MAKERS)
def make(request):
    return MAKERS[request.param]


@dataclass(frozen=True)
class User:
    """A key whose hash is Python code."""

    number: int


@pytest.mark.parametrize("kind", [int, str, User])
def test_keys_that_are_as_good_as_new_are_forgotten_when_new_ones_come(make, kind):
    clock = VirtualClock()
    limiter = make(clock=clock)
    for number in range(20_000):
        clock.advance(0.001)
        assert limiter.try_acquire(kind(number))
    found = limiter.statistics
    assert found.keys <= 4_000
    assert found.forgotten == 20_000 - found.keys
    assert found.evicted == 0


def test_a_key_in_use_is_never_forgotten(make):
    clock = VirtualClock()
    limiter = make(clock=clock)
    assert limiter.try_acquire("busy", 5)
    for number in range(5_000):
        assert limiter.try_acquire(number)
    assert not limiter.try_acquire("busy")
    assert limiter.statistics.keys == 5_001


def test_forgetting_is_decided_by_the_key_and_changes_no_decision(make):
    clock = VirtualClock()
    limiter, other = make(clock=clock), make(clock=clock)
    rng = random.Random(7)
    for _ in range(2_000):
        clock.advance(rng.random() * 0.1)
        limiter.forget_idle()
        key, cost = rng.randrange(5), rng.randrange(1, 4)
        assert limiter.try_acquire(key, cost) == other.try_acquire(key, cost)
    assert limiter.statistics.forgotten > 0


def test_keys_are_bounded_and_the_ones_closest_to_new_make_room(make):
    limiter = make(clock=VirtualClock(), max_keys=64)
    for key in ("busy", "busier"):
        assert limiter.try_acquire(key, 5)
    for number in range(1_000):
        limiter.try_acquire(number)
        assert limiter.statistics.keys <= 64
    found = limiter.statistics
    assert found.evicted == 1_002 - found.keys
    if limiter.machine.__name__.endswith(("gcra", "bucket")):  # windows end for all at the same time
        assert not limiter.try_acquire("busy")


def test_a_single_key_may_be_the_bound():
    limiter = RateLimiter.gcra(rate_hz=1, clock=VirtualClock(), max_keys=1)
    assert [limiter.try_acquire(key) for key in "abcaa"] == [True, True, True, True, False]


def test_a_refused_new_key_takes_no_room():
    limiter = RateLimiter.gcra(rate_hz=1, burst=2, clock=VirtualClock())
    limiter.forget_idle()
    assert limiter.statistics.keys == 0


@pytest.mark.parametrize("count", [10_000, 22_000])
def test_a_key_takes_at_most_130_bytes_with_its_name(count):
    limiter = RateLimiter.gcra(rate_hz=0.01, burst=100)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(count):
        limiter.try_acquire(f"user:{number}")
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert used / count <= 130


@pytest.fixture
def switching():
    """Let threads take turns as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def hammered(work, threads=8):
    gate = threading.Barrier(threads)

    def run(number):
        gate.wait()
        work(number)

    crowd = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()


@pytest.mark.usefixtures("switching")
@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("key", [None, "ann", User(1)])
def test_threads_take_exactly_what_there_is(name, key):
    options = {"clock": VirtualClock(), "rate_hz": 1, "burst": 500}
    if name == "sliding_log":
        options = {"clock": options["clock"], "limit": 500, "window_s": 500}
    limiter = getattr(RateLimiter, name)(**options)
    passed = [0] * 8

    def work(number):
        for _ in range(150):
            passed[number] += limiter.try_acquire(key)

    hammered(work)
    assert sum(passed) == 500
    assert (limiter.statistics.taken, limiter.statistics.refused) == (500, 700)


@pytest.mark.usefixtures("switching")
@pytest.mark.parametrize("name", ["gcra", "token_bucket", "sliding_log"])
def test_threads_that_reserve_cancel_sweep_and_bring_new_keys_lose_nothing(name):
    """What is cancelled comes back at most once, whatever happens meanwhile."""
    clock = VirtualClock()
    limiter = MAKERS[name](clock=clock, max_keys=10_000)
    kept = [0] * 8

    def work(number):
        rng = random.Random(number)
        for step in range(100):
            reservation = limiter.reserve("shared")
            if rng.random() < 0.5:
                kept[number] += not reservation.cancel()
            else:
                kept[number] += 1
            limiter.try_acquire((number, step))
            if step % 20 == 0:
                limiter.forget_idle()

    hammered(work)
    wait_s = limiter.reserve("shared").wait_s
    expected_s = (sum(kept) + 1 - 5) / 10 if name != "sliding_log" else sum(kept) // 5 * 0.5
    assert wait_s == pytest.approx(expected_s)
    assert limiter.statistics.keys == 801


@pytest.mark.usefixtures("switching")
def test_threads_through_a_decorator_take_exactly_what_there_is():
    limiter = RateLimiter.gcra(rate_hz=1, burst=300, clock=VirtualClock(), key=lambda key: key)
    calls, refused = [], []

    @limiter
    def limited(key):
        calls.append(key)

    def work(number):
        for _ in range(100):
            try:
                limited(number % 2)
            except Exception as error:  # noqa: BLE001 - all are looked at
                refused.append(type(error).__name__)

    hammered(work)
    assert [calls.count(0), calls.count(1)] == [300, 300]
    assert refused == ["RateLimitedError"] * 200
