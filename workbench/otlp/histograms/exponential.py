r"""`ExponentialHistogram`: counts in buckets whose bounds grow by a constant factor, as OpenTelemetry has it.

At scale :math:`s` the base is :math:`b = 2^{2^{-s}}`; bucket `i` counts values of :math:`(b^i, b^{i+1}]`, and
on the negative side their opposites. Values within ``zero_threshold`` of zero are in the zero count. Each
side has at most ``max_size`` buckets (160), and the scale is the largest from -10 to 20 that allows it.

Scales nest: a bucket of scale :math:`s` is two of scale :math:`s + 1`, so a histogram made coarser is exactly
the one that its values would have had, and histograms of any scales merge without loss beyond the coarser
one's.

A quantile is known to a relative error of :math:`(b - 1) / (b + 1)`: 2.2 % at scale 4, which holds three
decades.

Source: OpenTelemetry metrics data model, "ExponentialHistogram"; metrics SDK, "Base2 Exponential Bucket
Histogram Aggregation".
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from workbench import display
from workbench.kernels import grouped_log_histogram, log_bucket_bounds
from workbench.otlp.histograms.buckets import Buckets
from workbench.otlp.histograms.errors import HistogramError
from workbench.otlp.histograms.quantile import Quantile, count_text, harmonic_mean, percent_text, ranks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.otlp.histograms._distribution import Distribution
    from workbench.otlp.histograms.explicit import ExplicitHistogram

__all__ = ["ExponentialHistogram"]

MAX_SIZE, MAX_SCALE, MIN_SCALE = 160, 20, -11
LEAST_MAX_SIZE = 2
HIGHEST_EXPONENT, LOWEST_EXPONENT = 1024, -1075  # of two: bounds of all buckets that hold a double
SHOWN_QUANTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True, repr=False)
class ExponentialHistogram:
    """An exponential histogram: immutable, compared by content.

    `ExponentialHistogram.of` counts values; `merge` adds another histogram, so values arriving bit by bit are
    counted by ``histogram.merge(ExponentialHistogram.of(more))``.

    Attributes
    ----------
    scale : int
        -10 to 20 (-11 where only two buckets are allowed and values span the whole range of doubles).
    positive, negative : Buckets
    zero_count : int, or float of weighted values
    zero_threshold : float
        Values up to this far from zero count as zero.
    sum, min, max : float or None
        Of all values; None where it is not known, or there are none.
    max_size : int
        Most buckets of each side.
    displacement : float
        How far, relatively, a value may lie from the one that was counted for it. Zero, but for histograms
        made from explicit buckets: ``value / (1 + d) <= counted <= value * (1 + d)``.
    """

    scale: int
    positive: Buckets = field(default_factory=Buckets.none)
    negative: Buckets = field(default_factory=Buckets.none)
    zero_count: Any = 0
    zero_threshold: float = 0.0
    sum: float | None = None
    min: float | None = None
    max: float | None = None
    max_size: int = MAX_SIZE
    displacement: float = 0.0

    def __post_init__(self) -> None:
        _check_scale("scale", self.scale)
        if self.max_size < LEAST_MAX_SIZE:
            msg = f"max_size must be {LEAST_MAX_SIZE} or more, got {self.max_size}"
            raise HistogramError(msg)
        if not (0 <= self.zero_count < 2**63 and 0 <= self.zero_threshold < math.inf):
            msg = (
                "zero_count and zero_threshold must be finite and not negative, "
                f"got {self.zero_count} and {self.zero_threshold}"
            )
            raise HistogramError(msg)
        for side in (self.positive, self.negative):
            _check_side(side, self.scale, self.max_size)

    @classmethod
    def of(
        cls,
        values: npt.ArrayLike,
        *,
        weights: npt.ArrayLike | None = None,
        max_size: int = MAX_SIZE,
        max_scale: int = MAX_SCALE,
        zero_threshold: float = 0.0,
    ) -> Self:
        """Count values.

        Parameters
        ----------
        values : (n,) float64
        weights : (n,) float64, positive, optional
            How much each value counts; counts are then float.
        max_size : int
            Most buckets of each side, 2 or more.
        max_scale : int
            -10 to 20.
        zero_threshold : float
            Values up to this far from zero count as zero.

        Raises
        ------
        HistogramError
            When a value is infinite or NaN: there is no bucket for it. Leave such values out, and say so.

        Examples
        --------
        >>> ExponentialHistogram.of([1.0, 2.0, 4.0, 0.0])
        ExponentialHistogram: 4 values, 0 to 4, 129 of 160 buckets at scale 6, within 0.54 %
        """
        found = np.asarray(values, np.float64).ravel()
        heavy = None if weights is None else np.asarray(weights, np.float64).ravel()
        _check_values(found, heavy, max_size, max_scale)
        sizes = np.abs(found)
        sizes[sizes <= zero_threshold] = 0.0
        both = grouped_log_histogram(
            (found < 0).astype(np.int32), sizes, 2, weights=heavy, max_size=max_size, max_scale=max_scale
        )
        scale = int(both.scales.min())
        positive, negative = (
            Buckets(int(both.offsets[k]), both.counts[both.starts[k] : both.starts[k + 1]]).coarsened(
                int(both.scales[k]) - scale
            )
            for k in (0, 1)
        )
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(found.sum() if heavy is None else found @ heavy)
        return cls(
            scale,
            positive,
            negative,
            both.zeros.sum().item(),
            float(zero_threshold),
            sum=total,
            min=float(found.min()) + 0.0 if len(found) else None,  # + 0.0: no negative zero
            max=float(found.max()) + 0.0 if len(found) else None,
            max_size=max_size,
        )

    @classmethod
    def from_explicit(
        cls, histogram: "ExplicitHistogram", *, max_size: int = MAX_SIZE, max_scale: int = MAX_SCALE
    ) -> "ExponentialHistogram":
        """Count the values of explicit buckets, each at the geometric mean of its bucket's bounds.

        The first and last bucket end at the least and greatest value, where these are known. A bucket that
        touches zero becomes the zero bucket, with its farther bound as threshold. `displacement` is the
        square root of the widest populated bucket's upper over lower bound, less one, and widens the bounds
        of every quantile.

        Raises
        ------
        HistogramError
            When the last bucket is populated and the greatest value is not known, or the first one, below a
            bound that is not positive, and the least is not known.
        """
        from workbench.otlp.histograms._from_explicit import spread  # noqa: PLC0415 - it builds this class

        return spread(histogram, max_size, max_scale)

    @property
    def count(self) -> Any:
        """How many values there are: an int, or a float of weighted values."""
        return self.zero_count + self.positive.total + self.negative.total

    @property
    def base(self) -> float:
        """The factor between two bounds; infinite at scale -11 and -10, where no double holds it."""
        return 2.0 ** (2.0**-self.scale) if self.scale > -10 else math.inf

    @property
    def relative_error(self) -> float:
        """How far a quantile may be from its estimate, relative to itself, outside the zero bucket."""
        of_bucket = math.tanh(0.5 * math.log(2) * 2.0**-self.scale)  # (base - 1) / (base + 1)
        return of_bucket + self.displacement * (1 + of_bucket)

    def merge(self, other: "ExponentialHistogram") -> "ExponentialHistogram":
        """Return the histogram of both histograms' values.

        Counts are added at the largest scale that holds both within the smaller `max_size`. The larger zero
        threshold is taken; the buckets that it covers, wholly or in part, become zeros, and where it cuts a
        bucket in two it grows to that bucket's bound. Sum, min and max are known where both know theirs.

        Associative and commutative where zero thresholds are equal, up to rounding of `sum`.
        """
        from workbench.otlp.histograms._merging import merged  # noqa: PLC0415 - it builds this class

        return merged(self, other)

    def minus(self, earlier: "ExponentialHistogram") -> "ExponentialHistogram":
        """Return the histogram of the values that came since an earlier state of this same histogram.

        Its min and max are not known.

        Raises
        ------
        HistogramError
            When this cannot be a later state: a count is smaller, the scale is finer, or the zero threshold
            is lower.
        """
        from workbench.otlp.histograms._merging import difference  # noqa: PLC0415 - it builds this class

        return difference(self, earlier)

    def downscale(self, to_scale: int) -> "ExponentialHistogram":
        """Return the histogram that the same values have at a lower scale.

        Raises
        ------
        HistogramError
            When `to_scale` is above the scale: what was not kept cannot be told apart again.
        """
        _check_scale("to_scale", to_scale)
        if to_scale > self.scale:
            msg = f"a histogram of scale {self.scale} cannot be refined to scale {to_scale}"
            raise HistogramError(msg)
        steps = self.scale - to_scale
        return replace(
            self,
            scale=to_scale,
            positive=self.positive.coarsened(steps),
            negative=self.negative.coarsened(steps),
        )

    def quantile(self, q: float) -> Quantile:
        """Return the value that a share `q` of the values does not exceed, with the bounds it surely has.

        Cost O(buckets).

        Raises
        ------
        HistogramError
            When `q` is not from 0 to 1, or there are no values.

        Examples
        --------
        >>> estimate, lower, upper = ExponentialHistogram.of(range(1, 101)).quantile(0.9)
        >>> lower <= 90 <= upper
        True
        """
        lowers, uppers, counts = self.intervals()
        if not len(counts):
            msg = "a histogram without values has no quantiles"
            raise HistogramError(msg)
        below = np.cumsum(counts)
        at = min(int(np.searchsorted(below, ranks(q, below[-1]))), len(counts) - 1)
        lower, upper = float(lowers[at]), float(uppers[at])
        if lower <= 0 <= upper:
            return Quantile(0.0, lower, upper)
        return Quantile(float(harmonic_mean(lower, upper)), *self._displaced(lower, upper))

    def _displaced(self, lower: float, upper: float) -> tuple[float, float]:
        """Return the bounds of what may have been counted between two bounds of one sign."""
        if not self.displacement:
            return lower, upper
        factor = 1 + self.displacement
        wider = (lower / factor, upper * factor) if lower > 0 else (lower * factor, upper / factor)
        known = (-math.inf if self.min is None else self.min, math.inf if self.max is None else self.max)
        return max(wider[0], known[0]), min(wider[1], known[1])

    def intervals(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[Any]]:
        """Return lower and upper bound, and count, of each populated bucket, in ascending order, `(k,)` each.

        No bound is beyond the least and greatest value, where these are known.
        """
        above, below = _side_bounds(self, self.positive), _side_bounds(self, self.negative)
        zero = np.array([self.zero_threshold])
        lowers = np.concatenate([-below[1][::-1], -zero, above[0]]) + 0.0  # no negative zero
        uppers = np.concatenate([-below[0][::-1], zero, above[1]]) + 0.0
        counts = np.concatenate([self.negative.counts[::-1], [self.zero_count], self.positive.counts])
        filled = counts > 0
        least, most = -np.inf if self.min is None else self.min, np.inf if self.max is None else self.max
        return lowers[filled].clip(least, most), uppers[filled].clip(least, most), counts[filled]

    def to_explicit(
        self, bounds: npt.ArrayLike, *, distribution: "Distribution" = "uniform", seed: int = 0
    ) -> "ExplicitHistogram":
        """Return these values in buckets of given bounds; every count stays, whole.

        Parameters
        ----------
        bounds : (k,) float64, ascending
            Explicit bucket `j` holds values above bound `j - 1` and up to bound `j`.
        distribution : {"upper", "midpoint", "uniform", "random"}
            Where the values of a bucket are taken to lie that reaches into several explicit ones: at its
            upper bound, at its middle, evenly over it (shares are rounded so that the sum stays), or at
            random.
        seed : int
            Of ``distribution="random"``.

        Raises
        ------
        HistogramError
            When bounds do not ascend, or there is no such distribution.
        """
        from workbench.otlp.histograms._distribution import distributed  # noqa: PLC0415 - it reads this class

        return distributed(self, bounds, distribution, seed)

    def plot(self, ax: "Axes | None" = None, *, quantiles: Iterable[float] = SHOWN_QUANTILES) -> "Axes":
        """Draw the counts over the values, with some quantiles; return the axes."""
        from workbench.otlp.histograms._plotting import plot_exponential  # noqa: PLC0415 - costly

        return plot_exponential(self, ax, quantiles)

    def __repr__(self) -> str:
        return f"ExponentialHistogram: {', '.join(self._facts())}"

    def _facts(self) -> Iterator[str]:
        yield count_text(self.count)
        if self.min is not None and self.max is not None:
            yield f"{self.min:.4g} to {self.max:.4g}"
        size = max(len(self.positive), len(self.negative))
        yield f"{size} of {self.max_size} buckets at scale {self.scale}"
        yield f"within {percent_text(self.relative_error)}"

    def _repr_html_(self) -> str:
        known = {"count": self.count, "sum": self.sum, "min": self.min, "max": self.max}
        rows: list[tuple[str, object, object, object]] = [
            (name, value, None, None) for name, value in known.items() if value is not None
        ]
        if self.count:
            rows += [(f"p{100 * q:g}", *self.quantile(q)) for q in SHOWN_QUANTILES]
        return display.table(["", "value", "at least", "at most"], rows, title=repr(self))._repr_html_()


def _side_bounds(
    histogram: ExponentialHistogram, side: Buckets
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return least and greatest size of the values in each bucket of a side."""
    edges = log_bucket_bounds(np.append(side.indices, side.last + 1), histogram.scale)
    return edges[:-1], np.minimum(edges[1:], np.finfo(np.float64).max)


def _check_scale(name: str, scale: int) -> None:
    if not MIN_SCALE <= scale <= MAX_SCALE:
        msg = f"{name} must be {MIN_SCALE} to {MAX_SCALE}, got {scale}"
        raise HistogramError(msg)


def _check_side(side: Buckets, scale: int, max_size: int) -> None:
    if len(side) > max_size:
        msg = f"{len(side)} buckets are more than max_size, which is {max_size}"
        raise HistogramError(msg)
    shift = MAX_SCALE - scale
    lowest, highest = LOWEST_EXPONENT << MAX_SCALE, HIGHEST_EXPONENT << MAX_SCALE
    if len(side) and not ((side.last + 1) << shift > lowest and side.offset << shift < highest):
        msg = f"buckets {side.offset} to {side.last} of scale {scale} hold no double"
        raise HistogramError(msg)


def _check_values(
    values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64] | None, max_size: int, max_scale: int
) -> None:
    _check_scale("max_scale", max_scale)
    if max_size < LEAST_MAX_SIZE:
        msg = f"max_size must be {LEAST_MAX_SIZE} or more, got {max_size}"
        raise HistogramError(msg)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        first = f"the first is {values[wrong[0]]} at {wrong[0]}"
        msg = f"{len(wrong)} values are not finite, {first}: leave them out"
        raise HistogramError(msg)
    if weights is not None and not (
        weights.shape == values.shape and ((weights > 0) & (weights < np.inf)).all()
    ):
        msg = f"weights must be {len(values)} positive, finite numbers, one for each value"
        raise HistogramError(msg)
