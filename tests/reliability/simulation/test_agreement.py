"""One policy, two worlds: live on a virtual clock and compiled, the same pipeline decides alike."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backoff import Exponential
from workbench.reliability.errors import CircuitOpenError, ErrorClass
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.budget import RetryBudget
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.fallback import Fallback
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.timeout import Timeout
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.replay import Schedule, replay

from .live import StreamOfCall, play, play_in_turn

SEED = 11


@st.composite
def schedules(draw):
    size = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rate_hz = draw(st.sampled_from([5.0, 50.0, 500.0]))
    shape = (size, codes.GIVEN_ATTEMPTS)
    arrivals = np.cumsum(rng.exponential(1 / rate_hz, size))
    return Schedule(
        arrivals, rng.exponential(0.05, shape), rng.random(shape) < draw(st.sampled_from([0.0, 0.3, 0.8]))
    )


def retries(layer, patience_s=60.0):
    return st.builds(
        lambda attempts, jitter, budget, base: (
            lambda: Retry(
                attempts=attempts,
                backoff=Exponential(base, jitter=jitter),
                budget=RetryBudget(ratio=0.2, burst=2.0, minimum_hz=1.0) if budget else None,
                retry_after_max_s=patience_s,
                rng=StreamOfCall(SEED, layer),
            )
        ),
        st.integers(1, 5),
        st.sampled_from(["none", "full", "equal"]),
        st.booleans(),
        st.sampled_from([0.01, 0.1]),
    )


OTHERS = st.one_of(
    st.builds(
        lambda rate, burst: lambda: RateLimiter.gcra(rate_hz=rate, burst=burst),
        st.sampled_from([5.0, 40.0]),
        st.integers(1, 5),
    ),
    st.builds(
        lambda window, half_open, slow: (
            lambda: CircuitBreaker(**window, **slow, open_s=0.2, half_open_calls=half_open)
        ),
        st.sampled_from(
            [
                {"window": 5, "minimum_calls": 5},
                {"window": 20, "minimum_calls": 5},
                {"window_s": 0.5, "buckets": 4, "minimum_calls": 5},
                {"window_s": 0.05, "minimum_calls": 2, "failure_rate": 0.2},
                {"consecutive": 2},
                {"consecutive": 4},
            ]
        ),
        st.integers(1, 3),
        st.sampled_from([{}, {"slow_rate": 0.5, "slow_s": 0.04}]),
    ),
    st.builds(
        lambda limit, queue, wait: lambda: Bulkhead(limit, queue=queue, max_wait_s=wait),
        st.integers(1, 5),
        st.integers(0, 3),
        st.sampled_from([None, 0.03]),
    ),
    st.builds(lambda limit: lambda: Timeout(limit), st.sampled_from([0.02, 0.06, 0.3])),
    st.builds(lambda limit: lambda: Deadline(limit), st.sampled_from([0.05, 0.2])),
    st.builds(
        lambda on: lambda: Fallback("instead", on=on),
        st.sampled_from([Exception, TimeoutError, ErrorClass.OVERLOAD, (ConnectionError, CircuitOpenError)]),
    ),
)


@st.composite
def pipelines(draw):
    """Return what makes a pipeline of up to four layers, with one retry at most."""
    makers = draw(st.lists(OTHERS, max_size=3))
    if draw(st.booleans()):
        place = draw(st.integers(0, len(makers)))
        makers.insert(place, draw(retries(place)))
    return lambda: Pipeline(*(make() for make in makers))


@settings(max_examples=300, deadline=None)
@given(pipelines(), schedules())
def test_live_on_a_virtual_clock_and_compiled_decide_alike(make_pipeline, schedule):
    """Each call ends alike, after as many attempts, at the same instant to the last bit."""
    played, pipeline = play(make_pipeline, schedule)
    replayed = replay(pipeline, schedule, seed=SEED)
    assert replayed.outcomes.tolist() == played.outcomes
    assert replayed.attempts.tolist() == played.attempts
    assert replayed.finished_s.tolist() == played.finished_s


@st.composite
def schedules_in_turn(draw):
    """Return calls so far apart that each has ended before the next one comes."""
    size = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (size, codes.GIVEN_ATTEMPTS)
    arrivals = np.cumsum(rng.uniform(30.0, 60.0, size)).round(6)  # times whose differences are exact enough
    failed = rng.random(shape) < draw(st.sampled_from([0.0, 0.3, 0.8]))
    return Schedule(arrivals, rng.exponential(0.05, shape), failed)


SLOW_OTHERS = st.one_of(
    st.builds(
        lambda rate, burst: lambda: RateLimiter.gcra(rate_hz=rate, burst=burst),
        st.sampled_from([0.01, 0.02]),
        st.integers(1, 5),
    ),
    st.builds(
        lambda window, half_open: lambda: CircuitBreaker(**window, open_s=100.0, half_open_calls=half_open),
        st.sampled_from(
            [
                {"window": 3, "minimum_calls": 3},
                {"window": 10, "minimum_calls": 3},
                {"window_s": 300.0, "buckets": 10, "minimum_calls": 3},
                {"consecutive": 2},
            ]
        ),
        st.integers(1, 3),
    ),
    st.just(lambda: Bulkhead(1)),
)


@st.composite
def pipelines_in_turn(draw):
    makers = draw(st.lists(SLOW_OTHERS, max_size=3))
    if draw(st.booleans()):
        place = draw(st.integers(0, len(makers)))
        makers.insert(place, draw(retries(place, patience_s=1.0)))
    return lambda: Pipeline(*(make() for make in makers))


@settings(max_examples=200, deadline=None)
@given(pipelines_in_turn(), schedules_in_turn())
def test_live_in_sync_code_and_compiled_decide_alike(make_pipeline, schedule):
    played, pipeline = play_in_turn(make_pipeline, schedule)
    replayed = replay(pipeline, schedule, seed=SEED)
    assert replayed.outcomes.tolist() == played.outcomes
    assert replayed.attempts.tolist() == played.attempts
    assert np.allclose(replayed.finished_s, played.finished_s, rtol=1e-12, atol=0)
