"""Bulkheads of all orders and load shedders decide alike, live and compiled; and as queueing theory says."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.shedder import LoadShedder
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.replay import Schedule
from workbench.reliability.simulation.requests import Requests

from .agreeing import (
    IN_TURN,
    around,
    check_agreement,
    check_agreement_in_threads,
    check_agreement_in_turn,
    schedules,
    schedules_in_turn,
)


@st.composite
def queues(draw):
    """Return what makes a bulkhead or a load shedder that is often full."""
    limit, queue = draw(st.integers(1, 4)), draw(st.integers(0, 12))
    wait_s = draw(st.sampled_from([None, 0.07, 0.5]))
    order = draw(st.sampled_from(["fifo", "lifo", "priority", "codel", "adaptive_lifo", "none"]))
    if order in ("fifo", "lifo", "priority"):
        return lambda _: Bulkhead(limit, queue=queue, max_wait_s=wait_s, order=order)
    target_s, interval_s = draw(st.sampled_from([(0.005, 0.1), (0.01, 0.02), (0.03, 0.3)]))
    weights = draw(st.sampled_from([{}, {0: 3.0, 1: 0.5}]))
    return lambda _: LoadShedder(
        limit,
        queue=queue,
        discipline=order,
        target_s=target_s,
        interval_s=interval_s,
        max_wait_s=wait_s,
        weights=weights,
    )


@st.composite
def requested(draw, schedules):
    """Return a schedule whose calls differ in importance, tenant and key, in some of them or in none."""
    schedule = draw(schedules)
    size = len(schedule.arrivals_s)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    levels = draw(st.sampled_from([None, (1, 3), (0, 1, 2, 3)]))
    tenants, keys = draw(st.sampled_from([None, 2, 5])), draw(st.sampled_from([None, 2, 8]))
    return replace(
        schedule,
        requests=Requests(
            levels=None if levels is None else rng.choice(levels, size),
            tenants=None if tenants is None else rng.integers(0, tenants, size),
            keys=None if keys is None else rng.integers(0, keys, size),
        ),
    )


@st.composite
def crowds(draw):
    """Return a schedule of calls that all differ, somewhat more than a few places can serve."""
    size = 80
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (size, codes.GIVEN_ATTEMPTS)
    rate_hz = draw(st.sampled_from([30.0, 60.0, 120.0]))
    requests = Requests(levels=rng.choice((0, 1, 3), size), tenants=rng.integers(0, 2, size))
    arrivals = np.cumsum(rng.exponential(1 / rate_hz, size))
    return Schedule(arrivals, rng.exponential(0.05, shape), np.zeros(shape, bool), requests=requests)


def check_counts(pipeline, replayed):
    """Compare what the queues have counted at the end."""
    number = 0
    for policy in pipeline.policies:
        if isinstance(policy, Bulkhead | LoadShedder):
            state = replayed.world.bulkhead_states[number]
            number += 1
            for field in state.dtype.names:
                assert state[field] == getattr(policy.memory, field), field


@settings(max_examples=200, deadline=None)
@given(around(queues()), requested(schedules()))
def test_overlapping_calls_are_queued_and_shed_alike(make_pipeline, schedule):
    check_counts(*check_agreement(make_pipeline, schedule))


@settings(max_examples=150, deadline=None)
@given(queues(), crowds())
def test_crowds_are_queued_and_shed_alike(make, schedule):
    check_counts(*check_agreement(lambda: Pipeline(make(0)), schedule))


@settings(max_examples=20, deadline=None)
@given(queues(), crowds())
def test_crowds_of_threads_are_queued_and_shed_alike(make, schedule):
    check_counts(*check_agreement_in_threads(lambda: Pipeline(make(0)), schedule))


@settings(max_examples=50, deadline=None)
@given(around(queues(), IN_TURN), requested(schedules_in_turn()))
def test_calls_in_turn_are_never_queued(make_pipeline, schedule):
    check_counts(*check_agreement_in_turn(make_pipeline, schedule))
