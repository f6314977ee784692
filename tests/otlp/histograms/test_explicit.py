"""Explicit and exponential buckets turn into each other: no count is lost, and every bound stays true."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.otlp import ExplicitHistogram, ExponentialHistogram, HistogramError

BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
DISTRIBUTIONS = ["upper", "midpoint", "uniform", "random"]
NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)  # whose halves are exact
VALUES = st.lists(st.one_of(st.just(0.0), NUMBERS), max_size=30)
EDGES = st.lists(NUMBERS, max_size=8, unique=True).map(sorted)


def explicit(values, bounds):
    counts = np.bincount(np.searchsorted(bounds, values), minlength=len(bounds) + 1)
    return ExplicitHistogram(
        bounds, counts, sum(values), min(values, default=None), max(values, default=None)
    )


def true_quantile(values, q):
    return sorted(values)[max(1, math.ceil(q * len(values))) - 1]


@given(values=VALUES, bounds=EDGES, distribution=st.sampled_from(DISTRIBUTIONS))
def test_every_count_arrives_whole_in_explicit_buckets(values, bounds, distribution):
    histogram = ExponentialHistogram.of(values)
    found = histogram.to_explicit(bounds, distribution=distribution)
    assert found.count == len(values)
    assert found.counts.dtype == np.int64
    assert found.counts.min() >= 0
    assert (found.sum, found.min, found.max) == (histogram.sum, histogram.min, histogram.max)


@given(
    values=VALUES.filter(bool), bounds=EDGES, distribution=st.sampled_from(DISTRIBUTIONS), q=st.floats(0, 1)
)
def test_no_value_moves_farther_than_its_bucket_is_wide(values, bounds, distribution, q):
    histogram = ExponentialHistogram.of(values)
    found = histogram.to_explicit(bounds, distribution=distribution).quantile(q)
    own = histogram.quantile(q)
    assert found.lower <= own.upper
    assert found.upper >= own.lower


def test_upper_midpoint_and_uniform_place_the_values_of_one_bucket_as_they_say():
    histogram = ExponentialHistogram.of([4.5] * 5 + [7.9] * 5 + [4.0001, 8.0], max_scale=0)  # all in (4, 8]
    bounds = [4.0, 5.0, 6.5, 8.0]
    assert histogram.to_explicit(bounds, distribution="upper").counts.tolist() == [0, 0, 0, 12, 0]
    assert histogram.to_explicit(bounds, distribution="midpoint").counts.tolist() == [0, 0, 12, 0, 0]
    assert histogram.to_explicit(bounds, distribution="uniform").counts.tolist() == [0, 3, 4, 5, 0]
    found = histogram.to_explicit(bounds, distribution="random", seed=1).counts
    assert found.tolist() == histogram.to_explicit(bounds, distribution="random", seed=1).counts.tolist()
    assert found[1] + found[2] + found[3] == 12


def test_uniform_comes_close_to_the_true_counts():
    values = np.random.default_rng(2).lognormal(-3, 1, 100_000)
    found = ExponentialHistogram.of(values).to_explicit(BOUNDS)
    truth = np.histogram(values, [0, *BOUNDS, 1e9])[0]
    assert np.abs(found.counts - truth).max() < 300


def test_bounds_that_are_bounds_of_buckets_lose_nothing():
    values = np.random.default_rng(2).lognormal(0, 1, 10_000)
    powers = 2.0 ** np.arange(-6, 7)
    for distribution in DISTRIBUTIONS:
        found = ExponentialHistogram.of(values).to_explicit(powers, distribution=distribution)
        assert (
            found == explicit(values.tolist(), powers)
            or found.counts.tolist() == explicit(values.tolist(), powers).counts.tolist()
        )


def test_weighted_counts_stay_exact_sums():
    histogram = ExponentialHistogram.of([1.5, 3.0], weights=[0.5, 2.25])
    assert histogram.to_explicit([1.0, 2.0, 4.0]).counts.sum() == pytest.approx(2.75)
    with pytest.raises(HistogramError, match="weighted values cannot be drawn at random"):
        histogram.to_explicit([1.0], distribution="random")


@given(values=VALUES.filter(bool), bounds=EDGES, q=st.floats(0, 1), max_size=st.sampled_from([4, 160]))
def test_the_true_quantile_stays_within_the_bounds_of_exponential_buckets(values, bounds, q, max_size):
    given_buckets = explicit(values, bounds)
    histogram = given_buckets.to_exponential(max_size=max_size)
    assert histogram.count == len(values)
    assert max(len(histogram.positive), len(histogram.negative)) <= max_size
    truth, found = true_quantile(values, q), histogram.quantile(q)
    slack = 1e-12 * abs(truth)
    assert found.lower - slack <= truth <= found.upper + slack
    if truth and abs(truth) > histogram.zero_threshold:
        assert abs(found.estimate - truth) <= histogram.relative_error * abs(truth) * (1 + 1e-9)


@given(values=VALUES.filter(bool), bounds=EDGES, q=st.floats(0, 1))
def test_the_quantile_of_explicit_buckets_is_within_its_bucket(values, bounds, q):
    truth, found = true_quantile(values, q), explicit(values, bounds).quantile(q)
    assert found.lower <= truth <= found.upper
    assert found.lower <= found.estimate <= found.upper


def test_a_first_bucket_that_starts_at_zero_becomes_the_zero_bucket():
    histogram = ExponentialHistogram.from_explicit(ExplicitHistogram([0.1, 1.0], [3, 4, 0]))
    assert (histogram.zero_count, histogram.zero_threshold, histogram.positive.total) == (3, 0.1, 4)
    assert histogram.displacement == pytest.approx(math.sqrt(10) - 1)
    assert histogram.quantile(0.9).lower <= 0.1
    assert histogram.quantile(0.9).upper >= 1.0


@pytest.mark.parametrize(
    ("bounds", "counts", "message"),
    [
        ([1.0], [0, 2], "the last bucket holds 2 values, but max is not known: give max="),
        ([-1.0], [2, 0], "the first bucket holds 2 values, but min is not known: give min="),
        ([], [1], "is not known"),
    ],
)
def test_an_open_bucket_needs_its_extreme(bounds, counts, message):
    with pytest.raises(HistogramError, match=message):
        ExponentialHistogram.from_explicit(ExplicitHistogram(bounds, counts))


@pytest.mark.parametrize(
    ("bounds", "counts", "message"),
    [
        ([1.0, 1.0], [1, 2, 3], "ascending"),
        ([math.nan], [1, 2], "ascending"),
        ([1.0, math.inf], [1, 2, 3], "finite"),
        ([1.0], [1], "1 bounds make 2 buckets, but there are 1 counts"),
        ([1.0], [1, -2], "from 0 to"),
    ],
)
def test_buckets_that_do_not_fit_are_refused(bounds, counts, message):
    with pytest.raises(HistogramError, match=message):
        ExplicitHistogram(bounds, counts)


def test_questions_without_an_answer_are_refused():
    with pytest.raises(HistogramError, match="no quantiles"):
        ExplicitHistogram([1.0], [0, 0]).quantile(0.5)
    with pytest.raises(HistogramError, match="distribution must be one of upper, midpoint"):
        ExponentialHistogram.of([1.0]).to_explicit([1.0], distribution="middle")
    with pytest.raises(HistogramError, match="ascending"):
        ExponentialHistogram.of([1.0]).to_explicit([2.0, 1.0])


def test_an_unknown_extreme_leaves_a_quantile_without_a_bound():
    histogram = ExplicitHistogram([1.0, 2.0], [1, 1, 1])
    assert histogram.quantile(1.0) == (2.0, 2.0, math.inf)
    assert histogram.quantile(0.0) == (1.0, -math.inf, 1.0)
    assert histogram.quantile(1.0).relative_error == math.inf or histogram.quantile(1.0).upper == math.inf


def test_it_is_a_value_and_shows_itself():
    one, same = (
        ExplicitHistogram([0.1, 1.0], [5, 90, 5], max=4.0),
        ExplicitHistogram([0.1, 1], [5, 90, 5], max=4),
    )
    assert one == same
    assert hash(one) == hash(same)
    assert one != ExplicitHistogram([0.1, 1.0], [5, 90, 6], max=4.0)
    assert repr(one) == "ExplicitHistogram: 100 values, 3 buckets"
    assert ">up to<" in one._repr_html_()


@pytest.mark.parametrize(
    "histogram",
    [
        ExplicitHistogram([0.1, 1.0], [5, 90, 5], max=4.0),
        ExplicitHistogram([-1.0, 1.0], [5, 0, 5]),
        ExplicitHistogram([], [5]),
        ExplicitHistogram([1.0], [0, 0]),
    ],
)
def test_every_histogram_can_be_drawn(histogram):
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots()
    assert histogram.plot(ax) is ax
    figure.canvas.draw()
    plt.close(figure)
