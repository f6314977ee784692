"""Exponential histograms keep what the specification promises: nesting, merging, bounded quantiles."""

import math
import pickle
import sys
from functools import reduce

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics._internal.aggregation import (
    AggregationTemporality,
    _ExponentialBucketHistogramAggregation,
)

from workbench import otlp
from workbench.kernels import log_bucket_bounds, log_bucket_index
from workbench.otlp import Buckets, ExponentialHistogram, HistogramError

of = ExponentialHistogram.of
NUMBERS = st.one_of(st.integers(-1000, 1000).map(float), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.lists(NUMBERS, max_size=30)
SIZES = st.sampled_from([2, 3, 10, 160])


def contents(histogram):
    """Everything but the sum, whose rounding depends on the order."""
    names = ("scale", "positive", "negative", "zero_count", "zero_threshold", "min", "max", "max_size")
    return [getattr(histogram, name) for name in names]


def true_quantile(values, q):
    return sorted(values)[max(1, math.ceil(q * len(values))) - 1]


@given(values=VALUES, max_size=SIZES)
def test_counts_are_those_of_the_values_and_the_limit_holds(values, max_size):
    histogram = of(values, max_size=max_size)
    assert histogram.count == len(values)
    assert histogram.zero_count == values.count(0)
    assert histogram.positive.total == sum(value > 0 for value in values)
    assert len(histogram.positive) <= max_size
    assert len(histogram.negative) <= max_size
    assert (histogram.min, histogram.max) == ((min(values), max(values)) if values else (None, None))


@given(values=VALUES.filter(bool), max_size=SIZES)
def test_the_scale_is_the_largest_that_fits(values, max_size):
    scale = of(values, max_size=max_size).scale
    sides = [[abs(v) for v in values if sign * v > 0] for sign in (1, -1)]
    finer = [log_bucket_index(side, min(scale + 1, 20)) for side in sides if side]
    assert scale == 20 or any(found.max() - found.min() >= max_size for found in finer)


@given(values=VALUES, steps=st.integers(0, 31))
def test_a_coarser_histogram_is_the_one_that_the_values_have_at_that_scale(values, steps):
    histogram = of(values)
    scale = max(histogram.scale - steps, -11)
    coarse, direct = histogram.downscale(scale), of(values, max_scale=scale)
    assert contents(coarse) == contents(direct)


@given(parts=st.lists(VALUES, min_size=1, max_size=5), max_size=SIZES)
def test_merging_parts_is_counting_all(parts, max_size):
    merged = reduce(ExponentialHistogram.merge, (of(part, max_size=max_size) for part in parts))
    everything = [value for part in parts for value in part]
    assert contents(merged) == contents(of(everything, max_size=max_size))
    largest = max(map(abs, everything), default=0)
    if largest < 1e300:  # beyond it a sum may overflow
        assert merged.sum == pytest.approx(math.fsum(everything), abs=1e-9 * largest)


@given(a=VALUES, b=VALUES, c=VALUES, threshold=st.sampled_from([0.0, 1.0, 10.0]))
def test_merging_is_associative_and_commutative(a, b, c, threshold):
    x, y, z = (of(values, zero_threshold=threshold) for values in (a, b, c))
    assert contents(x.merge(y).merge(z)) == contents(x.merge(y.merge(z)))
    assert x.merge(y) == y.merge(x)


@given(a=VALUES, b=VALUES, thresholds=st.tuples(st.floats(0, 100), st.floats(0, 100)))
def test_unequal_zero_thresholds_merge_into_one_that_cuts_no_bucket(a, b, thresholds):
    x, y = (of(values, zero_threshold=t) for values, t in zip((a, b), thresholds, strict=True))
    merged = x.merge(y)
    assert merged.count == len(a) + len(b)
    assert merged == y.merge(x)
    assert merged.zero_threshold >= max(thresholds)
    assert merged.zero_count >= x.zero_count + y.zero_count
    for q in (0.0, 0.25, 0.5, 0.75, 1.0):
        if a + b:
            _, lower, upper = merged.quantile(q)
            assert lower <= true_quantile(a + b, q) <= upper


def test_a_wider_zero_bucket_takes_whole_buckets():
    narrow, wide = of([1.5, 3.0, 100.0], max_scale=0), of([0.5, 200.0], zero_threshold=2.5, max_scale=0)
    merged = narrow.merge(wide)
    assert merged.zero_threshold == 4.0  # 2.5 cuts (2, 4], which holds 3
    assert merged.zero_count == 3
    assert merged.positive == Buckets(6, np.array([1, 1]))


@example(values=[2.0, 5e-324, -1.0], q=0.0, max_size=2)
@example(values=[-2.0, -5e-324, 1.0], q=1.0, max_size=2)
@given(values=VALUES.filter(bool), q=st.floats(0, 1), max_size=SIZES)
def test_the_true_quantile_is_within_the_bounds_and_the_error(values, q, max_size):
    histogram = of(values, max_size=max_size)
    found, truth = histogram.quantile(q), true_quantile(values, q)
    assert found.lower <= truth <= found.upper
    assert found.lower <= found.estimate <= found.upper
    if truth != 0 and abs(truth) > 1e-300:
        rounding = 4 * sys.float_info.epsilon
        assert abs(found.estimate - truth) <= (float(histogram.relative_error) + rounding) * abs(truth)
        if 0 in (found.lower, found.upper):  # the bound nearest to zero underflows, and the estimate is zero
            assert (found.estimate, found.relative_error) == (0, math.inf)
        else:
            assert found.relative_error <= histogram.relative_error * (1 + 1e-9)


@pytest.mark.parametrize("q", [0.0, 0.01, 0.5, 0.9, 0.99, 1.0])
def test_quantiles_of_many_values_agree_with_numpy(q):
    values = np.random.default_rng(5).lognormal(-3, 2, 20_000)
    histogram = of(values)
    truth = np.quantile(values, q, method="inverted_cdf")
    assert abs(histogram.quantile(q).estimate / truth - 1) <= histogram.relative_error


@pytest.mark.parametrize(("decades", "scale", "error"), [(3, 4, 0.0217), (5, 3, 0.0433), (7, 2, 0.0864)])
def test_the_published_errors_of_160_buckets_hold(decades, scale, error):
    histogram = of(np.geomspace(1e-3, 1e-3 * 10**decades, 1000))
    assert histogram.scale == scale
    assert histogram.relative_error == pytest.approx(error, abs=5e-5)


@given(values=st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=50))
def test_the_official_sdk_counts_the_same_buckets(values):
    ours, theirs = of(values), sdk_histogram(values)
    assert ours.scale == theirs.scale
    start = theirs.positive.offset
    indices = start + np.flatnonzero(theirs.positive.bucket_counts)
    assert ours.positive.total == sum(theirs.positive.bucket_counts)
    bounds = log_bucket_bounds(ours.positive.indices, ours.scale)
    if min(abs(np.subtract.outer(values, bounds)).min(axis=1) / values) > 1e-12:  # its logarithm is not exact
        assert ours.positive == Buckets(start, np.array(theirs.positive.bucket_counts))
        assert indices[0] == ours.positive.offset


def sdk_histogram(values):
    from opentelemetry.sdk.metrics._internal.exemplar import AlignedHistogramBucketExemplarReservoir
    from opentelemetry.sdk.metrics._internal.measurement import Measurement

    def reservoir(**_):
        return AlignedHistogramBucketExemplarReservoir([])

    aggregation = _ExponentialBucketHistogramAggregation({}, reservoir, AggregationTemporality.DELTA, 0)
    for value in values:
        aggregation.aggregate(Measurement(value, 0, None, None, {}), should_sample_exemplar=False)
    return aggregation.collect(AggregationTemporality.CUMULATIVE, 1)


@given(earlier=VALUES, later=VALUES)
def test_the_difference_of_two_states_is_what_came_between(earlier, later):
    state = of(earlier)
    new = state.merge(of(later)).minus(state)
    direct = of(later, max_scale=new.scale)
    for name in ("scale", "positive", "negative", "zero_count", "count"):
        assert getattr(new, name) == getattr(direct, name)
    assert (new.min, new.max) == (None, None)


@pytest.mark.parametrize(
    ("later", "earlier", "message"),
    [
        (of([1.0]), of([1.0, 1.0]), "from 0 to"),
        (of([2.0]), of([1.0]), "from 0 to"),
        (of([1.0]), of([0.0]), "zero_count"),
        (of([1.0, 1.5]), of([1.0], max_scale=1), "no later state"),
        (of([1.0]), of([1.0], zero_threshold=0.5), "zero threshold fell"),
    ],
)
def test_what_is_no_later_state_has_no_difference(later, earlier, message):
    with pytest.raises(HistogramError, match=message):
        later.minus(earlier)


def test_weights_count_as_so_many_values():
    weighted, repeated = of([1.0, 3.0, 0.0], weights=[2.0, 3.0, 1.0]), of([1.0, 1.0, 3.0, 3.0, 3.0, 0.0])
    assert weighted.count == 6.0
    assert weighted.sum == repeated.sum
    assert [weighted.quantile(q) for q in (0.1, 0.5, 0.9)] == [repeated.quantile(q) for q in (0.1, 0.5, 0.9)]
    assert weighted.merge(repeated).count == 12.0


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([1.0, math.nan], {}, "1 values are not finite, the first is nan at 1: leave them out"),
        ([math.inf, -math.inf], {}, "2 values are not finite"),
        ([1.0], {"weights": [1.0, 2.0]}, "weights must be 1 positive"),
        ([1.0], {"weights": [-1.0]}, "weights must be 1 positive"),
        ([1.0], {"max_size": 1}, "max_size must be 2 or more"),
        ([1.0], {"max_scale": 21}, "max_scale must be -11 to 20, got 21"),
        ([1.0], {"zero_threshold": -1.0}, "not negative"),
    ],
)
def test_values_that_cannot_be_counted_are_refused(values, options, message):
    with pytest.raises(HistogramError, match=message):
        of(values, **options)


def test_impossible_buckets_and_questions_are_refused():
    with pytest.raises(HistogramError, match="hold no double"):
        ExponentialHistogram(20, Buckets(2**31 - 1, np.array([1])))
    with pytest.raises(HistogramError, match="more than max_size"):
        ExponentialHistogram(0, Buckets(0, np.ones(161, np.int64)))
    with pytest.raises(HistogramError, match="from 0 to"):
        Buckets(0, np.array([-1]))
    with pytest.raises(HistogramError, match="less than 2\\*\\*63 together, got 9223372036854775808"):
        Buckets(0, np.full(2, 2**62))
    with pytest.raises(HistogramError, match="one row of numbers"):
        Buckets(0, np.array(["a"]))
    with pytest.raises(HistogramError, match="cannot be refined"):
        of([1.0], max_scale=3).downscale(4)
    with pytest.raises(HistogramError, match="no quantiles"):
        of([]).quantile(0.5)
    with pytest.raises(HistogramError, match="q must be from 0 to 1"):
        of([1.0]).quantile(1.5)


def test_negative_zero_is_zero():
    histogram = of([-0.0])
    assert math.copysign(1, histogram.min) == math.copysign(1, histogram.max) == 1
    assert repr(histogram).startswith("ExponentialHistogram: 1 value, 0 to 0")


def test_bounds_are_no_negative_zero():
    for values in ([2.0, 5e-324, -1.0], [0.0]):
        lowers, uppers, _ = of(values, max_size=2).intervals()
        assert not np.signbit(np.concatenate([lowers, uppers])[np.concatenate([lowers, uppers]) == 0]).any()


def test_the_whole_range_of_doubles_fits():
    histogram = of([5e-324, 1.0, float(np.finfo(np.float64).max), -5e-324])
    assert histogram.scale == -4
    assert histogram.base == 2.0**16
    assert histogram.quantile(1.0).upper == np.finfo(np.float64).max
    assert of([5e-324, 1e308], max_size=2).scale == -11


def test_a_histogram_is_a_value():
    one, same = of([1.0, 2.0]), of([2.0, 1.0])
    assert one == same
    assert hash(one) == hash(same)
    assert one != of([1.0])
    assert pickle.loads(pickle.dumps(one)) == one
    with pytest.raises(AttributeError):
        one.scale = 3
    with pytest.raises(ValueError, match="read-only"):
        one.positive.counts[0] = 9


def test_it_shows_itself():
    histogram = of([0.25, 1.0, -4.0, 0.0])
    assert (
        repr(histogram)
        == "ExponentialHistogram: 4 values, -4 to 1, 129 of 160 buckets at scale 6, within 0.54 %"
    )
    assert repr(of([])) == "ExponentialHistogram: 0 values, 0 of 160 buckets at scale 20, within 3.3e-05 %"
    assert repr(of([5e-324, 2.0], max_size=2)).endswith("2 of 2 buckets at scale -11, within 100 %")
    page = histogram._repr_html_()
    assert "p99" in page
    assert ">at least<" in page
    assert "p99" not in of([])._repr_html_()


LARGEST = float(np.finfo(np.float64).max)


@pytest.mark.parametrize(
    "values",
    [
        *([], [1.0], [0.0], [1.0, 10.0, 20.0], [-3.0, 0.0, 5.0], [-1e-300, 1e300], [1e-300, 1e300]),
        *([5e-324], [-5e-324, 0.0, 5e-324], [5e-324, LARGEST], [LARGEST], [-LARGEST, LARGEST]),
        *([-LARGEST, -5e-324], [1e308, 1.5e308], [5e-324, 1.0, 2.0], [-1e308, 0.0, 1.0]),
    ],
)
def test_every_histogram_can_be_drawn(values):
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots()
    assert of(values).plot(ax) is ax
    figure.canvas.draw()
    plt.close(figure)
    if values:
        assert len(ax.get_legend().texts) == 3
        assert ax.get_xscale() == ("log" if min(values) > 0 else "symlog")
        low, high = ax.get_xlim()
        assert low <= min(values) * (1 - 1e-3 * (min(values) < 0))
        assert high >= max(values) * (1 - 1e-3)


def test_a_zero_bucket_as_wide_as_all_doubles_can_be_drawn():
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots()
    of([0.0, 1e308, LARGEST], zero_threshold=1e308).plot(ax)
    figure.canvas.draw()
    plt.close(figure)


def test_the_face_names_them():
    assert otlp.ExponentialHistogram is ExponentialHistogram
