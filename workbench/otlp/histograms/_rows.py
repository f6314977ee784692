"""Histograms as rows of the tables of data points, and back.

Scales that OpenTelemetry data may have but no double needs are brought to those we compute with: above 20 by
joining buckets, below -11 as they are, since only two buckets are left there, up to 1 and above.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.otlp.histograms.buckets import Buckets
from workbench.otlp.histograms.errors import HistogramError
from workbench.otlp.histograms.exponential import MAX_SCALE, MAX_SIZE, MIN_SCALE, ExponentialHistogram

__all__ = ["ExplicitState", "exponential_of", "exponential_row"]

Row = Mapping[str, Any]
MOST_VALUES = 2**53


def exponential_of(row: Row) -> ExponentialHistogram:
    """Return a row of ``exp_histogram_data_points`` as a histogram.

    Raises
    ------
    HistogramError
        When its counts do not add up, or a bucket holds no double.
    """
    scale = row["scale"] or 0
    positive, negative = (_side(row[name], max(scale - MAX_SCALE, 0)) for name in ("positive", "negative"))
    found = ExponentialHistogram(
        min(max(scale, MIN_SCALE), MAX_SCALE),
        positive,
        negative,
        zero_count=row["zero_count"] or 0,
        zero_threshold=row["zero_threshold"] or 0.0,
        sum=row["sum"],
        min=row["min"],
        max=row["max"],
        max_size=max(MAX_SIZE, len(positive), len(negative)),
    )
    if found.count != (row["count"] or 0):
        msg = f"the buckets hold {found.count} values, but count is {row['count']}"
        raise HistogramError(msg)
    return found


def _side(struct: Row | None, steps: int) -> Buckets:
    if struct is None:
        return Buckets.none()
    counts = struct["bucket_counts"] or []
    _check_counts(counts)
    return Buckets(struct["offset"] or 0, np.array(counts, np.int64)).coarsened(steps)


def _check_counts(counts: Sequence[int]) -> None:
    """Refuse counts so large that their sums, over many points, would not stay integers of 64 bits."""
    if max(counts, default=0) > MOST_VALUES:
        msg = f"a bucket holds {max(counts)} values, more than 2**53"
        raise HistogramError(msg)


def exponential_row(histogram: ExponentialHistogram) -> dict[str, Any]:
    """Return a histogram as the columns of a row of ``exp_histogram_data_points``.

    Raises
    ------
    HistogramError
        When counts are float: OpenTelemetry has whole ones.
    """
    if isinstance(histogram.count, float):
        msg = "a histogram of weighted values has counts that are not whole: OpenTelemetry cannot hold it"
        raise HistogramError(msg)
    positive, negative = (
        {"offset": side.offset, "bucket_counts": side.counts.tolist()}
        for side in (histogram.positive, histogram.negative)
    )
    return {
        "count": histogram.count,
        "sum": histogram.sum,
        "min": histogram.min,
        "max": histogram.max,
        "scale": histogram.scale,
        "zero_count": histogram.zero_count,
        "zero_threshold": histogram.zero_threshold,
        "positive": positive,
        "negative": negative,
    }


@dataclass(frozen=True, slots=True)
class ExplicitState:
    """A row of ``histogram_data_points``; it may have no buckets, but a count and a sum only."""

    count: int
    sum: float | None
    min: float | None
    max: float | None
    counts: tuple[int, ...]
    bounds: tuple[float, ...]

    @classmethod
    def of(cls, row: Row) -> "ExplicitState":
        """Return a row as a state.

        Raises
        ------
        HistogramError
            When its counts do not add up, or are not one more than its bounds.
        """
        counts, bounds = tuple(row["bucket_counts"] or ()), tuple(row["explicit_bounds"] or ())
        count = row["count"] or 0
        _check_counts((count, *counts))
        if (counts or bounds) and (len(counts) != len(bounds) + 1 or sum(counts) != count):
            held = f"{len(counts)} buckets hold {sum(counts)} values between {len(bounds)} bounds"
            msg = f"{held}, but count is {count}"
            raise HistogramError(msg)
        return cls(count, row["sum"], row["min"], row["max"], counts, bounds)

    def row(self) -> dict[str, Any]:
        """Return the columns of a row."""
        return {
            "count": self.count,
            "sum": self.sum,
            "min": self.min,
            "max": self.max,
            "bucket_counts": list(self.counts),
            "explicit_bounds": list(self.bounds),
        }

    def fits(self, other: "ExplicitState") -> bool:
        """Tell whether the buckets are the same."""
        return self.bounds == other.bounds and len(self.counts) == len(other.counts)

    def minus(self, earlier: "ExplicitState") -> "ExplicitState":
        """Return what came since an earlier state.

        Raises
        ------
        HistogramError
            When a count is smaller.
        """
        counts = tuple(a - b for a, b in zip(self.counts, earlier.counts, strict=True))
        count = self.count - earlier.count
        if count < 0 or min(counts, default=0) < 0:
            msg = f"the count fell from {earlier.count} to {self.count}, or that of a bucket did"
            raise HistogramError(msg)
        total = None if self.sum is None or earlier.sum is None else self.sum - earlier.sum
        return ExplicitState(count, total, None, None, counts, self.bounds)

    def merge(self, other: "ExplicitState") -> "ExplicitState":
        """Return both states' values together."""
        return ExplicitState(
            self.count + other.count,
            None if self.sum is None or other.sum is None else self.sum + other.sum,
            None if self.min is None or other.min is None else min(self.min, other.min),
            None if self.max is None or other.max is None else max(self.max, other.max),
            tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            self.bounds,
        )
