"""A circuit breaker: closed, open after too many failures, half open to try again.

It opens when, of the last `window` calls and at least `minimum_calls`, the share that failed or was slow
reaches its threshold. After `open_s` it lets `half_open_calls` through; when these are back, they decide.

::

    state         what happens                                              next
    CLOSED        a share reaches its threshold (`learn`, or `trip`)        OPEN
    OPEN          a call comes `open_s` later or more (`admit`)             HALF_OPEN
    HALF_OPEN     all trial calls are back, no threshold is reached         CLOSED
    HALF_OPEN     all trial calls are back, a threshold is reached          OPEN
    HALF_OPEN     trial calls are out for `half_open_s`, another comes      OPEN
    any           `switch`                                                  the one asked for

A call belongs to the state that let it through: `generation` counts changes of state, and outcomes of calls
from an earlier one are not counted. A trial call that ends without an outcome (it was cancelled, or raised
what does not count) gives its permit back by `release`. Other windows than that of the last calls are in
`breaker_windows`.

Source: M. Nygard, Release It! (2007), chapter 5; the half-open trial is that of resilience4j.
"""

import math
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
    "release",
    "succeed",
    "switch",
    "trip",
]

CLOSED, OPEN, HALF_OPEN, FORCED_OPEN, DISABLED = 0, 1, 2, 3, 4
LONG_AGO = -math.inf


@dataclass(slots=True)
class Parameters:
    """Thresholds are shares of the calls in the window; above 1 they are never reached.

    `open_growth` multiplies how long it stays open each time that a trial fails, up to `open_most_s`. A
    window of time has `buckets` of `bucket_s`.
    """

    window: int
    minimum_calls: int
    failure_rate: float
    slow_rate: float
    slow_s: float
    open_s: float
    half_open_calls: int
    half_open_s: float = math.inf
    open_growth: float = 1.0
    open_most_s: float = math.inf
    buckets: int = 0
    bucket_s: float = math.inf

    @property
    def ring_length(self) -> int:
        """How many numbers the ring has: one a call, or three a bucket."""
        return max(1, self.window, 3 * self.buckets)


@dataclass(slots=True)
class State:
    """Which state it is in, and what it has seen since it came there: totals of the ring of outcomes.

    The ring has an entry a call: 1 for a failed one, 2 for a slow one, 3 for both. `growth` is by what
    `open_s` is multiplied; `began_s` and `fresh` belong to windows of time.
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
    uncounted: int = 0
    opened: int = 0
    growth: float = 1.0
    began_s: float = LONG_AGO
    fresh: int = 0


@transition
def admit(p: Any, s: Any, now: float) -> bool:
    """Tell whether a call may pass, where the state is not closed."""
    open_s = p.open_s * s.growth
    if open_s > p.open_most_s:  # noqa: PLR1730 - a call would need the lock
        open_s = p.open_most_s
    if s.state == OPEN and now - s.changed_s >= open_s:
        s.state = HALF_OPEN
        s.generation += 1
        s.changed_s = now
        s.permits = p.half_open_calls
        s.at = 0
        s.calls = 0
        s.failed = 0
        s.slow = 0
    elif s.state == HALF_OPEN and s.permits == 0 and now - s.changed_s >= p.half_open_s:
        s.state = OPEN
        s.generation += 1
        s.changed_s = now
        s.opened += 1
        s.calls = 0
        s.failed = 0
        s.slow = 0
    admitted = s.state == DISABLED or s.state == CLOSED  # noqa: PLR1714 - numbers, as Numba likes them
    if s.state == HALF_OPEN and s.permits > 0:
        s.permits -= 1
        admitted = True
    if not admitted:
        s.rejected += 1
    return admitted


@transition
def learn(  # noqa: C901, PLR0912, PLR0913 - it is placed into others as one piece
    p: Any, s: Any, ring: Any, generation: int, outcome: int, now: float
) -> bool:
    """Count the outcome of a call that came in a generation; tell whether it changed the state."""
    changed = False
    if generation == s.generation:
        decides = False
        least = p.minimum_calls
        if s.state == CLOSED:
            at = s.at
            before = 0
            if s.calls == p.window:
                before = ring[at]
            else:
                s.calls += 1
                decides = s.calls == least
            ring[at] = outcome
            at += 1
            if at == p.window:
                at = 0
            s.at = at
            if outcome != before:
                s.failed += (outcome & 1) - (before & 1)
                s.slow += (outcome >> 1) - (before >> 1)
            if outcome != 0:
                decides = True
        elif s.state == HALF_OPEN:
            s.calls += 1
            s.failed += outcome & 1
            s.slow += outcome >> 1
            least = p.half_open_calls
            decides = True
        if decides and s.calls >= least:
            broken = s.failed >= p.failure_rate * s.calls or s.slow >= p.slow_rate * s.calls
            if broken or s.state == HALF_OPEN:
                changed = True
                if not broken:
                    s.state = CLOSED
                    s.growth = 1.0
                else:
                    if s.state == HALF_OPEN and p.open_s * s.growth < p.open_most_s:
                        s.growth *= p.open_growth
                    s.state = OPEN
                    s.opened += 1
                s.generation += 1
                s.changed_s = now
                s.at = 0
                s.calls = 0
                s.failed = 0
                s.slow = 0
                s.began_s = LONG_AGO
                s.fresh = 0
    return changed


@transition
def succeed(p: Any, s: Any, ring: Any, generation: int) -> None:
    """Do what `learn` does for a success, where it is closed and its window full: it stays closed."""
    if generation == s.generation:
        at = s.at
        before = ring[at]
        if before != 0:
            ring[at] = 0
            s.failed -= before & 1
            s.slow -= before >> 1
        at += 1
        if at == p.window:
            at = 0
        s.at = at


@transition
def release(s: Any, generation: int) -> bool:
    """End a call without an outcome; tell whether it belonged to the present state."""
    present = generation == s.generation
    if present:
        s.uncounted += 1
        if s.state == HALF_OPEN:
            s.permits += 1
    return present


@transition
def trip(s: Any, generation: int, now: float) -> bool:
    """Open a closed breaker, unless it has changed since a generation; tell whether it did."""
    changed = generation == s.generation and s.state == CLOSED
    if changed:
        s.state = OPEN
        s.generation += 1
        s.changed_s = now
        s.opened += 1
        s.at = 0
        s.calls = 0
        s.failed = 0
        s.slow = 0
        s.began_s = LONG_AGO
        s.fresh = 0
    return changed


@transition
def switch(p: Any, s: Any, state: int, now: float) -> bool:
    """Put it into a state, with nothing seen and all calls forgotten; tell whether it was in another."""
    changed = s.state != state
    if state == OPEN and changed:
        s.opened += 1
    s.state = state
    s.generation += 1
    s.changed_s = now
    s.permits = p.half_open_calls
    s.growth = 1.0
    s.at = 0
    s.calls = 0
    s.failed = 0
    s.slow = 0
    s.began_s = LONG_AGO
    s.fresh = 0
    return changed
