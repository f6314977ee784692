"""Adaptive limits decide alike, live and compiled; and come to rest where theory says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.reliability.policies.adaptive import AdaptiveLimit
from workbench.reliability.policies.adaptive_algorithms import AIMD, Gradient2, Vegas
from workbench.reliability.simulation.distributions import Constant
from workbench.reliability.simulation.service import Closed, Service
from workbench.reliability.simulation.simulate import Prepared, simulate

from .agreeing import (
    IN_TURN,
    SEED,
    around,
    check_agreement,
    check_agreement_in_turn,
    schedules,
    schedules_in_turn,
)
from .live import StreamOfPolicy

ALGORITHMS = st.one_of(
    st.builds(
        lambda initial, backoff, timeout_s: AIMD(
            initial=initial, minimum=1, maximum=8, backoff=backoff, timeout_s=timeout_s
        ),
        st.integers(1, 8),
        st.sampled_from([0.5, 0.9]),
        st.sampled_from([0.05, 5.0]),
    ),
    st.builds(
        lambda initial, probe, smoothing: Vegas(
            initial=initial, minimum=1, maximum=12, probe=probe, smoothing=smoothing
        ),
        st.integers(1, 12),
        st.sampled_from([1, 2, 30]),
        st.sampled_from([0.5, 1.0]),
    ),
    st.builds(
        lambda initial, smoothing, warmup: Gradient2(
            initial=initial, minimum=1, maximum=12, smoothing=smoothing, warmup=warmup, long_window=10
        ),
        st.integers(1, 12),
        st.sampled_from([0.2, 1.0]),
        st.integers(1, 5),
    ),
)


@st.composite
def limits(draw):
    """Return what makes an adaptive limit."""
    algorithm = draw(ALGORITHMS)
    options = {
        "queue": draw(st.integers(0, 4)),
        "max_wait_s": draw(st.sampled_from([None, 0.03, 1.0])),
        "order": draw(st.sampled_from(["fifo", "lifo", "priority"])),
        "window_s": draw(st.sampled_from([0.0, 0.1])),
        "least": draw(st.integers(1, 3)),
        "min_rtt_s": draw(st.sampled_from([1e-4, 0.02])),
    }
    if draw(st.booleans()):
        options["on"] = draw(st.sampled_from([ConnectionError, TimeoutError, Exception]))
    return lambda layer: AdaptiveLimit(algorithm, **options, rng=StreamOfPolicy(SEED, layer))


def check_limits(pipeline, replayed):
    """Compare what the limits have come to, to the last bit."""
    world = replayed.world
    for layer, policy in zip(world.layers, pipeline.policies, strict=True):
        if isinstance(policy, AdaptiveLimit):
            name = policy.algorithm.machine.__name__.rpartition(".")[2]
            record = world.admissions[layer["admission"]]
            pairs = [
                (policy.estimate, record[f"{name}_state"]),
                (policy.window, record["sampling_state"]),
                (policy.memory, world.bulkhead_states[layer["index"]]),
                (policy.parameters, world.bulkhead_parameters[layer["index"]]),
            ]
            for live, compiled in pairs:
                for field in compiled.dtype.names:
                    assert compiled[field] == getattr(live, field), field


@settings(max_examples=150, deadline=None)
@given(around(limits()), schedules())
def test_overlapping_calls_find_places_alike(make_pipeline, schedule):
    check_limits(*check_agreement(make_pipeline, schedule))


@settings(max_examples=80, deadline=None)
@given(around(limits(), IN_TURN), schedules_in_turn())
def test_calls_in_turn_find_places_alike(make_pipeline, schedule):
    check_limits(*check_agreement_in_turn(make_pipeline, schedule))


@pytest.mark.parametrize("servers", [5, 20, 60])
def test_vegas_comes_to_rest_with_three_to_six_calls_queueing(servers):
    """Of L calls in flight L - c queue at c servers; L rests where that is alpha to beta.

    A call may be taken for one more, as the estimate is rounded up.
    """
    limit = AdaptiveLimit(Vegas(initial=1, probe=10**6), queue=1000, max_wait_s=None)
    service = Service(servers=servers, service_time=Constant(0.1))
    result = simulate(limit, service, Closed(users=500, think_s=0.01), seed=2, duration_s=500.0)
    assert 2.0 <= result.mean_queue <= 6.0
    assert result.utilisation > 0.97


def test_each_simulation_begins_with_the_first_limit():
    limit = AdaptiveLimit("vegas", initial=7)
    limit._set_limit(3)
    prepared = Prepared.of(limit, Service(service_time=Constant(0.1)))
    assert prepared.machines["bulkhead_parameters"]["limit"].tolist() == [7]
