"""Injected faults: which calls they hit.

A call is hit when its random number lies below the rate. The number is an argument. `uniform` makes it of a
seed, the number of the call and the number of the draw within it, so that a run can be repeated, call by
call, in any world and in any order of threads::

    u = finish(seed + GOLDEN * (1 + 2 * call + draw)) / 2**53        (of the upper 53 bits; all modulo 2**64)

Its code is the same for integers of any size and for words of 64 bits: `uniform_over` gives it the latter.

Source: SplitMix64, G. Steele, D. Lea, C. Flood, Fast Splittable Pseudorandom Number Generators (OOPSLA
2014), with the finishing constants of the reference implementation by S. Vigna.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.machines._transition import transition

__all__ = ["Parameters", "State", "choose", "inject", "uniform", "uniform_over", "uniforms"]

GOLDEN, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
MASK = (1 << 64) - 1
ONE, TWO, R30, R27, R31, R11 = 1, 2, 30, 27, 31, 11
WORDS = ("GOLDEN", "FIRST", "SECOND", "MASK", "ONE", "TWO", "R30", "R27", "R31", "R11")
UNIT = 2.0**-53


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


@transition
def choose(several: int, u: float) -> int:
    """Return which of several faults is injected, with a random number from [0, 1)."""
    return int(u * several)


def uniform(seed: int, call: int, draw: int = 0) -> float:
    """Return the random number from [0, 1) of a call, counted from 0: its first draw, or its second (1).

    Examples
    --------
    >>> uniform(7, 0), uniform(7, 0, 1)
    (0.3898297483912715, 0.01678829452815611)
    """
    z = (seed + GOLDEN * (ONE + TWO * call + draw)) & MASK
    z = ((z ^ (z >> R30)) * FIRST) & MASK
    z = ((z ^ (z >> R27)) * SECOND) & MASK
    return ((z ^ (z >> R31)) >> R11) * UNIT


def uniform_over(word: Callable[[int], Any]) -> Any:
    """Return `uniform` with constants of another type, such as `numpy.uint64`, for arguments of that type."""
    words = {name: word(globals()[name]) for name in WORDS}
    return FunctionType(uniform.__code__, {"__name__": __name__, "UNIT": UNIT, **words}, uniform.__name__)


def uniforms(seed: int, calls: int, draw: int = 0) -> npt.NDArray[np.float64]:
    """Return what `uniform` returns for so many calls."""
    seeds, numbers = np.array([seed & MASK], np.uint64), np.arange(calls, dtype=np.uint64)
    found: npt.NDArray[np.float64] = uniform_over(np.uint64)(seeds, numbers, np.uint64(draw))
    return found
