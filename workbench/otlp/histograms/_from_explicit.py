r"""From explicit to exponential buckets, with a bound on what the change of buckets can hide.

All values of ``(l, u]`` with `l` and `u` of one sign are counted at :math:`\sqrt{l u}`, from which none is
farther than a factor :math:`\sqrt{u / l}`; the widest such factor is the histogram's displacement. A bucket
that touches zero has no such factor: it becomes the zero bucket, and so does what that then covers. As the
order of the values is kept, a quantile lies in the bucket that it is found in, widened by the displacement.
"""

import numpy as np
import numpy.typing as npt

from workbench.kernels import log_bucket_index
from workbench.otlp.histograms.buckets import Buckets
from workbench.otlp.histograms.errors import HistogramError
from workbench.otlp.histograms.explicit import ExplicitHistogram
from workbench.otlp.histograms.exponential import ExponentialHistogram

__all__ = ["spread"]

Floats = npt.NDArray[np.float64]


def spread(histogram: ExplicitHistogram, max_size: int, max_scale: int) -> ExponentialHistogram:
    """Return exponential buckets of the same values; see `ExponentialHistogram.from_explicit`."""
    filled = histogram.counts > 0
    lowers, uppers = (side[filled] for side in _known_edges(histogram))
    counts = histogram.counts[filled]
    threshold = _zero_threshold(lowers, uppers)
    zero = (lowers < threshold) & (uppers > -threshold) | (lowers <= 0) & (uppers >= 0)
    near, far = np.minimum(np.abs(lowers), np.abs(uppers)), np.maximum(np.abs(lowers), np.abs(uppers))
    with np.errstate(over="ignore"):
        factors = np.sqrt(far[~zero]) / np.sqrt(near[~zero])
    sizes = np.sqrt(near[~zero]) * np.sqrt(far[~zero])
    indices, below = log_bucket_index(sizes, max_scale), lowers[~zero] < 0
    steps = max((_steps(indices[side], max_size) for side in (below, ~below)), default=0)
    positive, negative = (_side(indices[side] >> steps, counts[~zero][side]) for side in (~below, below))
    return ExponentialHistogram(
        max_scale - steps,
        positive,
        negative,
        counts[zero].sum().item(),
        threshold,
        sum=histogram.sum,
        min=histogram.min,
        max=histogram.max,
        max_size=max_size,
        displacement=float(np.nextafter(factors.max(initial=1.0), np.inf) - 1) if len(factors) else 0.0,
    )


def _known_edges(histogram: ExplicitHistogram) -> tuple[Floats, Floats]:
    """Return the bounds, finite where values are; a first bucket up to a positive bound starts at zero."""
    lowers, uppers = histogram.edges
    if len(histogram.bounds) and histogram.min is None and histogram.bounds[0] > 0:
        lowers[0] = 0.0
    for side, name, edges, place in ((0, "min", lowers, "first"), (-1, "max", uppers, "last")):
        if histogram.counts[side] and not np.isfinite(edges[side]):
            held = histogram.counts[side]
            msg = f"the {place} bucket holds {held} values, but {name} is not known: give {name}="
            raise HistogramError(msg)
    return lowers, uppers


def _zero_threshold(lowers: Floats, uppers: Floats) -> float:
    """Return how far the buckets reach that touch zero, and those that overlap with what they reach."""
    zero = (lowers <= 0) & (uppers >= 0)
    threshold, last = 0.0, -1.0
    while threshold > last:
        last = threshold
        threshold = float(np.maximum(np.abs(lowers), np.abs(uppers))[zero].max(initial=last))
        zero = zero | (lowers < threshold) & (uppers > -threshold)
    return threshold


def _steps(indices: npt.NDArray[np.int64], max_size: int) -> int:
    steps = 0
    while len(indices) and (indices.max() >> steps) - (indices.min() >> steps) >= max_size:
        steps += 1
    return steps


def _side(indices: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> Buckets:
    if not len(indices):
        return Buckets.none()
    found = np.zeros(int(indices.max() - indices.min()) + 1, counts.dtype)
    np.add.at(found, indices - indices.min(), counts)
    return Buckets(int(indices.min()), found)
