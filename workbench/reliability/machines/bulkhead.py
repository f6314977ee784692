"""A bulkhead: so many calls at a time, so many more that wait.

``running <= limit`` and ``waiting <= queue`` always hold, and ``waiting > 0`` only while all places are
taken: a place that becomes free goes to one that waits, not to one that comes. (Where the limit may change,
as that of an adaptive limit, `running` exceeds a lowered limit until enough have left.)

A call takes a place (`take`, the short form of `enter` for when nobody needs to wait) and leaves it
(`leave`). Where `leave` finds that somebody waits, nothing is decided yet: `hand_on` does so, where the one
that waits is at hand.

Source: M. Nygard, Release It! (2007), chapter 5.
"""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = [
    "REJECTED",
    "RUNS",
    "WAITS",
    "Parameters",
    "State",
    "displace",
    "enter",
    "expire",
    "give_up",
    "hand_on",
    "leave",
    "promote",
    "shed",
    "take",
    "take_back",
]

RUNS, WAITS, REJECTED = 0, 1, 2


@dataclass(slots=True)
class Parameters:
    """How many calls run at a time, and how many wait at most."""

    limit: int
    queue: int


@dataclass(slots=True)
class State:
    """How many run and wait now; how many waited, and how those fared that never ran.

    A call that waited ran in the end (`handed`), waited for too long (`expired`), was taken from the queue by
    the policy (`shed`), or no longer wanted its place (`cancelled`).
    """

    running: int = 0
    waiting: int = 0
    rejected: int = 0
    waited: int = 0
    handed: int = 0
    expired: int = 0
    shed: int = 0
    cancelled: int = 0


@transition
def take(p: Any, s: Any) -> bool:
    """Let a call run if there is a place for it."""
    taken = s.running < p.limit
    if taken:
        s.running += 1
    return taken


@transition
def enter(p: Any, s: Any) -> int:
    """Let a call run, wait, or reject it."""
    if s.running < p.limit:
        s.running += 1
        decision = RUNS
    elif s.waiting < p.queue:
        s.waiting += 1
        s.waited += 1
        decision = WAITS
    else:
        s.rejected += 1
        decision = REJECTED
    return decision


@transition
def leave(s: Any) -> bool:
    """End a call if nobody waits; tell whether somebody does, so that its place is to be handed on."""
    awaited = s.waiting > 0
    if not awaited:
        s.running -= 1
    return awaited


@transition
def hand_on(p: Any, s: Any) -> bool:
    """End a call; tell whether its place goes to one that waits."""
    handed = s.waiting > 0 and s.running <= p.limit
    if handed:
        s.waiting -= 1
        s.handed += 1
    else:
        s.running -= 1
    return handed


@transition
def promote(p: Any, s: Any) -> bool:
    """Give a place that a higher limit made to one that waits; tell whether there are both."""
    promoted = s.waiting > 0 and s.running < p.limit
    if promoted:
        s.waiting -= 1
        s.running += 1
        s.handed += 1
    return promoted


@transition
def expire(s: Any) -> None:
    """Reject a call that has waited for as long as it may."""
    s.waiting -= 1
    s.expired += 1


@transition
def shed(s: Any) -> None:
    """Reject a call that waits, in favour of others."""
    s.waiting -= 1
    s.shed += 1


@transition
def displace(s: Any) -> None:
    """Let a call that was rejected wait in the place of one that waits, which is rejected instead."""
    s.rejected -= 1
    s.waited += 1
    s.shed += 1


@transition
def take_back(s: Any) -> None:
    """Undo `hand_on` up to the place that it holds: the one that it was for is gone."""
    s.waiting += 1
    s.handed -= 1


@transition
def give_up(s: Any) -> None:
    """Forget a call that waits: nobody wants its answer any more."""
    s.waiting -= 1
    s.cancelled += 1
