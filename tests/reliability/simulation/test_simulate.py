"""What simulations do besides queueing: seeds, faults, growth, steps, errors, results."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backoff import Exponential as Backoff
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.timeout import Timeout
from workbench.reliability.policy import Policy
from workbench.reliability.simulation.distributions import (
    Constant,
    Empirical,
    Exponential,
    LogNormal,
    Pareto,
    Uniform,
    Weibull,
)
from workbench.reliability.simulation.errors import SimulationError
from workbench.reliability.simulation.service import (
    Closed,
    Errors,
    Even,
    Outage,
    Poisson,
    Recorded,
    Service,
    Slowdown,
    Surge,
)
from workbench.reliability.simulation.simulate import simulate
from workbench.reliability.simulation.vulnerability import COLLAPSED, RECOVERED, vulnerability_map

SERVICE = Service(servers=10, service_time=Exponential(mean_s=0.01))
STORM = Pipeline(Retry(attempts=3, backoff=Backoff(0.05)), Timeout(0.1))


def test_a_seed_decides_everything():
    first, again, other = (
        simulate(STORM, SERVICE, Poisson(700), seed=seed, duration_s=20, faults=[Slowdown(5, 6)])
        for seed in (1, 1, 2)
    )
    assert (first.log == again.log).all()
    assert len(other.log) != len(first.log)


def test_clients_and_service_times_are_common_to_all_pipelines():
    """Common random numbers: a call that neither waits nor fails takes as long whatever is around it."""
    idle = Service(servers=1000, service_time=Exponential(mean_s=0.01))
    bare = simulate(None, idle, Poisson(100), seed=5, duration_s=50)
    wrapped = simulate(Pipeline(Bulkhead(900), Retry()), idle, Poisson(100), seed=5, duration_s=50)
    assert (bare.log == wrapped.log).all()


def test_the_policies_are_not_changed():
    limiter = RateLimiter.gcra(rate_hz=10.0, burst=1)
    simulate(limiter, SERVICE, Poisson(100), duration_s=5)
    assert limiter.memory == type(limiter.memory)()


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_each_call_is_accounted_for(attempts):
    """Calls that came are those that ended and those under way; no call tries more often than it may."""
    pipeline = Pipeline(Retry(attempts=attempts, backoff=Backoff(0.01)), Timeout(0.05))
    result = simulate(pipeline, SERVICE, Poisson(900), seed=2, duration_s=30, faults=[Slowdown(10, 12)])
    assert result.totals["arrivals"] == len(result.log) + result.totals["calls"]
    assert sorted(set(result.log["serial"])) == sorted(result.log["serial"])
    assert result.log["attempts"].max() == attempts
    assert result.bins[:, 1].sum() == result.totals["attempts"]
    assert sum(result.outcomes.values()) == result.customers


def test_what_is_under_way_may_be_much_more_than_there_is_room_for_at_first():
    """A service that stands still keeps tens of thousands of calls waiting."""
    still = Service(servers=1, service_time=Constant(1e6))
    result = simulate(Timeout(1e5), still, Poisson(2000), duration_s=20)
    assert result.totals["queued"] == result.totals["arrivals"] - 1 > 30_000
    assert result.customers == 0


def test_more_calls_end_than_a_log_holds():
    result = simulate(None, Service(servers=50, service_time=Constant(0.001)), Even(10_000), duration_s=20)
    assert result.customers > 3 * 65_536
    assert (np.diff(result.log["finished_s"]) >= 0).all()


def test_an_outage_refuses_its_share_at_once():
    result = simulate(None, SERVICE, Poisson(500), duration_s=40, faults=[Outage(10, 20, share=0.5)])
    during = (result.log["arrived_s"] >= 10) & (result.log["arrived_s"] < 20)
    failed = result.log["outcome"] != 0
    assert 0.45 < failed[during].mean() < 0.55
    assert not failed[~during].any()
    assert (result.log["finished_s"] == result.log["arrived_s"])[failed].all()


def test_errors_take_their_time():
    result = simulate(None, SERVICE, Poisson(500), duration_s=30, faults=[Errors(10, 20, rate=1.0)])
    failed = result.log[result.log["outcome"] != 0]
    assert len(failed) > 4000
    assert (failed["finished_s"] > failed["arrived_s"]).all()


def test_a_surge_brings_as_many_times_as_many_clients():
    result = simulate(None, SERVICE, Poisson(100), seed=3, duration_s=300, faults=[Surge(100, 200, factor=3)])
    starts, arrived = result.series("arrived")
    before, during, after = (arrived[(starts >= low) & (starts < low + 100)].mean() for low in (0, 100, 200))
    assert before == pytest.approx(100, rel=0.05)
    assert during == pytest.approx(300, rel=0.05)
    assert after == pytest.approx(100, rel=0.05)


def test_even_clients_keep_their_distance_through_a_surge():
    result = simulate(
        None,
        Service(servers=9, service_time=Constant(0.01)),
        Even(10),
        duration_s=3,
        faults=[Surge(1.05, 2.0, factor=2)],
    )
    arrived = np.sort(result.log["arrived_s"])
    assert np.allclose(arrived[:10], np.arange(1, 11) / 10)
    assert np.allclose(np.diff(arrived[11:27]), 0.05)


def test_recorded_clients_come_when_they_came():
    at_s = [0.0, 0.5, 0.5, 2.25]
    result = simulate(None, SERVICE, Recorded(at_s), duration_s=10)
    assert sorted(result.log["arrived_s"]) == at_s


def test_users_of_a_closed_system_have_one_call_at_a_time():
    result = simulate(None, SERVICE, Closed(users=5, think_s=0.0), duration_s=5)
    for user in range(5):
        mine = result.log[result.log["user"] == user]
        assert (mine["arrived_s"][1:] >= mine["finished_s"][:-1]).all()
    assert set(result.log["user"]) == set(range(5))


def test_dropping_what_waited_too_long_bounds_the_wait():
    late = Service(servers=10, service_time=Exponential(mean_s=0.01), drop_after_s=0.05)
    result = simulate(None, late, Poisson(1500), duration_s=20)
    served = result.log[result.log["outcome"] == 0]
    assert served["waited_s"].max() <= 0.05
    assert result.outcomes["service_dropped"] > 1000


def test_a_service_that_hears_of_timeouts_leaves_their_work_out():
    """Its queue stays as long as calls wait; but first come, first served goes to those about to give up."""
    deaf, told = (
        simulate(
            STORM,
            Service(servers=10, service_time=Exponential(mean_s=0.01), cancels=cancels),
            Poisson(800),
            duration_s=60,
            faults=[Slowdown(10, 15)],
        )
        for cancels in (False, True)
    )
    late = slice(-100, None)
    assert deaf.series("queued")[1][late].min() > 20_000
    assert told.series("queued")[1][late].max() < 800 * 3 * 0.1 * 1.5
    assert deaf.series("succeeded")[1][late].mean() < 10 < told.series("succeeded")[1][late].mean() < 200


def test_progress_is_told():
    told = []
    simulate(None, SERVICE, Poisson(10), duration_s=5, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_averages_leave_the_warm_up_out():
    whole = simulate(None, SERVICE, Poisson(500), duration_s=100)
    late = simulate(None, SERVICE, Poisson(500), duration_s=100, warmup_s=50)
    assert late.customers == (whole.log["arrived_s"] >= 50).sum()
    assert late.goodput == pytest.approx(500, rel=0.05)


def test_a_result_shows_itself():
    result = simulate(STORM, SERVICE, Poisson(500), duration_s=20, faults=[Slowdown(5, 6)])
    assert result.calls.column_names == ["call", "arrived_s", "finished_s", "waited_s", "attempts", "outcome"]
    assert len(result.to_pandas()) == result.calls.num_rows
    assert "calls in 20 s" in repr(result)
    page = result._repr_html_()
    assert "goodput" in page
    assert "timed_out" in page
    axes = result.plot()
    assert {line.get_text() for line in axes.get_legend().get_texts()} >= {
        "attempts",
        "calls",
        "successes",
        "fault",
    }
    axes.figure.clear()


def test_a_result_becomes_telemetry():
    result = simulate(STORM, SERVICE, Poisson(500), duration_s=5, faults=[Outage(1, 2)])
    traces = result.traces()
    assert len(traces) == len(result.log)
    assert traces["call.attempts"].to_pylist() == result.log["attempts"].tolist()
    failed = [name is not None for name in traces["error.type"].to_pylist()]
    assert failed == (result.log["outcome"] != 0).tolist()
    assert type(traces).from_otlp(traces.to_otlp()) == traces


@given(st.floats(0.0, 1.0, exclude_max=True), st.floats(0.0, 1.0, exclude_max=True))
@settings(max_examples=200)
def test_distributions_are_drawn_by_their_quantiles(u, v):
    from workbench.reliability.simulation._kernel_random import draw

    low, high = sorted((u, v))
    for each in (
        Constant(2.0),
        Exponential(mean_s=2.0),
        Uniform(1.0, 3.0),
        LogNormal(1.0, 0.5),
        Pareto(1.0, 2.0),
        Weibull(1.0, 0.7),
        Empirical.of([3.0, 1.0, 2.0]),
    ):
        a, b = each.parameters()
        small, large = (draw(each.code, a, b, each.table(), share) for share in (low, high))
        assert 0 <= small <= large


def test_distributions_agree_with_scipy():
    from scipy import stats

    from workbench.reliability.simulation._kernel_random import draw

    u = (np.arange(1999) + 0.5) / 1999
    for each, peer in (
        (Exponential(mean_s=2.0), stats.expon(scale=2.0)),
        (Uniform(1.0, 3.0), stats.uniform(1.0, 2.0)),
        (LogNormal(1.5, 0.5), stats.lognorm(0.5, scale=1.5)),
        (Pareto(1.5, 2.5), stats.pareto(2.5, scale=1.5)),
        (Weibull(1.5, 0.7), stats.weibull_min(0.7, scale=1.5)),
    ):
        a, b = each.parameters()
        drawn = [draw(each.code, a, b, each.table(), share) for share in u]
        assert np.allclose(drawn, peer.ppf(u), rtol=1e-7)
        assert each.mean_s == pytest.approx(peer.mean())


def test_random_numbers_are_uniform_and_streams_differ():
    from scipy import stats

    from workbench.reliability.simulation._kernel_random import uniform

    first, second = ([uniform(7, stream, number) for number in range(4000)] for stream in (0, 1))
    for stream in (first, second, [uniform(seed, 0, 0) for seed in range(4000)]):
        assert stats.kstest(stream, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06


WRONG = [
    lambda: Service(servers=0, service_time=Constant(1.0)),
    lambda: Service(servers=1, service_time=0.1),
    lambda: Service(servers=1, service_time=Constant(1.0), queue="random"),
    lambda: Service(servers=1, service_time=Constant(1.0), queue_limit=-1),
    lambda: Service(servers=1, service_time=Constant(1.0), failure_rate=1.5),
    lambda: Poisson(0.0),
    lambda: Poisson(float("nan")),
    lambda: Closed(0, 1.0),
    lambda: Poisson("many"),
    lambda: Service(servers=1, service_time=Constant(1.0), queue_limit=1.5),
    lambda: Outage(5, 5),
    lambda: Outage(1, 2, share=7),
    lambda: Errors(1, 2, rate=-1),
    lambda: Slowdown(1, 2, factor=-3),
    lambda: Surge(1, 2, factor=float("nan")),
    lambda: simulate("retry", SERVICE, Poisson(1)),
    lambda: simulate(None, 3, Poisson(1)),
    lambda: simulate(None, SERVICE, 5),
    lambda: simulate(None, SERVICE, Poisson(1), faults=[3]),
    lambda: simulate(None, SERVICE, Poisson(1), seed=-1),
    lambda: simulate(None, SERVICE, Poisson(1), seed=2**70),
    lambda: simulate(None, SERVICE, Poisson(1), seed=1.5),
    lambda: Exponential(mean_s=-1.0),
    lambda: Uniform(2.0, 1.0),
    lambda: Empirical.of([]),
    lambda: Empirical.of([float("inf")]),
    lambda: simulate(None, SERVICE, Poisson(1), duration_s=0),
    lambda: simulate(None, SERVICE, Poisson(1), duration_s=10, warmup_s=10),
    lambda: simulate(None, SERVICE, Recorded([2.0, 1.0])),
    lambda: simulate(Policy(), SERVICE, Poisson(1)),
    lambda: simulate(None, SERVICE, Poisson(1), duration_s=1).latency_s(1.5),
    lambda: simulate(None, SERVICE, Poisson(1), duration_s=1).series("goodness"),
    lambda: vulnerability_map(None, SERVICE, [], [1.0]),
    lambda: vulnerability_map(None, SERVICE, [0.5], [-1.0]),
    lambda: vulnerability_map(None, SERVICE, [0.5], [1.0], seeds=[]),
]


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(SimulationError):
        wrong()


def test_a_map_finds_the_theorys_boundary():
    """With three attempts, loads below a third recover from short outages, loads above never do."""
    found = vulnerability_map(STORM, SERVICE, [0.25, 0.36, 0.6], [1.0, 2.0], seeds=range(2), after_s=40)
    assert found.critical_load == pytest.approx(1 / 3)
    assert "load 0.25" in found._repr_html_()
    lower, upper = found.interval()
    assert (lower <= found.collapsed).all()
    assert (found.collapsed <= upper).all()
    assert found.to_pandas()["collapsed"].sum() == found.collapsed.sum()
    axes = found.plot()
    assert axes.get_legend().get_texts()[0].get_text() == "load x 3 attempts = 1"
    axes.figure.clear()
    assert (found.states[0] == RECOVERED).all()
    assert (found.states[1:] == COLLAPSED).all()


def test_a_long_queue_that_shrinks_is_not_metastable():
    found = vulnerability_map(Timeout(0.1), SERVICE, [0.8], [8.0], seeds=[0, 1], after_s=20)
    assert (found.draining == 1).all()
    later = vulnerability_map(Timeout(0.1), SERVICE, [0.8], [8.0], seeds=[0, 1], after_s=120)
    assert (later.states == RECOVERED).all()


@pytest.mark.slow
def test_a_map_is_the_same_wherever_it_is_made():
    from concurrent.futures import ThreadPoolExecutor

    arguments = (STORM, SERVICE, [0.3, 0.5], [0.5], range(2))
    here = vulnerability_map(*arguments, after_s=20)
    with ThreadPoolExecutor(2) as executor:
        there = vulnerability_map(*arguments, after_s=20, executor=executor)
    assert (here.states == there.states).all()
    assert (here.goodput == there.goodput).all()


@pytest.mark.slow
def test_a_map_is_the_same_on_a_cluster():
    from distributed import Client, LocalCluster

    arguments = (STORM, SERVICE, [0.3, 0.5], [0.5], range(2))
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster) as client,
    ):
        there = vulnerability_map(*arguments, after_s=20, executor=client)
    assert (vulnerability_map(*arguments, after_s=20).goodput == there.goodput).all()
