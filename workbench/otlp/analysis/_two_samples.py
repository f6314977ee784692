r"""Tests of two samples, for many groups at once, and the correction for making so many.

For a group with :math:`n_1` values before and :math:`n_2` after:

* *Mann-Whitney*: :math:`U = R_2 - n_2 (n_2 + 1) / 2` with the sum :math:`R_2` of the ranks after; normal
  approximation with correction for ties and continuity. Effect size is Cliff's :math:`\delta = 2 U / (n_1
  n_2) - 1`, the probability that a value after is larger, less that it is smaller.
* *Kolmogorov-Smirnov*: :math:`D = \max_x |F_1(x) - F_2(x)|`, with the asymptotic distribution of
  :math:`D \sqrt{n_1 n_2 / (n_1 + n_2)}`; conservative where values are tied.
* *two proportions*: Fisher's exact test where an expected count is below 10, else Pearson's
  :math:`\chi^2` with one degree of freedom.

Most values may be zero: zeros are not listed, only counted by the sizes of the samples.

Source: Mann & Whitney 1947; Cliff 1993; Benjamini & Hochberg, "Controlling the False Discovery Rate", 1995.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["RankTests", "benjamini_hochberg", "rank_tests", "two_proportions"]

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]

LEAST = 8  # values on either side: with fewer, neither approximation is worth its name
FEW = 10.0
TIE = 1 + 1e-7  # outcomes so close in probability are equally likely, whatever rounding says


@dataclass(frozen=True, slots=True, eq=False)
class RankTests:
    """What the two rank tests say of each group, `(size,) float64`; NaN where a sample is too small.

    Attributes
    ----------
    delta : Cliff's delta, -1 to 1; positive when the values after are larger
    location : p-value of Mann-Whitney
    shape : p-value of Kolmogorov-Smirnov
    """

    delta: Floats
    location: Floats
    shape: Floats

    @property
    def p(self) -> Floats:
        """One p-value of both: the smaller one, doubled (Bonferroni)."""
        return np.minimum(1.0, 2.0 * np.minimum(self.location, self.shape))


def rank_tests(  # noqa: PLR0913 - a column each
    group: Rows, values: npt.NDArray[np.generic], after: Marks, size: int, before_size: Rows, after_size: Rows
) -> RankTests:
    """Test for each group whether its values before and after come from one distribution.

    Parameters
    ----------
    group : (m,) int64, less than `size`
    values : (m,) numbers, not negative
        Zeros may be left out.
    after : (m,) bool
    size : int
    before_size, after_size : (size,) int64
        How many values each group has, zeros included.
    """
    amounts = np.asarray(values, np.float64)
    order = np.flatnonzero(amounts > 0)
    order = order[np.lexsort((amounts[order], group[order]))]
    owner, late = group[order], after[order]
    n1, n2 = before_size.astype(np.float64), after_size.astype(np.float64)
    count1 = np.bincount(owner[~late], minlength=size)
    count2 = np.bincount(owner[late], minlength=size)
    zeros1, zeros2 = n1 - count1, n2 - count2
    runs = _Runs.of(owner, amounts[order], size)
    enough = np.minimum(n1, n2) >= LEAST
    with np.errstate(divide="ignore", invalid="ignore"):
        delta, location = _mann_whitney(runs, late, n1, n2, zeros1, zeros2)
        shape = _kolmogorov_smirnov(runs, late, n1, n2, zeros1, zeros2)
    return RankTests(*(np.where(enough, found, np.nan) for found in (delta, location, shape)))


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Values in order within their groups, and the runs of equal ones."""

    owner: Rows  # group of each value
    run: Rows  # run of each value
    first: Rows  # place of each run's first value
    length: Rows
    group: Rows  # group of each run
    start: Rows  # place of each group's first value
    size: int

    @classmethod
    def of(cls, owner: Rows, values: npt.NDArray[np.generic], size: int) -> "_Runs":
        changes = np.ones(len(owner), np.bool_)
        changes[1:] = (owner[1:] != owner[:-1]) | (values[1:] != values[:-1])
        first = np.flatnonzero(changes)
        length = np.diff(np.append(first, len(owner)))
        counts = np.bincount(owner, minlength=size)
        start = np.cumsum(counts) - counts
        return cls(owner, np.cumsum(changes) - 1, first, length, owner[first], start, size)


def _mann_whitney(  # noqa: PLR0913 - a column each
    runs: _Runs, late: Marks, n1: Floats, n2: Floats, zeros1: Floats, zeros2: Floats
) -> tuple[Floats, Floats]:
    zeros, both = zeros1 + zeros2, n1 + n2
    rank = zeros[runs.group] + (runs.first - runs.start[runs.group]) + (runs.length + 1) / 2
    of_value = rank[runs.run]
    ranks = np.bincount(runs.owner[late], of_value[late], runs.size) + zeros2 * (zeros + 1) / 2
    u = ranks - n2 * (n2 + 1) / 2
    listed = np.bincount(runs.group, runs.length.astype(np.float64) ** 3 - runs.length, runs.size)
    tied = listed + zeros**3 - zeros
    variance = n1 * n2 / 12 * (both + 1 - tied / (both * (both - 1)))
    score = np.maximum(np.abs(u - n1 * n2 / 2) - 0.5, 0) / np.sqrt(variance)
    p = np.minimum(1.0, 2 * special.ndtr(-score))
    return 2 * u / (n1 * n2) - 1, np.where(variance > 0, p, 1.0)


def _kolmogorov_smirnov(  # noqa: PLR0913 - a column each
    runs: _Runs, late: Marks, n1: Floats, n2: Floats, zeros1: Floats, zeros2: Floats
) -> Floats:
    distance = np.abs(zeros1 / n1 - zeros2 / n2)
    if len(runs.first):
        last = runs.first + runs.length - 1
        late_so_far = np.cumsum(late)
        before_group = np.where(runs.start > 0, late_so_far[np.maximum(runs.start, 1) - 1], 0)[runs.group]
        seen2 = late_so_far[last] - before_group
        seen1 = last + 1 - runs.start[runs.group] - seen2
        gap = np.abs(
            (zeros1[runs.group] + seen1) / n1[runs.group] - (zeros2[runs.group] + seen2) / n2[runs.group]
        )
        changes = np.flatnonzero(np.append(True, runs.group[1:] != runs.group[:-1]))
        at = runs.group[changes]
        distance[at] = np.fmax(distance[at], np.maximum.reduceat(gap, changes))
    return special.kolmogorov(np.sqrt(n1 * n2 / (n1 + n2)) * distance)


def two_proportions(hits1: Rows, n1: Rows, hits2: Rows, n2: Rows) -> Floats:
    """Return the p-value of each two proportions being one, `(k,) float64`; NaN where a sample is empty."""
    table = np.stack([hits1, n1 - hits1, hits2, n2 - hits2]).astype(np.float64)
    both, hits = (n1 + n2).astype(np.float64), (hits1 + hits2).astype(np.float64)
    p = np.full(len(both), np.nan)
    some = (n1 > 0) & (n2 > 0)
    p[some] = 1.0
    varied = some & (hits > 0) & (hits < both)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.stack([n1 * hits, n1 * (both - hits), n2 * hits, n2 * (both - hits)]) / both
        statistic = ((table - expected) ** 2 / expected).sum(axis=0)
    large = varied & (expected.min(axis=0) >= FEW)
    p[large] = special.chdtrc(1, statistic[large])
    small = np.flatnonzero(varied & ~large)
    p[small] = _fisher(hits2[small], n1[small], n2[small], (hits1 + hits2)[small])
    return p


def _fisher(hits: Rows, n1: Rows, n2: Rows, total: Rows) -> Floats:
    """Return two-sided p-values of `hits` of `total` falling among the n2, not the n1; equal margins at once.

    As usual: the probability of all outcomes that are no likelier than the one seen.
    """
    p = np.ones(len(hits))
    margins, of_row = np.unique(np.column_stack([n1, n2, total]), axis=0, return_inverse=True)
    order = np.argsort(of_row.ravel(), kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(of_row.ravel()))[:-1]) if len(margins) else []
    for (first, second, drawn), rows in zip(margins.tolist(), groups, strict=True):
        least = max(0, drawn - first)
        outcomes = np.arange(least, min(drawn, second) + 1)
        chances = _hypergeometric(outcomes, first, second, drawn)
        likely = np.sort(chances)
        sums = np.append(0.0, np.cumsum(likely))
        seen = chances[hits[rows] - least]
        p[rows] = np.minimum(1.0, sums[np.searchsorted(likely, seen * TIE, side="right")])
    return p


def _hypergeometric(outcomes: Rows, n1: int, n2: int, drawn: int) -> Floats:
    """Return the probability that of `drawn` out of n1 + n2 so many are of the n2."""

    def choose(n: int, k: npt.NDArray[np.int64]) -> Floats:
        found: Floats = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
        return found

    ways = choose(n2, outcomes) + choose(n1, drawn - outcomes) - choose(n1 + n2, np.array([drawn]))
    chances: Floats = np.exp(ways)
    return chances


def benjamini_hochberg(p: Floats) -> Floats:
    """Return p-values adjusted so that those below a level are false in that share at most; NaN stays.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, np.nan])).round(3).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return adjusted
