"""`Chaos`: which calls are hit, with what, and that the same ones are hit again."""

import asyncio
import contextlib
import inspect
import random
import sys
import threading
from contextvars import ContextVar

import pytest
from scipy import stats

from workbench.clock import VirtualClock
from workbench.reliability.errors import ChaosError, CircuitOpenError
from workbench.reliability.machines.chaos import uniforms
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.chaos import Chaos
from workbench.reliability.policy import PolicyError


@pytest.fixture
def clock():
    return VirtualClock()


def hits(chaos, calls=200):
    return [chaos.call(lambda: False) for _ in range(calls)]


def outcome(**more):
    return Chaos.outcome(**{"rate": 0.3, "result": True, "seed": 7, **more})


@pytest.fixture(params=["sync", "async"])
def through(request, clock):
    async def right():
        return "right"

    if request.param == "sync":
        return lambda chaos: chaos.call(lambda: "right")
    return lambda chaos: clock.run(chaos.acall(right))


# What is injected


def test_latency_comes_before_the_call(through, clock):
    assert through(Chaos.latency(rate=1.0, delay_s=3.0, clock=clock)) == "right"
    assert clock.now() == 3.0


def test_latency_can_be_random(through, clock):
    chaos = Chaos.latency(rate=1.0, delay_s=stats.expon(scale=2.0), seed=7, clock=clock)
    through(chaos)
    assert clock.now() == pytest.approx(stats.expon(scale=2.0).ppf(uniforms(7, 1, 1)[0]))
    through(Chaos.latency(rate=1.0, delay_s=lambda u: 100.0 + 0 * u, clock=clock))
    assert clock.now() > 100.0


def test_a_random_latency_must_be_one(through):
    with pytest.raises(PolicyError, match=r"delay_s is -1\.0"):
        through(Chaos.latency(rate=1.0, delay_s=lambda _: -1.0))


def test_errors_are_raised_instead_of_the_call(through):
    with pytest.raises(ChaosError, match="'chaos error' injected an error"):
        through(Chaos.error(rate=1.0))
    with pytest.raises(ConnectionError):
        through(Chaos.error(rate=1.0, error=ConnectionError))
    with pytest.raises(ValueError, match="made"):
        through(Chaos.error(rate=1.0, error=lambda: ValueError("made")))
    error = OSError()
    chaos = Chaos.error(rate=1.0, error=error)
    lengths = []
    for _ in range(3):
        with pytest.raises(OSError) as caught:
            through(chaos)
        assert caught.value is error
        lengths.append(len(caught.traceback))
    assert lengths[1] == lengths[2]


def test_one_of_several_errors_is_raised():
    chaos, seen = Chaos.error(rate=1.0, error=[KeyError, OSError], seed=1), []
    for _ in range(100):
        try:
            chaos.call(int)
        except (KeyError, OSError) as error:
            seen.append(type(error))
    assert 30 < seen.count(KeyError) < 70


def test_what_makes_no_exception_is_an_error(through):
    with pytest.raises(PolicyError, match="expected an exception"):
        through(Chaos.error(rate=1.0, error=lambda: 3))


def test_outcomes_are_returned_instead_of_the_call(through):
    assert through(Chaos.outcome(rate=1.0, result="wrong")) == "wrong"
    assert through(Chaos.outcome(rate=1.0, result=list)) == []
    assert through(Chaos.outcome(rate=1.0)) is None


def test_behaviour_comes_before_the_call(through):
    done = []
    assert through(Chaos.behaviour(rate=1.0, action=lambda: done.append(1))) == "right"
    assert done == [1]


def test_async_behaviour_is_awaited_around_async_calls_and_an_error_around_others(clock):
    done = []

    async def act():
        await clock.asleep(1.0)
        done.append(clock.now())

    async def right():
        return "right"

    chaos = Chaos.behaviour(rate=1.0, action=act, clock=clock)
    assert clock.run(chaos.acall(right)) == "right"
    assert done == [1.0]
    with pytest.raises(PolicyError, match="the action is async, the call is not"):
        chaos.call(int)


# Which calls are hit


def test_the_seed_and_the_number_of_the_call_decide():
    assert hits(outcome()) == (uniforms(7, 200) < 0.3).tolist()
    assert hits(outcome()) == hits(outcome())
    assert hits(outcome()) != hits(outcome(seed=8))


def test_after_reset_the_same_calls_are_hit_again():
    chaos = outcome()
    first = hits(chaos)
    chaos.reset()
    assert chaos.statistics.calls == 0
    assert hits(chaos) == first


def test_a_seed_that_was_not_given_is_told():
    chaos = outcome(seed=None)
    assert hits(outcome(seed=chaos.statistics.seed)) == hits(chaos)


def test_as_many_are_hit_as_the_rate_says():
    low, high = stats.binom.interval(0.9999, 20_000, 0.3)
    assert low <= sum(hits(outcome(), 20_000)) <= high
    assert sum(hits(outcome(rate=0.0))) == 0
    assert sum(hits(outcome(rate=1.0))) == 200


def test_the_rate_can_change_from_call_to_call():
    rates = iter([0.0, 1.0, 0.0])
    assert hits(outcome(rate=lambda: next(rates)), 3) == [False, True, False]
    with pytest.raises(PolicyError, match="rate is 2"):
        hits(outcome(rate=lambda: 2), 1)


def test_a_generator_can_take_the_place_of_the_seed():
    assert hits(outcome(rng=random.Random(1))) == hits(outcome(rng=random.Random(1)))


# Whether anything is


def test_it_can_be_switched_off_and_on():
    chaos = outcome(rate=1.0, enabled=False)
    call = chaos(lambda: False)
    assert call() is False
    chaos.enable()
    assert call() is True
    chaos.disable()
    assert (call(), chaos.enabled, chaos.statistics.calls) == (False, False, 1)


def test_a_function_or_the_context_can_switch_it():
    switch = [False]
    chaos = outcome(rate=1.0, enabled=lambda: switch[0])
    assert hits(chaos, 1) == [False]
    switch[0] = True
    assert hits(chaos, 1) == [True]

    victim: ContextVar[bool] = ContextVar("victim")
    chaos = outcome(rate=1.0, enabled=victim)

    async def call(hit):
        victim.set(hit)
        await asyncio.sleep(0)
        return await chaos.acall(answer)

    async def answer():
        return False

    async def main():
        return await asyncio.gather(*(call(hit) for hit in (True, False, True)))

    assert hits(chaos, 1) == [False]
    assert asyncio.run(main()) == [True, False, True]
    assert chaos.statistics.calls == 2


# In a pipeline


def test_a_breaker_around_it_opens():
    breaker = CircuitBreaker.consecutive(3)
    call = Pipeline(breaker, Chaos.error(rate=1.0))(lambda: "never")
    for _ in range(3):
        with pytest.raises(ChaosError):
            call()
    with pytest.raises(CircuitOpenError):
        call()


def test_all_four_kinds_can_be_together(clock):
    calls = []
    call = Pipeline(
        Chaos.latency(rate=1.0, delay_s=1.0, clock=clock),
        Chaos.behaviour(rate=1.0, action=lambda: calls.append("did")),
        Chaos.error(rate=0.5, error=OSError, seed=1),
        Chaos.outcome(rate=0.5, result="wrong", seed=2),
    )(lambda: "right")
    seen = []
    for _ in range(100):
        with contextlib.suppress(OSError):
            seen.append(call())
    assert clock.now() == 100.0
    assert len(calls) == 100
    errors, wrong = uniforms(1, 100) < 0.5, uniforms(2, 100) < 0.5
    assert len(seen) == 100 - errors.sum()
    assert seen == ["wrong" if is_wrong else "right" for is_wrong in wrong[: len(seen)]]


def test_a_call_that_is_cancelled_while_it_waits_keeps_its_cancellation(clock):
    async def main():
        task = asyncio.ensure_future(Chaos.latency(rate=1.0, clock=clock).acall(asyncio.sleep, 0))
        await clock.asleep(1.0)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task

    clock.run(main())


def test_listeners_hear_of_each_hit(clock):
    chaos, heard = outcome(clock=clock), []
    chaos.listen(lambda event: heard.append(dict(event.details)["call"]))
    assert [number for number, hit in enumerate(hits(chaos)) if hit] == heard


def test_threads_hit_as_many_calls_as_the_seed_says():
    chaos, per_thread, interval = outcome(), 2000, sys.getswitchinterval()
    call, seen = chaos(lambda: False), []

    def work():
        seen.append(sum(call() for _ in range(per_thread)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert sum(seen) == (uniforms(7, 4 * per_thread) < 0.3).sum() == chaos.statistics.injected


def test_decorated_functions_keep_their_signature():
    @Chaos.error(rate=0.0)
    def price(item: str) -> float:
        """Ask for a price."""
        return 1.0

    assert price("tea") == 1.0
    assert (price.__name__, str(inspect.signature(price))) == ("price", "(item: str) -> float")
    assert repr(Chaos.error(rate=0.25, seed=3)) == "Chaos.error('chaos error', rate 0.25, seed 3)"


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (Chaos.latency, {"rate": 1.5}, "rate is 1.5, expected a share from 0 to 1"),
        (Chaos.latency, {"delay_s": -1.0}, "delay_s is -1.0"),
        (Chaos.error, {"error": 3}, "error is 3"),
        (Chaos.error, {"error": []}, "error is empty"),
        (Chaos.behaviour, {"action": 3}, "action is 3"),
        (Chaos.outcome, {"seed": 1.5}, "seed is 1.5"),
        (Chaos.outcome, {"enabled": 3}, "enabled is 3"),
        (Chaos, {"fault": "fire", "what": 1}, "fault is 'fire'"),
    ],
)
def test_arguments_out_of_range_are_named(make, arguments, message):
    with pytest.raises(PolicyError) as caught:
        make(**arguments)
    assert message in str(caught.value)
