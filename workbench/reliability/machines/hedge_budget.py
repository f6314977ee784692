"""A budget of extra attempts: a share of the calls, and a few more.

Each call puts `share` of an attempt into the budget, up to `most`, and each extra attempt takes one out. So
of `n` calls there are never more than ``most + share * n`` extra attempts, however they are spread; it
begins full.

Source: retry throttling of gRPC (gRFC A6), where hedges and retries draw from one bucket; the share of calls
is that of Finagle's RetryBudget.
"""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "earn", "spend"]


@dataclass(slots=True)
class Parameters:
    """Attempts that a call earns, and how many may be saved up."""

    share: float
    most: float


@dataclass(slots=True)
class State:
    """How many attempts are saved up, and how many calls, granted and refused attempts there were."""

    saved: float = 0.0
    calls: int = 0
    granted: int = 0
    refused: int = 0


@transition
def earn(p: Any, s: Any) -> None:
    """Count a call."""
    s.calls += 1
    saved = s.saved + p.share
    if saved > p.most:  # noqa: PLR1730 - a call would need the lock
        saved = p.most
    s.saved = saved


@transition
def spend(s: Any) -> bool:
    """Tell whether there may be an extra attempt, and take it from the budget."""
    granted = s.saved >= 1.0
    if granted:
        s.saved -= 1.0
        s.granted += 1
    else:
        s.refused += 1
    return granted
