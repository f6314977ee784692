"""Quantiles of many groups at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["grouped_quantiles"]

Floats = npt.NDArray[np.float64]


def grouped_quantiles(
    group: npt.NDArray[np.int64], values: npt.NDArray[np.generic], size: int, quantiles: Sequence[float]
) -> Floats:
    """Return quantiles of the values of each group, interpolated linearly as `numpy.quantile` does.

    Parameters
    ----------
    group : (n,) int64, less than `size`
    values : (n,) numbers
    size : int
    quantiles : q numbers from 0 to 1

    Returns
    -------
    (q, size) float64
        NaN for a group without values.
    """
    found = np.full((len(quantiles), size), np.nan)
    if not len(values):
        return found
    ordered = np.asarray(values, np.float64)[np.lexsort((values, group))]
    count = np.bincount(group, minlength=size)
    first = np.cumsum(count) - count
    some = count > 0
    for row, quantile in enumerate(quantiles):
        rank = quantile * (count[some] - 1)
        below = np.floor(rank).astype(np.int64)
        above = np.minimum(below + 1, count[some] - 1)
        low, high = ordered[first[some] + below], ordered[first[some] + above]
        found[row, some] = low + (rank - below) * (high - low)
    return found
