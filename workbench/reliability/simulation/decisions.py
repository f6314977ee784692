"""`decisions`: what a limiter or a breaker would have decided over recorded calls."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.reliability.machines import breaker, gcra
from workbench.reliability.machines._records import record_of
from workbench.reliability.policy import Policy
from workbench.reliability.simulation._kernel_decisions import (
    breaker_course,
    breaker_decisions,
    gcra_decisions,
)
from workbench.reliability.simulation.errors import SimulationError

__all__ = ["Course", "course_of", "decisions"]

FAILED, SLOW = 1, 2


def decisions(
    policy: Policy,
    at_s: npt.ArrayLike,
    failed: npt.ArrayLike | None = None,
    took_s: npt.ArrayLike | None = None,
) -> npt.NDArray[np.bool_]:
    """Return which of recorded calls a policy would have let through.

    It starts with a policy that has seen nothing; the one given is not changed. For a breaker the calls
    follow each other: each has ended before the next one comes. Where they overlap, `breaker_course` is exact
    for a breaker, and `replay` for a pipeline.

    Parameters
    ----------
    policy : RateLimiter.gcra or CircuitBreaker
    at_s : (n,) float64
        When calls came, ascending; seconds.
    failed : (n,) bool, optional
        For a breaker: which of them failed. Those that it does not let through are not counted.
    took_s : (n,) float64, optional
        For a breaker with a slow-call rate: how long they took; seconds.

    Raises
    ------
    SimulationError
        For another policy, times that do not ascend, and lengths that differ.
    """
    times = np.ascontiguousarray(at_s, np.float64)
    if times.ndim != 1 or (times[1:] < times[:-1]).any():
        msg = "at_s must be times in ascending order"
        raise SimulationError(msg)
    allowed = np.empty(len(times), np.bool_)
    parameters = getattr(policy, "parameters", None)
    if isinstance(parameters, gcra.Parameters):
        gcra_decisions(record_of(parameters), record_of(gcra.State()), times, allowed)
        return allowed
    if isinstance(parameters, breaker.Parameters):
        seen = _seen(parameters, len(times), failed, took_s)
        if parameters.buckets or not parameters.minimum_calls:
            return course_of(parameters, times, times, seen).allowed
        ring = np.zeros(max(1, parameters.window), np.uint8)
        breaker_decisions(record_of(parameters), record_of(breaker.State()), ring, times, seen, allowed)
        return allowed
    msg = f"expected RateLimiter.gcra(...) or a CircuitBreaker, got {policy!r}"
    raise SimulationError(msg)


class Course(NamedTuple):
    """What a breaker decided of each call, `(n,) bool`, and when it came into which state, `(k,)` each."""

    allowed: npt.NDArray[np.bool_]
    changed_s: npt.NDArray[np.float64]
    states: npt.NDArray[np.uint8]


def course_of(
    parameters: breaker.Parameters,
    at_s: npt.NDArray[np.float64],
    end_s: npt.NDArray[np.float64],
    seen: npt.NDArray[np.uint8],
    order: npt.NDArray[np.int64] | None = None,
) -> Course:
    """Return the decisions of a breaker over calls that may overlap; `order` has them by when they end."""
    size = len(at_s)
    if order is None:
        order = np.argsort(end_s, kind="stable")
    allowed = np.empty(size, np.bool_)
    changed_s, states = np.empty(2 * size), np.empty(2 * size, np.uint8)
    changes = breaker_course(
        record_of(parameters),
        record_of(breaker.State()),
        np.zeros(parameters.ring_length, np.int64),
        at_s,
        end_s,
        order,
        seen,
        np.empty(size, np.int64),
        allowed,
        changed_s,
        states,
    )
    return Course(allowed, changed_s[:changes].copy(), states[:changes].copy())


def _seen(
    p: Any, size: int, failed: npt.ArrayLike | None, took_s: npt.ArrayLike | None
) -> npt.NDArray[np.uint8]:
    if failed is None:
        msg = "a breaker needs to know which calls failed: pass failed="
        raise SimulationError(msg)
    found = np.asarray(failed, np.bool_).astype(np.uint8)
    if took_s is not None and p.slow_rate <= 1:
        found |= SLOW * (np.asarray(took_s, np.float64) >= p.slow_s).astype(np.uint8)
    if found.shape != (size,):
        msg = f"expected one outcome a call, ({size},), got {found.shape}"
        raise SimulationError(msg)
    return found
