"""Histograms as curves: counts over logarithmic values, and the share of values up to a bound."""

from collections.abc import Iterable
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from workbench.display import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.otlp.histograms.explicit import ExplicitHistogram
    from workbench.otlp.histograms.exponential import ExponentialHistogram

__all__ = ["plot_explicit", "plot_exponential"]

MOST_DECADES = 12  # on each side of zero
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
    sizes = np.abs(np.concatenate([lowers, uppers]))
    nearest = max(float(sizes[sizes > 0].min(initial=1.0)), float(sizes.max()) / 10**MOST_DECADES)
    if lowers[0] > 0:
        ax.set_xscale("log")
    else:  # zero and negative values: linear as far as the smallest one
        ax.set_xscale("symlog", linthresh=nearest)
    thin = uppers == lowers
    ax.bar(lowers[~thin], counts[~thin], (uppers - lowers)[~thin], align="edge", color="#0072B2", linewidth=0)
    ax.vlines(lowers[thin], 0, counts[thin], color="#0072B2", linewidth=3)
    for q, colour in zip(quantiles, cycle(MARKS), strict=False):
        found = histogram.quantile(q)
        ax.axvspan(found.lower, found.upper, color=colour, alpha=0.25, linewidth=0)
        ax.axvline(found.estimate, color=colour, linewidth=1.4, label=f"p{100 * q:g}: {found.estimate:.3g}")
    if ax.get_legend_handles_labels()[1]:
        ax.legend()
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


def _title(histogram: "ExponentialHistogram") -> str:
    count = f"{histogram.count:,.6g}" if isinstance(histogram.count, float) else f"{histogram.count:,}"
    error = f"quantiles within {100 * histogram.relative_error:.2g} %"
    return f"{count} values at scale {histogram.scale}, {error}"
