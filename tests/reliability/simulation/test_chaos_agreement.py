"""Injected faults hit the same calls, live and compiled; with the same delays, errors and results."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.reliability.errors import ErrorClass
from workbench.reliability.machines import chaos
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.chaos import Chaos
from workbench.reliability.policies.fallback import Fallback
from workbench.reliability.simulation import distributions
from workbench.reliability.simulation.errors import SimulationError
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
from .live import StreamOfPolicy

DELAYS = (
    0.0,
    0.02,
    distributions.Exponential(0.05),
    distributions.LogNormal(0.02, 1.0),
    distributions.Pareto(0.01, 1.5),
    distributions.Empirical.of([0.0, 0.01, 0.2]),
)
ERRORS = (None, ConnectionError, ValueError("no"), [TimeoutError, KeyError("k"), None])
FREE = Service(servers=100, service_time=distributions.Constant(0.001))


@st.composite
def faults(draw):
    """Return what makes injected faults."""
    options = {"rate": draw(st.sampled_from([0.0, 0.2, 0.7, 1.0]))}
    kind = draw(st.sampled_from(["latency", "error", "outcome", "behaviour"]))
    what = {
        "latency": {"delay_s": draw(st.sampled_from(DELAYS))},
        "error": {"error": draw(st.sampled_from(ERRORS))},
        "outcome": {"result": draw(st.sampled_from(["wrong", "worse"]))},
        "behaviour": {"action": list},
    }[kind]
    seed = draw(st.one_of(st.none(), st.integers(-5, 2**65)))
    if seed is not None:
        options["seed"] = seed
    else:
        options["enabled"] = draw(st.booleans())

    def make(layer):
        own = {} if seed is not None else {"rng": StreamOfPolicy(SEED, layer)}
        return getattr(Chaos, kind)(**options, **what, **own)

    return make


JUDGES = st.sampled_from(
    [
        lambda _: CircuitBreaker(
            window=10,
            minimum_calls=3,
            open_s=0.1,
            on=(TimeoutError, KeyError),
            on_result=lambda r: r == "wrong",
        ),
        lambda _: Fallback("instead", on=(ErrorClass.PERMANENT, TimeoutError)),
        lambda _: Fallback("instead", on=KeyError, on_result=lambda r: r == "worse"),
    ]
)


def check_counts(pipeline, replayed):
    """Compare how many calls were hit."""
    world = replayed.world
    for layer, policy in zip(world.layers, pipeline.policies, strict=True):
        if isinstance(policy, Chaos) and policy.enabled:
            state = world.admissions["chaos_state"][layer["admission"]]
            assert (state["calls"], state["injected"]) == (policy.memory.calls, policy.memory.injected)


@settings(max_examples=120, deadline=None)
@given(around(faults()), schedules())
def test_overlapping_calls_are_hit_alike(make_pipeline, schedule):
    check_counts(*check_agreement(make_pipeline, schedule))


@settings(max_examples=120, deadline=None)
@given(around(faults(), JUDGES | IN_TURN), schedules_in_turn())
def test_calls_in_turn_are_hit_alike(make_pipeline, schedule):
    check_counts(*check_agreement_in_turn(make_pipeline, schedule))


@settings(max_examples=80, deadline=None)
@given(around(faults(), JUDGES), schedules())
def test_policies_judge_what_is_injected_alike(make_pipeline, schedule):
    check_counts(*check_agreement(make_pipeline, schedule))


def test_a_seed_of_its_own_decides_who_is_hit_whatever_the_seed_of_the_simulation():
    expected = np.flatnonzero(chaos.uniforms(9, 1000) < 0.1)
    for seed in (1, 2):
        result = simulate(Chaos.error(0.1, seed=9), FREE, Even(100.0), seed=seed, duration_s=9.995)
        hit = result.log["serial"][result.log["outcome"] != 0]
        assert sorted(hit) == [each for each in expected if each < len(result.log)]


def test_without_one_the_simulations_seed_decides():
    def hits(seed):
        result = simulate(Chaos.error(0.1), FREE, Even(100.0), seed=seed, duration_s=50.0)
        assert 0.08 < result.outcomes["chaos_failed"] / result.customers < 0.12
        return result.log["outcome"].tolist()

    assert hits(1) == hits(1) != hits(2)


@pytest.mark.parametrize(
    "delay_s", [0.05, distributions.Exponential(0.05), distributions.Uniform(0.0001, 0.0999)]
)
def test_the_mean_latency_grows_by_rate_times_mean_delay(delay_s):
    result = simulate(Chaos.latency(0.2, delay_s=delay_s), FREE, Even(1000.0), seed=3, duration_s=100.0)
    took = result.log["finished_s"] - result.log["arrived_s"]
    assert took.mean() == pytest.approx(0.001 + 0.2 * 0.05, rel=0.05)


@pytest.mark.parametrize("distribution", DELAYS[2:])
def test_a_quantile_is_the_distributions(distribution):
    u = np.linspace(0.0005, 0.9995, 1000)
    values = np.array([distribution.ppf(float(each)) for each in u])
    assert (np.diff(values) >= 0).all()
    if not isinstance(distribution, distributions.Pareto):  # whose mean is in its tail
        assert values.mean() == pytest.approx(distribution.mean_s, rel=0.03)


@pytest.mark.parametrize(
    "faults",
    [
        Chaos.error(rate=lambda: 0.5),
        Chaos.error(0.5, enabled=lambda: True),
        Chaos.latency(0.5, delay_s=lambda u: u),
    ],
    ids=["rate", "enabled", "delay"],
)
def test_what_is_up_to_functions_is_a_named_error(faults):
    with pytest.raises(SimulationError, match="function"):
        simulate(faults, FREE, Even(1.0), duration_s=5.0)
