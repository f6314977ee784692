"""`InProcessService`: the service of a simulation as something to await, without HTTP.

On a virtual clock it makes experiments with live policies that need no time and are the same each time::

    with virtual_time() as clock:
        service = InProcessService(Service(...), faults=[...], seed=1)
        driven = clock.run(drive(pipeline, service.call, Poisson(80), duration_s=60, seed=1))

It has the queue and the servers of `LoopbackService`; so what a policy does here it does there.
"""

import asyncio
from collections.abc import Iterable

from workbench.reliability.experiments._desk import Desk
from workbench.reliability.experiments.errors import ExperimentError
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._outcomes import error_of
from workbench.reliability.simulation.service import Fault, Service

__all__ = ["InProcessService"]


class InProcessService:
    """A simulated service that is called in this process, by coroutines of one event loop.

    Parameters
    ----------
    service : Service
        Without `cancels`: it does not notice callers that gave up.
    faults : iterable of Fault
        Outages, errors and slowdowns, by the seconds since the first call. Surges are the clients': see
        `drive`.
    seed : int
        Decides service times: the n-th call has that of the n-th call in `simulate` with this seed.

    Raises
    ------
    ExperimentError
        For a service that notices callers that gave up.
    """

    def __init__(self, service: Service, *, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        if service.cancels:
            msg = "an InProcessService does not notice callers that give up; expected cancels=False"
            raise ExperimentError(msg)
        self.service = service
        self._desk = Desk(service, tuple(faults), seed)
        self._is_started = False

    def start(self) -> None:
        """Count the times of the faults from now on; otherwise the first call does."""
        self._desk.begin(asyncio.get_running_loop().time())
        self._is_started = True

    async def call(self) -> None:
        """Be served.

        Raises
        ------
        ServiceFailedError, ServiceFullError, ServiceDroppedError
            As in a simulation.
        """
        if not self._is_started:
            self.start()
        outcome = await self._desk.serve()
        if outcome != codes.OK:
            raise error_of(outcome)

    @property
    def busy(self) -> int:
        """How many servers are busy."""
        return self._desk.busy

    @property
    def waiting(self) -> int:
        """How many calls wait in its queue, those whose callers have given up as well."""
        return len(self._desk.waiting)

    def __repr__(self) -> str:
        return f"InProcessService: {self.busy} of {self.service.servers} servers busy, {self.waiting} waiting"
