"""Calls that follow each other: decided in bulk as by the policy, one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.clock import VirtualClock
from workbench.reliability import (
    Bulkhead,
    CircuitBreaker,
    CircuitOpenError,
    RateLimiter,
    SimulationError,
    decisions,
)
from workbench.reliability.machines import breaker, gcra
from workbench.reliability.machines._records import record_of
from workbench.reliability.simulation._kernel_decisions import breaker_decisions, gcra_decisions

WINDOWS = st.sampled_from(
    [
        {"window": 4, "minimum_calls": 2},
        {"window": 10, "minimum_calls": 10},
        {"window_s": 3.0, "buckets": 3, "minimum_calls": 3},
        {"window_s": 8.0, "minimum_calls": 2, "failure_rate": 0.3},
        {"consecutive": 1},
        {"consecutive": 3},
    ]
)


def decide_live(breaker, at_s, failed):
    def dependency(*, fails):
        if fails:
            raise ConnectionError

    passed = []
    for at, fails in zip(at_s, failed, strict=True):
        breaker.clock.advance(at - breaker.clock.now())
        try:
            breaker.call(dependency, fails=fails)
        except CircuitOpenError:
            passed.append(False)
        except ConnectionError:
            passed.append(True)
        else:
            passed.append(True)
    return passed


@settings(max_examples=200, deadline=None)
@given(
    WINDOWS,
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=60),
    st.sampled_from([0.0, 2.0, 5.0]),
    st.integers(1, 3),
)
def test_breakers_of_every_window_decide_as_live(window, calls, open_s, half_open_calls):
    at_s = np.cumsum([gap for gap, _ in calls]).astype(float)
    failed = [fails for _, fails in calls]
    options = {**window, "open_s": open_s, "half_open_calls": half_open_calls}
    live = decide_live(CircuitBreaker(**options, clock=VirtualClock()), at_s.tolist(), failed)
    assert decisions(CircuitBreaker(**options), at_s, failed).tolist() == live


def as_tuple(state):
    return tuple(getattr(state, name) for name in type(state).__slots__)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(0.0, 3.0), max_size=80),
    st.floats(0.1, 10.0),
    st.integers(1, 5),
    st.sampled_from([0.0, 0.7]),
)
def test_limits_are_decided_bit_by_bit_as_by_the_python_machine(gaps, rate_hz, burst, patience_s):
    at_s, allowed = np.cumsum(np.array(gaps, float)), np.empty(len(gaps), np.bool_)
    parameters = gcra.parameters(rate_hz, burst, patience_s)
    live, record = gcra.State(), record_of(gcra.State())
    expected = [gcra.take(parameters, live, at, 1.0) <= 0.0 for at in at_s.tolist()]
    gcra_decisions(record_of(parameters), record, at_s, allowed)
    assert allowed.tolist() == expected
    assert record[0].item() == as_tuple(live)


def decide_with_machine(p, s, at_s, seen):
    """Decide call by call with the transitions alone, in Python."""
    ring, passed = np.zeros(p.ring_length, int).tolist(), []
    for at, outcome in zip(at_s, seen, strict=True):
        passes = s.state == breaker.CLOSED or breaker.admit(p, s, at)
        passed.append(passes)
        if passes:
            breaker.learn(p, s, ring, s.generation, outcome, at)
    return passed, ring


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 0, 0, 0, 1, 2, 3])), max_size=120),
    st.sampled_from([(4, 2), (5, 5), (1, 1), (20, 10)]),
    st.sampled_from([0.3, 0.5, 1.0]),
    st.sampled_from([0.4, 2.0]),
)
def test_breakers_are_decided_bit_by_bit_as_by_the_python_machine(calls, window, failure_rate, slow_rate):
    """Successes in a full window take a short cut; states and rings are those without it."""
    at_s = np.cumsum([gap for gap, _ in calls]).astype(float)
    seen = np.array([outcome for _, outcome in calls], np.uint8)
    p = breaker.Parameters(*window, failure_rate, slow_rate, 1.0, 4.0, 2, 9.0, 2.0, 16.0)
    live, record = breaker.State(), record_of(breaker.State())
    passed, memory = decide_with_machine(p, live, at_s.tolist(), seen.tolist())
    ring, allowed = np.zeros(p.ring_length, np.uint8), np.empty(len(calls), np.bool_)
    breaker_decisions(record_of(p), record, ring, at_s, seen, allowed)
    assert allowed.tolist() == passed
    assert record[0].item() == as_tuple(live)
    assert ring.tolist() == memory


def test_slow_calls_count_in_every_window():
    at_s, took_s = np.arange(6.0), [0.1, 2.0, 2.0, 2.0, 0.1, 0.1]
    for window in (
        {"window": 3, "minimum_calls": 3},
        {"window_s": 10.0, "minimum_calls": 3},
        {"consecutive": 3},
    ):
        breaker = CircuitBreaker(**window, slow_rate=0.6, slow_s=1.0)
        passed = decisions(breaker, at_s, np.zeros(6, bool), took_s)
        assert not passed[-1], window
        assert decisions(breaker, at_s, np.zeros(6, bool)).all(), window


def test_other_policies_have_no_such_decisions():
    with pytest.raises(SimulationError, match=r"expected RateLimiter.gcra\(...\) or a CircuitBreaker"):
        decisions(Bulkhead(3), [0.0])
    with pytest.raises(SimulationError, match="ascending"):
        decisions(RateLimiter.gcra(rate_hz=1.0, burst=1), [1.0, 0.0])
    with pytest.raises(SimulationError, match="which calls failed"):
        decisions(CircuitBreaker.consecutive(3), [0.0])
    with pytest.raises(SimulationError, match="one outcome a call"):
        decisions(CircuitBreaker.consecutive(3), [0.0], [True, False])
