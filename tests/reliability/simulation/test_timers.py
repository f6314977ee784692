"""Timers that hardly ever ring: they cost next to nothing, and change nothing."""

import numpy as np
import pytest

from workbench.backoff import Exponential as Backoff
from workbench.reliability import (
    Bulkhead,
    Even,
    Exponential,
    Pipeline,
    Poisson,
    Retry,
    Service,
    Timeout,
    simulate,
)
from workbench.reliability.simulation.distributions import Constant

SERVICE = Service(servers=10, service_time=Exponential(mean_s=0.1))


@pytest.mark.parametrize("timeout_s", [0.5, 10.0, 1e6])
def test_only_the_first_timer_of_a_layer_is_in_the_heap(timeout_s):
    """Of 80 calls a second each sets two timers; nothing else lies ahead but the end of ten services."""
    pipeline = Pipeline(Timeout(2 * timeout_s), Timeout(timeout_s))
    found = simulate(pipeline, SERVICE, Poisson(80.0), seed=1, duration_s=100.0)
    assert found.totals["heap"] <= found.totals["busy"] + 2
    assert found.totals["heap"] <= found.totals["events"] <= 2 * 2 * len(found.log) + 12


def test_a_timeout_that_is_never_reached_changes_nothing():
    """Through several growths of the world: 8000 timers are set at the end."""
    bare, limited = (
        simulate(pipeline, SERVICE, Poisson(80.0), seed=2, duration_s=100.0)
        for pipeline in (None, Timeout(1e6))
    )
    assert (bare.log == limited.log).all()
    assert limited.totals["events"] > 7000


def test_timers_ring_in_the_order_of_their_times_whatever_order_they_are_set_in():
    """An inner limit that the outer one cuts short rings before others of its layer that were set before."""
    slow = Service(servers=10_000, service_time=Constant(50.0))
    pipeline = Pipeline(Timeout(1.0), Retry(attempts=9, backoff=Backoff(0.0)), Timeout(0.4))
    found = simulate(pipeline, slow, Even(7.0), seed=3, duration_s=20.0)
    assert np.allclose(found.log["finished_s"] - found.log["arrived_s"], 1.0)
    assert (found.log["attempts"] == 3).all()
    assert (np.diff(found.log["finished_s"]) > 0).all()


def test_patience_in_a_queue_ends_as_it_does_without_others():
    """One place, held for good: all others wait 0.3 s each, and are rejected then."""
    slow = Service(servers=10_000, service_time=Constant(1e5))
    found = simulate(Bulkhead(1, queue=1000, max_wait_s=0.3), slow, Even(100.0), seed=4, duration_s=20.0)
    assert len(found.log) > 1900
    assert np.allclose(found.log["finished_s"] - found.log["arrived_s"], 0.3)


def test_the_log_holds_every_call_however_often_it_grew():
    """More calls than it has room for at first; the estimate of how many errs, as they come in a burst."""
    found = simulate(None, SERVICE, Poisson(90.0), seed=5, duration_s=2500.0)
    assert len(found.log) > 3 * 65_536
    ended = np.sort(found.log["serial"])
    assert len(ended) == found.totals["arrivals"] - found.totals["calls"]
    assert (np.diff(ended) > 0).all()
    assert (np.diff(found.log["finished_s"]) >= 0).all()
