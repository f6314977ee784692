"""A circuit breaker over the last calls: closed, open after too many failures, half open to try again.

It opens when, of the last `window` calls and at least `minimum_calls`, the share that failed or was slow reaches
its threshold. After `open_s` it lets `half_open_calls` through; when these are back, they decide.

A call belongs to the state that let it through: `generation` counts changes of state, and outcomes of calls from
an earlier one are not counted.

Source: M. Nygard, Release It! (2007), chapter 5; the half-open trial is that of resilience4j.
"""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = [
    "CLOSED",
    "DISABLED",
    "FORCED_OPEN",
    "HALF_OPEN",
    "OPEN",
    "Parameters",
    "State",
    "admit",
    "learn",
]

CLOSED, OPEN, HALF_OPEN, FORCED_OPEN, DISABLED = 0, 1, 2, 3, 4


@dataclass(slots=True)
class Parameters:
    """Thresholds are shares of the calls in the window; above 1 they are never reached."""

    window: int
    minimum_calls: int
    failure_rate: float
    slow_rate: float
    slow_s: float
    open_s: float
    half_open_calls: int


@dataclass(slots=True)
class State:
    """Which state it is in, and what it has seen since it came there: totals of the ring of outcomes.

    The ring has an entry a call: 1 for a failed one, 2 for a slow one, 3 for both.
    """

    state: int = CLOSED
    generation: int = 0
    at: int = 0
    calls: int = 0
    failed: int = 0
    slow: int = 0
    permits: int = 0
    changed_s: float = 0.0
    rejected: int = 0


@transition
def admit(p: Any, s: Any, now: float) -> bool:
    """Tell whether a call may pass, where the state is not closed."""
    if s.state == OPEN and now - s.changed_s >= p.open_s:
        s.state = HALF_OPEN
        s.generation += 1
        s.changed_s = now
        s.permits = p.half_open_calls
        s.at = 0
        s.calls = 0
        s.failed = 0
        s.slow = 0
    admitted = s.state == DISABLED or s.state == CLOSED
    if s.state == HALF_OPEN and s.permits > 0:
        s.permits -= 1
        admitted = True
    if not admitted:
        s.rejected += 1
    return admitted


@transition
def learn(p: Any, s: Any, ring: Any, generation: int, outcome: int, now: float) -> bool:
    """Count the outcome of a call that came in a generation; tell whether it changed the state."""
    changed = False
    if generation == s.generation:
        at = s.at
        reached = False
        before = 0
        if s.calls == p.window:
            before = ring[at]
        else:
            s.calls += 1
            reached = s.calls == p.minimum_calls
        ring[at] = outcome
        at += 1
        if at == p.window:
            at = 0
        s.at = at
        if outcome != before:
            s.failed += (outcome & 1) - (before & 1)
            s.slow += (outcome >> 1) - (before >> 1)
        if outcome != 0 or reached or s.state == HALF_OPEN:
            least = p.minimum_calls
            if s.state == HALF_OPEN:
                least = p.half_open_calls
            broken = s.failed >= p.failure_rate * s.calls or s.slow >= p.slow_rate * s.calls
            if s.calls >= least and (broken or s.state == HALF_OPEN):
                changed = True
                s.state = CLOSED
                if broken:
                    s.state = OPEN
                s.generation += 1
                s.changed_s = now
                s.at = 0
                s.calls = 0
                s.failed = 0
                s.slow = 0
    return changed
