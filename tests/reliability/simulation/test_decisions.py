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
