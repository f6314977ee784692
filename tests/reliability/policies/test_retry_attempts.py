"""Attempts as blocks, with `for` and with `async for`."""

import asyncio

import pytest

from workbench.backoff import Constant
from workbench.clock import VirtualClock
from workbench.reliability.errors import BudgetExhaustedError, DeadlineExceededError, provenance_of
from workbench.reliability.policies.budget import RetryBudget
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policy import PolicyError


@pytest.fixture(params=["with", "async with", "with in async for"])
def run(request):
    """Run a block for each attempt; return what the blocks were told, and the clock's reading."""

    def run(block, **more):
        clock = VirtualClock()
        retry = Retry(clock=clock, **({"attempts": 3, "backoff": Constant(1.0)} | more))
        if request.param == "with":
            for attempt in retry:
                with attempt:
                    block(attempt)
            return clock.now()

        async def main():
            async for attempt in retry:
                if request.param == "async with":
                    async with attempt:
                        block(attempt)
                else:
                    with attempt:
                        block(attempt)

        clock.run(main())
        return clock.now()

    return run


def test_a_block_is_tried_until_it_succeeds(run):
    numbers = []

    def block(attempt):
        numbers.append(attempt.number)
        if attempt.number < 3:
            raise OSError

    assert run(block) == 2.0
    assert numbers == [1, 2, 3]


def test_a_block_that_succeeds_runs_once(run):
    numbers = []
    assert run(lambda attempt: numbers.append(attempt.number)) == 0.0
    assert numbers == [1]


def test_the_last_error_is_raised_itself(run):
    errors = [OSError(number) for number in range(3)]

    def block(attempt):
        raise errors[attempt.number - 1]

    with pytest.raises(OSError) as caught:
        run(block)
    assert caught.value is errors[2]
    assert provenance_of(caught.value)[0].attempt == 3


def test_what_is_not_tried_again_is_raised_at_once(run):
    numbers = []

    def block(attempt):
        numbers.append(attempt.number)
        raise KeyError

    with pytest.raises(KeyError):
        run(block, on=OSError)
    assert numbers == [1]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, asyncio.CancelledError])
def test_requests_to_stop_end_the_loop(stop):
    numbers = []

    def loop():
        for attempt in Retry():
            with attempt:
                numbers.append(attempt.number)
                raise stop

    with pytest.raises(stop):
        loop()
    assert numbers == [1]


def test_a_result_can_be_judged(run):
    numbers = []

    def block(attempt):
        numbers.append(attempt.number)
        attempt.result = attempt.number

    run(block, on_result=lambda number: number < 2)
    assert numbers == [1, 2]


def test_results_end_with_the_attempts(run):
    numbers = []

    def block(attempt):
        numbers.append(attempt.number)
        attempt.result = None

    run(block, on_result=lambda result: result is None)
    assert numbers == [1, 2, 3]


def test_its_time_and_its_budget_count(run):
    def block(attempt):
        raise OSError

    with pytest.raises(DeadlineExceededError):
        run(block, timeout_s=0.5)
    budget = RetryBudget(ratio=0.0, minimum_hz=0.0, burst=1.0)
    with pytest.raises(BudgetExhaustedError):
        run(block, budget=budget)
    assert (budget.statistics.calls, budget.statistics.granted) == (1, 1)


def test_a_loop_without_a_block_is_a_mistake_and_does_not_go_on_for_ever():
    with pytest.raises(PolicyError, match="with attempt"):
        for _ in Retry():
            pass


def test_a_loop_can_be_left():
    retry = Retry(clock=VirtualClock())
    for attempt in retry:
        with attempt:
            break
    assert sum(retry.statistics.to_dict().values()) == 0


def test_two_loops_over_one_policy_have_attempts_of_their_own():
    retry = Retry(attempts=2, backoff=Constant(0.0))
    for _ in range(3):
        numbers = []
        for attempt in retry:
            with attempt:
                numbers.append(attempt.number)
                if attempt.number == 1:
                    raise OSError
        assert numbers == [1, 2]
    assert retry.statistics.recovered == 3
