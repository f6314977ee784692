"""Latency over time: how many spans started in each bin of time and lasted as long as each bin of latency."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench import display
from workbench.kernels import histogram2d
from workbench.otlp.analysis._bins import check_bins
from workbench.otlp.errors import BinError

if TYPE_CHECKING:
    from workbench.otlp.analysis._structure import SpanStructure

__all__ = ["draw_latency"]

ROWS_PER_DECADE = 8
MOST_COLUMNS = 240
SHORTEST_MS = 1e-3  # shorter spans, and those that end before they start, are counted in the lowest row


def draw_latency(
    structure: "SpanStructure", bin_s: float | None, marks: Sequence[tuple[float, float, str]]
) -> display.Picture:
    """Draw the heat map; see `Traces.latency_heatmap`."""
    origin, last = (
        (int(structure.start.min()), int(structure.start.max())) if len(structure.start) else (0, 0)
    )
    length_s = (last - origin) / 1e9
    bin_s = _natural_width(length_s) if bin_s is None else bin_s
    if not bin_s > 0:
        msg = f"bin_s must be positive, got {bin_s}"
        raise BinError(msg)
    check_bins(int(length_s / bin_s) + 1, bin_s)
    start_s = (structure.start - origin) / 1e9
    latency_ms = np.maximum(structure.duration / 1e6, SHORTEST_MS)
    x_edges = np.arange(int(length_s / bin_s) + 2) * bin_s
    y_edges = _decades(latency_ms)
    return display.heatmap(
        histogram2d(start_s, latency_ms, x_edges, y_edges),
        x_edges=x_edges,
        y_edges=y_edges,
        x_label="time since the first span, s",
        y_label="latency, ms",
        title=f"Latency of {display.plural(len(start_s), 'span')}",
        value_name="spans",
        y_scale="log",
        marks=marks,
    )


def _natural_width(length_s: float) -> float:
    """Return the least of 1, 2, 5, 10, 20, 50, ... seconds that cuts a length into few enough columns."""
    widths = (digit * 10.0**exponent for exponent in itertools.count() for digit in (1, 2, 5))
    return next(width for width in widths if length_s / width < MOST_COLUMNS)


def _decades(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return logarithmic edges around the values, on multiples of 1/8 decade."""
    exponents = np.log10(values if len(values) else [1.0]) * ROWS_PER_DECADE
    low, high = np.floor(exponents.min()), np.floor(exponents.max()) + 1
    edges: npt.NDArray[np.float64] = 10 ** (np.arange(low, high + 1) / ROWS_PER_DECADE)
    return edges
