"""A fallback: what is done about an outcome, and how often.

In a simulation the bodies of fallbacks are recorded outcomes: whether a call failed, whether its
replacement did.
"""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["FAILED", "REFUSED", "SERVED", "State", "replace", "succeed"]

SERVED, FAILED, REFUSED = 0, 1, 2


@dataclass(slots=True)
class State:
    """Calls that needed no replacement, got one for an exception or a result, or failed in the end."""

    succeeded: int = 0
    hidden: int = 0
    refused: int = 0
    failed: int = 0


@transition
def succeed(s: Any) -> None:
    """Count a call that needed no replacement."""
    s.succeeded += 1


@transition
def replace(s: Any, outcome: int, replaced: bool) -> int:  # noqa: FBT001 - a number for the compiler
    """Count a call that failed, or whose result was refused; return what its caller sees."""
    seen = SERVED
    if not replaced:
        s.failed += 1
        seen = FAILED
    elif outcome == REFUSED:
        s.refused += 1
    else:
        s.hidden += 1
    return seen
