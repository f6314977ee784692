"""`Timeout` and `Deadline`: one timer a call, errors that name their layer, cancellation that is kept."""

import asyncio
import inspect
import itertools

import pytest

from workbench.backoff import Constant
from workbench.clock import VirtualClock, virtual_time
from workbench.reliability.deadlines import current_deadline, deadline
from workbench.reliability.errors import (
    AttemptTimeoutError,
    DeadlineExceededError,
    provenance_of,
)
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.timeout import Timeout
from workbench.reliability.policy import PolicyError


@pytest.fixture
def clock():
    with virtual_time() as clock:
        yield clock


async def sleeper(seconds):
    await asyncio.sleep(seconds)
    return "done"


async def wait(future):
    await future


# Async


@pytest.mark.parametrize(
    ("policy", "error"), [(Timeout(1.0), AttemptTimeoutError), (Deadline(1.0), DeadlineExceededError)]
)
def test_async_code_is_cancelled_when_its_time_is_up(clock, policy, error):
    policy.reset()
    with pytest.raises(error) as caught:
        asyncio.run(policy.acall(sleeper, 5.0))
    assert clock.now() == 1.0
    assert caught.value.timeout_s == 1.0
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)
    assert provenance_of(caught.value)[0].elapsed_s == 1.0
    assert policy.statistics.timed_out == 1


def test_async_code_in_time_is_left_alone(clock):
    policy = Timeout(1.0)
    assert asyncio.run(policy.acall(sleeper, 0.5)) == "done"
    assert policy.statistics.timed_out == 0


@pytest.mark.parametrize("order", list(itertools.permutations([1.0, 2.0, 3.0])), ids=str)
def test_the_layer_whose_limit_came_is_named(clock, order):
    layers = [Timeout(seconds, name=f"{seconds:g}") for seconds in order]
    with pytest.raises(AttemptTimeoutError) as caught:
        asyncio.run(Pipeline(*layers).acall(sleeper, 5.0))
    assert (caught.value.policy, clock.now()) == ("1", 1.0)
    assert {layer.name: layer.statistics.timed_out for layer in layers} == {"1": 1, "2": 0, "3": 0}


def test_one_timer_a_call_however_many_layers(clock):
    """Counted where timers are made; the loop's own sleep is the only other one."""
    made = []

    async def main():
        loop = asyncio.get_running_loop()
        call_at = loop.call_at

        def counted(*args, **kwargs):
            made.append(args[0])
            return call_at(*args, **kwargs)

        loop.call_at = counted
        layers = [Timeout(seconds) for seconds in (9.0, 5.0, 8.0, 4.0, 6.0)]
        return await Pipeline(Deadline(20.0), *layers).acall(sleeper, 3.0)

    assert asyncio.run(main()) == "done"
    assert sorted(made) == [3.0, 4.0]


def test_a_call_that_never_waits_makes_no_timer(clock):
    async def answer():
        return 1

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_at = None
        return await Pipeline(Deadline(20.0), Timeout(3.0)).acall(answer)

    assert asyncio.run(main()) == 1


def test_a_timer_is_gone_after_the_call(clock):
    async def main():
        await Timeout(1.0).acall(sleeper, 0.1)
        await asyncio.sleep(10.0)
        return "undisturbed"

    assert asyncio.run(main()) == "undisturbed"


def test_each_attempt_has_its_time_and_all_have_the_deadline(clock):
    retry = Retry(attempts=9, backoff=Constant(0.5))
    pipeline = Pipeline(Deadline(4.0, name="request"), retry, Timeout(1.0, name="attempt"))
    with pytest.raises(DeadlineExceededError, match="request") as caught:
        asyncio.run(pipeline.acall(sleeper, 60.0))
    assert clock.now() == 4.0
    assert caught.value.started
    assert retry.statistics.retries == 2


def test_cancellation_from_outside_keeps_its_identity(clock):
    async def main():
        task = asyncio.create_task(Pipeline(Deadline(9.0), Timeout(5.0)).acall(sleeper, 60.0))
        await asyncio.sleep(1.0)
        task.cancel("outside")
        with pytest.raises(asyncio.CancelledError, match="outside"):
            await task
        assert task.cancelled()

    asyncio.run(main())


def test_when_both_come_at_once_cancellation_wins(clock):
    """Both requests reach the task before it runs again; the one from outside must not be lost."""

    async def main():
        waited_for = asyncio.get_running_loop().create_future()
        waited_for.add_done_callback(lambda _: task.cancel())  # called before the task that waits for it
        task = asyncio.create_task(Timeout(1.0).acall(wait, waited_for))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert task.cancelling() == 1

    asyncio.run(main())
    assert clock.now() == 1.0


@pytest.mark.parametrize("first", ["timer", "outside"])
def test_of_both_at_one_instant_the_one_that_was_set_first_wins(clock, first):
    async def main():
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(Timeout(1.0).acall(sleeper, 60.0))
        if first == "timer":
            await asyncio.sleep(0.0)
        loop.call_at(1.0, task.cancel)
        with pytest.raises(AttemptTimeoutError if first == "timer" else asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert clock.now() == 1.0


def test_a_cancellation_before_the_call_is_not_taken_for_the_limits_own(clock):
    async def main():
        async def cancelled_before():
            asyncio.current_task().cancel("earlier")
            try:
                await asyncio.sleep(5.0)
            except asyncio.CancelledError:
                with pytest.raises(AttemptTimeoutError):
                    await Timeout(1.0).acall(sleeper, 5.0)
                raise

        task = asyncio.create_task(cancelled_before())
        with pytest.raises(asyncio.CancelledError, match="earlier"):
            await task

    asyncio.run(main())


def test_a_second_limit_that_comes_during_clean_up_holds_too(clock):
    async def stubborn():
        try:
            await asyncio.sleep(60.0)
        finally:
            await asyncio.sleep(60.0)

    with pytest.raises(AttemptTimeoutError) as caught:
        asyncio.run(Pipeline(Timeout(3.0, name="outer"), Timeout(1.0, name="inner")).acall(stubborn))
    assert (caught.value.policy, clock.now()) == ("outer", 3.0)


def test_a_task_that_was_timed_out_can_go_on(clock):
    async def main():
        for _ in range(3):
            with pytest.raises(AttemptTimeoutError):
                await Timeout(1.0).acall(sleeper, 60.0)
        assert asyncio.current_task().cancelling() == 0
        async with asyncio.timeout(2.0):
            await asyncio.sleep(1.0)
        return "fine"

    assert asyncio.run(main()) == "fine"


def test_asyncios_own_timeouts_nest_both_ways(clock):
    async def main():
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(1.0):
                await Timeout(5.0).acall(sleeper, 60.0)
        assert not isinstance(caught.value, AttemptTimeoutError)

        async def inner():
            async with asyncio.timeout(5.0):
                await asyncio.sleep(60.0)

        with pytest.raises(AttemptTimeoutError):
            await Timeout(1.0).acall(inner)

    asyncio.run(main())


def test_errors_of_the_callee_pass(clock):
    error = TimeoutError("the callee's own")

    async def callee():
        raise error

    policy = Timeout(1.0)
    with pytest.raises(TimeoutError) as caught:
        asyncio.run(policy.acall(callee))
    assert caught.value is error
    assert policy.statistics.timed_out == 0


def test_tasks_inherit_the_deadline_and_enforce_it_where_they_are_limited(clock):
    async def child():
        return await Timeout(50.0, name="child").acall(sleeper, 60.0)

    async def main():
        with deadline(2.0, name="parent"):
            task = asyncio.create_task(child())
        with pytest.raises(DeadlineExceededError, match="parent"):
            await task

    asyncio.run(main())
    assert clock.now() == 2.0


def test_a_clock_of_its_own_works_on_a_real_loop():
    clock = VirtualClock()

    async def callee():
        await clock.asleep(60.0)

    with pytest.raises(AttemptTimeoutError):
        asyncio.run(Timeout(1.0, clock=clock).acall(callee))
    assert clock.now() >= 1.0


def test_many_tasks_have_a_limit_each(clock):
    policy = Timeout(1.0)

    async def main():
        calls = (policy.acall(sleeper, 0.1 * number) for number in range(20))
        return await asyncio.gather(*calls, return_exceptions=True)

    found = asyncio.run(main())
    assert [isinstance(each, AttemptTimeoutError) for each in found[:10]] == [False] * 10
    assert all(isinstance(each, AttemptTimeoutError) for each in found[11:])


# Sync


def test_sync_code_runs_to_its_end_and_is_too_late_then():
    clock = VirtualClock()
    policy = Timeout(1.0, clock=clock)
    with pytest.raises(AttemptTimeoutError):
        policy.call(clock.sleep, 3.0)
    assert clock.now() == 3.0
    assert policy.statistics.timed_out == 1
    assert policy.call(lambda: "fine") == "fine"


def test_sync_code_can_ask_how_much_time_is_left():
    clock = VirtualClock()

    def callee():
        clock.sleep(0.75)
        return current_deadline().left_s()

    assert Timeout(1.0, clock=clock).call(callee) == 0.25
    assert current_deadline() is None


@pytest.mark.parametrize("order", list(itertools.permutations([1.0, 2.0, 3.0])), ids=str)
def test_sync_layers_name_the_first_limit_too(order):
    clock = VirtualClock()
    layers = [Timeout(seconds, name=f"{seconds:g}", clock=clock) for seconds in order]
    with pytest.raises(AttemptTimeoutError) as caught:
        Pipeline(*layers).call(clock.sleep, 5.0)
    assert caught.value.policy == "1"
    assert {layer.name: layer.statistics.timed_out for layer in layers} == {"1": 1, "2": 0, "3": 0}


@pytest.mark.parametrize("world", ["sync", "async"])
def test_nothing_starts_when_no_time_is_left(world):
    clock, calls = VirtualClock(), []
    policy = Timeout(5.0, clock=clock)

    async def acallee():
        calls.append(1)

    with deadline(1.0, clock=clock, name="request"):
        clock.advance(1.0)
        call = {
            "sync": lambda: policy.call(calls.append, 1),
            "async": lambda: clock.run(policy.acall(acallee)),
        }[world]
        with pytest.raises(DeadlineExceededError, match="before the callee was asked"):
            call()
    assert calls == []
    assert policy.statistics.refused == 1


def test_an_error_of_the_callee_is_raised_even_when_it_is_late():
    clock = VirtualClock()

    def callee():
        clock.sleep(5.0)
        raise KeyError

    with pytest.raises(KeyError):
        Timeout(1.0, clock=clock).call(callee)
    assert current_deadline() is None


# As all policies


def test_a_decorated_function_keeps_its_face():
    @Timeout(1.0)
    def total(a: int, b: int) -> int:
        """Add."""
        return a + b

    assert (total.__name__, total.__doc__, total(1, 2)) == ("total", "Add.", 3)
    assert str(inspect.signature(total)) == "(a: int, b: int) -> int"


def test_listeners_hear_of_it_and_reset_forgets_it():
    clock, heard = VirtualClock(), []
    policy = Timeout(1.0, clock=clock, name="mine")
    policy.listen(heard.append)
    with pytest.raises(AttemptTimeoutError):
        policy.call(clock.sleep, 3.0)
    assert [(event.kind, event.policy, event.at_s) for event in heard] == [("timed_out", "mine", 3.0)]
    policy.reset()
    assert policy.statistics.to_dict() == {"timed_out": 0, "refused": 0, "abandoned": 0}


@pytest.mark.parametrize("kind", [Timeout, Deadline])
@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), "1"], ids=str)
def test_a_limit_is_a_positive_number_of_seconds(kind, seconds):
    with pytest.raises(PolicyError, match="timeout_s"):
        kind(seconds)


def test_there_are_three_ways_to_interrupt():
    with pytest.raises(PolicyError, match="interrupt"):
        Timeout(1.0, interrupt="kill")


def test_it_shows_its_limit():
    assert (repr(Timeout(1.5)), repr(Deadline(2))) == ("Timeout(1.5)", "Deadline(2)")
