"""What a simulation draws, for experiments that are none: real clients and services take the same numbers."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_streams import (
    Clients,
    fill_arrivals,
    fill_service_times,
    fill_uniforms,
)
from workbench.reliability.simulation._records import CONTROL
from workbench.reliability.simulation.distributions import Constant
from workbench.reliability.simulation.errors import SimulationError
from workbench.reliability.simulation.service import Arrivals, Closed, Fault, Poisson, Service, fault_records
from workbench.reliability.simulation.simulate import service_record, service_table

__all__ = ["ServiceDraws", "arrival_times"]

BLOCK = 1024
NOBODY = Service(service_time=Constant(1.0))


def arrival_times(
    arrivals: Arrivals, *, duration_s: float, seed: int = 0, faults: Iterable[Fault] = ()
) -> npt.NDArray[np.float64]:
    """Return when clients come in the simulation of a seed.

    Parameters
    ----------
    arrivals : Poisson, Even or Recorded
    duration_s : float
        Up to which time, in seconds.
    seed : int
    faults : iterable of Fault
        Of which surges bring more clients.

    Returns
    -------
    (n,) float64, seconds, ascending

    Raises
    ------
    SimulationError
        For `Closed` users, who come when they are answered.
    """
    if isinstance(arrivals, Closed):
        msg = "closed users come when they are answered; expected Poisson, Even or Recorded"
        raise SimulationError(msg)
    if not 0 < duration_s < np.inf:
        msg = f"duration_s must be a positive number of seconds, got {duration_s!r}"
        raise SimulationError(msg)
    clients = Clients(
        control=np.zeros(1, CONTROL),
        service=service_record(NOBODY, arrivals, seed, duration_s, 0.0),
        faults=fault_records(faults),
        arrival_times=arrivals.times(),
    )
    found = []
    while True:
        block = np.zeros(BLOCK)
        count = fill_arrivals(clients, block)
        found.append(block[:count])
        if count < BLOCK:
            return np.concatenate(found)


class ServiceDraws:
    """The service times and the luck of a service's attempts, by their number; drawn in blocks."""

    def __init__(self, service: Service, seed: int) -> None:
        self._service = service_record(service, Poisson(1.0), seed, 1.0, 0.0)
        self._table = service_table(service)
        self._seed = seed
        self._blocks: dict[int, tuple[int, list[float]]] = {}

    def time_s(self, number: int) -> float:
        """Return how long the service of an attempt takes, in seconds."""
        return self._drawn(codes.SERVICE_TIMES, number)

    def fails(self, number: int, rate: float) -> bool:
        """Tell whether an attempt fails that is served, where so many do."""
        return rate > 0 and self._drawn(codes.FAILURES, number) < rate

    def is_lost(self, number: int, share: float) -> bool:
        """Tell whether an attempt is refused in an outage, where so many are."""
        return share > 0 and self._drawn(codes.LOSSES, number) < share

    def _drawn(self, stream: int, number: int) -> float:
        first, values = self._blocks.get(stream, (0, []))
        if not first <= number < first + len(values):
            first = number - number % BLOCK
            values = self._block(stream, first)
            self._blocks[stream] = first, values
        return values[number - first]

    def _block(self, stream: int, first: int) -> list[float]:
        found = np.zeros(BLOCK)
        if stream == codes.SERVICE_TIMES:
            fill_service_times(self._service, self._table, first, found)
        else:
            fill_uniforms(self._seed, stream, first, found)
        values: list[float] = found.tolist()
        return values
