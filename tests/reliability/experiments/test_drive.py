"""Driving real calls: clients come as in the simulation, all is counted, nothing is left behind."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.clock import virtual_time
from workbench.reliability import (
    Closed,
    Constant,
    Driven,
    Even,
    ExperimentError,
    Exponential,
    Outage,
    Pipeline,
    Poisson,
    Recorded,
    Retry,
    Service,
    SimulationError,
    Surge,
    Timeout,
    drive,
    simulate,
)
from workbench.reliability.errors import CircuitOpenError, LoadShedError
from workbench.reliability.simulation._streams import ServiceDraws, arrival_times

IDLE = Service(servers=10_000, service_time=Exponential(mean_s=0.05))


def driven(pipeline, call, arrivals, **options):
    """Drive on virtual time."""
    with virtual_time():
        return asyncio.run(drive(pipeline, call, arrivals, **options))


def service(seed):
    """Return a call of a service without a queue, that takes as long as the simulation's."""
    draws, calls = ServiceDraws(IDLE, seed), iter(range(10**9))

    async def call():
        await asyncio.sleep(draws.time_s(next(calls)))

    return call


async def at_once():
    """Succeed."""


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([Poisson(300.0), Even(150.0), Recorded([0.0, 0.1, 0.1, 2.5, 40.0])]),
    st.integers(0, 2**40),
    st.lists(
        st.builds(
            lambda start, length, factor: Surge(start, start + length, factor),
            st.floats(0, 3),
            st.floats(0.1, 2),
            st.floats(0.1, 4),
        ),
        max_size=2,
    ),
)
def test_clients_come_when_the_simulations_come(arrivals, seed, surges):
    """To the bit, through surges."""
    still = Service(servers=1, service_time=Constant(1e-9))
    result = simulate(None, still, arrivals, faults=surges, seed=seed, duration_s=3.0)
    times = arrival_times(arrivals, duration_s=3.0, seed=seed, faults=surges)
    log = np.sort(result.log, order="serial")
    assert result.totals["arrivals"] == len(times)
    assert (times[log["serial"]] == log["arrived_s"]).all()


def test_service_times_are_the_simulations_across_blocks():
    """Of a first attempt, for any number."""
    result = simulate(None, IDLE, Poisson(1000), seed=9, duration_s=4)
    log = np.sort(result.log, order="serial")
    assert log["serial"].max() > 3000
    draws = ServiceDraws(IDLE, 9)
    drawn = [draws.time_s(number) for number in log["serial"].tolist()]
    assert np.allclose(log["finished_s"] - log["arrived_s"], drawn, rtol=0, atol=1e-9)


def test_a_live_experiment_and_a_simulation_agree_call_by_call():
    """On virtual time, without a queue and with a limit on each call: the same calls end the same way."""
    pipeline = Pipeline(Timeout(0.08))
    live = driven(pipeline, service(5), Poisson(200), seed=5, duration_s=10)
    result = simulate(pipeline, IDLE, Poisson(200), seed=5, duration_s=10)
    one, other = (np.sort(run.log, order="serial") for run in (live, result))
    assert len(set(result.outcomes)) == 2
    assert live.outcomes == result.outcomes
    for name in ("serial", "outcome", "attempts"):
        assert (one[name] == other[name]).all()
    assert np.allclose(one["finished_s"], other["finished_s"], rtol=0, atol=1e-6)
    for name in ("arrived", "attempts", "succeeded", "ended"):
        assert np.abs(live.series(name)[1].cumsum() - result.series(name)[1].cumsum()).max() * live.bin_s <= 1
    assert live.goodput == pytest.approx(result.goodput)
    assert live.latency_s(0.5) == pytest.approx(result.latency_s(0.5), abs=1e-6)


def test_each_client_is_accounted_for():
    """Ended or under way at the end; attempts are counted in both."""
    live = driven(Pipeline(Retry(attempts=3), Timeout(0.05)), service(1), Poisson(100), duration_s=5)
    assert live.customers + live.under_way == len(live.due_s)
    assert live.under_way > 0
    assert sum(live.outcomes.values()) == live.customers
    assert live.log["attempts"].sum() <= len(live.attempted_s) <= 3 * len(live.due_s)
    assert live.bins[:, 1].sum() == len(live.attempted_s)
    assert live.attempts == live.log["attempts"].mean() > 1
    assert (np.diff(live.log["finished_s"]) >= 0).all()


def test_what_is_under_way_at_the_end_is_cancelled():
    """And has ended when the experiment returns."""
    ended = []

    async def forever():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(asyncio.current_task())

    async def experiment():
        live = await drive(None, forever, Even(10), duration_s=2.05)
        return live, asyncio.all_tasks() - {asyncio.current_task()}

    with virtual_time():
        live, left = asyncio.run(experiment())
    assert live.under_way == len(ended) == 20
    assert not left
    assert live.customers == 0
    assert np.isnan(live.latency_s(0.5))


def test_cancelling_an_experiment_ends_all_of_its_clients():
    """The cancellation passes, and no task is left."""
    begun, ended = [], []

    async def forever():
        begun.append(1)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    async def experiment():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.05):
                await drive(None, forever, Even(10), duration_s=60)
        return asyncio.all_tasks() - {asyncio.current_task()}

    with virtual_time():
        assert not asyncio.run(experiment())
    assert len(begun) == len(ended) == 10


def test_no_more_clients_are_let_in_than_may_be():
    """Further ones are outcomes of their own, and make no attempt."""

    async def slowly():
        await asyncio.sleep(1.0)

    live = driven(None, slowly, Even(10), duration_s=5.05, most_tasks=3)
    assert live.outcomes["ok"] == 12
    assert live.outcomes["not_started"] == 50 - 12 - live.under_way
    assert set(live.log["attempts"][live.log["outcome"] != 0]) == {0}
    assert live.lag_s(1.0) < 1e-6


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (CircuitOpenError("breaker"), "circuit_open"),
        (LoadShedError("shedder"), "load_shed"),
        (RuntimeError("other"), "failed"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_exceptions_are_outcomes_by_the_simulations_names(error, name):
    """Also a cancellation that comes from what is called."""

    async def fail():
        raise error

    assert driven(None, fail, Even(10), duration_s=1.05).outcomes == {name: 10}


def test_what_is_no_exception_ends_the_experiment():
    """As it would end the program."""

    class StopAll(BaseException):
        pass

    async def stop():
        raise StopAll

    with pytest.raises(BaseExceptionGroup) as caught:
        driven(None, stop, Even(10), duration_s=1.0)
    assert caught.group_contains(StopAll)


def test_what_cannot_be_driven_is_refused():
    """By name, and with what would be right."""
    with pytest.raises(SimulationError, match="Poisson, Even or Recorded"):
        driven(None, at_once, Closed(1, 0.1), duration_s=1)
    with pytest.raises(SimulationError, match="duration_s"):
        driven(None, at_once, Even(1), duration_s=0)
    with pytest.raises(ExperimentError, match="most_tasks"):
        driven(None, at_once, Even(1), duration_s=1, most_tasks=0)
    live = driven(None, at_once, Even(1), duration_s=1.5)
    with pytest.raises(ExperimentError, match="no series 'queued'"):
        live.series("queued")
    with pytest.raises(ExperimentError, match="share"):
        live.latency_s(2)


def test_an_experiment_shows_itself():
    """As a result of a simulation does."""
    live = driven(None, at_once, Even(100), duration_s=5, faults=[Outage(1, 2)])
    assert repr(live) == "Driven: 500 calls in 5 s, goodput 100.0/s, 1.00 attempts a call, 0 under way"
    assert live.to_pandas().columns.tolist() == [
        "call", "arrived_s", "started_s", "finished_s", "attempts", "outcome",
    ]  # fmt: skip
    assert live.to_arrow()["outcome"].to_pylist() == ["ok"] * 500
    axes = live.plot()
    texts = {text.get_text() for text in axes.get_legend().get_texts()}
    assert texts == {"attempts", "calls", "successes", "fault"}
    axes.figure.clear()


def test_nobody_came():
    """All numbers are there."""
    live = driven(None, at_once, Recorded([]), duration_s=1)
    assert isinstance(live, Driven)
    assert (live.customers, live.goodput, live.attempts, live.outcomes) == (0, 0.0, 0.0, {})
    assert np.isnan(live.lag_s(0.5))
