"""Client throttles decide alike, live and compiled; and reject the share that the SRE book's formula says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.reliability.errors import ErrorClass
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.throttle import ClientThrottle
from workbench.reliability.simulation.distributions import Constant
from workbench.reliability.simulation.service import Even, Service
from workbench.reliability.simulation.simulate import simulate

from .agreeing import (
    IN_TURN,
    SEED,
    around,
    check_agreement,
    check_agreement_in_turn,
    schedules,
    schedules_in_turn,
)
from .live import StreamOfCall

WINDOW_S = 60.0
FREE = Service(servers=1000, service_time=Constant(1e-3))
THROTTLES = st.builds(
    lambda ratio, window_s, most, on, buckets: (
        lambda layer: ClientThrottle(
            ratio=ratio,
            window_s=window_s,
            max_rejection=most,
            on=on,
            buckets=buckets,
            rng=StreamOfCall(SEED, layer),
        )
    ),
    st.sampled_from([1.0, 1.1, 2.0]),
    st.sampled_from([0.1, 1.0, 60.0]),
    st.sampled_from([0.5, 1.0]),
    st.sampled_from([None, ConnectionError, ErrorClass.OVERLOAD]),
    st.integers(2, 20),
)


def check_counts(pipeline, replayed):
    """Compare what the throttles have counted at the end."""
    world = replayed.world
    for layer, policy in zip(world.layers, pipeline.policies, strict=True):
        if isinstance(policy, ClientThrottle):
            state = world.admissions["client_throttle_state"][layer["admission"]]
            for field in state.dtype.names:
                assert state[field] == getattr(policy.memory, field), field


@settings(max_examples=120, deadline=None)
@given(around(THROTTLES), schedules())
def test_overlapping_calls_are_throttled_alike(make_pipeline, schedule):
    check_counts(*check_agreement(make_pipeline, schedule))


@settings(max_examples=80, deadline=None)
@given(around(THROTTLES, IN_TURN), schedules_in_turn())
def test_calls_in_turn_are_throttled_alike(make_pipeline, schedule):
    check_counts(*check_agreement_in_turn(make_pipeline, schedule))


def rejected(pipeline, service):
    """Return the share of 100 calls a second that the throttle rejects, once its window is full."""
    result = simulate(pipeline, service, Even(100.0), seed=5, duration_s=2000.0, warmup_s=200.0)
    return result.outcomes.get("throttled", 0) / result.customers


@pytest.mark.parametrize("capacity_hz", [10.0, 25.0])
@pytest.mark.parametrize("ratio", [1.5, 2.0])
def test_a_callee_with_a_capacity_gets_about_k_times_what_it_accepts(capacity_hz, ratio):
    """R calls a window, of which it accepts C: p = (R - K C) / (R + 1), and K C + 1 are sent (chapter 21)."""
    callee = RateLimiter.token_bucket(rate_hz=capacity_hz, burst=100)
    requests, accepts = 100.0 * WINDOW_S, capacity_hz * WINDOW_S
    found = rejected(Pipeline(ClientThrottle(ratio=ratio, window_s=WINDOW_S), callee), FREE)
    assert found == pytest.approx((requests - ratio * accepts) / (requests + 1), abs=0.01)


def test_a_callee_that_accepts_more_than_one_in_k_calls_is_hardly_spared():
    service = Service(servers=100, service_time=Constant(0.01), failure_rate=0.3)
    assert rejected(ClientThrottle(window_s=WINDOW_S), service) < 0.001


def test_one_that_refuses_nearly_all_gets_next_to_nothing():
    """It accepts a share a < 1/K whatever comes: R / (1 + R (1 - K a)) of R calls a window are sent."""
    service = Service(servers=100, service_time=Constant(0.001), failure_rate=1.0)
    found = rejected(ClientThrottle(window_s=WINDOW_S), service)
    requests = 100.0 * WINDOW_S
    assert (1 - found) * requests == pytest.approx(requests / (1 + requests), rel=0.5)
