"""A service in this process is the simulator's service: the same calls fare alike."""

import asyncio

import numpy as np
import pytest

from workbench.clock import virtual_time
from workbench.reliability import (
    Bulkhead,
    Constant,
    Errors,
    ExperimentError,
    Exponential,
    Outage,
    Pipeline,
    Poisson,
    Retry,
    Service,
    ServiceFailedError,
    ServiceFullError,
    Slowdown,
    Timeout,
    Uniform,
    drive,
    simulate,
)
from workbench.reliability.experiments.in_process import InProcessService

CASES = {
    "direct": (lambda: None, Service(servers=3, service_time=Exponential(0.05)), ()),
    "slow": (
        lambda: Timeout(0.3),
        Service(servers=2, service_time=Uniform(0.02, 0.06)),
        (Slowdown(3, 5, factor=6),),
    ),
    "bounded": (lambda: Bulkhead(4), Service(servers=2, service_time=Exponential(0.06), queue_limit=1), ()),
    "dropping": (
        lambda: Pipeline(Retry(attempts=1), Timeout(0.2)),
        Service(servers=2, service_time=Exponential(0.06), queue="lifo", drop_after_s=0.1),
        (Errors(2, 4, rate=0.5), Outage(6, 7, share=0.5)),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_serves_as_the_simulator_does(case):
    make, service, faults = CASES[case]
    options = {"faults": faults, "seed": 5, "duration_s": 10.0}
    with virtual_time() as clock:
        local = InProcessService(service, faults=faults, seed=5)

        async def all_clients():
            local.start()
            return await drive(make(), local.call, Poisson(40.0), **options)

        driven = clock.run(all_clients())
    simulated = simulate(make(), service, Poisson(40.0), **options)
    mine, theirs = (np.sort(run.log, order="serial") for run in (driven, simulated))
    assert len(mine) == len(theirs) > 300
    assert mine["outcome"].tolist() == theirs["outcome"].tolist()
    assert np.allclose(mine["finished_s"], theirs["finished_s"], atol=1e-9)


def test_a_call_whose_caller_gave_up_is_served_all_the_same():
    async def scene():
        service = InProcessService(Service(servers=1, service_time=Constant(1.0)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(service.call(), 0.5)
        waits = asyncio.ensure_future(service.call())
        await asyncio.sleep(0)
        assert (service.busy, service.waiting) == (1, 1)
        assert repr(service) == "InProcessService: 1 of 1 servers busy, 1 waiting"
        await waits
        return asyncio.get_running_loop().time()

    with virtual_time() as clock:
        assert clock.run(scene()) == 2.0


def test_failures_are_the_simulators():
    async def scene(service):
        results = await asyncio.gather(service.call(), service.call(), return_exceptions=True)
        return [type(each) for each in results]

    with virtual_time() as clock:
        full = InProcessService(Service(servers=1, service_time=Constant(1.0), queue_limit=0))
        assert clock.run(scene(full)) == [type(None), ServiceFullError]
        failing = InProcessService(Service(servers=2, service_time=Constant(1.0), failure_rate=1.0))
        assert clock.run(scene(failing)) == [ServiceFailedError, ServiceFailedError]


def test_a_service_that_notices_callers_is_refused():
    with pytest.raises(ExperimentError, match="cancels=False"):
        InProcessService(Service(service_time=Constant(1.0), cancels=True))
