"""The decisions of a retry: the same in both worlds, and those of the formulas in `backoff`."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.backoff import Constant, Exponential, Linear
from workbench.reliability.machines.retry import (
    DONE,
    EXHAUSTED,
    FATAL,
    NO_HINT_S,
    OUT_OF_TIME,
    PERMANENT,
    RETRYABLE,
    SUCCEEDED,
    TOLD_TO_WAIT,
    State,
    decide,
    following,
    parameters_of,
    refuse,
)

UNIT = st.floats(0.0, 1.0, exclude_max=True)
SHARES = st.sampled_from(["none", "full", "equal", 0.2, 1.0])


@st.composite
def backoffs(draw):
    base = draw(st.sampled_from([0.0, 0.001, 0.1, 1.0]) | st.floats(0.0, 10.0))
    cap = base + draw(st.floats(0.0, 100.0))
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return Constant(base, jitter=draw(SHARES))
    if kind == 1:
        return Linear(base, step_s=draw(st.floats(0.0, 5.0)), cap_s=cap, jitter=draw(SHARES))
    if kind == 2:
        return Exponential(base, factor=draw(st.floats(1.0, 20.0)), cap_s=cap, jitter=draw(SHARES))
    if kind == 3:
        return Exponential(base, cap_s=cap, jitter="decorrelated")
    return Exponential(base, factor=draw(st.floats(1.01, 20.0)), cap_s=cap, jitter="decorrelated_v2")


STEPS = st.lists(
    st.tuples(
        st.integers(1, 2000),
        st.sampled_from([SUCCEEDED, RETRYABLE, RETRYABLE, FATAL]),
        UNIT,
        st.just(NO_HINT_S) | st.floats(0.0, 100.0),
        st.floats(0.0, 1e6),
        st.just(math.inf) | st.floats(0.0, 1e6),
    ),
    max_size=20,
)


@given(backoff=backoffs(), attempts=st.integers(1, 2000), hint_max_s=st.floats(0, 100), steps=STEPS)
def test_it_decides_alike_interpreted_and_compiled(both_worlds, backoff, attempts, hint_max_s, steps):
    p = parameters_of(backoff, attempts=attempts, hint_max_s=hint_max_s, least_s=0.5)
    worlds = both_worlds(p, State())
    previous_s = 0.0
    for attempt, outcome, u, hint_s, now, deadline_s in steps:
        decision = worlds.step(decide, attempt, outcome, previous_s, u, hint_s, now, deadline_s, use=(0, 1))
        if decision >= 0.0:
            previous_s = worlds.step(following, previous_s, decision, use=(0,))
            if u < 0.2:
                worlds.step(refuse, use=(1,))


@given(backoff=backoffs(), us=st.lists(UNIT, min_size=1, max_size=60))
def test_its_delays_are_those_of_the_backoff_to_the_last_bit(backoff, us):
    p, s = parameters_of(backoff, attempts=10**6), State()
    expected = backoff.delays_s(iter(us).__next__)
    previous_s = 0.0
    for attempt, u in enumerate(us, start=1):
        delay_s = decide(p, s, attempt, RETRYABLE, previous_s, u, NO_HINT_S, 0.0, math.inf)
        assert delay_s == next(expected)
        previous_s = following(p, previous_s, delay_s)
    assert s.retries == len(us)


def decision(outcome=RETRYABLE, attempt=1, hint_s=NO_HINT_S, now=0.0, deadline_s=math.inf, **more):
    p, s = parameters_of(Constant(1.0), attempts=3, hint_max_s=10.0, **more), State()
    found = decide(p, s, attempt, outcome, 0.0, 0.0, hint_s, now, deadline_s)
    counted = {name: getattr(s, name) for name in State.__slots__ if getattr(s, name)}
    return found, counted


@pytest.mark.parametrize(
    ("case", "expected", "counted"),
    [
        ({"outcome": SUCCEEDED}, DONE, {}),
        ({"outcome": SUCCEEDED, "attempt": 2}, DONE, {"recovered": 1}),
        ({"outcome": FATAL}, PERMANENT, {"permanent": 1}),
        ({"attempt": 2}, 1.0, {"retries": 1}),
        ({"attempt": 3}, EXHAUSTED, {"exhausted": 1}),
        ({"hint_s": 0.5}, 1.0, {"retries": 1}),
        ({"hint_s": 10.0}, 10.0, {"retries": 1}),
        ({"hint_s": 10.5}, TOLD_TO_WAIT, {"told_to_wait": 1}),
        ({"hint_s": 10.5, "attempt": 3}, EXHAUSTED, {"exhausted": 1}),
        ({"now": 4.0, "deadline_s": 5.0}, OUT_OF_TIME, {"out_of_time": 1}),
        ({"now": 4.0, "deadline_s": 5.5}, 1.0, {"retries": 1}),
        ({"now": 4.0, "deadline_s": 5.5, "least_s": 0.5}, OUT_OF_TIME, {"out_of_time": 1}),
    ],
    ids=str,
)
def test_each_reason_has_its_code_and_its_count(case, expected, counted):
    assert decision(**case) == (expected, counted)
