"""Totals of sampled spans and their variances, where the spans of a trace are kept together.

A span i that stands for ``w_i = 1 / pi_i`` spans contributes ``w_i y_i`` to the Horvitz-Thompson total

    T = sum w_i y_i,      E T = the total over all spans.

Traces are sampled independently, and of one trace's spans the one with the smaller pi is kept only when the
other is (one random number decides about both), so ``pi_ij = min(pi_i, pi_j)`` within a trace, and

    V = sum over traces, sum over pairs i, j of its spans of  (min(w_i, w_j) - 1) max(w_i, w_j) y_i y_j

estimates Var T without bias. For spans of one weight this is ``(w^2 - w) (sum y)^2``, a trace at a time.

Sources: Horvitz & Thompson 1952; Sarndal, Swensson & Wretman, "Model Assisted Survey Sampling", chapter 2.
"""

from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["Clusters"]

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]


class Clusters:
    """Some sampled spans: what each stands for, and which belong together.

    Parameters
    ----------
    trace : (n,) int64
        Number of each span's trace.
    weight : (n,) float64
        How many spans each stands for, one or more.
    """

    def __init__(self, trace: Rows, weight: Values) -> None:
        self.weight = weight
        self._code = np.unique(trace, return_inverse=True)[1].ravel()
        self._order = np.lexsort((weight, self._code))
        self._sorted = weight[self._order]
        ordered = self._code[self._order]
        self._last = np.searchsorted(ordered, ordered, side="right") - 1
        self.traces = int(ordered[-1]) + 1 if len(ordered) else 0
        self.by_chance: Mask = weight > 1

    def total(self, y: Values | Mask | float = 1.0) -> float:
        """Return the estimated total of y."""
        return float((self.weight * y).sum())

    @cached_property
    def variance_of_all(self) -> float:
        """The estimated variance of how many spans there are."""
        return self.variance(np.ones(len(self.weight)))

    def variance(self, y: Values | Mask) -> float:
        """Return the estimated variance of the total of y."""
        values = y[self._order]
        own, standing = (self._sorted - 1) * values, self._sorted * values
        sums = np.cumsum(standing)
        behind = sums[self._last] - sums
        return max(0.0, float((own * (standing + 2 * behind)).sum()))

    def most_of_a_trace(self, y: Mask) -> float:
        """Return the most that chance let one trace contribute to the total of y; zero where nothing."""
        chosen = y & self.by_chance
        return float(np.bincount(self._code[chosen], self.weight[chosen], 1).max())

    def average_trace(self) -> float:
        """Return what a trace that chance kept contributes to the total; zero where there is none."""
        traces = len(np.unique(self._code[self.by_chance]))
        return self.total(self.by_chance) / max(1, traces)
