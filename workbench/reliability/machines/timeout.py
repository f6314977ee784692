"""A time limit: the end of a call is at most `timeout_s` away, and no later than a limit around it."""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "abandon", "expire", "limit", "refuse"]


@dataclass(slots=True)
class Parameters:
    """Seconds that a call may take."""

    timeout_s: float


@dataclass(slots=True)
class State:
    """Calls that took too long, that did not start as no time was left, that go on in their own threads."""

    timed_out: int = 0
    refused: int = 0
    abandoned: int = 0


@transition
def limit(p: Any, now: float, deadline_s: float) -> float:
    """Return until when a call must be done that comes now, within another limit; may be infinite."""
    end = now + p.timeout_s
    if deadline_s < end:  # noqa: PLR1730 - a call would need a lock
        end = deadline_s
    return end


@transition
def expire(s: Any) -> int:
    """Count a call that took too long."""
    s.timed_out += 1
    return s.timed_out


@transition
def refuse(s: Any) -> int:
    """Count a call that did not start."""
    s.refused += 1
    return s.refused


@transition
def abandon(s: Any) -> int:
    """Count a call that goes on although nobody waits for it."""
    s.abandoned += 1
    return s.abandoned
