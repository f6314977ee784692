"""The simulator against closed forms: Erlang's B and C, M/G/1, Little's law, the machine repair model."""

import math

import numpy as np
import pytest

from workbench.reliability.simulation.distributions import (
    Constant,
    Empirical,
    Exponential,
    LogNormal,
    Uniform,
)
from workbench.reliability.simulation.service import Closed, Poisson, Service
from workbench.reliability.simulation.simulate import simulate

SEEDS = range(8)
T_7 = 4.029  # two-sided 99.5 % quantile of Student's t with 7 degrees of freedom, doubled tails: 0.5 %


def mean_and_half_width(values):
    """Return the mean of independent runs, and half a 99.5 % confidence interval."""
    found = np.array(values)
    return found.mean(), T_7 * found.std(ddof=1) / math.sqrt(len(found))


def erlang_b(load, servers):
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


def erlang_c(load, servers):
    blocked = erlang_b(load, servers)
    return blocked / (1 - load / servers * (1 - blocked))


def runs(service, arrivals, duration_s=4000.0, warmup_s=200.0):
    return [
        simulate(None, service, arrivals, seed=seed, duration_s=duration_s, warmup_s=warmup_s)
        for seed in SEEDS
    ]


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (1, 0.8), (3, 0.7), (10, 0.8), (50, 0.9)])
def test_waiting_is_that_of_erlang_c(servers, load):
    service = Service(servers=servers, service_time=Exponential(mean_s=0.1))
    offered = servers * load
    found = runs(service, Poisson(rate_hz=offered / 0.1))
    mean, half = mean_and_half_width([result.mean_wait_s for result in found])
    expected = erlang_c(offered, servers) * 0.1 / (servers * (1 - load))
    assert abs(mean - expected) <= half


@pytest.mark.parametrize(("servers", "offered"), [(1, 0.5), (5, 4.0), (10, 12.0)])
def test_blocking_is_that_of_erlang_b(servers, offered):
    service = Service(servers=servers, service_time=Exponential(mean_s=0.1), queue_limit=0)
    found = runs(service, Poisson(rate_hz=offered / 0.1))
    mean, half = mean_and_half_width([result.outcomes["service_full"] / result.customers for result in found])
    assert abs(mean - erlang_b(offered, servers)) <= half


@pytest.mark.parametrize("time", [Exponential(mean_s=0.1), LogNormal(0.06, 0.9), Uniform(0.0, 0.2)])
def test_blocking_depends_on_the_mean_service_time_only(time):
    """Erlang's B is insensitive to the distribution."""
    service = Service(servers=5, service_time=time, queue_limit=0)
    found = runs(service, Poisson(rate_hz=4.0 / time.mean_s))
    mean, half = mean_and_half_width([result.outcomes["service_full"] / result.customers for result in found])
    assert abs(mean - erlang_b(4.0, 5)) <= half


@pytest.mark.parametrize(
    ("time", "second_moment"),
    [
        (Constant(0.1), 0.01),
        (Uniform(0.0, 0.2), 0.04 / 3),
        (LogNormal(0.08, 0.5), 0.08**2 * math.exp(2 * 0.25)),
        (Empirical.of([0.05, 0.15]), 0.0125),
    ],
)
def test_waiting_with_one_server_is_that_of_pollaczek_and_khinchine(time, second_moment):
    rate_hz = 0.7 / time.mean_s
    found = runs(Service(servers=1, service_time=time), Poisson(rate_hz))
    mean, half = mean_and_half_width([result.mean_wait_s for result in found])
    assert abs(mean - rate_hz * second_moment / (2 * (1 - 0.7))) <= half


@pytest.mark.parametrize("queue", ["fifo", "lifo"])
def test_littles_law_holds_in_each_run(queue):
    """L = lambda W, for the queue: an identity of every run, up to those that wait at its end."""
    service = Service(servers=3, service_time=Exponential(mean_s=0.1), queue=queue)
    result = simulate(None, service, Poisson(rate_hz=27.0), seed=3, duration_s=4000.0)
    served_hz = result.totals["served"] / result.duration_s
    assert result.mean_queue == pytest.approx(served_hz * result.mean_wait_s, rel=0.01)


def test_the_order_of_the_queue_does_not_change_the_mean_wait():
    """Of disciplines that do not look at service times; the spread of the waits does change."""
    found = {
        queue: runs(Service(servers=1, service_time=Exponential(mean_s=0.1), queue=queue), Poisson(7.0))
        for queue in ("fifo", "lifo")
    }
    means = {
        queue: mean_and_half_width([result.mean_wait_s for result in each]) for queue, each in found.items()
    }
    assert abs(means["fifo"][0] - means["lifo"][0]) <= means["fifo"][1] + means["lifo"][1]
    assert found["lifo"][0].latency_s(0.99) > 1.3 * found["fifo"][0].latency_s(0.99)


def test_the_sojourn_time_with_one_server_is_exponential():
    service = Service(servers=1, service_time=Exponential(mean_s=0.001))
    for load in (0.5, 0.8, 0.9):
        result = simulate(None, service, Poisson(load * 1000), seed=1, duration_s=400.0)
        for q in (0.5, 0.9, 0.99):
            expected = -math.log(1 - q) / (1000 * (1 - load))
            assert result.latency_s(q) == pytest.approx(expected, rel=0.06)


def test_closed_arrivals_are_the_machine_repair_model():
    """M/M/c//N: the throughput of so many users, from the birth and death equations."""
    users, servers, think_s, mean_s = 12, 3, 0.4, 0.1
    weights = [1.0]
    for busy in range(1, users + 1):
        weights.append(weights[-1] * (users - busy + 1) / think_s * mean_s / min(busy, servers))
    share = np.array(weights) / sum(weights)
    expected = sum(p * min(n, servers) / mean_s for n, p in enumerate(share))
    found = runs(Service(servers=servers, service_time=Exponential(mean_s=mean_s)), Closed(users, think_s))
    mean, half = mean_and_half_width([result.goodput for result in found])
    assert abs(mean - expected) <= half
