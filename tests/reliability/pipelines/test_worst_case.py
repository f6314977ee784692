"""The worst case is what really happens when everything goes as badly as it can, on a virtual clock."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.backoff import Constant, Exponential, Linear
from workbench.clock import VirtualClock
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.pipelines._worst_case import costs, longest_delays_s, longest_wait_s
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.chaos import Chaos
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.hedge import Hedge
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.shedder import LoadShedder
from workbench.reliability.policies.timeout import Timeout


class Unlucky:
    """A generator whose numbers are as large as they can be."""

    def random(self):
        return 1.0 - 2.0**-53


BACKOFFS = st.one_of(
    st.builds(Constant, st.sampled_from([0.0, 0.1, 1.0]), st.sampled_from(["none", "full", "equal", 0.25])),
    st.builds(Linear, st.just(0.5), st.just(0.25), st.just(1.0), st.sampled_from(["none", "full", 0.5])),
    st.builds(
        Exponential,
        st.sampled_from([0.1, 0.5]),
        st.just(2.0),
        st.sampled_from([0.5, 4.0]),
        st.sampled_from(["none", "full", "equal", "decorrelated", "decorrelated_v2", 0.3]),
    ),
)
LAYERS = st.lists(
    st.one_of(
        st.tuples(st.just("retry"), st.integers(1, 4), BACKOFFS),
        st.tuples(st.just("timeout"), st.sampled_from([0.5, 2.0, 30.0])),
        st.tuples(st.just("deadline"), st.sampled_from([3.0, 10.0])),
    ),
    max_size=4,
)


def made(layers, clock):
    for kind, *numbers in layers:
        if kind == "retry":
            attempts, backoff = numbers
            yield Retry(attempts=attempts, backoff=backoff, on=Exception, clock=clock, rng=Unlucky())
        else:
            yield (Timeout if kind == "timeout" else Deadline)(numbers[0], clock=clock)


@given(LAYERS)
def test_no_call_that_hangs_takes_longer_or_is_tried_more_often(layers):
    clock = VirtualClock()
    attempts = 0

    async def hang():
        nonlocal attempts
        attempts += 1
        await clock.asleep(1000.0)

    policies = tuple(made([*layers, ("timeout", 1.0)], clock))
    worst = costs(policies)[0]

    async def main():
        with pytest.raises(TimeoutError):
            await Pipeline(*policies).acall(hang)

    clock.run(main())
    assert attempts <= worst.attempts
    assert clock.now() <= worst.seconds * (1 + 1e-9)
    if not any(kind in ("timeout", "deadline") for kind, *_ in layers):
        assert attempts == worst.attempts
        assert clock.now() == pytest.approx(worst.seconds)


def test_attempts_are_a_product_and_an_unlimited_function_takes_without_end():
    worst = costs((Retry(attempts=3), Hedge(0.1, hedges=1), Retry(attempts=4)))[0]
    assert (worst.attempts, worst.seconds) == (24.0, math.inf)
    assert costs(()) == [costs((Retry(),))[-1]]


def test_a_hedge_takes_its_delays_and_one_more_attempt():
    assert costs((Hedge(0.5, hedges=2), Timeout(2.0)))[0].seconds == 3.0
    assert (
        costs((Hedge(5.0, hedges=2), Timeout(2.0)))[0].seconds == 6.0
    )  # each starts when the one before has failed
    assert costs((Hedge(hedges=2), Timeout(2.0)))[0].seconds == 6.0  # its delay is not known


def test_a_retry_starts_no_attempt_after_its_own_time():
    assert costs((Retry(attempts=None, timeout_s=5.0), Timeout(2.0)))[0].seconds == 7.0


def test_longest_delays_of_attempts_without_end():
    assert longest_delays_s(Retry(attempts=None)) == math.inf
    assert longest_delays_s(Retry(attempts=None, backoff=Constant(0.0))) == 0.0
    assert longest_delays_s(Retry(attempts=20_001, backoff=Constant(0.5))) == 10_000.0


@pytest.mark.parametrize(
    ("policy", "wait_s"),
    [
        (RateLimiter.gcra(rate_hz=1), 0.0),
        (RateLimiter.gcra(rate_hz=1, wait_s=3.0), 3.0),
        (Bulkhead(1), 0.0),
        (Bulkhead(1, queue=3), math.inf),
        (Bulkhead(1, queue=3, max_wait_s=2.0), 2.0),
        (LoadShedder(1), 1.0),
        (LoadShedder(1, discipline="adaptive_lifo", interval_s=0.25), 0.25),
        (LoadShedder(1, queue=0, discipline="adaptive_lifo"), 0.0),
        (Chaos.latency(delay_s=4.0, seed=1), 4.0),
        (Chaos.latency(delay_s=lambda u: u, seed=1), math.inf),
        (Chaos.error(seed=1), 0.0),
        (Retry(), 0.0),
    ],
    ids=repr,
)
def test_how_long_layers_keep_calls_waiting(policy, wait_s):
    assert longest_wait_s(policy) == wait_s
    assert costs((policy, Timeout(1.0)))[0].seconds >= 1.0 + wait_s
