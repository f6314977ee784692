"""What a simulation draws, ahead and into arrays: for experiments with real clients and services."""

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from workbench.kernels import kernel
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_arrivals import next_arrival
from workbench.reliability.simulation._kernel_random import draw, uniform
from workbench.reliability.simulation._records import CONTROL, FAULT, SERVICE

__all__ = ["Clients", "fill_arrivals", "fill_service_times", "fill_uniforms"]


class Clients(NamedTuple):
    """The part of a simulation's world that says when clients come."""

    control: npt.NDArray[Any]
    service: npt.NDArray[Any]
    faults: npt.NDArray[Any]
    arrival_times: npt.NDArray[np.float64]


def _arrival_types() -> tuple[Any, ...]:
    typeof: Any = numba.typeof
    clients = Clients(np.zeros(1, CONTROL), np.zeros(1, SERVICE), np.zeros(0, FAULT), np.zeros(0))
    return typeof(clients), typeof(np.zeros(0))


@kernel(_arrival_types)
def fill_arrivals(clients: Any, found: Any) -> Any:
    """Write when the next clients come, up to the service's `until_s`; return how many there was room for."""
    c = clients.control[0]
    for place in range(len(found)):
        at_s = next_arrival(clients, c)
        if at_s > clients.service[0].until_s:
            return place
        found[place] = at_s
        c.arrivals += 1
        c.now_s = at_s
    return len(found)


def _service_types() -> tuple[Any, ...]:
    typeof: Any = numba.typeof
    return typeof(np.zeros(1, SERVICE)), typeof(np.zeros(0)), numba.types.int64, typeof(np.zeros(0))


@kernel(_service_types)
def fill_service_times(service: Any, table: Any, first: Any, found: Any) -> None:
    """Write the service times of first attempts, from the call of a number on."""
    only = service[0]
    for place in range(len(found)):
        u = uniform(only.seed, codes.SERVICE_TIMES, (first + place) * 64)
        found[place] = draw(only.distribution, only.a, only.b, table, u)


@kernel("void(int64, int64, int64, float64[::1])")
def fill_uniforms(seed: Any, stream: Any, first: Any, found: Any) -> None:
    """Write a stream's numbers from [0, 1) of first attempts, from the call of a number on."""
    for place in range(len(found)):
        found[place] = uniform(seed, stream, (first + place) * 64)
