"""Sums and differences of exponential histograms, which may differ in scale and zero threshold.

The zero bucket of a merged histogram reaches as far as the wider one of the two. Buckets of the other that
lie within, or that it cuts in two, become zeros; in the second case it grows to that bucket's far bound,
which may now reach into the first, and so on until both agree.

Source: OpenTelemetry metrics data model, "ExponentialHistogram: Zero Count and Zero Threshold".
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from workbench.kernels import log_bucket_bounds
from workbench.otlp.histograms.buckets import Buckets
from workbench.otlp.histograms.errors import HistogramError
from workbench.otlp.histograms.exponential import ExponentialHistogram

__all__ = ["absorbed", "difference", "merged"]


def merged(a: ExponentialHistogram, b: ExponentialHistogram) -> ExponentialHistogram:
    """Return the histogram of both; see `ExponentialHistogram.merge`."""
    max_size = min(a.max_size, b.max_size)
    a, b = _at_one_scale(a, b)
    a, b = _at_one_threshold(a, b)
    steps = max(_steps(a.positive, b.positive, max_size), _steps(a.negative, b.negative, max_size))
    return ExponentialHistogram(
        a.scale - steps,
        a.positive.coarsened(steps).plus(b.positive.coarsened(steps)),
        a.negative.coarsened(steps).plus(b.negative.coarsened(steps)),
        a.zero_count + b.zero_count,
        a.zero_threshold,
        sum=None if a.sum is None or b.sum is None else a.sum + b.sum,
        min=_extreme(a, b, a.min, b.min, min),
        max=_extreme(a, b, a.max, b.max, max),
        max_size=max_size,
        displacement=max(a.displacement, b.displacement),
    )


def difference(later: ExponentialHistogram, earlier: ExponentialHistogram) -> ExponentialHistogram:
    """Return what was counted between two states; see `ExponentialHistogram.minus`."""
    if _has_buckets(earlier) and _has_buckets(later) and later.scale > earlier.scale:
        msg = f"a histogram of scale {later.scale} is no later state of one of scale {earlier.scale}"
        raise HistogramError(msg)
    if later.zero_threshold < earlier.zero_threshold:
        msg = f"the zero threshold fell from {earlier.zero_threshold} to {later.zero_threshold}"
        raise HistogramError(msg)
    before = earlier.downscale(min(earlier.scale, later.scale))
    before = absorbed(before, later.zero_threshold)
    return replace(
        later,
        positive=later.positive.plus(before.positive, -1),
        negative=later.negative.plus(before.negative, -1),
        zero_count=later.zero_count - before.zero_count,
        sum=None if later.sum is None or before.sum is None else later.sum - before.sum,
        min=None,
        max=None,
    )


def absorbed(histogram: ExponentialHistogram, threshold: float) -> ExponentialHistogram:
    """Return the histogram with its zero bucket widened to a threshold, or to the bucket that it cuts."""
    if threshold <= histogram.zero_threshold:
        return histogram
    zeros, reach = histogram.zero_count, threshold
    sides = []
    for side in (histogram.positive, histogram.negative):
        edges = log_bucket_bounds(np.append(side.indices, side.last + 1), histogram.scale)
        covered = (edges[:-1] < threshold) & (side.counts > 0)
        zeros += side.counts[covered].sum().item()
        reach = max(reach, float(edges[1:][covered].max(initial=0.0)))
        sides.append(side.without(covered))
    positive, negative = sides
    reach = min(reach, float(np.finfo(np.float64).max))
    return replace(histogram, positive=positive, negative=negative, zero_count=zeros, zero_threshold=reach)


def _at_one_scale(
    a: ExponentialHistogram, b: ExponentialHistogram
) -> tuple[ExponentialHistogram, ExponentialHistogram]:
    """Return both at the coarser scale; one without buckets has none of its own."""
    if _has_buckets(a) == _has_buckets(b):
        scale = min(a.scale, b.scale)
        return a.downscale(scale), b.downscale(scale)
    scale = a.scale if _has_buckets(a) else b.scale
    return replace(a, scale=scale), replace(b, scale=scale)


def _at_one_threshold(
    a: ExponentialHistogram, b: ExponentialHistogram
) -> tuple[ExponentialHistogram, ExponentialHistogram]:
    while a.zero_threshold != b.zero_threshold:
        threshold = max(a.zero_threshold, b.zero_threshold)
        a, b = absorbed(a, threshold), absorbed(b, threshold)
    return a, b


def _has_buckets(histogram: ExponentialHistogram) -> bool:
    return len(histogram.positive) + len(histogram.negative) > 0


def _steps(a: Buckets, b: Buckets, max_size: int) -> int:
    """Return how many scales lower the two sides together fit."""
    filled = [side for side in (a, b) if len(side)]
    first = min((side.offset for side in filled), default=0)
    last = max((side.last for side in filled), default=0)
    steps = 0
    while (last >> steps) - (first >> steps) >= max_size:
        steps += 1
    return steps


def _extreme(
    a: ExponentialHistogram,
    b: ExponentialHistogram,
    first: float | None,
    second: float | None,
    choose: Callable[[list[float]], float],
) -> float | None:
    """Return the less or greater of two, where each is known or its histogram is empty."""
    if (first is None and a.count) or (second is None and b.count):
        return None
    known = [value for value in (first, second) if value is not None and not math.isnan(value)]
    return choose(known) if known else None
