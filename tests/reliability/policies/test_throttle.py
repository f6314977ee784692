"""`ClientThrottle`: the SRE book's client-side throttling, around calls."""

import asyncio
import inspect
import os
import random
import sys
import threading

import pytest

from workbench.clock import VirtualClock
from workbench.reliability import ClientThrottle, ErrorClass, ThrottledError
from workbench.reliability.policy import PolicyError


class RefusedError(ConnectionError):
    """The callee does not accept a call."""


def refuse():
    raise RefusedError


def made(**more):
    clock = VirtualClock(1000.0)
    return clock, ClientThrottle(clock=clock, rng=random.Random(5), **more)


def outcomes(throttle, function, count):
    """Return how many calls were sent, and how many rejected here."""
    sent = rejected = 0
    for _ in range(count):
        try:
            throttle.call(function)
            sent += 1
        except ThrottledError:
            rejected += 1
        except Exception:  # noqa: BLE001 - the callee's
            sent += 1
    return sent, rejected


def test_it_keeps_the_signature_and_passes_results_and_exceptions():
    _, throttle = made()

    @throttle
    def half(number: int) -> float:
        """Halve."""
        return number / 2

    assert (half(4), half.__name__, half.__doc__) == (2.0, "half", "Halve.")
    assert str(inspect.signature(half)) == "(number: int) -> float"
    error = KeyError("x")

    def fail():
        raise error

    with pytest.raises(KeyError) as raised:
        throttle.call(fail)
    assert raised.value is error


def test_a_callee_that_accepts_is_never_throttled_and_needs_no_random_numbers():
    clock = VirtualClock()

    class Never:
        def random(self):
            raise AssertionError

    assert outcomes(ClientThrottle(clock=clock, rng=Never()), int, 1000) == (1000, 0)


def test_the_probability_is_the_books():
    _, throttle = made()
    outcomes(throttle, int, 10)
    expected_requests = 10
    for _ in range(200):
        outcomes(throttle, refuse, 1)
        expected_requests += 1
        assert throttle.rejection_rate == max(0.0, (expected_requests - 20) / (expected_requests + 1))
    assert throttle.statistics.requests == 210
    assert throttle.statistics.accepts == 10


def test_during_an_outage_a_few_calls_in_many_are_sent():
    _, throttle = made()
    sent, rejected = outcomes(throttle, refuse, 5000)
    assert sent + rejected == 5000
    assert sent < 30
    assert throttle.statistics.rejected == rejected


def test_the_greatest_probability_keeps_a_share_of_calls_going():
    _, throttle = made(max_rejection=0.9)
    sent, _ = outcomes(throttle, refuse, 5000)
    assert sent == pytest.approx(500, rel=0.15)


def test_the_window_moves_on():
    """A bucket of 6 s at a time: what came at 1000 s is forgotten at 1116 s."""
    clock, throttle = made()
    outcomes(throttle, refuse, 100)
    clock.advance(115.9)
    with pytest.raises(ThrottledError):
        throttle.call(int)
    clock.advance(0.1)
    assert throttle.call(int) == 0
    assert (throttle.statistics.requests, throttle.statistics.accepts) == (2, 1)
    clock.advance(3600.0)
    assert outcomes(throttle, int, 100) == (100, 0)
    assert throttle.statistics.requests == 100


@pytest.mark.parametrize(
    ("on", "error", "accepted"),
    [
        (None, RefusedError(), False),  # what may succeed later was not accepted
        (None, TimeoutError(), False),
        (None, ValueError(), True),  # an answer: the call is wrong
        (RefusedError, RefusedError(), False),
        (RefusedError, ValueError(), True),
        ((ErrorClass.PERMANENT, RefusedError), ValueError(), False),
        (lambda error: error.args == (503,), OSError(503), False),
        (lambda error: error.args == (503,), OSError(404), True),
    ],
)
def test_what_counts_as_accepted(on, error, accepted):
    _, throttle = made() if on is None else made(on=on)

    def fail():
        raise error

    with pytest.raises(type(error)):
        throttle.call(fail)
    assert throttle.statistics.accepts == accepted


def test_async_calls_are_throttled_alike_and_a_cancelled_one_is_not_accepted():
    async def main():
        _, throttle = made()

        async def refuse_later():
            await asyncio.sleep(0)
            raise RefusedError

        for _ in range(50):
            with pytest.raises((RefusedError, ThrottledError)):
                await throttle.acall(refuse_later)
        assert throttle.statistics.rejected > 30
        throttle.reset()
        assert await throttle.acall(asyncio.sleep, 0, 3) == 3
        task = asyncio.ensure_future(throttle.acall(asyncio.Event().wait))
        await asyncio.sleep(0)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task
        assert (throttle.statistics.requests, throttle.statistics.accepts) == (2, 1)

    asyncio.run(main())


def test_the_same_seed_gives_the_same_rejections():
    def run():
        _, throttle = made()
        return [outcomes(throttle, refuse, 1) for _ in range(300)]

    assert run() == run()


def test_hammering_threads_lose_no_count_even_while_the_window_moves():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    throttle = ClientThrottle(window_s=1e-3, buckets=4)
    counts = [0] * 8

    def hammer(number):
        for _ in range(1500):
            sent, rejected = outcomes(throttle, os.sched_yield if number % 2 else refuse, 1)
            counts[number] += rejected
            assert sent + rejected == 1

    threads = [threading.Thread(target=hammer, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    s = throttle.memory
    assert s.rejected == sum(counts)
    assert (s.requests, s.accepts) == (sum(throttle.requests), sum(throttle.accepts))


def test_a_rejection_says_how_many_are_rejected_and_listeners_hear_of_it():
    clock, throttle = made(name="billing")
    outcomes(throttle, refuse, 500)
    heard = []
    throttle.listen(heard.append)
    with pytest.raises(ThrottledError, match="'billing' dropped the call, as 100% of calls are") as raised:
        throttle.call(int)
    assert raised.value.probability == heard[0].details[0][1] == throttle.rejection_rate
    assert (heard[0].kind, heard[0].at_s) == ("rejected", clock.now())


def test_reset_forgets_the_window():
    _, throttle = made()
    outcomes(throttle, refuse, 500)
    throttle.reset()
    assert (throttle.statistics.requests, throttle.rejection_rate, sum(throttle.requests)) == (0, 0.0, 0)
    assert outcomes(throttle, int, 100) == (100, 0)


@pytest.mark.parametrize(
    "arguments", [{"ratio": 0.9}, {"window_s": 0.0}, {"max_rejection": 1.1}, {"buckets": 1}, {"on": "errors"}]
)
def test_arguments_out_of_range_are_named(arguments):
    with pytest.raises(PolicyError, match=next(iter(arguments))):
        ClientThrottle(**arguments)


def test_it_and_its_statistics_show_themselves():
    _, throttle = made(name="billing")
    outcomes(throttle, int, 3)
    assert repr(throttle) == "ClientThrottle('billing', 3 of 3 accepted)"
    assert (
        repr(throttle.statistics) == "ThrottleStatistics(requests=3, accepts=3, rejection_rate=0, rejected=0)"
    )
    assert "<table>" in throttle.statistics._repr_html_()
