"""Injected faults: which calls they hit.

A call is hit when its random number lies below the rate. The number is an argument. `uniform` makes it of a
seed, the number of the call and the number of the draw within it, so that a run can be repeated, call by
call, in any world and in any order of threads::

    u = finish(seed + GOLDEN * (1 + 2 * call + draw)) / 2**53        (of the upper 53 bits; all modulo 2**64)

Source: SplitMix64, G. Steele, D. Lea, C. Flood, Fast Splittable Pseudorandom Number Generators (OOPSLA
2014), with the finishing constants of the reference implementation by S. Vigna.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "inject", "uniform", "uniforms"]

GOLDEN, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
MASK = (1 << 64) - 1


@dataclass(slots=True)
class Parameters:
    """The share of calls that are hit."""

    rate: float


@dataclass(slots=True)
class State:
    """How many calls there were while it was enabled, and how many were hit."""

    calls: int = 0
    injected: int = 0


@transition
def inject(s: Any, rate: float, u: float) -> bool:
    """Count a call with a random number from [0, 1); tell whether it is hit."""
    hit = u < rate
    s.calls += 1
    if hit:
        s.injected += 1
    return hit


def uniform(seed: int, call: int, draw: int = 0) -> float:
    """Return the random number from [0, 1) of a call, counted from 0: its first draw, or its second (1).

    Examples
    --------
    >>> uniform(7, 0), uniform(7, 0, 1)
    (0.3898297483912715, 0.01678829452815611)
    """
    z = (seed + GOLDEN * (1 + 2 * call + draw)) & MASK
    z = ((z ^ (z >> 30)) * FIRST) & MASK
    z = ((z ^ (z >> 27)) * SECOND) & MASK
    return ((z ^ (z >> 31)) >> 11) * 2.0**-53


def uniforms(seed: int, calls: int, draw: int = 0) -> npt.NDArray[np.float64]:
    """Return what `uniform` returns for so many calls."""
    steps = np.arange(calls, dtype=np.uint64) * np.uint64(2) + np.uint64(1 + draw)
    z = np.uint64(seed & MASK) + np.uint64(GOLDEN) * steps
    z = (z ^ (z >> np.uint64(30))) * np.uint64(FIRST)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(SECOND)
    found: npt.NDArray[np.float64] = ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(
        np.float64
    ) * 2.0**-53
    return found
