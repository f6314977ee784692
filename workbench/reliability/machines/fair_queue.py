"""Fairness between the keys that wait in one queue: whose turn it is, and who makes room.

Each key has a queue of its own, a *flow*. Deficit round robin goes round the flows: a flow's turn begins with
`weight` added to its deficit, and each call that it gets served costs 1. So flows that always have calls
waiting are served in proportion to their weights, whatever they send; the difference is never more than a
turn.

When all flows together are too long, the longest gives a call up for one that comes to a shorter flow, and a
less important call for a more important one.

Source: M. Shreedhar, G. Varghese, Efficient fair queuing using deficit round robin (1995), with calls of
length 1; that the fattest flow makes room is RFC 8290 (2018), section 4.1.
"""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["Flow", "begin_turn", "displaces", "end_flow", "serve"]

COST = 1.0  # of a call


@dataclass(slots=True)
class Flow:
    """What one key may still take in its turn."""

    weight: float = 1.0
    deficit: float = 0.0


@transition
def begin_turn(f: Any) -> None:
    """Let a flow take its share of a round."""
    f.deficit += f.weight


@transition
def serve(f: Any) -> bool:
    """Tell whether the flow may have a call served; if so, it has paid for it."""
    served = f.deficit >= COST
    if served:
        f.deficit -= COST
    return served


@transition
def end_flow(f: Any) -> None:
    """Take from a flow that nobody waits in what it has saved: it may not be late for its next turn."""
    f.deficit = 0.0


@transition
def displaces(priority: int, length: int, other_priority: int, other_length: int) -> bool:
    """Tell whether a call that finds the queue full takes a place of another flow (0: most important)."""
    return priority < other_priority or (priority == other_priority and length + 1 < other_length)
