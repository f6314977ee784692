"""`simulate`: clients that call a service through a pipeline, millions of calls a second."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels import announce_compilation
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policy import Policy
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_simulation import run
from workbench.reliability.simulation._placing import place
from workbench.reliability.simulation._records import SERVICE
from workbench.reliability.simulation._replies import Replies
from workbench.reliability.simulation._world import World, grown, longer_log, new_world
from workbench.reliability.simulation.errors import SimulationError
from workbench.reliability.simulation.requests import Requests
from workbench.reliability.simulation.result import Result
from workbench.reliability.simulation.service import Arrivals, Fault, Service, fault_records

__all__ = ["Prepared", "policies_of", "run_world", "service_record", "service_table", "simulate"]

BINS = 600
STEPS = 100  # how often a simulation says how far it is
UNLIMITED = -1
SEEDS = 2**63


def simulate(  # noqa: PLR0913 - what an experiment consists of
    pipeline: Pipeline | Policy | None,
    service: Service,
    arrivals: Arrivals,
    *,
    faults: Iterable[Fault] = (),
    seed: int = 0,
    duration_s: float = 600.0,
    warmup_s: float = 0.0,
    progress: Callable[[float], None] | None = None,
    requests: Requests | None = None,
) -> Result:
    """Simulate clients that call a service through a pipeline.

    Parameters
    ----------
    pipeline : Pipeline, Policy or None
        What each client's call goes through; None calls the service directly. It is not changed: the
        simulation starts with policies that have seen nothing. See the notes.
    service : Service
    arrivals : Poisson, Even, Recorded or Closed
    faults : iterable of Outage, Errors, Slowdown or Surge
    seed : int
        Decides every random number: the n-th client's service time is the same whatever the pipeline is.
    duration_s : float
        Simulated time, in seconds.
    warmup_s : float
        What happens before is not in the averages.
    progress : callable, optional
        Called with the share that is done.
    requests : Requests, optional
        In what calls differ: importance, tenant, key, cost. Without, all are alike.

    Returns
    -------
    Result

    Raises
    ------
    SimulationError
        For what cannot be simulated; says why.

    Notes
    -----
    What asks a function at each call (a rate, a delay, whether a policy is enabled) is an error; the key and
    the cost of a call are those of its request, whatever functions a policy has for them. Predicates are
    asked once of each kind of exception, and of each result that `Chaos.outcome` injects; the service's own
    result is one that is wanted. What an injected behaviour does is not simulated. A store that processes
    share is one for all simulated clients, at once and without fail. Random numbers are the simulation's, but
    those of a `Chaos` with a seed of its own. A `Timeout` ends a call where it is, as around async calls.
    """
    return Prepared.of(pipeline, service, requests=requests).simulate(
        arrivals, faults=faults, seed=seed, duration_s=duration_s, warmup_s=warmup_s, progress=progress
    )


def policies_of(pipeline: Pipeline | Policy | None) -> tuple[Policy, ...]:
    """Return the policies of whatever `simulate` takes for a pipeline."""
    if pipeline is None:
        return ()
    _expect("pipeline", pipeline, Pipeline | Policy, "a Pipeline, a policy or None")
    return (pipeline,) if isinstance(pipeline, Policy) else pipeline.policies


def _expect(name: str, value: object, kind: Any, expected: str) -> None:
    if not isinstance(value, kind):
        msg = f"{name}: expected {expected}, got {value!r}"
        raise SimulationError(msg)


@dataclass(frozen=True)
class Prepared:
    """A pipeline and a service as flat records: they can be sent elsewhere, and simulated many times."""

    layers: npt.NDArray[Any]
    machines: dict[str, Any]
    service: Service

    @classmethod
    def of(
        cls,
        pipeline: Pipeline | Policy | None,
        service: Service,
        replies: Replies | None = None,
        requests: Requests | None = None,
    ) -> "Prepared":
        """Return what a pipeline and a service are to the kernel; see `simulate`.

        `replies` are what the service may answer, besides its one good result and its one failure.
        """
        _expect("service", service, Service, "a Service")
        _expect("requests", requests, Requests | None, "Requests or None")
        return cls(*place(policies_of(pipeline), replies, requests), service)

    def simulate(  # noqa: PLR0913 - what an experiment consists of
        self,
        arrivals: Arrivals,
        *,
        faults: Iterable[Fault] = (),
        seed: int = 0,
        duration_s: float = 600.0,
        warmup_s: float = 0.0,
        progress: Callable[[float], None] | None = None,
    ) -> Result:
        """Simulate once; see `simulate`."""
        if not 0 <= warmup_s < duration_s < math.inf:
            msg = f"expected 0 <= warmup_s < duration_s, got {warmup_s!r} and {duration_s!r}"
            raise SimulationError(msg)
        _expect("arrivals", arrivals, Arrivals, "Poisson, Even, Recorded or Closed")
        if not (isinstance(seed, int | np.integer) and 0 <= seed < SEEDS):
            msg = f"seed must be an integer from 0 to below 2**63, got {seed!r}"
            raise SimulationError(msg)
        faults = tuple(faults)
        for fault in faults:
            _expect("faults", fault, Fault, "Outage, Errors, Slowdown or Surge")
        given = {
            "service": service_record(self.service, arrivals, seed, duration_s, warmup_s),
            "service_table": service_table(self.service),
            "outcome_table": np.zeros(1, np.int64),
            "arrival_times": arrivals.times(),
            "faults": fault_records(faults),
            **{name: _copied(machine) for name, machine in self.machines.items()},
        }
        world, log = run_world(new_world(self.layers.copy(), given, BINS), duration_s, progress)
        return Result.of(world, log, self.service, duration_s=duration_s, warmup_s=warmup_s, faults=faults)


def _copied(machines: Any) -> Any:
    """Return records of one's own: an array, or several."""
    return type(machines)(*map(_copied, machines)) if isinstance(machines, tuple) else machines.copy()


def service_record(
    service: Service, arrivals: Arrivals, seed: int, duration_s: float, warmup_s: float
) -> npt.NDArray[Any]:
    """Return a service and its clients as the kernels read them."""
    found = np.zeros(1, SERVICE)
    a, b = service.service_time.parameters()
    for name, value in {
        "servers": service.servers,
        "distribution": service.service_time.code,
        "a": a,
        "b": b,
        "discipline": codes.LIFO if service.queue == "lifo" else codes.FIFO,
        "queue_limit": UNLIMITED if service.queue_limit is None else service.queue_limit,
        "cancels": service.cancels,
        "drop_after_s": service.drop_after_s,
        "failure_rate": service.failure_rate,
        "seed": seed,
        "arrival_kind": arrivals.kind,
        "rate_hz": arrivals.rate_hz,
        "think_s": arrivals.think_s,
        "users": arrivals.users,
        "until_s": duration_s,
        "warmup_s": warmup_s,
        "bin_s": duration_s / BINS,
    }.items():
        found[name] = value
    return found


def service_table(service: Service) -> npt.NDArray[np.float64]:
    """Return the durations that the kernels draw from, where they do."""
    return np.ascontiguousarray(service.service_time.table(), np.float64)


def run_world(
    world: World, until_s: float, progress: Callable[[float], None] | None = None
) -> tuple[World, npt.NDArray[Any]]:
    """Let a world go on to a time; return it with the log of the calls that ended."""
    announce_compilation(run, "the simulator (about a minute)")
    for step in range(1, STEPS + 1):
        to_s = until_s * step / STEPS
        while (outcome := run(world, to_s)) != codes.DONE:
            now_s = float(world.control["now_s"][0])
            world = grown(world) if outcome == codes.ROOM else longer_log(world, now_s / until_s)
        if progress is not None:
            progress(step / STEPS)
    return world, world.log[: int(world.control["logged"][0])]
