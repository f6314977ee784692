"""Histograms as curves: counts over logarithmic values, and the share of values up to a bound."""

import math
from collections.abc import Iterable
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.display import new_axes
from workbench.otlp.histograms.quantile import count_text, percent_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.otlp.histograms.explicit import ExplicitHistogram
    from workbench.otlp.histograms.exponential import ExponentialHistogram

__all__ = ["plot_explicit", "plot_exponential"]

MOST_DECADES = 12  # on each side of zero
MOST_TICKS = 5  # on each side of zero
LEAST, LARGEST = 5e-324, 1.797e308  # that an axis may reach: next to the ends of the doubles
FAR, NEAR = 1e250, 1e-250  # beyond these matplotlib's own choice of limits and ticks would overflow
MARKS = ("#D55E00", "#009E73", "#CC79A7", "#767676")


def plot_exponential(
    histogram: "ExponentialHistogram", ax: "Axes | None", quantiles: Iterable[float]
) -> "Axes":
    """Draw a histogram; see `ExponentialHistogram.plot`."""
    ax = new_axes(ax)
    lowers, uppers, counts = histogram.intervals()
    ax.set(xlabel="value", ylabel="count in bucket", title=_title(histogram))
    if not len(counts):
        return ax
    lowers, uppers = lowers.clip(-LARGEST, LARGEST), uppers.clip(-LARGEST, LARGEST)
    sizes = np.abs(np.concatenate([lowers, uppers]))
    smallest, largest = float(sizes[sizes > 0].min(initial=1.0)), float(sizes.max())
    linear = max(smallest, largest / 10**MOST_DECADES, NEAR)
    if lowers[0] > 0:
        ax.set_xscale("log")
    else:  # zero and negative values: linear as far as the smallest one
        ax.set_xscale("symlog", linthresh=linear)
    if not NEAR < smallest <= largest < FAR:
        _hold_limits(ax, float(lowers[0]), float(uppers[-1]), linear)
    thin = uppers == lowers
    with np.errstate(over="ignore"):  # a zero bucket may be as wide as all doubles
        widths = np.minimum(uppers - lowers, LARGEST)
    ax.bar(lowers[~thin], counts[~thin], widths[~thin], align="edge", color="#0072B2", linewidth=0)
    ax.vlines(lowers[thin], 0, counts[thin], color="#0072B2", linewidth=3)
    _mark_quantiles(ax, histogram, quantiles)
    ax.set_ylim(0)
    return ax


def plot_explicit(histogram: "ExplicitHistogram", ax: "Axes | None") -> "Axes":
    """Draw a histogram; see `ExplicitHistogram.plot`."""
    ax = new_axes(ax)
    ax.set(xlabel="value", ylabel="share of values up to it", title=repr(histogram).partition(": ")[2])
    if not len(histogram.bounds) or not histogram.count:
        return ax
    shares = np.cumsum(histogram.counts)[:-1] / histogram.count
    known = [] if histogram.max is None else [(max(histogram.max, float(histogram.bounds[-1])), 1.0)]
    points = [*zip(histogram.bounds.tolist(), shares.tolist(), strict=True), *known]
    ax.plot(*zip(*points, strict=True), marker="o", drawstyle="steps-post")
    if points[0][0] > 0:
        ax.set_xscale("log")
    ax.set_ylim(0, 1.03)
    return ax


def _mark_quantiles(ax: "Axes", histogram: "ExponentialHistogram", quantiles: Iterable[float]) -> None:
    for q, colour in zip(quantiles, cycle(MARKS), strict=False):
        found = histogram.quantile(q)
        estimate, lower, upper = np.clip(found, -LARGEST, LARGEST)
        ax.axvspan(lower, upper, color=colour, alpha=0.25, linewidth=0)
        ax.axvline(estimate, color=colour, linewidth=1.4, label=f"p{100 * q:g}: {found.estimate:.3g}")
    if ax.get_legend_handles_labels()[1]:
        ax.legend()


def _hold_limits(ax: "Axes", lowest: float, highest: float, linear: float) -> None:
    """Set limits and ticks for values near the ends of the doubles."""
    from matplotlib.ticker import FixedLocator, NullLocator  # noqa: PLC0415 - as the axes are

    if lowest > 0:
        low, high = max(lowest / 10, LEAST), min(10 * highest, LARGEST)
        ticks = _decades(low, high)
    else:
        low, high = max(10 * min(lowest, -linear), -LARGEST), min(10 * max(highest, linear), LARGEST)
        beyond = _decades(linear, max(-low, high))
        ticks = np.concatenate([-beyond[::-1], [0.0], beyond])
    ax.set_xlim(low, high)
    ax.xaxis.set_major_locator(FixedLocator(ticks[(low <= ticks) & (ticks <= high)].tolist()))
    ax.xaxis.set_minor_locator(NullLocator())


def _decades(low: float, high: float) -> npt.NDArray[np.float64]:
    """Return some powers of ten from one number to another."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    stride = math.ceil((last - first + 1) / MOST_TICKS)
    return np.power(10.0, np.arange(last, first - 1, -stride)[::-1], dtype=np.float64)


def _title(histogram: "ExponentialHistogram") -> str:
    error = percent_text(histogram.relative_error)
    return f"{count_text(histogram.count)} at scale {histogram.scale}, quantiles within {error}"
