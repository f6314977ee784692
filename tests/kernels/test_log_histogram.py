"""Grouped exponential histograms equal those of each group alone, counted the plain way."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.kernels import KernelError, grouped_log_histogram, log_bucket_index

SIZES = st.one_of(
    st.just(0.0),
    st.floats(1e-6, 1e6),
    st.floats(min_value=0, exclude_min=True, allow_infinity=False, allow_nan=False),
)
ROWS = st.lists(st.tuples(st.integers(0, 3), SIZES, st.booleans(), st.floats(0.1, 10)), max_size=40)


def plain(values, max_size, max_scale):
    """Scale, and count of each bucket, by trying every scale from the finest."""
    positive = np.array([value for value in values if value > 0])
    for scale in range(max_scale, -12, -1):
        found = Counter(log_bucket_index(positive, scale).tolist())
        if not found or max(found) - min(found) < max_size:
            return scale, dict(found)
    raise AssertionError


@given(rows=ROWS, max_size=st.sampled_from([2, 3, 20, 160]), max_scale=st.integers(-2, 20))
def test_each_group_has_the_histogram_of_its_values(rows, max_size, max_scale):
    groups, values, marks = ([row[k] for row in rows] for k in range(3))
    found = grouped_log_histogram(groups, values, 4, marks=marks, max_size=max_size, max_scale=max_scale)
    for group in range(4):
        own = [value for where, value in zip(groups, values, strict=True) if where == group]
        scale, counts = plain(own, max_size, max_scale)
        buckets = found.counts[found.starts[group] : found.starts[group + 1]]
        assert found.scales[group] == scale
        assert {
            int(found.offsets[group]) + k: int(count) for k, count in enumerate(buckets) if count
        } == counts
        assert len(buckets) <= max_size
        assert found.zeros[group] == own.count(0.0)
        assert found.totals[group] == len(own)
        assert found.marked[group] == sum(m for g, m in zip(groups, marks, strict=True) if g == group)
        assert found.sums[group] == pytest.approx(sum(own), rel=1e-12)
        positive = [value for value in own if value > 0]
        assert (found.lows[group], found.highs[group]) == (
            (min(positive), max(positive)) if positive else (pytest.approx(np.nan, nan_ok=True),) * 2
        )


@given(rows=ROWS)
def test_weights_count_as_so_many_values(rows):
    groups, values, marks, weights = ([row[k] for row in rows] for k in range(4))
    found = grouped_log_histogram(groups, values, 4, marks=marks, weights=weights)
    plainly = grouped_log_histogram(groups, values, 4)
    assert (found.scales == plainly.scales).all()
    assert found.counts.dtype == np.float64
    assert found.totals == pytest.approx(np.bincount(groups, weights, minlength=4) if groups else np.zeros(4))
    marked = [w * m for w, m in zip(weights, marks, strict=True)]
    assert found.marked == pytest.approx(np.bincount(groups, marked, minlength=4) if groups else np.zeros(4))


@given(values=st.lists(st.integers(0, 10**15), min_size=1, max_size=30))
def test_whole_numbers_divided_by_a_unit_are_the_quotients(values):
    groups = np.zeros(len(values), np.int32)
    whole = grouped_log_histogram(groups, np.array(values), 1, unit=1e9)
    quotients = grouped_log_histogram(groups, np.array(values) / 1e9, 1)
    for name in ("scales", "offsets", "starts", "counts", "zeros", "lows", "highs"):
        assert np.array_equal(getattr(whole, name), getattr(quotients, name), equal_nan=True)
    assert whole.sums == pytest.approx(quotients.sums, rel=1e-12)


def test_rows_are_counted_in_parts_that_32_bits_can_hold(monkeypatch):
    from workbench.kernels import _log_histogram

    values = np.random.default_rng(3).lognormal(0, 1, 1000)
    groups = np.arange(1000, dtype=np.int32) % 7
    whole = grouped_log_histogram(groups, values, 7)
    monkeypatch.setattr(_log_histogram, "ROWS_AT_ONCE", 64)
    assert (grouped_log_histogram(groups, values, 7).counts == whole.counts).all()


def test_groups_can_be_taken_out_in_any_order():
    found = grouped_log_histogram([0, 1, 1, 2], [1.0, 2.0, 9.0, 3.0], 4, max_scale=0)
    taken = found.take([2, 1, 3])
    assert taken.starts.tolist() == [0, 1, 5, 5]
    assert taken.counts.tolist() == [1, 1, 0, 0, 1]
    assert taken.totals.tolist() == [1, 2, 0]
    assert len(taken) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": [0, 2]}, "groups must be 0 to 1, got 2 in row 1"),
        ({"groups": [-1, 0]}, "groups must be 0 to 1, got -1 in row 0"),
        ({"values": [1.0, -2.0]}, "values must be finite and not negative, got -2.0 in row 1"),
        ({"values": [np.nan, 1.0]}, "values must be finite and not negative, got nan in row 0"),
        ({"values": [1.0]}, "groups must have the shape"),
        ({"weights": [1.0, 0.0]}, "weights must be positive and finite, got 0.0 in row 1"),
        ({"weights": [1.0]}, "weights must have the shape"),
        ({"marks": [True]}, "marks must have the shape"),
        ({"max_size": 1}, "max_size must be 2 or more"),
        ({"unit": 0.0}, "unit positive"),
        ({"max_scale": 21}, "scale must be"),
    ],
)
def test_what_cannot_be_counted_is_refused(change, message):
    given = {"groups": [0, 1], "values": [1.0, 2.0], "size": 2} | change
    with pytest.raises(KernelError, match=message):
        grouped_log_histogram(given.pop("groups"), given.pop("values"), given.pop("size"), **given)
