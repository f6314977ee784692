"""Random numbers by number: the n-th of a stream is a function of the seed, the stream and n.

So the n-th customer of two simulations with one seed has the same service time, whatever the policies did
before it: common random numbers, which make differences between policies visible with few runs.

Source: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
"""

import math
from typing import Any

import numpy as np

from workbench.kernels.parts import inlined, shared
from workbench.reliability.simulation._codes import (
    CONSTANT,
    EMPIRICAL,
    EXPONENTIAL,
    LOGNORMAL,
    PARETO,
    UNIFORM,
    WEIBULL,
)

__all__ = ["draw", "uniform"]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
STREAM = np.uint64(0xD1B54A32D192ED03)
UNIT = 2.0**-53


@inlined
def _mix(word: Any) -> Any:
    word = (word ^ (word >> np.uint64(30))) * FIRST
    word = (word ^ (word >> np.uint64(27))) * SECOND
    return word ^ (word >> np.uint64(31))


@shared
def uniform(seed: Any, stream: Any, number: Any) -> Any:
    """Return a number from [0, 1)."""
    start = _mix(np.uint64(seed) + STREAM * np.uint64(stream + 1))
    return np.float64(_mix(start + GOLDEN * np.uint64(number + 1)) >> np.uint64(11)) * UNIT


@shared
def draw(kind: Any, a: Any, b: Any, table: Any, u: Any) -> Any:
    """Return the u-quantile of a distribution, in seconds."""
    if kind == CONSTANT:
        return a
    if kind == EXPONENTIAL:
        return -a * math.log1p(-u)
    if kind == UNIFORM:
        return a + (b - a) * u
    if kind == LOGNORMAL:
        return a * math.exp(b * _normal_quantile(u))
    if kind == PARETO:
        return a * (1.0 - u) ** (-1.0 / b)
    if kind == WEIBULL:
        return a * (-math.log1p(-u)) ** (1.0 / b)
    if kind == EMPIRICAL:
        return table[int(u * len(table))]
    return a


@inlined
def _normal_quantile(u: Any) -> Any:
    """Return the standard normal quantile (Acklam's rational approximation, relative error below 1.2e-9)."""
    u = min(max(u, 1e-300), 1.0 - 1e-16)
    if u < 0.02425 or u > 0.97575:
        q = math.sqrt(-2.0 * math.log(u if u < 0.5 else 1.0 - u))
        top = (
            (
                ((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838) * q
                - 2.549732539343734
            )
            * q
            + 4.374664141464968
        ) * q + 2.938163982698783
        bottom = (
            ((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996) * q
            + 3.754408661907416
        ) * q + 1.0
        return top / bottom if u < 0.5 else -top / bottom
    q = u - 0.5
    r = q * q
    top = (
        (
            (
                ((-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02) * r
                + 1.383577518672690e02
            )
            * r
            - 3.066479806614716e01
        )
        * r
        + 2.506628277459239
    ) * q
    bottom = (
        (
            ((-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02) * r
            + 6.680131188771972e01
        )
        * r
        - 1.328068155288572e01
    ) * r + 1.0
    return top / bottom
