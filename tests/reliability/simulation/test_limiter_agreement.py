"""Rate limiters of all algorithms decide alike, live and compiled; and as their closed forms say."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.reliability.machines import gcra, sliding_log
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies._limiter_states import States
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.timeout import Timeout
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.distributions import Constant
from workbench.reliability.simulation.errors import SimulationError
from workbench.reliability.simulation.requests import Requests
from workbench.reliability.simulation.service import Even, Recorded, Service
from workbench.reliability.simulation.simulate import simulate

from .agreeing import IN_TURN, around, check_agreement, check_agreement_in_turn, schedules, schedules_in_turn
from .live import call_cost, call_key

BUCKETS = ("gcra", "token_bucket", "leaky_bucket")
WINDOWS = ("fixed_window", "sliding_window", "sliding_log")
MOST_COST = 3
FREE = Service(servers=10_000, service_time=Constant(1e-3))


@st.composite
def limiters(draw):
    """Return what makes a limiter, by key or for all calls, by cost or by number."""
    name = draw(st.sampled_from(BUCKETS + WINDOWS))
    wait_s = draw(st.sampled_from([0.0, 0.03, 0.2]))
    keyed, costed = draw(st.booleans()), draw(st.booleans())
    most = draw(st.integers(MOST_COST if costed else 1, 5))
    if name in BUCKETS:
        options = {"rate_hz": draw(st.sampled_from([5.0, 40.0])), "burst": most}
    else:
        options = {"limit": most, "window_s": draw(st.sampled_from([0.03, 0.1, 1.0]))}
    if keyed:
        options["key"] = lambda *_: call_key.get()
    if costed:
        options["cost"] = lambda *_: call_cost.get()
    return lambda _: getattr(RateLimiter, name)(**options, wait_s=wait_s)


@st.composite
def requested(draw, calls):
    """Return calls that ask for few keys, at a cost that differs."""
    schedule = draw(calls)
    size = len(schedule.arrivals_s)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    requests = Requests(keys=rng.integers(0, 3, size), costs=rng.integers(0, MOST_COST + 1, size))
    return replace(schedule, requests=requests)


def check_states(pipeline, replayed, keys):
    """Compare what the limiters remember at the end."""
    world = replayed.world
    for layer, policy in zip(world.layers, pipeline.policies, strict=True):
        if isinstance(policy, RateLimiter):
            name = policy.machine.__name__.rpartition(".")[2]
            if name == "gcra":
                states = world.gcra_states[layer["index"] :]
            else:
                states = world.admissions[f"{name}_state"][layer["admission"] :]
            check_state(policy, states[: len(keys) if policy.key_of else 1], keys)


def check_state(policy, states, keys):
    """Compare what a limiter remembers, of each key if it was made with one; logs are kept elsewhere."""
    for field in ("taken", "refused"):
        assert states[field].sum() == getattr(policy.memory, field), field
    if policy.machine is sliding_log:
        return
    for key, state in zip(keys, states, strict=False):
        found = [state[field].item() for field in policy.states.fields]
        if policy.key_of is None:
            assert found == [getattr(policy.memory, field) for field in policy.states.fields]
        elif key in policy.states.plain:
            assert found == list(np.atleast_1d(policy.states.plain[key]))
        else:
            assert found == list(np.atleast_1d(policy.states.fresh()))


@settings(max_examples=150, deadline=None)
@given(around(limiters()), requested(schedules()))
def test_overlapping_calls_are_limited_alike(make_pipeline, schedule):
    """Also where those that wait for their turn run out of time, and give it back."""
    check_states(*check_agreement(make_pipeline, schedule), schedule.requests.key_stream.values)


@settings(max_examples=100, deadline=None)
@given(around(limiters(), IN_TURN), requested(schedules_in_turn()))
def test_calls_in_turn_are_limited_alike(make_pipeline, schedule):
    check_states(*check_agreement_in_turn(make_pipeline, schedule), schedule.requests.key_stream.values)


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


@pytest.mark.parametrize("name", BUCKETS + WINDOWS)
def test_each_key_has_a_limit_of_its_own(name):
    """Of 3 keys that are asked for in turn each has one call a second, where all together have one."""
    options = {"rate_hz": 1.0} if name in BUCKETS else {"limit": 1, "window_s": 1.0}
    arrivals, requests = Recorded(np.arange(0.05, 10.0, 0.1)), Requests(keys=[0, 1, 2])
    passed = []
    for key in (None, lambda: None):
        limiter = getattr(RateLimiter, name)(**options, key=key)
        outcomes = simulate(limiter, FREE, arrivals, duration_s=10.0, requests=requests).outcomes
        passed.append(outcomes["ok"])
    assert passed[1] == pytest.approx(3 * passed[0], abs=6)


@pytest.mark.parametrize("name", BUCKETS + WINDOWS)
def test_calls_take_what_they_cost(name):
    """Of a limit of 12 a second, calls that cost 3 have 4."""
    options = {"rate_hz": 12.0, "burst": 12} if name in BUCKETS else {"limit": 12, "window_s": 1.0}
    limiter = getattr(RateLimiter, name)(**options, cost=lambda: None)
    requests = Requests(costs={3: 1.0})
    result = simulate(limiter, FREE, Even(100.0), duration_s=100.0, requests=requests)
    assert result.outcomes["ok"] == pytest.approx(400, abs=4 if name != "sliding_window" else 101)


def test_a_shared_store_is_simulated_as_one_for_all_clients():
    class Store:
        def states(self, *_):
            return States(gcra, gcra.parameters(1.0, 1), gcra.State(), None, 1)

    shared, alone = (RateLimiter.gcra(rate_hz=2.0, wait_s=1.0, shared=store) for store in (Store(), None))
    results = [simulate(limiter, FREE, Even(7.0), duration_s=50.0) for limiter in (shared, alone)]
    assert (results[0].log == results[1].log).all()


@pytest.mark.parametrize(
    ("options", "requests", "why"),
    [
        ({"key": lambda: None, "max_keys": 2}, Requests(keys=[0, 1, 2]), "2 keys, and 3 are asked for"),
        ({"cost": lambda: None}, Requests(costs=[1, 2]), "cost 2 is more than the 1 ever"),
    ],
)
def test_what_a_limiter_would_forget_or_never_let_through_is_a_named_error(options, requests, why):
    with pytest.raises(SimulationError, match=why):
        simulate(RateLimiter.gcra(rate_hz=1.0, **options), FREE, Even(1.0), duration_s=5.0, requests=requests)


@pytest.mark.parametrize("costs", [[1, -1], [math.nan], {"much": 1.0}, {math.inf: 1.0}, ["1"]])
def test_costs_that_are_no_numbers_from_0_on_are_refused(costs):
    with pytest.raises(SimulationError, match="costs: expected"):
        Requests(costs=costs)
