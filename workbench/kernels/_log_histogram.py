r"""An exponential histogram of every group of some numbers, each at the finest scale that its range allows.

For values :math:`v_k \ge 0` in groups :math:`g_k`, two passes: the first finds each group's sum, zeros and
least and greatest positive value, from which follows its scale, the largest :math:`s` with
:math:`i_s(\max) - i_s(\min) < \text{max\_size}`; the second counts buckets (the index is explained in
`workbench.kernels._log_buckets`). The counts of all groups lie in one array, each group's from its lowest to
its highest populated bucket, so a group of few or similar values costs few numbers.

Cost O(n + g + buckets). A group's histogram is the one that its values alone would have.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels._log_buckets import (
    COARSE,
    MAX_SCALE,
    MIN_SCALE,
    check_scale,
    coarse_index,
    fine_index,
    inlined,
    log_bucket_index,
)
from workbench.kernels._registry import KernelError, checked, kernel

__all__ = ["LogHistograms", "grouped_log_histogram"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
UNWEIGHTED = np.ones(1, np.int64)
LEAST_MAX_SIZE = 2
ALIGNED = (
    "scales",
    "offsets",
    "totals",
    "zeros",
    "marked",
    "sums",
    "lows",
    "highs",
)  # arrays with an element a group
SUM, LOW, HIGH, MARKED = 0, 1, 2, 3  # columns of `records`: one cache line holds two groups
ROWS_AT_ONCE = 1 << 31  # buckets are counted in 32 bits, half the memory to write to, and then added up


@dataclass(frozen=True, slots=True, eq=False)
class LogHistograms:
    """Exponential histograms of `g` groups.

    Attributes
    ----------
    scales : (g,) int64
        -11 to the largest allowed; the base of a group is ``2 ** (2 ** -scale)``.
    offsets : (g,) int64
        Index of the lowest populated bucket; 0 where no value is positive.
    starts : (g + 1,) int64
        Buckets of group `k` are ``counts[starts[k]:starts[k + 1]]``, the first and last of them populated.
    counts : (buckets,) int64, or float64 where there are weights
    totals, zeros, marked : (g,) int64, or float64 where there are weights
        Values, those that are zero, and those that are marked.
    sums, lows, highs : (g,) float64
        Sum, least and greatest positive value; NaN for the last two where no value is positive.
    """

    scales: Integers
    offsets: Integers
    starts: Integers
    counts: npt.NDArray[Any]
    totals: npt.NDArray[Any]
    zeros: npt.NDArray[Any]
    marked: npt.NDArray[Any]
    sums: Floats
    lows: Floats
    highs: Floats

    def __len__(self) -> int:
        return len(self.scales)

    def take(self, groups: npt.ArrayLike) -> "LogHistograms":
        """Return the histograms of some groups, in their order."""
        chosen = np.asarray(groups, np.int64)
        sizes = np.diff(self.starts)[chosen]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        rows = np.arange(starts[-1]) + np.repeat(self.starts[chosen] - starts[:-1], sizes)
        counts = self.counts[rows]
        kept = {name: getattr(self, name)[chosen] for name in ALIGNED}
        return LogHistograms(starts=starts, counts=counts, **kept)


def grouped_log_histogram(
    groups: npt.ArrayLike,
    values: npt.ArrayLike,
    size: int,
    *,
    marks: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    unit: float = 1.0,
    max_size: int = 160,
    max_scale: int = MAX_SCALE,
) -> LogHistograms:
    """Return the exponential histogram of the values of each group.

    Parameters
    ----------
    groups : (n,) int32
        The group of each value, 0 to ``size - 1``.
    values : (n,) int64 or float64, finite and not negative
    size : int
        How many groups there are.
    marks : (n,) bool, optional
        Which values to count in `LogHistograms.marked`.
    weights : (n,) float64, positive and finite, optional
        How much each value counts; by default each counts one.
    unit : float
        What a value is divided by before it is counted, such as 1e9 for seconds out of nanoseconds.
    max_size : int
        Most buckets of a group, 2 or more.
    max_scale : int
        The largest scale of a group, -11 to 20.

    Raises
    ------
    KernelError
        When lengths differ, or a group, value or weight is out of range.

    Examples
    --------
    >>> found = grouped_log_histogram([0, 1, 0, 0], [1.0, 3.0, 4.0, 0.0], 2, max_scale=0)
    >>> found.offsets.tolist(), found.counts.tolist(), found.zeros.tolist()
    ([-1, 1], [1, 0, 1, 1], [1, 0])
    """
    check_scale(max_scale)
    if max_size < LEAST_MAX_SIZE or not 0 < unit < np.inf:
        msg = f"max_size must be {LEAST_MAX_SIZE} or more and unit positive, got {max_size} and {unit}"
        raise KernelError(msg)
    rows = _Rows(groups, values, marks, weights, unit)
    records, zeros = rows.records(size)
    lows, highs = records[:, LOW] / unit, records[:, HIGH] / unit
    scales, first, last = _fitting_scales(lows, highs, max_size, max_scale)
    starts = np.concatenate([[0], np.cumsum(last - first + 1)])
    counts = rows.counts(scales, starts[:-1] - first, int(starts[-1]))
    below = np.concatenate([np.zeros(1, counts.dtype), np.cumsum(counts)])
    empty = last < first
    return LogHistograms(
        scales=scales,
        offsets=np.where(empty, 0, first),
        starts=starts,
        counts=counts,
        totals=zeros + below[starts[1:]] - below[starts[:-1]],
        zeros=zeros,
        marked=records[:, MARKED].astype(counts.dtype),
        sums=records[:, SUM] / unit,
        lows=np.where(empty, np.nan, lows),
        highs=np.where(empty, np.nan, highs),
    )


class _Rows:
    """The checked rows of one call, and the two passes over them."""

    def __init__(self, groups: Any, values: Any, marks: Any, weights: Any, unit: float) -> None:
        integer = weights is None and np.asarray(values).dtype.kind in "iu"
        self.values = checked("values", values, np.int64 if integer else np.float64, (None,))
        self.groups = checked("groups", groups, np.int32, self.values.shape)
        self.marks, self.mark_mask = _optional("marks", marks, np.zeros(1, np.bool_), self.values.shape)
        self.weights, self.mask = _optional("weights", weights, np.ones(1, np.int64), self.values.shape)
        self.unit = unit

    def records(self, size: int) -> tuple[Floats, npt.NDArray[Any]]:
        records, zeros = np.zeros((size, 4)), np.zeros(size, self.weights.dtype)
        records[:, LOW] = np.inf
        wrong = _measure(
            self.groups, self.values, self.marks, self.mark_mask, self.weights, self.mask, records, zeros
        )
        if wrong >= 0:
            raise KernelError(self._fault(int(wrong), size))
        return records, zeros

    def _fault(self, row: int, size: int) -> str:
        if not 0 <= self.groups[row] < size:
            return f"groups must be 0 to {size - 1}, got {self.groups[row]} in row {row}"
        if not 0 <= self.values[row] < np.inf:
            return f"values must be finite and not negative, got {self.values[row]} in row {row}"
        return f"weights must be positive and finite, got {self.weights[row]} in row {row}"

    def counts(self, scales: Integers, places: Integers, buckets: int) -> npt.NDArray[Any]:
        fine = scales.max(initial=MIN_SCALE) > COARSE
        fill, common = (_count_fine, MAX_SCALE) if fine else (_count_coarse, COARSE)
        shifts = (common - scales).astype(np.uint8)
        if self.mask:
            counts = np.zeros(buckets)
            fill(self.groups, self.values, self.unit, self.weights, self.mask, places, shifts, counts)
            return counts
        total = np.zeros(buckets, np.int64)
        for start in range(0, len(self.values), ROWS_AT_ONCE):
            part, some = slice(start, start + ROWS_AT_ONCE), np.zeros(buckets, np.uint32)
            fill(self.groups[part], self.values[part], self.unit, self.weights, 0, places, shifts, some)
            total += some
        return total


def _optional(name: str, given: Any, absent: npt.NDArray[Any], shape: Any) -> tuple[Any, int]:
    """Return a column and the mask of its row numbers: a mask of 0 reads one element for every row."""
    if given is None:
        return absent, 0
    return checked(name, given, np.float64 if name == "weights" else absent.dtype, shape), -1


def _fitting_scales(
    lows: Floats, highs: Floats, max_size: int, max_scale: int
) -> tuple[Integers, Integers, Integers]:
    """Return scale, lowest and highest bucket of each group; the buckets of an empty group are 0 and -1."""
    first, last = np.zeros(len(lows), np.int64), np.full(len(lows), -1, np.int64)
    filled = np.flatnonzero(lows <= highs)
    first[filled] = log_bucket_index(lows[filled], max_scale)
    last[filled] = log_bucket_index(highs[filled], max_scale)
    scales = np.full(len(lows), max_scale, np.int64)
    while (wide := last - first >= max_size).any():
        scales[wide] -= 1
        first[wide] >>= 1
        last[wide] >>= 1
    return scales, first, last


@kernel(
    "int64(int32[::1],int64[::1],bool_[::1],int64,int64[::1],int64,float64[:,::1],int64[::1])",
    "int64(int32[::1],float64[::1],bool_[::1],int64,int64[::1],int64,float64[:,::1],int64[::1])",
    "int64(int32[::1],float64[::1],bool_[::1],int64,float64[::1],int64,float64[:,::1],float64[::1])",
)
def _measure(
    groups: Any,
    values: Any,
    marks: Any,
    mark_mask: int,
    weights: Any,
    weight_mask: int,
    records: Any,
    zeros: Any,
) -> Any:
    """Fill records and zeros, and return the first row that is out of range, or -1."""
    size = len(records)
    for i in range(len(groups)):
        group, value, weight = np.int64(groups[i]), np.float64(values[i]), weights[i & weight_mask]
        if not (0 <= group < size and 0 <= value < np.inf and 0 < weight < np.inf):
            return i
        records[group, SUM] += weight * value
        records[group, MARKED] += weight * marks[i & mark_mask]
        if value > 0:
            records[group, LOW] = min(records[group, LOW], value)
            records[group, HIGH] = max(records[group, HIGH], value)
        else:
            zeros[group] += weight
    return -1


@inlined
def _quotient(value: Any, unit: float) -> Any:
    return np.float64(value) / unit


COUNTERS = (
    "void(int32[::1], int64[::1], float64, int64[::1], int64, int64[::1], uint8[::1], uint32[::1])",
    "void(int32[::1], float64[::1], float64, int64[::1], int64, int64[::1], uint8[::1], uint32[::1])",
    "void(int32[::1], float64[::1], float64, float64[::1], int64, int64[::1], uint8[::1], float64[::1])",
)


@kernel(*COUNTERS)
def _count_coarse(
    groups: Any,
    values: Any,
    unit: float,
    weights: Any,
    weight_mask: int,
    places: Any,
    shifts: Any,
    counts: Any,
) -> None:
    for i in range(len(groups)):
        value = _quotient(values[i], unit)
        if value > 0:
            index = coarse_index(np.float64(value).view(np.int64)) >> np.int64(shifts[groups[i]])
            counts[places[groups[i]] + index] += weights[i & weight_mask]


@kernel(*COUNTERS)
def _count_fine(
    groups: Any,
    values: Any,
    unit: float,
    weights: Any,
    weight_mask: int,
    places: Any,
    shifts: Any,
    counts: Any,
) -> None:
    for i in range(len(groups)):
        value = _quotient(values[i], unit)
        if value > 0:
            index = fine_index(np.float64(value).view(np.int64)) >> np.int64(shifts[groups[i]])
            counts[places[groups[i]] + index] += weights[i & weight_mask]
