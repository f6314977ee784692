"""Rate limiters of all algorithms decide alike, live and compiled; and as their closed forms say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.timeout import Timeout
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.distributions import Constant
from workbench.reliability.simulation.errors import SimulationError
from workbench.reliability.simulation.service import Even, Recorded, Service
from workbench.reliability.simulation.simulate import simulate

from .agreeing import IN_TURN, around, check_agreement, check_agreement_in_turn, schedules, schedules_in_turn

BUCKETS = ("gcra", "token_bucket", "leaky_bucket")
WINDOWS = ("fixed_window", "sliding_window", "sliding_log")
FREE = Service(servers=10_000, service_time=Constant(1e-3))


@st.composite
def limiters(draw):
    """Return what makes a limiter."""
    name = draw(st.sampled_from(BUCKETS + WINDOWS))
    wait_s = draw(st.sampled_from([0.0, 0.03, 0.2]))
    if name in BUCKETS:
        options = {"rate_hz": draw(st.sampled_from([5.0, 40.0])), "burst": draw(st.integers(1, 5))}
    else:
        options = {
            "limit": draw(st.integers(1, 5)),
            "window_s": draw(st.sampled_from([0.03, 0.1, 1.0])),
        }
    return lambda _: getattr(RateLimiter, name)(**options, wait_s=wait_s)


def check_states(pipeline, replayed):
    """Compare what the limiters remember at the end."""
    world = replayed.world
    for layer, policy in zip(world.layers, pipeline.policies, strict=True):
        if isinstance(policy, RateLimiter):
            name = policy.machine.__name__.rpartition(".")[2]
            if name == "gcra":
                state = world.gcra_states[layer["index"]]
            else:
                state = world.admissions[f"{name}_state"][layer["admission"]]
            for field in state.dtype.names:
                if name != "sliding_log" or field in ("taken", "refused"):  # its log is kept elsewhere
                    assert state[field] == getattr(policy.memory, field), field


@settings(max_examples=120, deadline=None)
@given(around(limiters()), schedules())
def test_overlapping_calls_are_limited_alike(make_pipeline, schedule):
    """Also where those that wait for their turn run out of time, and give it back."""
    check_states(*check_agreement(make_pipeline, schedule))


@settings(max_examples=80, deadline=None)
@given(around(limiters(), IN_TURN), schedules_in_turn())
def test_calls_in_turn_are_limited_alike(make_pipeline, schedule):
    check_states(*check_agreement_in_turn(make_pipeline, schedule))


def admitted(limiter, arrivals, duration_s):
    """Return when calls reached the service."""
    result = simulate(limiter, FREE, arrivals, duration_s=duration_s)
    assert set(result.outcomes) <= {"ok", "rate_limited"}
    return result.log["finished_s"][result.log["outcome"] == codes.OK] - 1e-3


@pytest.mark.parametrize("name", BUCKETS)
@pytest.mark.parametrize("burst", [1, 50])
def test_a_bucket_under_overload_lets_through_its_burst_and_then_its_rate(name, burst):
    """In t seconds exactly floor(burst + rate t) calls, where more than these come at all times."""
    limiter = getattr(RateLimiter, name)(rate_hz=20.0, burst=burst)
    times = admitted(limiter, Even(1000.0), 100.0)
    for until_s in (5.0, 50.0, 99.0):
        assert (times <= until_s).sum() == pytest.approx(burst + 20.0 * until_s, abs=1.0)


def at_a_border(name, limit=10):
    """Return how many calls pass within a tenth of a window, around the end of one."""
    before, after = 0.95 + np.arange(20) * 1e-3, 1.0 + np.arange(20) * 1e-3
    limiter = getattr(RateLimiter, name)(limit=limit, window_s=1.0)
    return len(admitted(limiter, Recorded([*before, *after]), 1.9))


def test_around_a_border_a_fixed_window_lets_twice_its_limit_through_and_sliding_ones_do_not():
    assert {name: at_a_border(name) for name in WINDOWS} == {
        "fixed_window": 20,
        "sliding_window": 10,
        "sliding_log": 10,
    }


@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_under_overload_lets_its_limit_through_in_each(name):
    """A sliding one estimates, and from the second window on lets one less through.

    After n calls in the window before, its k-th one passes at ``f >= (n + k - limit) / n``; of n = limit - 1
    that is n of them before the window's end, and the next one, k = limit, at the end itself.
    """
    limiter = getattr(RateLimiter, name)(limit=10, window_s=0.5)
    expected = 10 + 199 * 9 if name == "sliding_window" else 200 * 10
    assert len(admitted(limiter, Even(1000.0), 100.0)) == pytest.approx(expected, abs=1)


def test_the_calls_of_a_leaky_queue_leave_evenly_spaced():
    times = admitted(RateLimiter.leaky_bucket(rate_hz=10.0, wait_s=2.0), Even(100.0), 50.0)
    assert len(times) == pytest.approx(500, abs=1)
    assert np.diff(times) == pytest.approx(0.1, abs=1e-9)


@pytest.mark.parametrize("name", BUCKETS + WINDOWS)
def test_who_runs_out_of_time_in_the_queue_gives_back_its_turn_if_it_was_the_last(name):
    """The second call waits in vain; the third has the turn that it gave back, at once.

    But for the sliding window, for which the first call fades from 1 s to 2 s.
    """
    options = {"rate_hz": 1.0} if name in BUCKETS else {"limit": 1, "window_s": 1.0}
    limiter = getattr(RateLimiter, name)(**options, wait_s=5.0)
    pipeline = Pipeline(Timeout(0.99), limiter)
    result = simulate(pipeline, FREE, Recorded([0.0, 0.001, 1.5]), duration_s=5.0)
    assert result.outcomes == {"ok": 2, "timed_out": 1}
    assert result.log["finished_s"][-1] == pytest.approx(2.0 if name == "sliding_window" else 1.5, abs=0.002)


@pytest.mark.parametrize(
    ("options", "what"), [({"key": lambda: "ann"}, "a key"), ({"cost": lambda: 2}, "a cost")]
)
def test_limits_by_key_or_cost_are_named_errors(options, what):
    with pytest.raises(SimulationError, match=what):
        simulate(RateLimiter.gcra(rate_hz=1.0, **options), FREE, Even(1.0), duration_s=5.0)
