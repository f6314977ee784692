"""Delays between attempts, against the published formulas written down a second time."""

import itertools
import math
import random
import statistics

import matplotlib as mpl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.backoff import BackoffError, Constant, Exponential, Linear

mpl.use("agg")

UNIT = st.floats(0.0, 1.0, exclude_max=True)


def aws_delays(kind, base, cap, us):
    """The loops of the AWS article: `sleep` is carried from one retry to the next."""
    sleep, delays = base, []
    for attempt, u in enumerate(us):
        ceiling = min(cap, base * 2**attempt)
        if kind == "full":
            sleep = 0 + u * (ceiling - 0)
        elif kind == "equal":
            sleep = ceiling / 2 + u * (ceiling / 2)
        else:
            sleep = min(cap, base + u * (sleep * 3 - base))
        delays.append(sleep)
    return delays


def polly_v2(base, us):
    """Polly's loop: the difference of two values of one function, the earlier one carried along."""
    before, delays = 0.0, []
    for attempt, u in enumerate(us):
        t = attempt + u
        value = math.pow(2, t) * math.tanh(math.sqrt(4.0 * t))
        delays.append((value - before) * (1 / 1.4) * base)
        before = value
    return delays


@given(
    st.sampled_from(["full", "equal", "decorrelated"]),
    st.floats(0.001, 10),
    st.floats(1, 10),
    st.lists(UNIT, min_size=1, max_size=80),
)
def test_jitters_are_those_of_the_aws_article(kind, base, times, us):
    backoff = Exponential(base, cap_s=base * times, jitter=kind)
    ours = list(itertools.islice(backoff.delays_s(iter(us).__next__), len(us)))
    assert ours == pytest.approx(aws_delays(kind, base, base * times, us), rel=1e-12)


@given(st.floats(0.001, 10), st.lists(UNIT, min_size=1, max_size=25))
def test_version_two_is_pollys(base, us):
    backoff = Exponential(base, cap_s=1e9, jitter="decorrelated_v2")
    ours = list(itertools.islice(backoff.delays_s(iter(us).__next__), len(us)))
    assert ours == pytest.approx(polly_v2(base, us), rel=1e-6, abs=1e-6)


def test_retries_of_version_two_come_one_two_and_four_times_the_base_after_the_first_failure():
    """In the median, and waits alone: that is what the scale of 1.4 is for."""
    rng = random.Random(1)
    backoff = Exponential(1.0, cap_s=1e9, jitter="decorrelated_v2")
    calls = [
        list(itertools.accumulate(itertools.islice(backoff.delays_s(rng.random), 3))) for _ in range(4000)
    ]
    medians = [statistics.median(delays) for delays in zip(*calls, strict=True)]
    assert medians == pytest.approx([1, 2, 4], rel=0.15)


@given(
    st.floats(0.0, 10),
    st.floats(1.0, 10),
    st.floats(0, 100),
    st.sampled_from(["none", "full", "equal", 0.2, 1.0]),
    st.integers(1, 10**6),
    UNIT,
)
def test_no_delay_is_negative_or_above_its_cap(base, factor, more, jitter, retry, u):
    for backoff in (
        Exponential(base, factor=factor, cap_s=base + more, jitter=jitter),
        Linear(base, step_s=factor, cap_s=base + more, jitter=jitter),
        Constant(base, jitter=jitter),
    ):
        assert 0.0 <= backoff.delay_s(retry, u) <= backoff.cap_s


@given(st.lists(UNIT, min_size=1, max_size=1200), st.sampled_from(["decorrelated", "decorrelated_v2"]))
def test_delays_that_remember_stay_within_their_bounds(us, jitter):
    backoff = Exponential(0.5, cap_s=30.0, jitter=jitter)
    delays = list(itertools.islice(backoff.delays_s(iter(us).__next__), len(us)))
    least = 0.5 if jitter == "decorrelated" else 0.0
    assert all(least <= delay <= 30.0 for delay in delays)


@given(st.floats(0.001, 1), st.floats(1.001, 50), st.floats(1, 1e6), st.integers(1, 300))
def test_without_jitter_it_is_a_power_until_the_cap(base, factor, times, retry):
    cap = min(1e9, base * times)
    exact = min(cap, math.exp(min(700.0, math.log(base) + (retry - 1) * math.log(factor))))
    assert Exponential(base, factor=factor, cap_s=cap, jitter="none").delay_s(retry, 0.5) == pytest.approx(
        exact
    )


def test_a_retry_without_number_of_attempts_never_overflows():
    for jitter in ("none", "full", "decorrelated_v2"):
        assert Exponential(1.0, factor=10.0, jitter=jitter).delay_s(10**9, 0.5) in (20.0, 10.0)


def test_a_linear_delay_takes_one_step_after_the_other():
    backoff = Linear(1.0, step_s=0.5, cap_s=2.2, jitter="none")
    assert [backoff.delay_s(retry, 0.0) for retry in (1, 2, 3, 4)] == [1.0, 1.5, 2.0, 2.2]


def test_a_share_spreads_to_both_sides():
    assert [Constant(10.0, jitter=0.2).delay_s(1, u) for u in (0.0, 0.5, 0.75)] == [8.0, 10.0, 11.0]


def test_a_preview_is_the_same_each_time_and_endless():
    backoff = Exponential(jitter="decorrelated")
    first, second = (list(itertools.islice(backoff, 50)) for _ in range(2))
    assert first == second
    assert len(set(first)) > 10


WRONG = {
    "a negative delay": (lambda: Constant(-1.0), "base_s"),
    "a delay that is no number": (lambda: Constant(math.nan), "base_s"),
    "an endless delay": (lambda: Constant(math.inf), "base_s"),
    "a negative step": (lambda: Linear(step_s=-0.1), "step_s"),
    "a cap below the base": (lambda: Linear(base_s=5.0, cap_s=1.0), "cap_s"),
    "a factor that shrinks": (lambda: Exponential(factor=0.5), "factor"),
    "a factor that is no number": (lambda: Exponential(factor=math.nan), "factor"),
    "an unknown jitter": (lambda: Exponential(jitter="some"), "jitter"),
    "a share of nothing": (lambda: Exponential(jitter=0.0), "jitter"),
    "a truth value as share": (lambda: Exponential(jitter=True), "jitter"),
    "a line that remembers": (lambda: Linear(jitter="decorrelated"), "jitter"),
    "two laws of growth": (lambda: Exponential(jitter="decorrelated", factor=3.0), "factor"),
    "no growth": (lambda: Exponential(jitter="decorrelated_v2", factor=1.0), "factor"),
    "a picture of nothing": (lambda: Exponential().plot(retries=0), "retries"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_waited_for_is_refused_by_name(case):
    make, names = WRONG[case]
    with pytest.raises(BackoffError, match=names):
        make()


@pytest.mark.parametrize("jitter", ["none", "full", "decorrelated_v2"])
def test_its_picture_shows_seconds_by_retry(jitter):
    ax = Exponential(0.1, cap_s=2.0, jitter=jitter).plot(retries=6)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("retry", "delay (s)")
    assert list(ax.lines[-1].get_ydata()) == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0]
    assert len(ax.lines) == (1 if jitter == "none" else 31)
    mpl.pyplot.close(ax.figure)
