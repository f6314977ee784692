"""The arrays that the kernel works on, and their growth: more room, the same contents."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.reliability.machines import breaker, budget, bulkhead, gcra, retry
from workbench.reliability.machines._records import record_dtype
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._admissions import ADMISSION
from workbench.reliability.simulation._caches import Caches, no_caches
from workbench.reliability.simulation._hedges import RACE, Hedges, no_hedges
from workbench.reliability.simulation._queues import Queues, no_queues
from workbench.reliability.simulation._records import (
    ATTEMPT,
    CALL,
    CONTROL,
    EVENT,
    FAULT,
    LAYER,
    LOG,
    RESERVATION,
    SCRATCH,
    SERVICE,
    TIMERS,
    WORK,
)
from workbench.reliability.simulation._requests import Differences, differences_of
from workbench.reliability.simulation.requests import Requests

__all__ = ["MACHINES", "World", "example_world", "grown", "longer_log", "new_world"]

Array = npt.NDArray[Any]
MACHINES = {"gcra": gcra, "breaker": breaker, "bulkhead": bulkhead, "retry": retry, "budget": budget}


class World(NamedTuple):
    """All that a simulation consists of."""

    control: Array
    layers: Array
    service: Array
    service_table: Array
    outcome_table: Array
    arrival_times: Array
    faults: Array
    calls: Array
    scratch: Array
    attempts: Array
    events: Array
    timers: Array
    times: Array
    slots: Array
    work: Array
    log: Array
    bins: Array
    gcra_parameters: Array
    gcra_states: Array
    breaker_parameters: Array
    breaker_states: Array
    rings: Array
    ring_starts: Array
    bulkhead_parameters: Array
    bulkhead_states: Array
    retry_parameters: Array
    retry_states: Array
    budget_parameters: Array
    budget_states: Array
    reservations: Array
    reply_hints: Array
    admissions: Array
    counts: Array
    numbers: Array
    differences: Differences
    queues: Queues
    caches: Caches
    hedges: Hedges
    races: Array


CALLS, ATTEMPTS, EVENTS, WORKS, LOGGED = 256, 512, 1024, 1024, 1 << 16
LEAST_GROWTH, MOST_GROWTH = 2, 8  # of the log
EXPECTED_MORE = 1.1


def new_world(layers: Array, given: dict[str, Any], bins: int) -> World:
    """Return a world in which nothing has happened."""
    control = np.zeros(1, CONTROL)
    for free in ("free_call", "free_attempt", "free_event"):
        control[free] = 0
    control["queue_head"] = control["queue_tail"] = codes.NONE
    calls = _free(np.zeros(CALLS, CALL), 0)
    _own(calls, 0)
    return World(
        control=control,
        layers=layers,
        calls=calls,
        scratch=_scratch(CALLS, len(layers)),
        attempts=_free(np.zeros(ATTEMPTS, ATTEMPT), 0),
        events=_free(np.zeros(EVENTS, EVENT), 0),
        timers=np.full((len(layers), 2), codes.NONE).view(TIMERS)[:, 0],
        times=np.zeros(EVENTS),
        slots=np.zeros(EVENTS, np.int64),
        work=np.zeros(WORKS, WORK),
        log=np.zeros(LOGGED, LOG),
        bins=np.zeros((bins, 6), np.int64),
        reservations=np.zeros(CALLS, RESERVATION),
        races=np.zeros(CALLS, RACE),
        **given,
    )


def example_world() -> World:
    """Return a world without layers: its arrays have the types of all worlds' arrays."""
    given: dict[str, Any] = {
        "admissions": np.zeros(1, ADMISSION),
        "counts": np.zeros(1, np.int64),
        "numbers": np.zeros(1),
        "reply_hints": np.zeros(1),
        "differences": differences_of(Requests()),
        "queues": no_queues(),
        "caches": no_caches(),
        "hedges": no_hedges(),
        "service": np.zeros(1, SERVICE),
        "service_table": np.zeros(1),
        "outcome_table": np.zeros(1, np.int64),
        "arrival_times": np.zeros(0),
        "faults": np.zeros(0, FAULT),
        "rings": np.zeros(1, np.int64),
        "ring_starts": np.zeros(1, np.int64),
    }
    for name, machine in MACHINES.items():
        given[f"{name}_parameters"] = np.zeros(1, record_dtype(machine.Parameters))
        given[f"{name}_states"] = np.zeros(1, record_dtype(machine.State))
    return new_world(np.zeros(0, LAYER), given, 1)


def grown(world: World) -> World:
    """Return the same world with twice the room for what is under way."""
    control = world.control
    calls, events = len(world.calls), len(world.events)
    first, count = int(control["work_first"][0]), int(control["work_count"][0])
    work = np.zeros(2 * len(world.work), WORK)
    work[:count] = np.roll(world.work, -first)[:count]
    control["work_first"] = 0
    found = world._replace(
        calls=_longer(world.calls, control, "free_call"),
        attempts=_longer(world.attempts, control, "free_attempt"),
        events=_longer(world.events, control, "free_event"),
        scratch=np.concatenate([world.scratch, _scratch(calls, len(world.layers))]),
        reservations=np.concatenate([world.reservations, np.zeros(calls, RESERVATION)]),
        races=np.concatenate([world.races, np.zeros(calls, RACE)]),
        times=np.concatenate([world.times, np.zeros(events)]),
        slots=np.concatenate([world.slots, np.zeros(events, np.int64)]),
        work=work,
    )
    _own(found.calls, calls)
    return found


def longer_log(world: World, done: float) -> World:
    """Return the same world with room in its log: as much as it seems to need, of which a share is `done`."""
    size, logged = len(world.log), int(world.control["logged"][0])
    needed = EXPECTED_MORE * logged / done if done > 0 else math.inf
    log = np.empty(int(min(max(needed, LEAST_GROWTH * size), MOST_GROWTH * size)), LOG)
    log[:logged] = world.log[:logged]
    return world._replace(log=log)


def _own(calls: Array, first: int) -> None:
    """Make calls, from one on, calls of nobody, and each its own root."""
    calls["root"][first:] = np.arange(first, len(calls))
    for name in ("serial", "parent", "top", "woken", "cancelled"):
        calls[name][first:] = codes.NONE


def _scratch(calls: int, layers: int) -> Array:
    found = np.zeros((calls, layers), SCRATCH)
    found["timer"] = codes.NONE
    return found


def _free(records: Array, first: int, after: int = codes.NONE) -> Array:
    """Chain records, from one on, into a list of free ones."""
    records["following"][first:] = np.arange(first + 1, len(records) + 1)
    records["following"][-1] = after
    return records


def _longer(records: Array, control: Array, free: str) -> Array:
    size = len(records)
    found = _free(np.concatenate([records, np.zeros_like(records)]), size, int(control[free][0]))
    control[free] = size
    return found
