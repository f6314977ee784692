"""`Quantile`: a value read out of buckets, and the bounds that the buckets prove.

The `q`-quantile of `n` values is the least value that a share `q` of them does not exceed: number
``max(1, ceil(q n))`` in ascending order. It lies between the bounds of the bucket that holds this number. The
estimate is their harmonic mean ``2 l u / (l + u)``: no other has a smaller largest relative error, which is
``(u - l) / (u + l)``.

Source: Masson, Rim & Lee, "DDSketch" (VLDB 2019), for the estimate.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench import display
from workbench.otlp.histograms.errors import HistogramError

__all__ = ["Quantile"]

LARGEST = float(np.finfo(np.float64).max)


class Quantile(NamedTuple):
    """A quantile of values that are known by their buckets only.

    Attributes
    ----------
    estimate : float
    lower, upper : float
        The true quantile is in ``[lower, upper]``.
    """

    estimate: float
    lower: float
    upper: float

    @property
    def relative_error(self) -> float:
        """How far the true quantile may be from the estimate, relative to itself; infinite around zero."""
        if self.lower == self.upper:
            return 0.0
        if self.lower <= 0 <= self.upper:
            return math.inf
        return max(
            abs(self.estimate - self.lower) / abs(self.lower),
            abs(self.upper - self.estimate) / abs(self.upper),
        )


def harmonic_mean(lower: npt.ArrayLike, upper: npt.ArrayLike) -> Any:
    """Return `2 l u / (l + u)` of two numbers of one sign, `(n,)`, without overflow; 0 where either is 0."""
    low, high = np.asarray(lower, np.float64), np.asarray(upper, np.float64)
    small = np.minimum(np.abs(low), np.abs(high))
    large = np.minimum(np.maximum(np.abs(low), np.abs(high)), LARGEST)
    ratio = np.divide(small, large, out=np.ones_like(large), where=large > 0)
    return np.where(high < 0, -1.0, 1.0) * np.minimum(small * (2 / (1 + ratio)), large)


def count_text(count: float) -> str:
    """Return how many values there are, or what they weigh, with the noun."""
    return f"{count:,.6g} values" if isinstance(count, float) else display.plural(count, "value")


def percent_text(share: float) -> str:
    """Return a share in percent, with two significant digits and no exponent for a large one."""
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:,.0f} %"


def ranks(q: float, totals: npt.ArrayLike) -> Any:
    """Return how many values, or how much weight, a share `q` of each total is: one at least, or above zero.

    Raises
    ------
    HistogramError
        When `q` is not from 0 to 1.
    """
    if not 0 <= q <= 1:
        msg = f"q must be from 0 to 1, got {q}"
        raise HistogramError(msg)
    found = np.asarray(totals)
    if found.dtype.kind == "f":
        return np.maximum(q * found, np.finfo(np.float64).tiny)
    return np.maximum(np.ceil(q * found), 1)
