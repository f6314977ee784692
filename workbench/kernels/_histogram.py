"""Count points in a grid of bins, the bins given by their edges.

``counts[i, j] = | {k : y_edges[i] <= y_k < y_edges[i+1] and x_edges[j] <= x_k < x_edges[j+1]} |``; the last
bin of each axis includes its upper edge, as in `numpy.histogram2d`. Points outside, and NaN, are not counted.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels._registry import KernelError, checked, kernel

__all__ = ["histogram2d"]


def histogram2d(
    x: npt.ArrayLike, y: npt.ArrayLike, x_edges: npt.ArrayLike, y_edges: npt.ArrayLike
) -> npt.NDArray[np.int64]:
    """Return how many points fall in each bin of a grid.

    Parameters
    ----------
    x, y : (n,) float64
    x_edges : (nx + 1,) float64, ascending
    y_edges : (ny + 1,) float64, ascending

    Returns
    -------
    (ny, nx) int64

    Raises
    ------
    KernelError
        When lengths differ or edges do not ascend.

    Examples
    --------
    >>> histogram2d([0.5, 1.5, 2.0], [0.1, 0.2, 0.9], [0, 1, 2], [0, 0.5, 1]).tolist()
    [[1, 1], [0, 1]]
    """
    xs = checked("x", x, np.float64, (None,))
    ys = checked("y", y, np.float64, xs.shape)
    columns, rows = _edges("x_edges", x_edges), _edges("y_edges", y_edges)
    counts = np.zeros((len(rows) - 1, len(columns) - 1), np.int64)
    _histogram2d(xs, ys, columns, rows, counts)
    return counts


def _edges(name: str, edges: npt.ArrayLike) -> Any:
    found = checked(name, edges, np.float64, (None,))
    if len(found) < 2 or not (np.diff(found) > 0).all():
        msg = f"{name} must be two or more ascending numbers"
        raise KernelError(msg)
    return found


@kernel("int64(float64[::1], float64)")
def _bin(edges: Any, value: float) -> Any:
    """Return the bin of a value by a binary search without branches, or -1."""
    last = len(edges) - 1
    low, size = 0, last
    while size > 1:
        half = size // 2
        low = low + half if value >= edges[low + half] else low
        size -= half
    return low if edges[0] <= value <= edges[last] else -1


@kernel("void(float64[::1], float64[::1], float64[::1], float64[::1], int64[:,::1])")
def _histogram2d(x: Any, y: Any, x_edges: Any, y_edges: Any, counts: Any) -> None:
    for k in range(len(x)):
        column = _bin(x_edges, x[k])
        row = _bin(y_edges, y[k])
        if column >= 0 and row >= 0:
            counts[row, column] += 1
