"""The same calls before several limiters: who lets what through, and how close together."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from workbench.clock import VirtualClock
from workbench.reliability import (
    ExperimentError,
    PolicyError,
    RateLimiter,
    Retry,
    UnattainableCostError,
    admissions,
    decisions,
)

LIMITERS = (
    RateLimiter.fixed_window(limit=4, window_s=1.0),
    RateLimiter.sliding_window(limit=4, window_s=1.0),
    RateLimiter.sliding_log(limit=4, window_s=1.0),
    RateLimiter.token_bucket(rate_hz=4, burst=4),
    RateLimiter.leaky_bucket(rate_hz=4, burst=4),
    RateLimiter.gcra(rate_hz=4, burst=4),
)
STEPS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["ann", "bob"]), st.integers(1, 4)), max_size=60
)


def calls_of(steps):
    """Return times in 64ths of a second, keys and costs."""
    at_s = np.cumsum([step for step, _, _ in steps]) / 64
    return at_s, [key for _, key, _ in steps], np.array([cost for _, _, cost in steps], np.int64)


def plain_worst(at_s, keys, costs, passed, within_s):
    """Look at every interval that begins with a call."""
    mine = [
        (Fraction(at), key, cost) for at, key, cost, let in zip(at_s, keys, costs, passed, strict=True) if let
    ]
    return max(
        (
            sum(cost for at, key, cost in mine if key == whose and start <= at < start + Fraction(within_s))
            for start, whose, _ in mine
        ),
        default=0,
    )


@given(steps=STEPS)
def test_each_decides_as_a_limiter_on_a_virtual_clock(steps):
    at_s, keys, costs = calls_of(steps)
    found = admissions(LIMITERS, at_s, keys=keys, costs=costs)
    for limiter in LIMITERS:
        clock = VirtualClock()
        live = RateLimiter(limiter.machine, limiter.parameters, limiter.most, clock=clock)
        decided = []
        for at, key, cost in zip(at_s.tolist(), keys, costs.tolist(), strict=True):
            clock.advance(at - clock.now())
            decided.append(live.try_acquire(key, cost))
        assert found.admitted[limiter.algorithm].tolist() == decided


@given(steps=STEPS, within_s=st.sampled_from([0.25, 1.0, 1.5, 4.0]))
def test_the_worst_is_that_of_the_definition_and_within_its_bound(steps, within_s):
    at_s, keys, costs = calls_of(steps)
    found = admissions(LIMITERS, at_s, keys=keys, costs=costs)
    worst, bound = found.worst(within_s), found.bound(within_s)
    for name, passed in found.admitted.items():
        assert worst[name] == plain_worst(at_s, keys, costs, passed, within_s)
        assert worst[name] <= bound[name] + 1e-3


def test_bounds_are_reached_or_approached():
    """Each by the calls that are worst for it: else it would say nothing."""
    border = np.repeat([0.99, 1.01], 50)
    crowd = np.concatenate([np.zeros(50), np.arange(1, 1000) / 1000])
    late = np.concatenate([np.full(200, 0.999), 1.0 + np.arange(990) / 1000])
    fixed, window, log = (
        RateLimiter.fixed_window(limit=10, window_s=1.0),
        RateLimiter.sliding_window(limit=200, window_s=1.0),
        RateLimiter.sliding_log(limit=10, window_s=1.0),
    )
    assert (admissions([fixed], border).worst(), fixed.most_within(1.0)) == ({"fixed_window": 20}, 20)
    assert (admissions([log], border).worst(), log.most_within(1.0)) == ({"sliding_log": 10}, 10)
    assert 390 < admissions([window], late).worst()["sliding_window"] < window.most_within(1.0) == 400
    for make in (RateLimiter.gcra, RateLimiter.token_bucket, RateLimiter.leaky_bucket):
        bucket = make(rate_hz=10, burst=10)
        assert list(admissions([bucket], crowd).worst().values()) == [19]
        assert bucket.most_within(1.0) == 20


@pytest.mark.parametrize(("within_s", "windows"), [(0.1, 2), (1.0, 2), (1.5, 3), (2.0, 3), (2.5, 4)])
def test_a_fixed_window_reaches_its_bound_over_any_time(within_s, windows):
    limiter = RateLimiter.fixed_window(limit=3, window_s=1.0)
    assert limiter.most_within(within_s) == 3 * windows
    assert admissions([limiter], worst_calls(within_s)).worst(within_s) == {"fixed_window": 3 * windows}


def worst_calls(within_s):
    """Return calls at the end of one window, in all that follow, and in the last of an interval's."""
    start = 0.99
    whole = [float(second) for second in range(1, 1 + int(np.ceil(start + within_s)))]
    return np.repeat([start, *(each for each in whole if each < start + within_s)], 5)


def test_a_million_decisions_agree_with_the_compiled_machine():
    at_s = np.cumsum(np.random.default_rng(1).exponential(1 / 30, 20_000))
    limiter = RateLimiter.gcra(rate_hz=10, burst=10)
    found = admissions([limiter], at_s)
    assert (found.admitted["gcra"] == decisions(limiter, at_s)).all()


def test_the_limiters_themselves_are_not_asked():
    limiter = RateLimiter.gcra(rate_hz=1, burst=2, wait_s=5.0)
    first, second = (admissions([limiter], [0.0, 0.0, 0.0]) for _ in range(2))
    assert first.admitted["gcra"].tolist() == second.admitted["gcra"].tolist() == [True, True, False]
    assert (limiter.statistics.taken, limiter.statistics.refused) == (0, 0)


def test_keys_have_limits_of_their_own():
    found = admissions([RateLimiter.gcra(rate_hz=1, burst=2)], [0.0] * 6, keys=["a", "b", "a", "a", "b", "a"])
    assert found.admitted["gcra"].tolist() == [True, True, True, False, True, False]
    assert found.worst() == {"gcra": 2}
    assert found.keys == ("a", "b")


def test_windows_are_counted_from_zero_on():
    found = admissions(
        [RateLimiter.sliding_log(limit=2, window_s=1)], [0.1, 0.2, 0.3, 2.5], costs=[1, 1, 1, 2]
    )
    assert found.counts(1.0)["sliding_log"].tolist() == [2, 0, 2]
    assert admissions(LIMITERS, []).counts(1.0)["gcra"].tolist() == []


def test_what_was_let_through_in_the_last_second_is_a_step_function():
    found = admissions([RateLimiter.gcra(rate_hz=1, burst=2)], [0.0, 0.5, 0.6])
    at_s, cost = found.within("gcra", 1.0)
    assert (at_s.tolist(), cost.tolist()) == ([0.0, 0.5, 1.0, 1.5], [1, 2, 1, 0])


def test_a_result_is_tables_and_pictures(tmp_path):
    found = admissions({"a $ b": LIMITERS[0], "log": LIMITERS[2]}, [0.9] * 5 + [1.0] * 5)
    assert repr(found) == "Admissions of 10 calls: a $ b 8, log 4"
    assert "<table" in found._repr_html_()
    assert "most in any 1 s" in str(found.table())
    assert found.to_arrow().column_names == ["at_s", "key", "cost", "a $ b", "log"]
    assert found.to_pandas()["log"].sum() == 4
    axes = found.plot()
    assert [label.get_text() for label in axes.get_yticklabels()] == [r"a \$ b: 8", "log: 4"]
    curves = found.plot_within(plt.figure().subplots(), within_s=0.5)
    assert curves.get_title("left") == r"At worst a \$ b: 8 within 0.5 s"
    for number, each in enumerate((axes, curves)):
        each.figure.savefig(tmp_path / f"{number}.png")
        plt.close(each.figure)


def test_calls_of_nobody_are_drawn_too():
    found = admissions(LIMITERS, [])
    for axes in (found.plot(), found.plot_within()):
        plt.close(axes.figure)
    assert (len(found), set(found.worst().values())) == (0, {0.0})
    assert "<table" in found._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (((LIMITERS, [2.0, 1.0]), {}), "ascending"),
        (((LIMITERS, [float("nan")]), {}), "ascending"),
        (((LIMITERS, [[1.0]]), {}), "ascending"),
        (((LIMITERS, [1.0, 2.0]), {"keys": ["a"]}), "keys for 2 calls, got 1"),
        (((LIMITERS, [1.0]), {"costs": [1, 2]}), "costs for 1 calls, got 2"),
        ((([Retry()], [1.0]), {}), "expected rate limiters"),
        (((LIMITERS[:1] * 2, [1.0]), {}), "called alike"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, says):
    positional, named = arguments
    with pytest.raises(ExperimentError, match=says):
        admissions(*positional, **named)


def test_a_cost_that_never_passes_is_told_as_the_limiter_does():
    with pytest.raises(UnattainableCostError):
        admissions(LIMITERS, [0.0], costs=[5])
    with pytest.raises(PolicyError, match="within_s"):
        admissions(LIMITERS, [0.0]).worst(0.0)
    with pytest.raises(PolicyError, match="seconds"):
        LIMITERS[0].most_within(-1.0)
