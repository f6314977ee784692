"""Powers of five to 128 bits, from 5^-342 to 5^324: what reading and writing decimal fractions rests on.

``table()[q + 342]`` is the upper and the lower half of 5^q, scaled by a power of two so that the highest bit
is set. Exact from 5^0 to 5^55; rounded up from 5^-27 to 5^-1, down elsewhere.

Source: D. Lemire, "Number Parsing at a Gigabyte per Second", 2021, section 6.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

__all__ = ["LEAST_POWER", "MOST_POWER", "powers_of_five"]

LEAST_POWER, MOST_POWER = -342, 324
ROUNDED_UP_FROM = -27
BITS = 128


@cache
def powers_of_five() -> npt.NDArray[np.uint64]:
    """Return the table, `(667, 2) uint64`."""
    halves = [divmod(_normalized(power), 1 << 64) for power in range(LEAST_POWER, MOST_POWER + 1)]
    return np.array(halves, np.uint64)


def _normalized(power: int) -> int:
    if power >= 0:
        exact = 5**power
        surplus = exact.bit_length() - BITS
        return exact >> surplus if surplus > 0 else exact << -surplus
    divisor = 5**-power
    quotient = (1 << (divisor.bit_length() + BITS - 1)) // divisor
    return quotient + 1 if power >= ROUNDED_UP_FROM else quotient
