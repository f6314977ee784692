"""The numbers of RED metrics, a row a group: made of the histograms of all groups at once."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.kernels import LogHistograms, log_bucket_bounds
from workbench.otlp.histograms.quantile import harmonic_mean, ranks

__all__ = ["MEASURES", "measures", "quantiles"]

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
MEASURES = frozenset(
    ["count", "errors", "rate_per_s", "error_ratio", "duration_sum_s", "duration_min_s", "duration_max_s"]
    + [f"{name}{part}_s" for name in QUANTILES for part in ("", "_lower", "_upper")]
)
FINEST = 20
Floats = npt.NDArray[np.float64]


def measures(found: LogHistograms, rows: npt.NDArray[np.int64], seconds: float) -> dict[str, pa.Array]:
    """Return the columns of the groups `rows`, in their order; durations in seconds."""
    totals, failed = found.totals[rows], found.marked[rows]
    columns: dict[str, Any] = {
        "count": totals,
        "errors": failed,
        "rate_per_s": totals / seconds if seconds > 0 else np.full(len(rows), np.nan),
        "error_ratio": failed / totals,
        "duration_sum_s": found.sums[rows],
        "duration_min_s": np.where(found.zeros[rows] > 0, 0.0, found.lows[rows]),
        "duration_max_s": np.nan_to_num(found.highs[rows]),
    }
    below = np.cumsum(found.counts)
    for name, q in QUANTILES.items():
        estimate, lower, upper = quantiles(found, q, below)
        columns |= {
            f"{name}_s": estimate[rows],
            f"{name}_lower_s": lower[rows],
            f"{name}_upper_s": upper[rows],
        }
    return {name: pa.array(values) for name, values in columns.items()}


def quantiles(found: LogHistograms, q: float, below: npt.NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Return estimate, lower and upper bound of a quantile of every group, `(g,)` each; NaN of an empty one.

    `below` is the running sum of all counts. The numbers are those of `ExponentialHistogram.quantile` of each
    group. Cost O(g log buckets).
    """
    totals = found.totals
    rank = ranks(q, totals) - found.zeros
    before = np.concatenate([np.zeros(1, found.counts.dtype), below])[found.starts[:-1]]
    last = found.starts[1:] - 1
    at = np.searchsorted(below, before + np.maximum(rank, 0)).clip(found.starts[:-1], np.maximum(last, 0))
    index = found.offsets + at - found.starts[:-1]
    shift = FINEST - found.scales
    least = np.where(found.zeros > 0, 0.0, found.lows)
    lower = np.maximum(log_bucket_bounds(index << shift, FINEST), least)
    upper = np.minimum(log_bucket_bounds((index + 1) << shift, FINEST), found.highs)
    zero = (rank <= 0) | (last < found.starts[:-1])
    bounds = np.where(zero, 0.0, lower), np.where(zero, 0.0, upper)
    estimate = harmonic_mean(*bounds)
    missing = np.where(totals > 0, 0.0, np.nan)
    return estimate + missing, bounds[0] + missing, bounds[1] + missing
