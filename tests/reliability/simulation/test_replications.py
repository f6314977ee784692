"""Confidence intervals over seeds, and differences under common random numbers."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import stats

from workbench.reliability import Exponential, Poisson, Service, SimulationError, Timeout, simulate_seeds
from workbench.reliability.simulation.replications import Interval

ONE = Service(servers=1, service_time=Exponential(mean_s=0.1))
WAIT_S = 0.8 / (10 - 8)  # M/M/1 at load 0.8


def test_an_interval_is_that_of_students_t():
    values = [1.0, 2.0, 4.0, 8.0]
    found = Interval.of(values, 0.9)
    lower, upper = stats.t.interval(0.9, 3, np.mean(values), stats.sem(values))
    assert (found.mean, found.lower, found.upper) == pytest.approx((3.75, lower, upper))


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Of 40 intervals at 90 %, about 36; fewer than 30 has a probability below one in ten thousand."""
    held = 0
    for group in range(40):
        seeds = range(10 * group, 10 * group + 10)
        found = simulate_seeds(None, ONE, Poisson(8.0), seeds=seeds, duration_s=1500.0, warmup_s=100.0)
        interval = found.estimate("mean_wait_s", 0.9)
        held += interval.lower <= WAIT_S <= interval.upper
    assert held >= 30


def test_common_random_numbers_shorten_the_interval_of_a_difference():
    faster = Service(servers=1, service_time=Exponential(mean_s=0.099))
    slow, fast, other = (
        simulate_seeds(None, service, Poisson(8.0), seeds=seeds, duration_s=1000.0)
        for service, seeds in ((ONE, range(10)), (faster, range(10)), (faster, range(10, 20)))
    )
    paired = slow.difference(fast, "mean_wait_s")
    spread = np.hypot(np.std(slow.values("mean_wait_s")), np.std(other.values("mean_wait_s")))
    assert paired.lower > 0
    assert paired.upper - paired.lower < 0.25 * 2 * 2.26 * spread / np.sqrt(10)


def test_results_come_back_the_same_through_an_executor():
    arguments = (Timeout(0.3), ONE, Poisson(8.0))
    here = simulate_seeds(*arguments, seeds=[3, 4], duration_s=50.0)
    with ThreadPoolExecutor(2) as executor:
        there = simulate_seeds(*arguments, seeds=[3, 4], duration_s=50.0, executor=executor)
    assert here.values("goodput") == there.values("goodput")
    assert here.values(lambda result: result.latency_s(0.9)) == there.values(
        lambda result: result.latency_s(0.9)
    )
    assert list(here.to_pandas().columns) == ["seed", "goodput", "offered_load", "mean_wait_s", "attempts"]
    assert repr(here).startswith("Replications: 2 seeds, goodput ")


def test_what_has_no_spread_is_refused():
    with pytest.raises(SimulationError, match="two seeds at least"):
        simulate_seeds(None, ONE, Poisson(8.0), seeds=[1])
    few, more = (
        simulate_seeds(None, ONE, Poisson(8.0), seeds=seeds, duration_s=1.0) for seeds in ([1, 2], [1, 3])
    )
    with pytest.raises(SimulationError, match="same seeds"):
        few.difference(more, "goodput")
    with pytest.raises(SimulationError, match="confidence"):
        few.estimate("goodput", 1.0)
