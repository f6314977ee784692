"""Tests of many groups at once, against SciPy's of one at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.otlp.analysis._grouped import grouped_quantiles
from workbench.otlp.analysis._two_samples import benjamini_hochberg, rank_tests, two_proportions

SAMPLES = st.lists(
    st.lists(st.integers(0, 6), min_size=8, max_size=25).map(np.array), min_size=2, max_size=8
).filter(lambda found: len(found) % 2 == 0)


def run_pairs(samples, *, with_zeros):
    """Test pairs of samples as groups; zeros are listed or only counted."""
    pairs = list(zip(samples[::2], samples[1::2], strict=True))
    rows = [
        (group, value, late)
        for group, pair in enumerate(pairs)
        for late, sample in enumerate(pair)
        for value in sample.tolist()
        if with_zeros or value
    ]
    group, values, late = (np.array(column) for column in (zip(*rows, strict=True) if rows else ([], [], [])))
    sizes = [np.array([len(pair[side]) for pair in pairs]) for side in (0, 1)]
    return pairs, rank_tests(
        group.astype(np.int64), values.astype(float), late.astype(bool), len(pairs), *sizes
    )


@given(SAMPLES, st.booleans())
def test_mann_whitney_is_scipys(samples, with_zeros):
    pairs, found = run_pairs(samples, with_zeros=with_zeros)
    for group, (before, after) in enumerate(pairs):
        with np.errstate(invalid="ignore", divide="ignore"):
            oracle = stats.mannwhitneyu(after, before, method="asymptotic")
        assert found.delta[group] == pytest.approx(2 * oracle.statistic / (len(before) * len(after)) - 1)
        expected = 1.0 if np.isnan(oracle.pvalue) else oracle.pvalue
        assert found.location[group] == pytest.approx(expected)


@given(SAMPLES, st.booleans())
def test_kolmogorov_smirnov_is_scipys_statistic_with_its_asymptotic_distribution(samples, with_zeros):
    pairs, found = run_pairs(samples, with_zeros=with_zeros)
    for group, (before, after) in enumerate(pairs):
        distance = stats.ks_2samp(before, after, method="asymp").statistic
        size = len(before) * len(after) / (len(before) + len(after))
        assert found.shape[group] == pytest.approx(stats.kstwobign.sf(np.sqrt(size) * distance), abs=1e-12)


def test_groups_with_few_values_on_a_side_are_not_judged():
    group, late = np.zeros(27, np.int64), np.arange(27) >= 20
    found = rank_tests(group, np.arange(27.0) + 1, late, 1, np.array([20]), np.array([7]))
    assert np.isnan([found.delta[0], found.location[0], found.shape[0], found.p[0]]).all()


def test_both_rank_tests_keep_their_level_together():
    """Of samples of one distribution five per cent are found different at most."""
    rng = np.random.default_rng(1)
    groups, size = 2000, 40
    group = np.repeat(np.arange(groups), 2 * size)
    late = np.tile(np.arange(2 * size) >= size, groups)
    values = np.exp(rng.normal(size=len(group)))
    sizes = np.full(groups, size)
    found = rank_tests(group, values, late, groups, sizes, sizes)
    assert (found.location <= 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert 0.02 < (found.p <= 0.05).mean() < 0.06


@given(st.lists(st.tuples(*[st.integers(0, 60)] * 4), min_size=1, max_size=6))
def test_two_proportions_are_fishers_test_when_few_and_chi_square_when_many(tables):
    hits1, misses1, hits2, misses2 = (np.array(column) for column in zip(*tables, strict=True))
    found = two_proportions(hits1, hits1 + misses1, hits2, hits2 + misses2)
    for p, cells in zip(found, tables, strict=True):
        table = np.array(cells).reshape(2, 2)
        if not table.sum(axis=1).all():
            assert np.isnan(p)
        elif not table.sum(axis=0).all():
            assert p == 1
        elif stats.contingency.expected_freq(table).min() >= 10:
            assert p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
        else:
            assert p == pytest.approx(stats.fisher_exact(table).pvalue)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_benjamini_hochberg_is_scipys_and_leaves_out_what_was_not_tested(p):
    values = np.array(p)
    expected = stats.false_discovery_control(values)
    assert benjamini_hochberg(values) == pytest.approx(expected)
    with_gaps = benjamini_hochberg(np.insert(values, [0, len(p)], np.nan))
    assert np.isnan(with_gaps[[0, -1]]).all()
    assert with_gaps[1:-1] == pytest.approx(expected)


@given(st.lists(st.lists(st.integers(-5, 99), max_size=9), min_size=1, max_size=5))
def test_grouped_quantiles_are_numpys_of_each_group(groups):
    group = np.array([at for at, values in enumerate(groups) for _ in values], np.int64)
    values = np.array([value for found in groups for value in found], np.int64)
    found = grouped_quantiles(group, values, len(groups), (0, 0.3, 0.5, 1))
    for at, mine in enumerate(groups):
        if mine:
            assert found[:, at] == pytest.approx(np.quantile(mine, (0, 0.3, 0.5, 1)))
        else:
            assert np.isnan(found[:, at]).all()
