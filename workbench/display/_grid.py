"""A grid of counts over two binned axes, and the checks of what a caller gives for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.display._lines import one_line
from workbench.display.errors import DisplayError

__all__ = ["Floats", "Grid", "edges_of", "matrix_of", "runs_in_ratios", "window_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Counts ``(ny, nx)`` and the edges of their bins."""

    counts: Floats
    x_edges: Floats
    y_edges: Floats

    def __post_init__(self) -> None:
        expected = (len(self.y_edges) - 1, len(self.x_edges) - 1)
        if self.counts.shape != expected:
            turned = "; use counts.T" if self.counts.shape == expected[::-1] else ""
            msg = (
                f"counts has shape {self.counts.shape}, expected {expected} "
                f"from {len(self.y_edges)} y_edges and {len(self.x_edges)} x_edges{turned}"
            )
            raise DisplayError(msg)


def matrix_of(counts: ArrayLike) -> Floats:
    """Return counts as a checked matrix."""
    try:
        array = np.asarray(counts)
    except ValueError as error:
        msg = "counts is ragged, expected one row of numbers for each y bin, all of one length"
        raise DisplayError(msg) from error
    if array.ndim != 2 or array.dtype.kind not in "iufb":
        msg = f"counts has shape {array.shape} and dtype {array.dtype}, expected numbers of shape (ny, nx)"
        raise DisplayError(msg)
    matrix = array.astype(np.float64)
    wrong = np.argwhere(~(np.isfinite(matrix) & (matrix >= 0)))
    if len(wrong):
        row, column = map(int, wrong[0])
        msg = f"counts[{row}, {column}] is {matrix[row, column]:g}, expected finite and not negative"
        raise DisplayError(msg)
    return matrix


def edges_of(name: str, values: ArrayLike) -> Floats:
    """Return ascending edges, checked."""
    array: NDArray[Any] = np.asarray(values)
    if array.ndim != 1 or array.size < 2 or array.dtype.kind not in "iuf":
        msg = (
            f"{name} has shape {array.shape} and dtype {array.dtype}, expected at least two ascending numbers"
        )
        raise DisplayError(msg)
    edges = array.astype(np.float64)
    if not np.isfinite(edges).all():
        place = int(np.flatnonzero(~np.isfinite(edges))[0])
        msg = f"{name}[{place}] is {edges[place]:g}, expected a finite edge; give open bins a bound"
        raise DisplayError(msg)
    falls = np.flatnonzero(np.diff(edges) <= 0)
    if len(falls):
        place = int(falls[0]) + 1
        falling = f"{edges[place - 1]:g} is followed by {edges[place]:g} at {place}"
        msg = f"{name} does not ascend: {falling}; sort the bins"
        raise DisplayError(msg)
    return edges


def runs_in_ratios(edges: Floats, y_scale: str | None) -> bool:
    """Return whether an axis is logarithmic, as asked, or else because its edges grow in ratios."""
    if y_scale not in {"linear", "log", None}:
        msg = f"y_scale is {y_scale!r}, expected 'linear', 'log' or None"
        raise DisplayError(msg)
    if y_scale == "log" and edges[0] <= 0:
        msg = f"y_edges begins at {edges[0]:g}, a logarithmic axis above 0; use y_scale='linear'"
        raise DisplayError(msg)
    if y_scale is not None or edges[0] <= 0 or len(edges) < 3:
        return y_scale == "log"
    steps, ratios = np.diff(edges), np.diff(np.log(edges))
    return bool(ratios.std() / ratios.mean() < steps.std() / steps.mean())


def window_of(index: int, mark: Sequence[Any], x_edges: Floats) -> tuple[float, float, str]:
    """Return a mark cut to the x axis."""
    if len(mark) != 3:
        msg = f"marks[{index}] is {mark!r:.60}, expected (x0, x1, text)"
        raise DisplayError(msg)
    start, end, name = float(mark[0]), float(mark[1]), one_line(mark[2])
    low, high = float(x_edges[0]), float(x_edges[-1])
    if not start <= end or start > high or end < low:
        msg = f"marks[{index}] is {start:g} to {end:g}, expected x0 <= x1 on the axis {low:g} to {high:g}"
        raise DisplayError(msg)
    return max(start, low), min(end, high), name
