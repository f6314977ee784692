r"""Logarithmic buckets of the exponential histogram: the exact index of a number, and the bounds of an index.

At scale :math:`s` the base is :math:`b = 2^{2^{-s}}` and bucket :math:`i` is :math:`(b^i, b^{i+1}]`, so that
:math:`i(v) = \lceil 2^s \log_2 v \rceil - 1`. Scales nest: :math:`i_{s-k}(v) = \lfloor i_s(v) / 2^k \rfloor`.

No logarithm decides an index. Up to scale 10 the significand is compared with the integers
:math:`T_j = \lfloor 2^{52} (2^{j/1024} - 1) \rfloor`: as the bounds between two powers of two are irrational,
a double is at most the bound exactly when its significand is at most :math:`T_j`. A table over its 11 leading
bits says which :math:`T_j` to compare with. Above scale 10 a short series places the rest in one of 1024
parts, and where that comes within :math:`10^{-6}` of a bound, the bound as a sum of two doubles, good to
:math:`2^{-100}`, decides: a double of [1, 2) that is not a bound is farther than :math:`2^{-78}` from it.

The tables come from integer square roots of 320 bits, not from the machine's ``pow``.

Source: OpenTelemetry metrics data model, "ExponentialHistogram"; Dekker (1971) for products of two doubles.
"""

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from workbench.kernels._registry import KernelError, checked, kernel

__all__ = [
    "COARSE",
    "MAX_SCALE",
    "MIN_SCALE",
    "check_scale",
    "coarse_index",
    "fine_index",
    "inlined",
    "log_bucket_bounds",
    "log_bucket_index",
]

MAX_SCALE = 20
MIN_SCALE = -11  # two buckets, up to 1 and above 1, hold every double
COARSE = 10  # the scale that the table answers, and the bits that each half of a scale-20 index has
PARTS = 1 << COARSE
PRECISION = 320
SPLIT = 134_217_729.0  # 2**27 + 1 cuts a double in halves whose products are exact
NEAR = 1e-6
INVERSE_LN2 = PARTS * PARTS / math.log(2)


def _powers(scale: int, count: int) -> list[int]:
    """Return `2**(j / 2**scale)` for j < count as integers with `PRECISION` bits after the point."""
    root = 2 << PRECISION
    for _ in range(scale):
        root = math.isqrt(root << PRECISION)
    powers = [1 << PRECISION]
    while len(powers) < count:
        powers.append(powers[-1] * root >> PRECISION)
    return powers


def _doubles(powers: list[int]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return each power as the sum of two doubles, the first one rounded to nearest."""
    one = 1 << PRECISION
    high = [power / one for power in powers]
    low = [
        (power - (int(math.ldexp(h, 52)) << (PRECISION - 52))) / one
        for power, h in zip(powers, high, strict=True)
    ]
    return np.array(high), np.array(low)


COARSE_POWERS = [*_powers(COARSE, PARTS), 2 << PRECISION]
COARSE_HIGH, COARSE_LOW = _doubles(COARSE_POWERS)
FINE_HIGH, FINE_LOW = _doubles(_powers(MAX_SCALE, PARTS))
THRESHOLDS = np.array([(power >> (PRECISION - 52)) - (1 << 52) for power in COARSE_POWERS], np.int64)
CELL_BITS = 52 - COARSE - 1  # cells half as wide as the narrowest bucket hold one bound at most
FIRST_IN_CELL = np.searchsorted(THRESHOLDS, np.arange(2 * PARTS, dtype=np.int64) << CELL_BITS).astype(
    np.int16
)
SIGNIFICAND = (1 << 52) - 1


# A part of the kernels that use it: a call, or a check of a divisor, would cost more than the work.
inlined = numba.njit(forceinline=True, error_model="numpy")


def log_bucket_index(values: npt.ArrayLike, scale: int) -> npt.NDArray[np.int64]:
    """Return the bucket that each positive number falls in: the `i` of ``base**i < value <= base**(i + 1)``.

    Parameters
    ----------
    values : (n,) float64, positive and finite
    scale : int
        -11 to 20; the base is ``2 ** (2 ** -scale)``.

    Raises
    ------
    KernelError
        When a value is not a positive number, or the scale is out of range.

    Examples
    --------
    >>> log_bucket_index([0.5, 1.0, 1.001, 2.0, 2.001], 0).tolist()
    [-2, -1, 0, 0, 1]
    """
    check_scale(scale)
    found = checked("values", values, np.float64, (None,))
    if len(found) and not (found.min() > 0 and found.max() < np.inf):
        msg = "values must be positive and finite: zero, negative numbers, infinities and NaN have no bucket"
        raise KernelError(msg)
    indices = np.empty(len(found), np.int64)
    find = _fine_indices if scale > COARSE else _coarse_indices
    find(found.view(np.int64), scale, indices)
    return indices


def log_bucket_bounds(indices: npt.ArrayLike, scale: int) -> npt.NDArray[np.float64]:
    """Return ``base ** index`` for each index, rounded to the nearest double: the buckets' lower bounds.

    Zero and infinity stand for bounds that no double reaches.

    Parameters
    ----------
    indices : (n,) int64
    scale : int
        -11 to 20.

    Raises
    ------
    KernelError
        When the scale is out of range.

    Examples
    --------
    >>> log_bucket_bounds([-1, 0, 1, 2], 1).round(3).tolist()
    [0.707, 1.0, 1.414, 2.0]
    """
    check_scale(scale)
    fine = np.asarray(indices, np.int64) << (MAX_SCALE - scale)
    exponent, part = fine >> MAX_SCALE, fine & ((1 << MAX_SCALE) - 1)
    coarse, rest = part >> COARSE, part & (PARTS - 1)
    high, low = COARSE_HIGH[coarse], COARSE_LOW[coarse]
    product = high * FINE_HIGH[rest]
    error = _product_error(high, FINE_HIGH[rest], product) + (high * FINE_LOW[rest] + low * FINE_HIGH[rest])
    with np.errstate(over="ignore", under="ignore"):
        bounds: npt.NDArray[np.float64] = np.ldexp(
            product + error, np.clip(exponent, -1100, 1100).astype(np.int32)
        )
    return bounds


def check_scale(scale: int) -> None:
    """Refuse a scale that is no integer from -11 to 20."""
    if not MIN_SCALE <= scale <= MAX_SCALE:
        msg = f"scale must be {MIN_SCALE} to {MAX_SCALE}, got {scale}"
        raise KernelError(msg)


def _product_error(a: Any, b: Any, product: Any) -> Any:
    """Return `a * b - product`, exactly (Dekker)."""
    a_high = SPLIT * a - (SPLIT * a - a)
    b_high = SPLIT * b - (SPLIT * b - b)
    a_low, b_low = a - a_high, b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


@inlined
def _is_at_most(value: float, bound: int) -> Any:
    """Tell whether a value of [1, 2) is at most `2**(bound / 2**20)`."""
    coarse, rest = bound >> COARSE, bound & (PARTS - 1)
    a, b = COARSE_HIGH[coarse], FINE_HIGH[rest]
    product = a * b
    a_high = SPLIT * a - (SPLIT * a - a)
    b_high = SPLIT * b - (SPLIT * b - b)
    a_low, b_low = a - a_high, b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    error += a * FINE_LOW[rest] + COARSE_LOW[coarse] * b
    return np.int64(value - product <= error)


@inlined
def _parts(bits: int) -> Any:
    """Return exponent and significand of a positive double, given as its bits: `(1 + m / 2**52) * 2**e`."""
    exponent = bits >> 52
    significand = bits & SIGNIFICAND
    if exponent == 0:  # subnormal: shift its leading bit to where that of a normal number is
        exponent = 1
        while not significand >> 52:
            significand <<= 1
            exponent -= 1
        significand &= SIGNIFICAND
    return exponent - 1023, significand


@inlined
def _bounds_below(significand: int) -> Any:
    """Return how many of the 1024 bounds in [1, 2) are less than a number of that significand."""
    first = np.int64(FIRST_IN_CELL[significand >> CELL_BITS])
    return first + np.int64(THRESHOLDS[first] < significand)


@inlined
def coarse_index(bits: Any) -> Any:
    """Return the index at scale 10 of a positive double, given as its bits."""
    exponent, significand = _parts(bits)
    return exponent * PARTS + _bounds_below(significand) - 1


@inlined
def fine_index(bits: Any) -> Any:
    """Return the index at scale 20 of a positive double, given as its bits."""
    exponent, significand = _parts(bits)
    coarse = _bounds_below(significand) - 1
    if coarse < 0:  # a power of two
        return (exponent << MAX_SCALE) - 1
    value = np.int64(significand | (1023 << 52)).view(np.float64)
    high = COARSE_HIGH[coarse]
    x = ((value - high) - COARSE_LOW[coarse]) / high
    place = x * (1.0 - x * (0.5 - x * (1.0 / 3.0 - x * 0.25))) * INVERSE_LN2
    nearest = np.int64(place + 0.5)
    rest = np.int64(place)
    if abs(place - nearest) < NEAR:
        rest = nearest - _is_at_most(value, (coarse << COARSE) + nearest)
    return (exponent << MAX_SCALE) + (coarse << COARSE) + rest


@kernel("void(int64[::1], int64, int64[::1])")
def _coarse_indices(bits: Any, scale: int, indices: Any) -> None:
    for i in range(len(bits)):
        indices[i] = coarse_index(bits[i]) >> (COARSE - scale)


@kernel("void(int64[::1], int64, int64[::1])")
def _fine_indices(
    bits: Any, scale: int, indices: Any
) -> None:  # in one kernel with the other: four times slower
    for i in range(len(bits)):
        indices[i] = fine_index(bits[i]) >> (MAX_SCALE - scale)
