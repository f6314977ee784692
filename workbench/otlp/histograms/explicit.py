"""`ExplicitHistogram`: counts in buckets between given bounds.

For bounds ``b[0] < ... < b[k-1]`` bucket `j` counts values of ``(b[j-1], b[j]]``; the first one has no lower
and the last one no upper bound but the least and the greatest value, where these are known.

Source: OpenTelemetry metrics data model, "Histogram".
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench import display
from workbench.otlp.histograms.buckets import whole_counts
from workbench.otlp.histograms.errors import HistogramError
from workbench.otlp.histograms.quantile import Quantile, count_text, harmonic_mean, ranks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.otlp.histograms.exponential import ExponentialHistogram

__all__ = ["ExplicitHistogram"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ExplicitHistogram:
    """A histogram of explicit buckets: immutable, compared by content.

    Attributes
    ----------
    bounds : (k,) float64, ascending and finite
    counts : (k + 1,) int64, or float64 of weighted values
    sum, min, max : float or None
        Of all values; None where it is not known.

    Raises
    ------
    HistogramError
        When bounds do not ascend, or there is not one count more than bounds.

    Examples
    --------
    >>> histogram = ExplicitHistogram([0.1, 1.0], [5, 90, 5], min=0.02, max=4.0)
    >>> histogram
    ExplicitHistogram: 100 values, 0.02 to 4, 3 buckets
    >>> histogram.quantile(0.5)
    Quantile(estimate=0.18181818181818182, lower=0.1, upper=1.0)
    """

    bounds: Floats
    counts: npt.NDArray[Any]
    sum: float | None = None
    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        bounds = np.array(self.bounds, np.float64)
        counts = whole_counts(self.counts).copy()
        if bounds.ndim != 1 or not np.isfinite(bounds).all() or not (np.diff(bounds) > 0).all():
            msg = f"bounds must be one row of ascending, finite numbers, got {bounds.tolist()}"
            raise HistogramError(msg)
        if len(counts) != len(bounds) + 1:
            msg = f"{len(bounds)} bounds make {len(bounds) + 1} buckets, but there are {len(counts)} counts"
            raise HistogramError(msg)
        for name, array in (("bounds", bounds), ("counts", counts)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExplicitHistogram):
            return NotImplemented
        return (
            np.array_equal(self.bounds, other.bounds)
            and np.array_equal(self.counts, other.counts)
            and (self.sum, self.min, self.max) == (other.sum, other.min, other.max)
        )

    def __hash__(self) -> int:
        return hash((*self.bounds.tolist(), *self.counts.tolist()))

    @property
    def count(self) -> Any:
        """How many values there are: an int, or a float of weighted values."""
        return self.counts.sum().item()

    @property
    def edges(self) -> tuple[Floats, Floats]:
        """Lower and upper bound of each bucket, `(k + 1,)` each; infinite where nothing is known."""
        least, most = -np.inf if self.min is None else self.min, np.inf if self.max is None else self.max
        lowers, uppers = np.append(-np.inf, self.bounds), np.append(self.bounds, np.inf)
        return lowers.clip(least, most), uppers.clip(least, most)

    def quantile(self, q: float) -> Quantile:
        """Return the value that a share `q` of the values does not exceed, with the bounds of its bucket.

        The estimate has the least possible relative error between these bounds. Between bounds of unlike
        signs it is the middle, and where one is not known, the other one.

        Raises
        ------
        HistogramError
            When `q` is not from 0 to 1, or there are no values.
        """
        if not self.count:
            msg = "a histogram without values has no quantiles"
            raise HistogramError(msg)
        below = np.cumsum(self.counts)
        at = int(np.searchsorted(below, ranks(q, below[-1])))
        at = min(at, int(np.flatnonzero(self.counts)[-1]))
        lower, upper = (float(side[at]) for side in self.edges)
        return Quantile(_middle(lower, upper), lower, upper)

    def to_exponential(self, *, max_size: int = 160, max_scale: int = 20) -> "ExponentialHistogram":
        """Return these values in exponential buckets; see `ExponentialHistogram.from_explicit`."""
        from workbench.otlp.histograms._from_explicit import spread  # noqa: PLC0415 - it reads this class

        return spread(self, max_size, max_scale)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the share of the values up to each bound, as a curve; return the axes."""
        from workbench.otlp.histograms._plotting import plot_explicit  # noqa: PLC0415 - matplotlib is heavy

        return plot_explicit(self, ax)

    def __repr__(self) -> str:
        extent = "" if self.min is None or self.max is None else f" {self.min:.4g} to {self.max:.4g},"
        buckets = display.plural(len(self.counts), "bucket")
        return f"ExplicitHistogram: {count_text(self.count)},{extent} {buckets}"

    def _repr_html_(self) -> str:
        lowers, uppers = self.edges
        rows = [
            (f"{lower:.6g}", f"{upper:.6g}", count)
            for lower, upper, count in zip(lowers, uppers, self.counts.tolist(), strict=True)
        ]
        return display.table(["above", "up to", "count"], rows, title=repr(self))._repr_html_()


def _middle(lower: float, upper: float) -> float:
    if not np.isfinite(lower):
        return upper if np.isfinite(upper) else np.nan
    if not np.isfinite(upper):
        return lower
    if lower <= 0 <= upper:
        return lower / 2 + upper / 2
    return float(harmonic_mean(lower, upper))
