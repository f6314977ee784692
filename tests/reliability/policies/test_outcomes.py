"""Which exceptions count, for all policies alike; above all, what a group of them counts as."""

import asyncio

import pytest

from workbench.backoff import Constant
from workbench.reliability.errors import CircuitOpenError, ErrorClass
from workbench.reliability.policies._outcomes import Failures
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.cache import Cache
from workbench.reliability.policies.fallback import Fallback
from workbench.reliability.policies.retry import Retry

RESET, LATE, WRONG = ConnectionError("reset"), TimeoutError("late"), ValueError("wrong")


def group(*errors):
    return ExceptionGroup("several", errors)


@pytest.mark.parametrize(
    ("on", "ignore", "error", "counts"),
    [
        (ConnectionError, (), group(RESET), True),
        (ConnectionError, (), group(RESET, WRONG), False),
        (ConnectionError, (), group(RESET, group(RESET, RESET)), True),
        (ConnectionError, (), group(RESET, group(RESET, WRONG)), False),
        ((ConnectionError, TimeoutError), (), group(RESET, LATE), True),
        (OSError, TimeoutError, group(RESET, LATE), False),
        (Exception, (), group(RESET, WRONG), True),
        (Exception, ValueError, group(RESET), True),
        (Exception, ValueError, group(WRONG), False),
        (ErrorClass.TRANSIENT, (), group(RESET), True),
        (ErrorClass.TRANSIENT, (), group(RESET, WRONG), False),
        (lambda error: "reset" in str(error), (), group(RESET, RESET), True),
        (ExceptionGroup, (), group(WRONG), True),
        (ExceptionGroup, (), RESET, False),
        ((ExceptionGroup, ConnectionError), (), group(WRONG), True),
        ((), (), group(RESET), False),
    ],
)
def test_a_group_counts_where_all_its_members_do(on, ignore, error, counts):
    failures = Failures.of(on, ignore)
    assert failures.include(error) is counts
    caught = isinstance(error, failures.types)
    assert (caught and (failures.judge is None or failures.judge(error))) is counts


def test_what_nobody_has_to_judge_is_a_matter_of_types_alone():
    assert Failures.of(Exception).judge is None
    assert Failures.of(BaseException).judge is None


async def both_fail():
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(reset())
        tasks.create_task(reset())


async def reset():
    raise ConnectionError


def test_a_breaker_counts_what_a_group_of_tasks_raises():
    breaker = CircuitBreaker.consecutive(2, on=ConnectionError)
    for _ in range(2):
        with pytest.raises(ExceptionGroup):
            asyncio.run(breaker.acall(both_fail))
    with pytest.raises(CircuitOpenError):
        asyncio.run(breaker.acall(both_fail))


def test_a_fallback_and_a_cache_know_it_too():
    assert asyncio.run(Fallback("instead", on=ConnectionError).acall(both_fail)) == "instead"
    cache = Cache(0.001, stale_if_error_s=60.0, stale_on=ConnectionError)
    replies = iter([1, group(RESET)])

    def reply():
        found = next(replies)
        if isinstance(found, Exception):
            raise found
        return found

    cached = cache(reply)
    assert cached() == 1
    cache.clock.sleep(0.002)
    assert cached() == 1


def test_a_retry_knows_it_too():
    calls = []

    async def once():
        calls.append(1)
        if len(calls) < 3:
            await both_fail()
        return len(calls)

    assert asyncio.run(Retry(on=ConnectionError, backoff=Constant(0.0)).acall(once)) == 3
