"""From exponential to explicit buckets: where the values of one that reaches into several are taken to be.

The four rules have the names that the OpenTelemetry Collector's
``convert_exponential_histogram_to_histogram`` gives them. Unlike it, negative values and the zero bucket take
part, the overflow bucket is there, and ``uniform`` gives each explicit bucket the share that the exponential
one overlaps.
"""

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from workbench.otlp.histograms.errors import HistogramError
from workbench.otlp.histograms.explicit import ExplicitHistogram
from workbench.otlp.histograms.exponential import ExponentialHistogram

__all__ = ["Distribution", "distributed"]

Distribution = Literal["upper", "midpoint", "uniform", "random"]
Floats = npt.NDArray[np.float64]


def distributed(
    histogram: ExponentialHistogram, bounds: npt.ArrayLike, distribution: Distribution, seed: int
) -> ExplicitHistogram:
    """Return explicit buckets of the same values; see `ExponentialHistogram.to_explicit`."""
    edges = np.asarray(bounds, np.float64)
    empty = ExplicitHistogram(
        edges, np.zeros(len(edges) + 1, np.int64), histogram.sum, histogram.min, histogram.max
    )
    lowers, uppers, counts = histogram.intervals()
    if distribution in ("upper", "midpoint"):
        points = uppers if distribution == "upper" else lowers / 2 + uppers / 2
        found = np.zeros(len(edges) + 1, counts.dtype)
        np.add.at(found, np.searchsorted(edges, points), counts)
    elif distribution == "uniform":
        found = _evenly(_shares_up_to(edges, lowers, uppers), counts)
    elif distribution == "random":
        found = _at_random(_shares_up_to(edges, lowers, uppers), counts, seed)
    else:
        msg = f"distribution must be one of {', '.join(get_args(Distribution))}, got {distribution!r}"
        raise HistogramError(msg)
    return ExplicitHistogram(empty.bounds, found, empty.sum, empty.min, empty.max)


def _shares_up_to(edges: Floats, lowers: Floats, uppers: Floats) -> Floats:
    """Return the share of each bucket that lies up to each bound, and 1 at last, `(buckets, bounds + 1)`."""
    low, high = lowers[:, None] / 2, uppers[:, None] / 2  # halved: their difference cannot overflow
    width = high - low
    with np.errstate(over="ignore"):  # far away of a bucket of the least numbers is infinitely far
        inside = np.divide(
            edges / 2 - low, width, out=(edges / 2 >= high).astype(np.float64), where=width > 0
        )
    return np.hstack([inside.clip(0, 1), np.ones((len(lowers), 1))])


def _evenly(shares: Floats, counts: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return what each explicit bucket gets; running totals of whole counts are rounded, so none is lost."""
    if counts.dtype.kind == "f":
        return np.diff(shares * counts[:, None], axis=1, prepend=0.0).sum(axis=0)
    running = np.rint(shares[:, :-1] * counts[:, None]).astype(np.int64)
    return np.diff(np.hstack([running, counts[:, None]]), axis=1, prepend=0).sum(axis=0)


def _at_random(shares: Floats, counts: npt.NDArray[Any], seed: int) -> npt.NDArray[Any]:
    if counts.dtype.kind == "f":
        msg = "weighted values cannot be drawn at random: use distribution='uniform'"
        raise HistogramError(msg)
    rng = np.random.default_rng(seed)
    chances = np.diff(shares, axis=1, prepend=0.0)
    return rng.multinomial(counts, chances).sum(axis=0).astype(np.int64)
