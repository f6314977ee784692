"""Samples of round-trip times, gathered over windows of time: what adaptive limits learn from.

A window ends with the first sample that comes back `window_s` or more after it began. It stands for all its
samples by their mean, by the most calls that were in flight when one of them started, and by whether any was
dropped. A window of fewer than `least` samples is forgotten. With ``window_s=0`` and ``least=1`` every sample
stands for itself.

Source: Netflix, concurrency-limits, `WindowedLimit` with its `AverageSampleWindow`.
"""

from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "end_window", "sample"]


@dataclass(slots=True)
class Parameters:
    """How long a window is, how many samples it needs, and the shortest round-trip time that is one."""

    window_s: float
    least: int
    min_rtt_s: float


@dataclass(slots=True)
class State:
    """The window that is being filled, and (`rtt_s`, `inflight`, `dropped`) the one before it."""

    until_s: float = -1e300
    samples: int = 0
    total_s: float = 0.0
    most: int = 0
    drops: int = 0
    rtt_s: float = 0.0
    inflight: int = 0
    dropped: bool = False


@transition
def sample(p: Any, s: Any, now: float, rtt_s: float, inflight: int, dropped: bool) -> bool:  # noqa: FBT001, PLR0913 - a sample
    """Add a call that is back to the window; tell whether that ends the window."""
    ended = False
    if rtt_s >= p.min_rtt_s:
        s.samples += 1
        s.total_s += rtt_s
        if inflight > s.most:  # noqa: PLR1730 - a call would need the lock
            s.most = inflight
        if dropped:
            s.drops += 1
        ended = now >= s.until_s
    return ended


@transition
def end_window(p: Any, s: Any, now: float) -> bool:
    """Begin a new window; tell whether the one before it has enough samples to learn from."""
    ready = False
    if s.samples > 0 and now >= s.until_s:
        s.rtt_s = s.total_s / s.samples
        s.inflight = s.most
        s.dropped = s.drops > 0
        ready = s.samples >= p.least
        s.until_s = now + p.window_s
        s.samples = 0
        s.total_s = 0.0
        s.most = 0
        s.drops = 0
    return ready
