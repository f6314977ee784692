"""`replay`: a recorded schedule of calls and outcomes through a pipeline, decision by decision.

The schedule says when each call comes, and for each of its attempts how long it takes and what comes of it.
The same schedule can be played to the same pipeline live, on a virtual clock; both decide alike, also where
much happens at the very same instant. That happens in the order in which it was set, each after all that
follows at once from the one before; calls that come then come last, as live where they are made by somebody
who advances the clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policy import Policy
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._records import FAULT, SERVICE
from workbench.reliability.simulation._replies import Replies
from workbench.reliability.simulation._world import World, new_world
from workbench.reliability.simulation.distributions import Constant
from workbench.reliability.simulation.errors import SimulationError
from workbench.reliability.simulation.requests import Requests
from workbench.reliability.simulation.service import Service
from workbench.reliability.simulation.simulate import Prepared, run_world

__all__ = ["Replayed", "Schedule", "replay"]

Array = npt.NDArray[Any]
FOREVER_S = 1e12


@dataclass(frozen=True)
class Schedule:
    """Calls, and what the callee would answer.

    Attributes
    ----------
    arrivals_s : (n,) float64
        When calls come, ascending, in seconds from 0 on.
    durations_s : (n, 16) float64
        How long each attempt of each call takes; further attempts are like the last.
    failed : (n, 16) bool, optional
        Whether it fails: a `ServiceFailedError`, and else a good result.
    replies : (n, 16) int, optional
        In place of `failed`: which of the `answers` it gets.
    answers : sequence
        Results and exceptions, on which the policies' predicates decide; at most 16 and 15 different ones.
    requests : Requests
        In what calls differ; without, all are alike.
    """

    arrivals_s: Array
    durations_s: Array
    failed: Array | None = None
    replies: Array | None = None
    answers: Sequence[Any] = ()
    requests: Requests = field(default_factory=Requests)

    def __post_init__(self) -> None:
        shape = (len(self.arrivals_s), codes.GIVEN_ATTEMPTS)
        if (self.failed is None) == (self.replies is None):
            msg = "expected either failed or replies"
            raise SimulationError(msg)
        outcomes: Any = self.failed if self.replies is None else self.replies
        if np.shape(self.durations_s) != shape or np.shape(outcomes) != shape:
            found = f"{np.shape(self.durations_s)} and {np.shape(outcomes)}"
            msg = f"durations_s and failed (or replies) must have the shape {shape}, got {found}"
            raise SimulationError(msg)
        if self.replies is not None and not np.isin(self.replies, np.arange(len(self.answers))).all():
            msg = f"replies must be numbers of answers, from 0 to {len(self.answers) - 1}"
            raise SimulationError(msg)
        if not (np.asarray(self.durations_s) >= 0).all():
            msg = "durations_s must not be negative"
            raise SimulationError(msg)

    def outcome_table(self, known: Replies) -> Array:
        """Return the outcome of each attempt, by its code."""
        if self.replies is None:
            return np.where(np.asarray(self.failed), codes.FAILED, codes.OK).astype(np.int64).reshape(-1)
        found = np.array([known.code(answer) for answer in self.answers], np.int64)
        return found[np.asarray(self.replies, np.int64).reshape(-1)]


@dataclass(frozen=True)
class Replayed:
    """What became of each call, and what the machines hold at the end.

    `known` has the codes of answers, the schedule's and those of policies.
    """

    outcomes: Array
    attempts: Array
    finished_s: Array
    world: World
    known: Replies


def replay(pipeline: Pipeline | Policy | None, schedule: Schedule, *, seed: int = 0) -> Replayed:
    """Play a schedule to a pipeline's machines.

    Raises
    ------
    SimulationError
        For a pipeline that cannot be simulated, and arrivals that do not ascend.
    """
    arrivals = np.ascontiguousarray(schedule.arrivals_s, np.float64)
    if (np.diff(arrivals) < 0).any() or (len(arrivals) and not arrivals[0] >= 0):
        msg = "arrivals_s must ascend, from 0 on"
        raise SimulationError(msg)
    known = Replies()
    outcomes = schedule.outcome_table(known)
    prepared = Prepared.of(pipeline, Service(service_time=Constant(1.0)), known, schedule.requests)
    service = np.zeros(1, SERVICE)
    service["servers"], service["queue_limit"] = 2**62, -1
    service["distribution"], service["arrival_kind"] = codes.GIVEN, codes.RECORDED
    service["drop_after_s"], service["bin_s"], service["seed"] = np.inf, np.inf, seed
    given = {
        "service": service,
        "service_table": np.ascontiguousarray(schedule.durations_s, np.float64).reshape(-1),
        "outcome_table": outcomes,
        "arrival_times": arrivals,
        "faults": np.zeros(0, FAULT),
        **prepared.machines,
    }
    world, log = run_world(new_world(prepared.layers.copy(), given, 1), FOREVER_S)
    log = log[np.argsort(log["serial"])]
    return Replayed(log["outcome"], log["attempts"], log["finished_s"], world, known)
