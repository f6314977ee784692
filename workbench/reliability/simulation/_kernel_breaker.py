"""What a breaker learns from a call that has ended, whatever window it has."""

from typing import Any

from workbench.kernels.parts import inlined
from workbench.reliability.machines import breaker, breaker_windows

__all__ = ["count_outcome"]

learn, trip = inlined(breaker.learn), inlined(breaker.trip)
count_in_row, count_in_time = inlined(breaker_windows.count_in_row), inlined(breaker_windows.count_in_time)
rotate = inlined(breaker_windows.rotate)


@inlined
def count_outcome(p: Any, s: Any, ring: Any, generation: Any, outcome: Any, now: Any) -> Any:
    """Count an outcome, as the live policy does; tell whether it changed the state.

    A window of time has buckets; failures in a row are the one window without a least number of calls.
    """
    if s.state != breaker.CLOSED or (p.buckets == 0 and p.minimum_calls > 0):
        return learn(p, s, ring, generation, outcome, now)
    if p.buckets == 0:
        broken = count_in_row(p, s, generation, outcome)
    else:
        if now - s.began_s >= p.bucket_s:
            rotate(p, s, ring, now)
        broken = count_in_time(p, s, ring, generation, outcome)
    return broken and trip(s, generation, now)
