"""Pickled and copied, a policy is one that was made with the same, and has learnt nothing."""

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest
from reliability.policies.every_policy import MAKERS

from workbench.clock import DEFAULT_CLOCK, SYSTEM_CLOCK, VirtualClock
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.budget import RetryBudget
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry


def pickled(value):
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("again", [pickled, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("name", MAKERS)
def test_the_copy_is_made_alike_and_has_learnt_nothing(name, again):
    policy = MAKERS[name]()
    assert policy.call(len, "abc") == 3
    found = again(policy)
    assert type(found) is type(policy)
    assert found.clock is DEFAULT_CLOCK
    assert found.name == policy.name
    if name != "chaos":  # its seed is drawn anew
        assert repr(found.statistics) == repr(MAKERS[name]().statistics)
    assert found.call(len, "abc") == 3
    if not isinstance(found, Pipeline):
        assert found.parameters == MAKERS[name]().parameters


def test_a_deep_copy_goes_by_the_same_clock():
    clock = VirtualClock()
    budget = RetryBudget(clock=clock)
    first, second = copy.deepcopy([Retry(budget=budget, clock=clock), Retry(budget=budget, clock=clock)])
    assert first.clock is second.clock is first.budget.clock is clock
    assert first.budget is second.budget is not budget


def test_retries_that_are_pickled_together_share_their_budget():
    budget = RetryBudget(ratio=0.5, minimum_hz=0.0, burst=2.0, name="ours")
    first, second = pickled((Retry(budget=budget), Retry(budget=budget)))
    assert first.budget is second.budget
    assert repr(first.budget) == repr(budget)
    assert first.budget.name == "ours"


@pytest.mark.parametrize("clock", [DEFAULT_CLOCK, SYSTEM_CLOCK])
def test_clocks_of_which_there_is_one_stay_the_one(clock):
    assert pickled(clock) is copy.deepcopy(clock) is clock


def test_a_limiter_keeps_its_algorithm_and_its_patience():
    limiter = RateLimiter.sliding_window(limit=3, window_s=2.0, wait_s=1.5, max_keys=7)
    found = pickled(limiter)
    assert repr(found) == repr(limiter)
    assert found.states.max_keys == 7
    assert [found.try_acquire("k") for _ in range(4)] == [True, True, True, False]


def called_through(policy):
    return policy.call(len, "abc")


def test_a_policy_reaches_other_processes():
    pipeline = Pipeline(CircuitBreaker(window=10), Retry(attempts=2))
    with ProcessPoolExecutor(1) as pool:
        assert pool.submit(called_through, pipeline).result() == 3
