"""What a closed circuit breaker sees otherwise than call by call: failures in a row, and a window of time.

A window of time has `buckets`; each counts the calls that ended in it, those that failed and those that
were slow, so `ring` has three numbers a bucket. `rotate` moves on to the bucket of a moment and forgets
those that are too old; the window is thus between ``buckets - 1`` and `buckets` times `bucket_s` long. It
loops, and therefore is called only when a bucket is over; what happens at each call does not.

After a change of state no bucket holds anything: `fresh` counts those that were begun since, the first when
the first call ends, be it one that came before the change and is not counted. Half-open breakers look at
their trial calls alone, by `breaker.learn`.

Source: windows of buckets as in Polly's RollingHealthMetrics and resilience4j's SlidingTimeWindowMetrics.
"""

from typing import Any

from workbench.reliability.machines._transition import transition
from workbench.reliability.machines.breaker import CLOSED

__all__ = ["count_in_row", "count_in_time", "rotate"]

SLOW = 2


@transition
def count_in_row(p: Any, s: Any, generation: int, outcome: int) -> bool:
    """Count failures since the last success; tell whether there are `window` of them.

    Slow calls are failures where slow calls matter at all.
    """
    broken = False
    if outcome == 0 or (outcome == SLOW and p.slow_rate > 1.0):
        if s.failed != 0 and generation == s.generation and s.state == CLOSED:
            s.failed = 0
            s.calls = 0
    elif generation == s.generation and s.state == CLOSED:
        s.failed += 1
        s.calls += 1
        broken = s.failed >= p.window
    return broken


@transition
def rotate(p: Any, s: Any, ring: Any, now: float) -> None:
    """Move on to the bucket of a moment.

    Each turn of the loop leaves totals and buckets in agreement: another thread may count between two of
    them.
    """
    moved = 0
    first = s.fresh == 0
    while now - s.began_s >= p.bucket_s and moved < p.buckets:
        at = s.at + 1
        if at == p.buckets:
            at = 0
        if s.fresh == p.buckets:
            s.calls -= ring[3 * at]
            s.failed -= ring[3 * at + 1]
            s.slow -= ring[3 * at + 2]
        else:
            s.fresh += 1
        ring[3 * at] = 0
        ring[3 * at + 1] = 0
        ring[3 * at + 2] = 0
        s.at = at
        if first:
            s.began_s = now
            first = False
        else:
            s.began_s += p.bucket_s
        moved += 1
    if now - s.began_s >= p.bucket_s:
        s.began_s = now


@transition
def count_in_time(p: Any, s: Any, ring: Any, generation: int, outcome: int) -> bool:
    """Count the outcome of a call in the present bucket; tell whether a threshold is reached."""
    broken = False
    if generation == s.generation and s.state == CLOSED:
        at = 3 * s.at
        s.calls += 1
        ring[at] += 1
        if outcome != 0:
            s.failed += outcome & 1
            ring[at + 1] += outcome & 1
            s.slow += outcome >> 1
            ring[at + 2] += outcome >> 1
        if s.calls >= p.minimum_calls:
            broken = s.failed >= p.failure_rate * s.calls or s.slow >= p.slow_rate * s.calls
    return broken
