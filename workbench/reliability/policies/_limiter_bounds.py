"""The most that a limiter lets through within any interval, by its algorithm.

With ``r`` calls a second and a burst of ``b``, or ``n`` calls a window of ``w`` seconds, an interval of ``t``
seconds without its end holds at most ::

    gcra, token_bucket, leaky_bucket    b + r t
    fixed_window                        n (ceil(t / w) + 1)     so many windows it may touch
    sliding_window                      n (1 + t / w)           approached, never reached
    sliding_log                         n ceil(t / w)

Waiting calls count when their time comes. Why each holds is said in its machine's module.
"""

import math
from typing import Any

__all__ = ["most_within"]


def most_within(algorithm: str, p: Any, seconds: float) -> float:
    """Return the most that parameters of an algorithm let through within any so many seconds, above 0."""
    if algorithm in ("gcra", "token_bucket", "leaky_bucket"):
        return float(p.burst + p.rate_hz * seconds)
    windows = seconds / p.window_s
    factors = {"fixed_window": math.ceil(windows) + 1, "sliding_log": math.ceil(windows)}
    return float(p.limit * factors.get(algorithm, 1 + windows))
