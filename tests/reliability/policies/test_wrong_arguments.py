"""Whatever nonsense an argument is, the error is ours and names it."""

import math

import pytest

from workbench.errors import WorkbenchError
from workbench.reliability.deadlines import deadline
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.breaker_registry import BreakerRegistry
from workbench.reliability.policies.budget import RetryBudget
from workbench.reliability.policies.cache import Cache
from workbench.reliability.policies.chaos import Chaos
from workbench.reliability.policies.fallback import Fallback
from workbench.reliability.policies.hedge import Hedge
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.shedder import LoadShedder
from workbench.reliability.policies.throttle import ClientThrottle
from workbench.reliability.policies.timeout import Timeout
from workbench.reliability.policy import PolicyError

NUMBERS = [
    (lambda value: Retry(timeout_s=value), "timeout_s"),
    (lambda value: CircuitBreaker(failure_rate=value), "failure_rate"),
    (lambda value: CircuitBreaker(open_growth=value), "open_growth"),
    (lambda value: CircuitBreaker(open_s=value), "open_s"),
    (Timeout, "timeout_s"),
    (lambda value: RateLimiter.gcra(rate_hz=value), "rate_hz"),
    (lambda value: RateLimiter.gcra(rate_hz=1.0, burst=value), "burst"),
    (lambda value: RateLimiter.fixed_window(limit=1, window_s=value), "window_s"),
    (lambda value: Hedge(quantile=value), "quantile"),
    (lambda value: Hedge(burst=value), "burst"),
    (Cache, "ttl_s"),
    (lambda value: LoadShedder(target_s=value), "target_s"),
    (lambda value: ClientThrottle(ratio=value), "ratio"),
    (Chaos.latency, "rate"),
    (lambda value: RetryBudget(minimum_hz=value), "minimum_hz"),
    (lambda value: RetryBudget(burst=value), "burst"),
    (lambda value: BreakerRegistry(idle_s=value), "idle_s"),
]


@pytest.mark.parametrize("value", [math.nan, -math.inf, -1, True, "3", 10**400], ids=repr)
@pytest.mark.parametrize(("make", "name"), NUMBERS, ids=[str(number) for number in range(len(NUMBERS))])
def test_numbers(make, name, value):
    if value == 10**400:
        assert len(repr(value)) > 300
    with pytest.raises(PolicyError, match=name):
        make(value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Retry(clock=3), "clock is 3, expected one with now, sleep and asleep"),
        (lambda: RetryBudget(clock="now"), "clock is 'now'"),
        (lambda: BreakerRegistry(clock=3), "clock is 3"),
        (lambda: Timeout(1.0, rng=7), "rng is 7, expected what gives random numbers"),
        (lambda: Cache(name=5), "name is 5, expected a text"),
        (lambda: BreakerRegistry(3), "factory is 3, expected a function"),
        (lambda: CircuitBreaker(shared="x"), "shared is 'x', expected what ties breakers"),
        (lambda: RateLimiter.gcra(rate_hz=1, shared="x"), "shared is 'x', expected what keeps states"),
        (lambda: LoadShedder(weights=[1]), r"weights is \[1\], expected a mapping"),
        (lambda: Fallback(by_type=KeyError), "by_type is .*, expected a mapping"),
        (lambda: CircuitBreaker(buckets=5), "buckets is 5: they are pieces of window_s"),
        (lambda: CircuitBreaker(consecutive=3, buckets=5), "buckets is 5"),
        (lambda: Hedge(quantile=1.0), "quantile is 1.0, expected a number between 0 and 1"),
        (lambda: deadline("5"), "a deadline of '5' seconds"),
        (lambda: deadline(math.nan), "a deadline of nan seconds"),
        (lambda: deadline(True), "a deadline of True seconds"),
    ],
)
def test_what_is_of_another_kind(make, message):
    with pytest.raises(PolicyError, match=message):
        make()


def test_they_are_errors_of_the_workbench_and_value_errors():
    with pytest.raises(WorkbenchError):
        Timeout(-1)
    with pytest.raises(ValueError, match="timeout_s"):
        Timeout(-1)
