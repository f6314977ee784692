"""`CircuitBreaker`: when it opens, whom it lets through, and that no trial call is ever lost."""

import asyncio
import contextlib
import inspect
import sys
import threading

import pytest

from workbench.clock import VirtualClock
from workbench.reliability.errors import CircuitOpenError, ErrorClass
from workbench.reliability.fusing import transitions
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies import breaker as breaker_policy
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policy import PolicyError


class DownError(Exception):
    pass


def fail():
    raise DownError


async def afail():
    await asyncio.sleep(0)
    raise DownError


def ok():
    return "ok"


async def aok():
    await asyncio.sleep(0)
    return "ok"


def broken(breaker, times=1, function=fail):
    for _ in range(times):
        with pytest.raises(DownError):
            breaker.call(function)


@pytest.fixture
def clock():
    return VirtualClock()


def opened(clock, **more):
    """Return a breaker that has just opened."""
    breaker = CircuitBreaker.consecutive(1, clock=clock, **more)
    broken(breaker)
    assert breaker.state == "open"
    return breaker


# Opening


def test_it_opens_at_half_of_the_last_hundred_calls_but_not_before_there_are_a_hundred(clock):
    breaker = CircuitBreaker(clock=clock)
    broken(breaker, 99)
    assert breaker.state == "closed"
    broken(breaker)
    assert breaker.state == "open"
    breaker.reset()
    for _ in range(51):
        breaker.call(ok)
    broken(breaker, 49)
    assert breaker.state == "closed"
    broken(breaker)  # the first success has left the window: 50 of 100
    assert breaker.state == "open"


def test_an_open_one_refuses_and_says_for_how_long(clock):
    breaker = opened(clock, open_s=30.0, name="orders")
    clock.advance(10.0)
    with pytest.raises(CircuitOpenError, match="'orders' is open") as caught:
        breaker.call(ok)
    assert caught.value.retry_after_s == 20.0
    assert caught.value.policy == "orders"
    assert breaker.statistics.rejected == 1


def test_trial_calls_close_it(clock):
    breaker = opened(clock, open_s=30.0, half_open_calls=2)
    clock.advance(30.0)
    assert breaker.call(ok) == "ok"
    assert breaker.state == "half_open"
    breaker.call(ok)
    assert breaker.state == "closed"


def test_a_failed_trial_opens_it_again(clock):
    breaker = opened(clock, open_s=30.0)
    clock.advance(30.0)
    broken(breaker)
    assert breaker.state == "open"
    assert breaker.statistics.opened == 2


def test_a_success_ends_a_row_of_failures(clock):
    breaker = CircuitBreaker.consecutive(3, clock=clock)
    for _ in range(5):
        broken(breaker, 2)
        breaker.call(ok)
    assert breaker.state == "closed"
    broken(breaker, 3)
    assert breaker.state == "open"


def test_a_window_of_time_forgets_what_is_older(clock):
    breaker = CircuitBreaker.time_window(10.0, minimum_calls=4, clock=clock)
    broken(breaker, 3)
    clock.advance(10.0)
    broken(breaker, 3)
    assert breaker.state == "closed"
    clock.advance(9.0)
    broken(breaker)
    assert breaker.state == "open"


def test_slow_calls_open_it_too(clock):
    breaker = CircuitBreaker(window=4, slow_rate=0.5, slow_s=1.0, clock=clock)
    for seconds in (0.0, 0.5, 1.0, 2.0):
        breaker.call(clock.sleep, seconds)
    assert breaker.state == "open"


@pytest.mark.parametrize("listened", [False, True])
def test_slow_calls_in_a_row_open_nothing_where_no_rate_of_them_was_given(clock, listened):
    """Whether somebody listens, for whom calls are timed, changes no decision."""
    breaker = CircuitBreaker.consecutive(2, slow_s=1.0, clock=clock)
    if listened:
        breaker.listen(lambda _: None)
    for _ in range(3):
        breaker.call(clock.sleep, 2.0)
    assert breaker.state == "closed"


def test_slow_calls_in_a_row_open_it_too(clock):
    breaker = CircuitBreaker.consecutive(2, slow_rate=1.0, slow_s=1.0, clock=clock)
    breaker.call(clock.sleep, 2.0)
    breaker.call(ok)
    breaker.call(clock.sleep, 2.0)
    assert breaker.state == "closed"
    breaker.call(clock.sleep, 1.0)
    assert breaker.state == "open"


@pytest.mark.parametrize(
    "window", [{"window": 2}, {"window_s": 10.0, "minimum_calls": 2}, {"consecutive": 2}]
)
def test_results_can_be_failures(clock, window):
    breaker = CircuitBreaker(on_result=lambda code: code >= 500, failure_rate=1.0, clock=clock, **window)
    assert breaker.call(lambda: 503) == 503
    assert breaker.state == "closed"
    assert breaker.call(lambda: 500) == 500
    assert breaker.state == "open"
    breaker.reset()
    for code in (200, 503, 200, 503):
        breaker.call(int, code)
    assert breaker.state == "closed"


# What counts


@pytest.mark.parametrize(
    "on",
    [
        DownError,
        (DownError, OSError),
        ErrorClass.PERMANENT,
        lambda error: isinstance(error, DownError),
        [ErrorClass.TIMEOUT, DownError],
    ],
)
def test_only_what_is_meant_counts(clock, on):
    breaker = CircuitBreaker.consecutive(1, on=on, clock=clock)
    if on is ErrorClass.PERMANENT:
        with pytest.raises(KeyError):
            breaker.call({}.__getitem__, 1)
        assert breaker.state == "open"
        return
    with pytest.raises(ZeroDivisionError):
        breaker.call(lambda: 1 / 0)
    assert breaker.state == "closed"
    assert breaker.statistics.uncounted == 1
    broken(breaker)
    assert breaker.state == "open"


def test_what_is_ignored_does_not_count_although_it_is_meant(clock):
    breaker = CircuitBreaker.consecutive(1, ignore=(DownError, ErrorClass.CANCELLED), clock=clock)
    broken(breaker, 3)
    assert breaker.state == "closed"
    with pytest.raises(ZeroDivisionError):
        breaker.call(lambda: 1 / 0)
    assert breaker.state == "open"


# No trial call is lost


class Cut(BaseException):
    pass


def raising(error):
    def call():
        raise error

    return call


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError("why"), Cut(), KeyError()]
)
@pytest.mark.parametrize("window", [{"consecutive": 1}, {"window": 1}, {"window_s": 9.0, "minimum_calls": 1}])
def test_a_trial_that_ends_without_an_outcome_gives_its_permit_back(clock, error, window):
    breaker = CircuitBreaker(on=DownError, half_open_calls=1, clock=clock, **window)
    broken(breaker)
    clock.advance(60.0)
    for _ in range(3):
        with pytest.raises(type(error)) as caught:
            breaker.call(raising(error))
        assert caught.value is error
        assert breaker.state == "half_open"
        assert breaker.statistics.permits == 1
    assert breaker.statistics.uncounted == 3
    breaker.call(ok)
    assert breaker.state == "closed"


def test_a_cancelled_task_gives_its_permit_back_and_its_cancellation_is_the_same(clock):
    breaker = opened(clock, open_s=0.0)

    async def main():
        task = asyncio.ensure_future(breaker.acall(asyncio.sleep, 3600))
        await asyncio.sleep(0)
        assert breaker.statistics.permits == 0
        with pytest.raises(CircuitOpenError):
            await breaker.acall(aok)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task
        assert breaker.statistics.permits == 1
        assert await breaker.acall(aok) == "ok"

    clock.run(main())
    assert breaker.state == "closed"


def test_a_coroutine_that_is_closed_gives_its_permit_back(clock):
    breaker = opened(clock, open_s=0.0)

    class Forever:
        def __await__(self):
            yield

    async def wait():
        await Forever()

    coroutine = breaker.acall(wait)
    coroutine.send(None)
    assert breaker.statistics.permits == 0
    coroutine.close()
    assert breaker.statistics.permits == 1


def test_a_predicate_that_raises_gives_the_permit_back(clock):
    def unsure(_):
        raise KeyError

    breaker = opened(clock, open_s=0.0)
    breaker.judge = unsure
    breaker.changed()
    with pytest.raises(KeyError):
        breaker.call(fail)
    assert breaker.statistics.permits == 1


def test_a_listener_that_raises_does_not_take_a_permit_with_it(clock):
    breaker = opened(clock, open_s=0.0)
    end = breaker.listen(raising_listener)
    with pytest.raises(RuntimeError):
        breaker.call(ok)
    assert (breaker.state, breaker.statistics.permits) == ("half_open", 1)
    end()
    breaker.call(ok)
    assert breaker.state == "closed"


def raising_listener(_):
    raise RuntimeError


def test_outcomes_of_calls_from_before_a_change_do_not_count(clock):
    breaker = CircuitBreaker.consecutive(1, clock=clock, open_s=5.0)

    async def main():
        late = [asyncio.ensure_future(breaker.acall(clock_fail)) for _ in range(3)]
        await asyncio.sleep(0)
        broken(breaker)
        await clock.asleep(5.0)
        trial = asyncio.ensure_future(breaker.acall(clock.asleep, 100.0))
        await asyncio.sleep(0)
        assert breaker.state == "half_open"
        await asyncio.gather(*late, return_exceptions=True)
        assert breaker.state == "half_open"
        assert breaker.statistics.permits == 0
        await trial
        assert breaker.state == "closed"

    async def clock_fail():
        await clock.asleep(10.0)
        raise DownError

    clock.run(main())


# By hand


def test_forced_open_it_stays_open_whatever_happens(clock):
    breaker = CircuitBreaker(clock=clock)
    breaker.force_open()
    clock.advance(1e6)
    with pytest.raises(CircuitOpenError) as caught:
        breaker.call(ok)
    assert caught.value.retry_after_s is None
    breaker.reset()
    assert (breaker.call(ok), breaker.state) == ("ok", "closed")


@pytest.mark.parametrize("how", ["disable", "force_closed"])
def test_disabled_it_lets_all_through_and_counts_none(clock, how):
    breaker = CircuitBreaker.consecutive(1, clock=clock)
    getattr(breaker, how)()
    broken(breaker, 5)
    assert breaker.state == "disabled"
    breaker.close()
    assert breaker.statistics.failed == 0
    broken(breaker)
    assert breaker.state == "open"


def test_reset_forgets_everything(clock):
    breaker = opened(clock)
    with pytest.raises(CircuitOpenError):
        breaker.call(ok)
    breaker.reset()
    assert breaker.statistics == CircuitBreaker.consecutive(1).statistics


# Listening, drawing, decorating


def test_listeners_hear_of_everything_and_hearing_can_end(clock):
    breaker = CircuitBreaker.consecutive(1, on=DownError, open_s=5.0, clock=clock)
    heard = []
    end = breaker.listen(lambda event: heard.append((event.kind, event.at_s, dict(event.details))))
    breaker.call(ok)
    broken(breaker)
    with pytest.raises(CircuitOpenError):
        breaker.call(ok)
    clock.advance(5.0)
    with pytest.raises(KeyError):
        breaker.call({}.__getitem__, 1)
    breaker.call(clock.sleep, 2.0)
    assert [(kind, at_s) for kind, at_s, _ in heard] == [
        ("success", 0.0), ("failure", 0.0), ("state", 0.0), ("rejected", 0.0), ("state", 5.0),
        ("uncounted", 5.0), ("success", 7.0), ("state", 7.0),
    ]  # fmt: skip
    assert [details["state"] for kind, _, details in heard if kind == "state"] == [
        "open",
        "half_open",
        "closed",
    ]
    assert heard[6][2]["elapsed_s"] == 2.0
    end()
    breaker.call(ok)
    assert len(heard) == 8


def test_decorated_functions_keep_their_name_signature_and_documentation():
    breaker = CircuitBreaker()

    @breaker
    def price(item: str, *, currency: str = "EUR") -> float:
        """Ask for a price."""
        return 1.0

    @breaker
    async def aprice(item: str) -> float:
        return 2.0

    assert (price.__name__, price.__doc__) == ("price", "Ask for a price.")
    assert str(inspect.signature(price)) == "(item: str, *, currency: str = 'EUR') -> float"
    assert (price("tea", currency="GBP"), asyncio.run(aprice("tea"))) == (1.0, 2.0)


def test_within_another_breaker_each_counts_for_itself(clock):
    outer, inner = CircuitBreaker.consecutive(2, clock=clock), CircuitBreaker.consecutive(1, clock=clock)
    call = Pipeline(outer, inner)(fail)
    with pytest.raises(DownError):
        call()
    with pytest.raises(CircuitOpenError):
        call()
    assert (outer.state, inner.state) == ("open", "open")
    with pytest.raises(CircuitOpenError):
        call()
    assert (outer.statistics.rejected, inner.statistics.rejected) == (1, 1)


def test_statistics_draw_themselves(clock):
    breaker = opened(clock)
    statistics = breaker.statistics
    assert repr(statistics).startswith("BreakerStatistics(state=open, calls=0")
    assert "<td" in statistics._repr_html_()
    assert statistics.to_pandas().loc[0, "opened"] == 1
    assert repr(breaker) == "CircuitBreaker('breaker', consecutive window, open)"


# Many threads


WINDOWS = [
    {"window": 100},
    {"window_s": 1000.0},
    {"window_s": 100.0, "buckets": 100_000},
    {"consecutive": 10**6},
]


@pytest.fixture(params=["global lock", "locks"])
def locking(request, monkeypatch):
    """Have each transition run under its policy's lock, as it does where Python has no global one."""
    if request.param == "locks":
        monkeypatch.setattr(transitions, "has_global_lock", lambda: False)
        monkeypatch.setattr(breaker_policy, "has_global_lock", lambda: False)


@pytest.mark.usefixtures("locking")
@pytest.mark.parametrize("window", WINDOWS)
def test_threads_lose_no_outcome(window):
    breaker = CircuitBreaker(failure_rate=1.0, minimum_calls=100, **window)
    per_thread, interval = 4000, sys.getswitchinterval()

    def work():
        flaky = breaker(lambda number: 1 // (number % 2))
        for number in range(per_thread):
            with contextlib.suppress(ZeroDivisionError):
                flaky(number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    seen = breaker.statistics
    if "window_s" in window:
        assert (seen.calls, seen.failed) == (4 * per_thread, 2 * per_thread)
    elif "window" in window:
        assert (seen.calls, seen.failed) == (100, sum(breaker.ring))
    assert seen.state == "closed"


@pytest.mark.usefixtures("locking")
def test_threads_get_as_many_trials_as_there_are_permits():
    breaker = CircuitBreaker.consecutive(1, open_s=0.0, half_open_calls=3)
    broken(breaker)
    inside, gate, refused = threading.Semaphore(0), threading.Event(), []

    def trial():
        inside.release()
        gate.wait(10)

    def work():
        try:
            breaker.call(trial)
        except CircuitOpenError:
            refused.append(1)
            inside.release()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=10)
    gate.set()
    for thread in threads:
        thread.join()
    assert (len(refused), breaker.state) == (5, "closed")


# Sharing


class Board:
    """Two processes in one: what one breaker tells, the other follows."""

    def __init__(self):
        self.breakers, self.told = [], []

    def join(self, breaker):
        self.breakers.append(breaker)

    def changed(self, breaker, state):
        self.told.append(state)
        for other in self.breakers:
            if other is not breaker:
                other.follow(state, since_s=0.0)


def test_breakers_that_share_open_and_close_together_and_news_does_not_circle(clock):
    board = Board()
    here, there = (CircuitBreaker.consecutive(1, shared=board, open_s=5.0, clock=clock) for _ in range(2))
    broken(here)
    assert (there.state, board.told) == ("open", ["open"])
    with pytest.raises(CircuitOpenError):
        there.call(ok)
    clock.advance(5.0)
    there.call(ok)
    assert (here.state, there.state) == ("closed", "closed")
    assert board.told == ["open", "half_open", "closed"]


def test_news_has_an_age(clock):
    breaker = CircuitBreaker(open_s=10.0, clock=clock)
    breaker.follow("open", since_s=7.0)
    with pytest.raises(CircuitOpenError) as caught:
        breaker.call(ok)
    assert caught.value.retry_after_s == 3.0


# Arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"failure_rate": 0.0}, "failure_rate is 0.0, expected a share above 0 to 1"),
        ({"failure_rate": 50}, "failure_rate is 50"),
        ({"slow_rate": -1}, "slow_rate is -1"),
        ({"window": 0}, "window is 0, expected a whole number of at least 1"),
        ({"window": 2.5}, "window is 2.5"),
        ({"window": 5, "consecutive": 3}, "window and consecutive are given, expected one window"),
        ({"window_s": 0.0}, "window_s is 0.0, expected a positive number of seconds"),
        ({"window_s": 5.0, "buckets": 0}, "buckets is 0"),
        ({"open_s": -1.0}, "open_s is -1.0, expected zero or more seconds"),
        ({"open_s": float("nan")}, "open_s is nan"),
        ({"open_growth": 0.5}, "open_growth is 0.5, expected a number of at least 1"),
        ({"half_open_calls": 0}, "half_open_calls is 0"),
        ({"minimum_calls": True}, "minimum_calls is True"),
        ({"on": "Timeout"}, "on: 'Timeout' is no exception type"),
        ({"on": int}, "on: <class 'int'> is no exception type"),
        ({"ignore": 3}, "ignore: 3 is no exception type"),
        ({"on_result": 3}, "on_result is 3, expected a function"),
    ],
)
def test_arguments_out_of_range_are_named(arguments, message):
    with pytest.raises(PolicyError) as caught:
        CircuitBreaker(**arguments)
    assert message in str(caught.value)


def test_following_an_unknown_state_is_an_error():
    with pytest.raises(PolicyError, match="state is 'ajar'"):
        CircuitBreaker().follow("ajar")
