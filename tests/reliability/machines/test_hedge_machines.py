"""What hedging learns: a quantile with a bounded error, in both worlds. Its budget: test_budget_machine."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability.machines import latency_quantile

DURATIONS = st.floats(1e-6, 1e5)


@given(
    durations=st.lists(st.one_of(DURATIONS, st.sampled_from([0.0, 1e-9, 1e9])), max_size=60),
    quantile=st.sampled_from([0.5, 0.95, 0.999]),
)
def test_the_quantile_is_the_same_in_both_worlds(both_worlds, durations, quantile):
    p = latency_quantile.Parameters(quantile, 3, 20)
    worlds = both_worlds(p, latency_quantile.State(), arrays=[[0] * latency_quantile.BINS])
    for seconds in durations:
        worlds.step(latency_quantile.observe, seconds, use=(0, 1), rings=(0,))
        worlds.step(latency_quantile.quantile, use=(0, 1), rings=(0,))


@given(durations=st.lists(DURATIONS, min_size=1, max_size=300), quantile=st.floats(0.01, 0.99))
def test_it_is_within_1_6_percent_of_the_exact_quantile(durations, quantile):
    p, s = latency_quantile.Parameters(quantile, 1, 10**6), latency_quantile.State()
    counts = [0] * latency_quantile.BINS
    for seconds in durations:
        latency_quantile.observe(p, s, counts, seconds)
    exact = sorted(durations)[max(1, math.ceil(quantile * len(durations))) - 1]
    assert latency_quantile.quantile(p, s, counts) == pytest.approx(exact, rel=1 / 64 + 1e-12)


def test_it_follows_when_durations_change():
    p, s = latency_quantile.Parameters(0.95, 100, 1000), latency_quantile.State()
    counts, rng = [0] * latency_quantile.BINS, np.random.default_rng(7)
    for mean_s in (0.1, 1.0):
        for seconds in rng.exponential(mean_s, 20_000):
            latency_quantile.observe(p, s, counts, seconds)
        expected = -math.log(0.05) * mean_s
        assert latency_quantile.quantile(p, s, counts) == pytest.approx(expected, rel=0.15)
    assert s.observed == 40_000
    assert sum(counts) == s.counted <= 1000


def test_nothing_is_known_before_there_is_enough():
    p, s = latency_quantile.Parameters(0.5, 2, 100), latency_quantile.State()
    counts = [0] * latency_quantile.BINS
    latency_quantile.observe(p, s, counts, 1.0)
    assert latency_quantile.quantile(p, s, counts) == math.inf
    latency_quantile.observe(p, s, counts, 1.0)
    assert latency_quantile.quantile(p, s, counts) == pytest.approx(1.0, rel=1 / 64)
