"""`Retry` around functions and async functions: on a virtual clock, where nobody waits."""

import asyncio
import contextlib
import gc
import inspect
import itertools
import random
import sys
import threading
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.backoff import Constant, Exponential
from workbench.clock import VirtualClock, virtual_time
from workbench.reliability.errors import (
    BudgetExhaustedError,
    CircuitOpenError,
    DeadlineExceededError,
    ErrorClass,
    RateLimitedError,
    provenance_of,
)
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.budget import RetryBudget
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policy import PolicyError

WORLDS = ["sync", "async"]


class Script:
    """A callee that follows a script: it raises what is an exception, and returns the rest."""

    def __init__(self, *replies):
        self.replies = iter(replies)
        self.calls = 0

    def reply(self):
        self.calls += 1
        reply = next(self.replies)
        if isinstance(reply, BaseException):
            raise reply
        return reply

    async def areply(self):
        return self.reply()


class World:
    """Calls policies in one of the worlds, on a virtual clock that starts at zero."""

    def __init__(self, name):
        self.name = name
        self.clock = VirtualClock()

    def call(self, policy, script):
        if self.name == "sync":
            return policy.call(script.reply)
        return self.clock.run(policy.acall(script.areply))

    def retry(self, **more):
        more = {"attempts": 3, "backoff": Constant(1.0)} | more
        return Retry(clock=self.clock, rng=random.Random(7), **more)


@pytest.fixture(params=WORLDS)
def world(request):
    return World(request.param)


def failures(count):
    return [ConnectionError(f"failure {number}") for number in range(1, count + 1)]


def test_a_success_is_passed_on_at_once(world):
    retry, script = world.retry(), Script("fine")
    assert world.call(retry, script) == "fine"
    assert (script.calls, world.clock.now()) == (1, 0.0)
    assert sum(retry.statistics.to_dict().values()) == 0


def test_attempts_count_all_calls_the_first_included(world):
    retry, script = world.retry(attempts=3), Script(*failures(9))
    with pytest.raises(ConnectionError, match="failure 3"):
        world.call(retry, script)
    assert script.calls == 3
    assert world.clock.now() == 2.0
    assert (retry.statistics.retries, retry.statistics.exhausted) == (2, 1)


def test_one_attempt_is_no_retry(world):
    script = Script(*failures(2))
    with pytest.raises(ConnectionError, match="failure 1"):
        world.call(world.retry(attempts=1), script)
    assert script.calls == 1


def test_it_ends_with_the_first_success(world):
    retry, script = world.retry(attempts=5), Script(*failures(3), "fine")
    assert world.call(retry, script) == "fine"
    assert (script.calls, world.clock.now()) == (4, 3.0)
    assert (retry.statistics.retries, retry.statistics.recovered) == (3, 1)


def test_without_a_number_of_attempts_it_goes_on(world):
    script = Script(*failures(500), "fine")
    assert world.call(world.retry(attempts=None, backoff=Constant(0.0)), script) == "fine"


def test_it_waits_as_the_backoff_says(world):
    backoff = Exponential(0.5, cap_s=60.0, jitter="decorrelated")
    with pytest.raises(ConnectionError):
        world.call(world.retry(attempts=6, backoff=backoff), Script(*failures(6)))
    assert world.clock.now() == pytest.approx(
        sum(itertools.islice(backoff.delays_s(random.Random(7).random), 5))
    )


def test_the_last_error_is_raised_itself_with_those_before_it(world):
    errors = failures(3)
    with pytest.raises(ConnectionError) as caught:
        world.call(world.retry(name="checkout"), Script(*errors))
    last = caught.value
    assert last is errors[2]
    assert last.__context__ is errors[1]
    assert errors[1].__context__ is errors[0]
    assert errors[0].__context__ is None
    (said,) = provenance_of(last)
    assert (said.policy, said.attempt, said.elapsed_s, said.deadline_left_s) == (
        "retry 'checkout'",
        3,
        2.0,
        None,
    )
    assert "failure 1" in last.__notes__[-1]
    assert "failure 2" in last.__notes__[-1]


def test_earlier_errors_go_behind_the_causes_of_the_last(world):
    root, first, last = KeyError("root"), OSError("first"), OSError("last")
    last.__context__ = root
    with pytest.raises(OSError, match="last"):
        world.call(world.retry(attempts=2), Script(first, last))
    assert last.__context__ is root
    assert root.__context__ is first


def test_one_error_that_is_raised_again_and_again_makes_no_ring(world):
    error = ConnectionError("always the same")
    with pytest.raises(ConnectionError) as caught:
        world.call(world.retry(attempts=4), Script(*[error] * 4))
    assert caught.value is error
    assert error.__context__ is None


def test_errors_that_know_each_other_make_no_ring(world):
    first, second = OSError("first"), OSError("second")
    first.__context__ = second
    with pytest.raises(OSError, match="second"):
        world.call(world.retry(attempts=2), Script(first, second))
    seen, each = [], second
    while each is not None and len(seen) < 9:
        seen.append(each)
        each = each.__context__
    assert len(seen) < 9


def test_all_errors_in_a_group_if_asked_for(world):
    errors = failures(3)
    with pytest.raises(ExceptionGroup, match="3 attempts") as caught:
        world.call(world.retry(errors="group"), Script(*errors))
    assert list(caught.value.exceptions) == errors


def test_of_many_errors_the_newest_are_kept(world):
    with pytest.raises(ExceptionGroup) as caught:
        world.call(world.retry(attempts=200, backoff=Constant(0.0), errors="group"), Script(*failures(200)))
    assert [str(each) for each in caught.value.exceptions] == [f"failure {n}" for n in range(181, 201)]


# What is tried again


@pytest.mark.parametrize(
    ("on", "error", "again"),
    [
        pytest.param(ConnectionError, ConnectionResetError(), True, id="a subclass"),
        pytest.param(ConnectionError, ValueError(), False, id="another type"),
        pytest.param((ValueError, KeyError), KeyError(), True, id="one of a tuple"),
        pytest.param(ErrorClass.TIMEOUT, TimeoutError(), True, id="its class"),
        pytest.param(ErrorClass.TIMEOUT, ConnectionResetError(), False, id="another class"),
        pytest.param((ErrorClass.TIMEOUT, KeyError), KeyError(), True, id="a class or a type"),
        pytest.param(lambda error: "busy" in str(error), RuntimeError("busy"), True, id="a predicate"),
        pytest.param(lambda error: "busy" in str(error), RuntimeError("no"), False, id="a predicate says no"),
        pytest.param(None, ValueError(), True, id="any exception"),
        pytest.param(None, RateLimitedError("limiter", 0.0), True, id="ours, retryable"),
        pytest.param(None, CircuitOpenError("breaker", 1.0), False, id="ours, not retryable"),
        pytest.param(CircuitOpenError, CircuitOpenError("breaker", 1.0), True, id="ours, by name"),
        pytest.param(OSError, ExceptionGroup("", [OSError(), ConnectionError()]), True, id="a group of such"),
        pytest.param(OSError, ExceptionGroup("", [OSError(), KeyError()]), False, id="a mixed group"),
        pytest.param(ExceptionGroup, ExceptionGroup("", [KeyError()]), True, id="groups by name"),
    ],
)
def test_what_is_tried_again(world, on, error, again):
    retry, script = world.retry(on=on), Script(error, "fine")
    if again:
        assert world.call(retry, script) == "fine"
    else:
        with pytest.raises(type(error)) as caught:
            world.call(retry, script)
        assert caught.value is error
        assert retry.statistics.permanent == 1
    assert script.calls == 1 + again


def test_what_is_ignored_is_not_tried_again(world):
    script = Script(ConnectionResetError(), "fine")
    with pytest.raises(ConnectionResetError):
        world.call(world.retry(on=OSError, ignore=ConnectionResetError), script)
    assert script.calls == 1


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt(), SystemExit(), asyncio.CancelledError(), GeneratorExit()], ids=repr
)
def test_requests_to_stop_pass_untouched(stop):
    retry, script = World("sync").retry(on=Exception), Script(*failures(1), stop, "fine")
    with pytest.raises(type(stop)) as caught:
        retry.call(script.reply)
    assert caught.value is stop
    assert script.calls == 2
    assert provenance_of(stop) == ()


@pytest.mark.parametrize("on", [BaseException, KeyboardInterrupt, (OSError, asyncio.CancelledError)], ids=str)
def test_requests_to_stop_cannot_be_asked_for(on):
    with pytest.raises(PolicyError, match="on"):
        Retry(on=on)


def test_a_predicate_that_fails_is_not_hidden(world):
    with pytest.raises(ZeroDivisionError):
        world.call(world.retry(on=lambda error: 1 / 0), Script(*failures(3)))


# Results


def test_an_unwanted_result_is_tried_again(world):
    retry, script = world.retry(on_result=lambda reply: reply is None), Script(None, None, "fine")
    assert world.call(retry, script) == "fine"
    assert (script.calls, world.clock.now(), retry.statistics.recovered) == (3, 2.0, 1)


def test_the_last_result_is_returned_when_attempts_end(world):
    retry, script = world.retry(on_result=lambda reply: reply < 0), Script(-1, -2, -3, -4)
    assert world.call(retry, script) == -3
    assert (script.calls, retry.statistics.exhausted, retry.statistics.recovered) == (3, 1, 0)


def test_errors_and_results_share_the_attempts(world):
    script = Script(*failures(1), None, "fine")
    assert world.call(world.retry(on_result=lambda reply: reply is None), script) == "fine"


def test_a_response_may_say_how_long_to_wait(world):
    class Response:
        headers = {"Retry-After": "7"}  # noqa: RUF012 - a stand-in

    script = Script(Response(), "fine")
    assert world.call(world.retry(on_result=lambda reply: reply != "fine"), script) == "fine"
    assert world.clock.now() == 7.0


# How long


class Busy(Exception):  # noqa: N818 - what a server says
    def __init__(self, seconds):
        super().__init__(seconds)
        self.headers = {"retry-after": str(seconds)}


@pytest.mark.parametrize(("asked_s", "waited_s"), [(0, 1.0), (5, 5.0), (60, 60.0)])
def test_the_callee_can_ask_for_more_time_but_not_for_less(world, asked_s, waited_s):
    assert world.call(world.retry(), Script(Busy(asked_s), "fine")) == "fine"
    assert world.clock.now() == waited_s


def test_it_gives_up_when_the_callee_asks_for_too_much(world):
    retry, script = world.retry(), Script(Busy(61), "fine")
    with pytest.raises(Busy):
        world.call(retry, script)
    assert (script.calls, world.clock.now(), retry.statistics.told_to_wait) == (1, 0.0, 1)


def test_what_the_callee_asks_for_can_be_ignored(world):
    assert world.call(world.retry(retry_after=None), Script(Busy(500), "fine")) == "fine"
    assert world.clock.now() == 1.0


def test_its_own_time_ends_the_attempts_and_is_not_waited_for(world):
    retry, script = world.retry(attempts=9, timeout_s=2.5), Script(*failures(9))
    with pytest.raises(DeadlineExceededError) as caught:
        world.call(retry, script)
    assert (script.calls, world.clock.now()) == (3, 2.0)
    assert str(caught.value.__cause__) == "failure 3"
    assert provenance_of(caught.value.__cause__)[0].deadline_left_s == 0.5
    assert (caught.value.timeout_s, caught.value.started, retry.statistics.out_of_time) == (2.5, False, 1)


@pytest.mark.parametrize(("least_s", "calls"), [(0.0, 3), (1.3, 2)])
def test_no_attempt_starts_that_cannot_end_before_the_deadline(world, least_s, calls):
    script = Script(*failures(9))
    pipeline = Pipeline(
        Deadline(2.4, name="request", clock=world.clock), world.retry(attempts=9, least_attempt_s=least_s)
    )
    with pytest.raises(DeadlineExceededError, match="request"):
        world.call(pipeline, script)
    assert script.calls == calls
    assert world.clock.now() == calls - 1


# Budgets


def test_a_spent_budget_ends_the_attempts(world):
    budget = RetryBudget(ratio=0.0, minimum_hz=0.0, burst=3.0, name="shared", clock=world.clock)
    first, second = (world.retry(attempts=10, budget=budget) for _ in range(2))
    with pytest.raises(BudgetExhaustedError, match="shared") as caught:
        world.call(first, Script(*failures(10)))
    assert str(caught.value.__cause__) == "failure 4"
    assert provenance_of(caught.value.__cause__)[0].attempt == 4
    with pytest.raises(BudgetExhaustedError):
        world.call(second, Script(*failures(10)))
    assert budget.statistics.to_dict() == {"calls": 2, "granted": 3, "refused": 2, "left": 0.0}
    assert (first.statistics.retries, first.statistics.out_of_budget) == (3, 1)
    assert (second.statistics.retries, second.statistics.out_of_budget) == (0, 1)


def test_a_call_pays_once_however_often_it_is_tried(world):
    budget = RetryBudget(clock=world.clock)
    world.call(world.retry(budget=budget), Script(*failures(2), "fine"))
    assert budget.statistics.calls == 1


def test_a_retry_that_is_not_worth_it_takes_nothing_from_the_budget(world):
    budget = RetryBudget(clock=world.clock)
    with pytest.raises(KeyError):
        world.call(world.retry(on=OSError, budget=budget), Script(KeyError()))
    assert budget.statistics.granted == 0


@given(
    outcomes=st.lists(st.booleans(), max_size=300),
    ratio=st.floats(0, 1),
    burst=st.floats(1, 5),
    attempts=st.integers(1, 6),
)
def test_the_budget_is_never_exceeded(outcomes, ratio, burst, attempts):
    clock = VirtualClock()
    budget = RetryBudget(ratio=ratio, minimum_hz=0.5, burst=burst, clock=clock)
    retries = [
        Retry(attempts=attempts, on=OSError, backoff=Constant(0.1), budget=budget, clock=clock)
        for _ in range(2)
    ]
    replies, attempted, called = iter(outcomes), 0, 0

    def callee():
        nonlocal attempted
        attempted += 1
        if not next(replies):
            raise OSError

    for retry in itertools.cycle(retries):
        called += 1
        try:
            retry.call(callee)
        except (OSError, BudgetExhaustedError):
            pass
        except StopIteration:
            break
    assert attempted - called <= burst + ratio * called + 0.5 * clock.now() + 1e-6


# Threads, tasks, memory


@pytest.fixture
def frequent_switches():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_lose_no_count(frequent_switches):
    """Eight threads, each call fails once; the budget pays for exactly so many retries."""
    threads, calls, granted = 8, 200, 500
    budget = RetryBudget(ratio=0.0, minimum_hz=0.0, burst=float(granted))
    retry = Retry(attempts=2, backoff=Constant(0.0), budget=budget)

    @retry
    def fails_first(flag):
        if not flag:
            flag.append(1)
            raise OSError

    def work():
        for _ in range(calls):
            with contextlib.suppress(BudgetExhaustedError):
                fails_first([])

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    found, kept = retry.statistics, budget.statistics
    assert (kept.calls, kept.granted, kept.refused) == (1600, granted, 1100)
    assert (found.retries, found.recovered, found.out_of_budget) == (granted, granted, 1100)


def test_tasks_share_a_policy_without_mixing_their_attempts():
    retry = Retry(attempts=4, backoff=Constant(1.0))

    async def call(number):
        script = Script(*failures(number), number)
        return await retry.acall(script.areply), script.calls

    async def calls():
        return await asyncio.gather(*(call(number % 4) for number in range(40)))

    with virtual_time() as clock:
        found = asyncio.run(calls())
    assert found == [(number % 4, number % 4 + 1) for number in range(40)]
    assert clock.now() == 3.0


def test_cancellation_while_it_waits_passes_with_its_identity():
    retry = Retry(attempts=9, backoff=Constant(10.0))

    async def main():
        script = Script(*failures(9))
        task = asyncio.create_task(retry.acall(script.areply))
        await asyncio.sleep(15.0)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task
        assert task.cancelled()
        return script.calls

    with virtual_time():
        assert asyncio.run(main()) == 2


def test_an_interrupt_while_it_waits_passes():
    class Clock(VirtualClock):
        def sleep(self, seconds):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Retry(clock=Clock()).call(Script(*failures(3)).reply)


def test_a_call_that_recovered_leaves_no_ring_of_references():
    held = []

    def remember(error):
        held.append(weakref.ref(error))
        return True

    class Failure(Exception):  # noqa: N818 - it only has to be told from others
        pass

    def callee():
        if len(held) < 2:
            raise Failure
        return "fine"

    gc.collect()
    gc.disable()
    try:
        assert Retry(backoff=Constant(0.0), on=remember).call(callee) == "fine"
        assert [each() for each in held] == [None, None]
    finally:
        gc.enable()


# As all policies


def test_a_decorated_function_keeps_its_face():
    @Retry()
    def total(items: list[int], *, start: int = 0) -> int:
        """Add."""
        return sum(items, start)

    @Retry()
    async def atotal(items):
        return sum(items)

    assert (total.__name__, total.__doc__) == ("total", "Add.")
    assert str(inspect.signature(total)) == "(items: list[int], *, start: int = 0) -> int"
    assert total([1, 2], start=3) == 6
    assert inspect.iscoroutinefunction(atotal)
    assert asyncio.run(atotal([1, 2])) == 3


def test_reset_forgets_what_was_counted(world):
    retry = world.retry()
    with pytest.raises(ConnectionError):
        world.call(retry, Script(*failures(3)))
    retry.reset()
    assert sum(retry.statistics.to_dict().values()) == 0


def test_listeners_hear_of_retries_and_of_the_end(world):
    retry, heard = world.retry(name="mine"), []
    end = retry.listen(heard.append)
    world.call(retry, Script(*failures(1), "fine"))
    with pytest.raises(ConnectionError):
        world.call(retry, Script(*failures(3)))
    end()
    world.call(retry, Script(*failures(1), "fine"))
    assert [event.kind for event in heard] == ["retry", "recovered", "retry", "retry", "gave_up"]
    assert {event.policy for event in heard} == {"mine"}
    assert dict(heard[0].details)["delay_s"] == 1.0
    assert dict(heard[-1].details)["reason"] == "exhausted"


def test_within_a_pipeline_inner_policies_see_every_attempt(world):
    limiter = RateLimiter.gcra(rate_hz=1.0, burst=1, clock=world.clock)
    script = Script(*failures(2), "fine")
    assert world.call(Pipeline(world.retry(backoff=Constant(1.5)), limiter), script) == "fine"
    script = Script("unasked")
    with pytest.raises(RateLimitedError):
        world.call(Pipeline(world.retry(attempts=1), limiter), script)
    assert script.calls == 0


def test_a_rejection_says_when_to_come_back(world):
    limiter = RateLimiter.gcra(rate_hz=0.1, burst=1, clock=world.clock)
    pipeline = Pipeline(world.retry(), limiter)
    world.call(pipeline, Script("first"))
    assert world.call(pipeline, Script("second")) == "second"
    assert world.clock.now() == pytest.approx(10.0)


WRONG = {
    "no attempt": ({"attempts": 0}, "attempts"),
    "part of an attempt": ({"attempts": 1.5}, "attempts"),
    "a truth value": ({"attempts": True}, "attempts"),
    "a number as backoff": ({"backoff": 1.0}, "backoff"),
    "a number as budget": ({"budget": 3}, "budget"),
    "no exception": ({"on": 3}, "on"),
    "no function": ({"on_result": 3}, "on_result"),
    "no time": ({"timeout_s": 0.0}, "timeout_s"),
    "negative time": ({"least_attempt_s": -1.0}, "least_attempt_s"),
    "no patience": ({"retry_after_max_s": -1.0}, "retry_after_max_s"),
    "no number": ({"retry_after": 5}, "retry_after"),
    "unknown errors": ({"errors": "first"}, "errors"),
}


@pytest.mark.parametrize("case", WRONG)
def test_arguments_that_make_no_sense_are_refused_by_name(case):
    arguments, name = WRONG[case]
    with pytest.raises(PolicyError, match=name):
        Retry(**arguments)


def test_it_shows_what_it_does_and_what_it_counted():
    assert (
        repr(Retry(attempts=2, backoff=Constant(1.0)))
        == "Retry(attempts=2, backoff=Constant(base_s=1.0, jitter='none'))"
    )
    statistics = Retry().statistics
    assert repr(statistics).startswith("RetryStatistics(retries=0, recovered=0")
    assert "out of budget" in statistics._repr_html_()
