"""A quantile of durations, learnt as they come: counts in a histogram whose bins grow with the durations.

A duration is ``m * 2**e`` with 1/2 <= m < 1. Each exponent has `STEPS` bins of equal width, so that a bin
is never wider than 1/STEPS of what it holds, and its middle is off by half of that: 1.6 %. Durations below
1 µs or above 36 h are counted at the ends. Splitting a float into `m` and `e` is exact: live and compiled
worlds count in the same bins.

When `memory` durations are counted, all counts are halved: old ones fade.

Source: G. Tene, HdrHistogram (2012), with halving as in TinyLFU's reset (Einziger, Friedman, Manes, 2017).
It was taken instead of the P² algorithm (Jain, Chlamtac, 1985) because its error is bounded.
"""

import math
from dataclasses import dataclass
from typing import Any

from workbench.reliability.machines._transition import transition

__all__ = ["BINS", "Parameters", "State", "observe", "quantile"]

STEPS = 32
LEAST, MOST = -19, 18  # exponents: 2**-20 s is about 1 µs, 2**17 s about 36 h
BINS = (MOST - LEAST + 1) * STEPS


@dataclass(slots=True)
class Parameters:
    """Which quantile, from how many durations on it is known, and how many are remembered."""

    quantile: float
    minimum: int
    memory: int


@dataclass(slots=True)
class State:
    """How many durations were observed, how many are in the histogram, and the quantile at the last look."""

    observed: int = 0
    counted: int = 0
    value_s: float = math.inf


@transition
def observe(p: Any, s: Any, counts: Any, seconds: float) -> None:
    """Count a duration."""
    place = 0
    if seconds > 0.0:
        mantissa, exponent = math.frexp(seconds)
        place = (exponent - LEAST) * STEPS + int((mantissa - 0.5) * (2 * STEPS))
        place = min(max(place, 0), BINS - 1)
    counts[place] += 1
    s.observed += 1
    s.counted += 1
    if s.counted >= p.memory:
        s.counted = 0
        for each in range(BINS):
            counts[each] = counts[each] // 2
            s.counted += counts[each]


@transition
def quantile(p: Any, s: Any, counts: Any) -> float:
    """Return the quantile: the middle of the bin that holds it; infinite while too little is known."""
    value_s = math.inf
    if s.observed >= p.minimum and s.counted > 0:
        above = s.counted - math.ceil(p.quantile * s.counted)
        place = BINS - 1
        seen = counts[place]
        while seen <= above and place > 0:
            place -= 1
            seen += counts[place]
        exponent = place // STEPS + LEAST
        value_s = math.ldexp(0.5 + (place % STEPS + 0.5) / (2 * STEPS), exponent)
    s.value_s = value_s
    return value_s
