"""Intervals: their closed forms, and how often they hold the truth where chance has seen little of it."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from workbench.otlp.sampling._clusters import Clusters
from workbench.otlp.sampling._intervals import quantile_interval, share_interval, total_interval

Z = 1.959963984540054


def test_variances_are_unbiased_where_a_traces_spans_have_different_probabilities():
    """One number decides about all spans of a trace; integrated exactly over its pieces."""
    trace = np.array([0, 0, 0, 1, 1])
    pi = np.array([0.5, 0.2, 0.5, 1.0, 0.25])
    y = np.array([1.0, 3.0, 0.5, 2.0, 4.0])
    edges = [0.0, 0.2, 0.25, 0.5, 1.0]
    pieces = list(itertools.pairwise(edges))
    mean = square = variance = 0.0
    for (low0, high0), (low1, high1) in itertools.product(pieces, repeat=2):
        chance = (high0 - low0) * (high1 - low1)
        kept = np.where(trace == 0, low0, low1) < pi
        clusters = Clusters(trace[kept], 1 / pi[kept])
        mean += chance * clusters.total(y[kept])
        square += chance * clusters.total(y[kept]) ** 2
        variance += chance * clusters.variance(y[kept])
    assert mean == pytest.approx(y.sum())
    assert variance == pytest.approx(square - mean**2)


def test_totals_have_a_score_interval():
    """Both ends satisfy (T - N)^2 = z^2 (V / T) N."""
    low, high = total_interval(1000.0, 9000.0, 100, Z)
    for end in (low, high):
        assert (1000 - end) ** 2 == pytest.approx(Z**2 * 9 * end)
    assert total_interval(1000.0, 0.0, 1000, Z) == (1000, 1000)
    assert total_interval(200.0, 19800.0, 2, Z)[0] >= 2


def alike(spans, weight=1e9):
    """Return spans of as many traces, of a probability so small that nothing is finite."""
    return Clusters(np.arange(spans), np.full(spans, weight))


@pytest.mark.parametrize("seen", [0, 1, 3, 10])
def test_rare_spans_have_the_exact_interval_of_a_poisson_count(seen):
    """Garwood 1936: half the chi-square quantiles of 2 k and 2 k + 2 degrees of freedom."""
    spans = 10**5
    share, low, high = share_interval(alike(spans), np.arange(spans) < seen, 0.95)
    assert share == seen / spans
    exact = stats.chi2.ppf([0.025, 0.975], [2 * seen, 2 * seen + 2]) / 2 if seen else (0.0, -math.log(0.025))
    assert np.array([low, high]) * spans == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize(("seen", "spans"), [(7, 40), (20, 40), (33, 40), (300, 1000)])
def test_shares_have_about_the_exact_interval_of_a_binomial_count(seen, spans):
    """Clopper & Pearson 1934; ours is somewhat wider, by a twentieth at most."""
    _, low, high = share_interval(alike(spans), np.arange(spans) < seen, 0.95)
    exact = stats.binomtest(seen, spans).proportion_ci(method="exact")
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=0.05 * (exact.high - exact.low))


def test_shares_of_the_few_spans_kept_for_certain_are_open_to_those_that_chance_missed():
    """A hundred that failed, all kept, and of the rest one in a hundred, of which none failed."""
    failed = np.arange(200) < 100
    clusters = Clusters(np.arange(200), np.where(failed, 1.0, 100.0))
    share, low, high = share_interval(clusters, failed, 0.95)
    assert share == 100 / 10_100
    assert low < 100 / 10_100 < (100 + 3.5 * 100) / 10_100 < high


def test_whole_traces_say_as_much_as_one_span():
    failed = np.repeat(np.arange(40) < 7, 9)
    clustered = share_interval(Clusters(np.repeat(np.arange(40), 9), np.full(360, 1e9)), failed, 0.95)
    assert clustered == pytest.approx(share_interval(alike(40), np.arange(40) < 7, 0.95), rel=1e-6)


def test_what_is_known_for_certain_has_no_interval():
    clusters = alike(40, 1.0)
    assert share_interval(clusters, np.arange(40) < 7, 0.95) == (7 / 40,) * 3
    assert quantile_interval(np.arange(40.0), clusters, 0.5, 0.95) == (19.0,) * 3


@pytest.mark.parametrize(("spans", "is_open"), [(15, True), (360, True), (420, False)])
def test_a_quantile_that_too_few_spans_could_exceed_has_no_upper_end(spans, is_open):
    """All of n are below the quantile q with the probability q^n: that of 369 for 0.99 is 2.5 %."""
    found, low, high = quantile_interval(np.arange(float(spans)), alike(spans), 0.99, 0.95)
    assert low < found < high
    assert math.isinf(high) == is_open


def test_a_quantile_that_too_few_spans_could_fall_below_has_no_lower_end_but_the_least_value():
    values = np.arange(15.0) - 5
    assert quantile_interval(values, alike(15), 0.01, 0.95)[1] == -math.inf
    assert quantile_interval(values + 5, alike(15), 0.01, 0.95, least=0.0)[1] == 0.0


def test_the_tail_that_was_kept_for_certain_does_not_bound_the_one_that_chance_missed():
    """Twenty slow spans kept for certain are all that is seen beyond p98: there may be more."""
    values, certain = np.arange(80.0), np.arange(80) >= 60
    clusters = Clusters(np.arange(80), np.where(certain, 1.0, 20.0))
    found, _, high = quantile_interval(values, clusters, 0.99, 0.95)
    assert 60 < found < 79
    assert math.isinf(high)


def test_a_tail_that_is_known_to_be_complete_bounds_its_quantiles():
    values, certain = np.arange(80.0), np.arange(80) >= 60
    clusters = Clusters(np.arange(80), np.where(certain, 1.0, 20.0))
    found, _, high = quantile_interval(values, clusters, 0.99, 0.95, complete_beyond=60.0)
    assert found < high < 79


def test_errors_that_are_known_to_be_complete_have_a_narrow_share():
    failed = np.arange(200) < 100
    clusters = Clusters(np.arange(200), np.where(failed, 1.0, 100.0))
    share, low, high = share_interval(clusters, failed, 0.95, complete=True)
    counts = stats.chi2.ppf([0.975, 0.025], [202, 200]) / 2 * 100  # of the others (Garwood)
    assert (low, high) == pytest.approx([100 / (100 + count) for count in counts], rel=0.03)
    assert low < share < high


def test_medians_have_the_ranks_of_the_sign_test():
    _, low, high = quantile_interval(np.arange(1.0, 101.0), alike(100), 0.5, 0.95)
    exact = stats.binom.ppf([0.025, 0.975], 100, 0.5) + np.array([0, 1])
    assert [low, high] == pytest.approx(exact, abs=1)


def lognormal(rng):
    """Six thousand roots with a heavy tail, of which two in a hundred fail; none is kept for certain."""
    return np.arange(6000), rng.lognormal(2, 1, 6000), np.zeros(6000, bool), rng.random(6000) < 0.02


def failures_kept(rng):
    trace, values, _, failed = lognormal(rng)
    return trace, values, failed, failed


def half_the_slow_kept(rng):
    """Three in a hundred are twenty times as slow; half of those, and some others, are kept for certain."""
    trace, values, _, failed = lognormal(rng)
    slow = rng.random(6000) < 0.03
    certain = (slow & (rng.random(6000) < 0.5)) | (rng.random(6000) < 0.02)
    return trace, np.where(slow, 20 * values, values), certain, failed


def tail_kept(rng):
    trace, values, _, failed = lognormal(rng)
    return trace, values, values > np.quantile(values, 0.98), failed


def tail_and_failures_kept(rng):
    """As a sampler that is known to keep all that is slow or fails; see `COMPLETE`."""
    trace, values, _, failed = lognormal(rng)
    return trace, values, (values >= SLOW) | failed, failed


SLOW = 57.6  # milliseconds; 2 % last longer
COMPLETE = {tail_and_failures_kept: (SLOW, True)}


def many_spans_a_trace(rng):
    """Nine spans a trace; slow and failed ones come together."""
    trace = np.repeat(np.arange(6000), rng.poisson(8, 6000) + 1)
    values = (rng.lognormal(0, 0.7, 6000))[trace] * rng.lognormal(2, 1, len(trace))
    failed = (rng.random(6000) < 0.03)[trace] & (rng.random(len(trace)) < 0.3)
    return trace, values, np.zeros(6000, bool), failed


def few_traces(rng):
    return tuple(column[:1500] for column in lognormal(rng))


SAMPLES = 150


@pytest.mark.slow
@pytest.mark.parametrize(
    ("population", "probability"),
    [
        (tail_and_failures_kept, 0.01),
        (lognormal, 0.01),
        (lognormal, 0.1),
        (failures_kept, 0.01),
        (half_the_slow_kept, 0.01),
        (tail_kept, 0.01),
        (many_spans_a_trace, 0.01),
        (many_spans_a_trace, 0.1),
        (few_traces, 0.01),
    ],
)
def test_intervals_hold_the_truth_at_least_as_often_as_they_say(population, probability):
    """Over 150 seeded samples: 0.95 less 2.6 standard deviations of a binomial count of 150 is 0.904."""
    rng = np.random.default_rng(7)
    trace, values, certain, failed = population(rng)
    quantiles = (0.5, 0.9, 0.99)
    truth = [*(np.quantile(values, q, method="inverted_cdf") for q in quantiles), failed.mean()]
    held = np.zeros((SAMPLES, len(truth)))
    for sample in held:
        kept = (certain | (rng.random(len(certain)) < probability))[trace]
        weight = np.where(certain, 1.0, 1 / probability)[trace[kept]]
        clusters = Clusters(trace[kept], weight)
        beyond, errors = COMPLETE.get(population, (math.inf, False))
        found = [
            quantile_interval(values[kept], clusters, q, 0.95, complete_beyond=beyond) for q in quantiles
        ]
        found.append(share_interval(clusters, failed[kept], 0.95, complete=errors))
        sample[:] = [low <= true <= high for true, (_, low, high) in zip(truth, found, strict=True)]
    assert (held.mean(axis=0) >= 0.95 - 2.6 * math.sqrt(0.95 * 0.05 / SAMPLES)).all()
