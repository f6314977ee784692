"""Queues, caches and hedges in the simulator against closed forms: Cobham, Erlang, renewals, minima."""

import math

import numpy as np
import pytest

from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.cache import Cache
from workbench.reliability.policies.hedge import Hedge
from workbench.reliability.policies.shedder import LoadShedder
from workbench.reliability.simulation.distributions import Constant, Exponential
from workbench.reliability.simulation.errors import SimulationError
from workbench.reliability.simulation.requests import Requests, zipf_shares
from workbench.reliability.simulation.service import Poisson, Service
from workbench.reliability.simulation.simulate import simulate

from .test_queueing import SEEDS, erlang_c, mean_and_half_width

ONE = Service(servers=1, service_time=Exponential(mean_s=0.1))
ENDLESS = 1_000_000
RATE_HZ, MEAN_S = 8.0, 0.1
IDLE = Service(servers=100_000, service_time=Exponential(mean_s=MEAN_S))


def runs(pipeline, service=ONE, rate_hz=RATE_HZ, **options):
    return [simulate(pipeline, service, Poisson(rate_hz), seed=seed, **options) for seed in SEEDS]


def latencies_s(result):
    return result.counted["finished_s"] - result.counted["arrived_s"]


PRIORITIES = {
    "bulkhead": lambda: Bulkhead(1, queue=ENDLESS, order="priority"),
    "shedder": lambda: LoadShedder(1, queue=ENDLESS, discipline="none", max_wait_s=None),
}


@pytest.mark.parametrize("make", PRIORITIES.values(), ids=PRIORITIES)
def test_waiting_by_priority_is_cobhams(make):
    """Non-preemptive priorities, M/M/1: W_k = W_0 / ((1 - s_{k-1}) (1 - s_k)), s_k the load of classes to k.

    A. Cobham, Priority assignment in waiting line problems, Operations Research 2 (1954).
    """
    shares = {0: 0.2, 1: 0.5, 3: 0.3}
    levels = np.random.default_rng(0).choice(list(shares), 60_000, p=list(shares.values()))
    found = runs(make(), requests=Requests(levels=levels), duration_s=6000.0, warmup_s=200.0)
    load = RATE_HZ * MEAN_S
    served = 0.0
    for level, share in shares.items():
        before, served = served, served + share * load
        expected = load * MEAN_S / ((1 - before) * (1 - served))
        waits = [latencies_s(each)[levels[each.counted["serial"]] == level].mean() - MEAN_S for each in found]
        mean, half = mean_and_half_width(waits)
        assert abs(mean - expected) <= half


@pytest.mark.parametrize("order", ["fifo", "lifo"])
def test_the_mean_wait_does_not_depend_on_the_order(order):
    """As that of Erlang's C, whether the first or the last is first: both know nothing of service times."""
    found = runs(Bulkhead(1, queue=ENDLESS, order=order), duration_s=6000.0, warmup_s=200.0)
    mean, half = mean_and_half_width([latencies_s(each).mean() - MEAN_S for each in found])
    assert abs(mean - erlang_c(0.8, 1) * MEAN_S / 0.2) <= half


def test_the_last_first_waits_less_at_the_median_and_more_at_the_end():
    first, last = (
        simulate(Bulkhead(1, queue=ENDLESS, order=order), ONE, Poisson(9.0), duration_s=2000.0)
        for order in ("fifo", "lifo")
    )
    assert last.latency_s(0.5) < first.latency_s(0.5) / 2
    assert last.latency_s(0.999) > 2 * first.latency_s(0.999)


def test_tenants_share_an_overloaded_service_by_their_weights():
    """Deficit round robin: of three that all send too much, each is served in proportion to its weight."""
    shedder = LoadShedder(1, queue=300, discipline="none", max_wait_s=None, weights={0: 3.0})
    tenants = np.random.default_rng(0).integers(0, 3, 120_000)
    requests = Requests(tenants=tenants)
    result = simulate(shedder, ONE, Poisson(60.0), requests=requests, duration_s=2000.0, warmup_s=100.0)
    served = result.counted[result.counted["outcome"] == 0]
    shares = np.bincount(tenants[served["serial"] % len(tenants)]) / len(served)
    assert shares == pytest.approx([0.6, 0.2, 0.2], abs=0.003)


@pytest.mark.parametrize("ttl_s", [0.001, 0.5])
def test_one_call_a_key_is_under_way_at_a_time(ttl_s):
    """A key's fetches are a renewal process: one takes s, its answer is fresh for ttl, then somebody asks."""
    service = Service(servers=ENDLESS, service_time=Constant(MEAN_S))
    shares = zipf_shares(20)
    found = runs(
        Cache(ttl_s=ttl_s), service, 100.0, requests=Requests(keys=shares), duration_s=1000.0, warmup_s=10.0
    )
    expected = sum(1 / (MEAN_S + ttl_s + 1 / (100.0 * share)) for share in shares.values())
    mean, half = mean_and_half_width([each.totals["attempts"] / 1000.0 for each in found])
    assert abs(mean - expected) <= half + 20 / 1000.0  # the first fetches find nothing


@pytest.mark.parametrize("delay_s", [0.02, 0.1, 0.3])
def test_hedged_latency_is_that_of_the_minimum(delay_s):
    """Of exponential services the second attempt doubles the rate from the delay on."""
    found = runs(Hedge(delay_s=delay_s, budget=None), IDLE, 50.0, duration_s=500.0)
    late = math.exp(-delay_s / MEAN_S)
    mean, half = mean_and_half_width([latencies_s(each).mean() for each in found])
    assert abs(mean - MEAN_S * (1 - late / 2)) <= half
    mean, half = mean_and_half_width([each.attempts for each in found])
    assert abs(mean - (1 + late)) <= half


def test_a_learnt_delay_hedges_the_share_beyond_its_quantile():
    """And a budget bounds the extra attempts: no more than its share of the calls, and the burst."""
    found = runs(Hedge(quantile=0.9, budget=None), IDLE, 50.0, duration_s=500.0, warmup_s=50.0)
    mean, half = mean_and_half_width([each.attempts - 1 for each in found])
    assert abs(mean - 0.1) <= half + 0.1 * 0.032  # a bin of the histogram
    few = simulate(Hedge(delay_s=0.0, budget=0.05, burst=3.0), IDLE, Poisson(50.0), duration_s=500.0)
    calls = few.totals["arrivals"]
    assert few.totals["attempts"] - calls <= 3.0 + 0.05 * calls


def test_requests_are_drawn_by_their_shares_and_alike_for_all_pipelines():
    shares = {0: 0.2, 1: 0.5, 3: 0.3}
    drawn = [
        simulate(pipeline, IDLE, Poisson(200.0), requests=Requests(levels=shares), duration_s=50.0, seed=3)
        for pipeline in (None, LoadShedder(1000), Bulkhead(1000, order="priority"))
    ]
    assert (drawn[0].log == drawn[1].log).all()
    assert (drawn[0].log == drawn[2].log).all()


WRONG = [
    lambda: Requests(levels={}),
    lambda: Requests(levels={1: -1.0}),
    lambda: Requests(tenants={"a": 0.0}),
    lambda: Requests(keys=[0.5]),
    lambda: Requests(keys=[]),
    lambda: Requests(keys=[[1]]),
    lambda: zipf_shares(0),
    lambda: zipf_shares(3, math.nan),
    lambda: simulate(None, ONE, Poisson(1.0), requests={"levels": 1}),
]


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
def test_requests_that_make_no_sense_are_refused(wrong):
    with pytest.raises(SimulationError):
        wrong()
