"""Series of data points in the order of time: where each begins, breaks and repeats; its points restated."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.otlp.histograms._states import Points

__all__ = ["Outcome", "Series", "deltas", "in_order", "totals"]

Rows = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Points sorted by series, then time, then row; arrays `(n,)`, times in nanoseconds, 0 is unset.

    Attributes
    ----------
    rows, codes, times, starts : int64
        Row in the table, series, time and start time.
    empty : bool
        A point that says that nothing was recorded.
    monotonic : bool
        A point of a sum that cannot fall; histograms cannot.
    late : int
        How many points come, in the table, after a later one of their series.
    """

    rows: Rows
    codes: Rows
    times: Rows
    starts: Rows
    empty: Marks
    monotonic: Marks
    late: int


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of the points of a series, in order: new start times, which stay, what was found."""

    starts: Rows
    kept: Marks
    found: dict[str, int]


def in_order(  # noqa: PLR0913 - the columns of points
    rows: Rows, codes: Rows, times: Rows, starts: Rows, empty: Marks, monotonic: Marks
) -> Series:
    """Return points, given in the order of their rows, sorted."""
    order = np.lexsort((rows, times, codes))
    by_row = np.lexsort((rows, codes))
    latest = _running_maximum(times[by_row], codes[by_row])
    late = int((times[by_row] < latest).sum())
    return Series(
        rows[order], codes[order], times[order], starts[order], empty[order], monotonic[order], late
    )


def deltas(series: Series, points: Points, initial: str) -> Outcome:
    """Restate cumulative points as deltas; see `to_delta`."""
    at, before, kept, found = _recorded(series, points)
    first, times = before < 0, series.times[at]
    ends, old_starts = series.times[before], series.starts[before]
    starts = series.starts[at].copy()
    anew = ~first & (starts != 0) & (starts != old_starts)
    pairs = np.flatnonzero(~first & ~anew)
    earlier, later = series.rows[before[pairs]], series.rows[at[pairs]]
    misfit = points.mismatched(earlier, later)
    fell = np.zeros(len(at), np.bool_)
    fits = pairs[~misfit]
    fell[fits] = points.subtract(earlier[~misfit], later[~misfit], series.monotonic[at[fits]])
    unknown = (first | anew) & ((starts == 0) | (starts >= times))
    if initial != "auto":
        unknown = np.where(first, initial == "drop", unknown)
    overlaps, gaps = anew & (starts < ends), anew & (starts > ends)
    starts[pairs] = ends[pairs]
    starts[overlaps] = ends[overlaps]
    kept[at[unknown]] = False
    kept[at[pairs[misfit]]] = False
    new_starts = np.where(series.empty, series.times, series.starts)
    new_starts[at] = starts
    found |= {
        "resets": int(anew.sum() + fell.sum()),
        "gaps": int(gaps.sum() + (series.empty & kept).sum()),
        "overlaps": int(overlaps.sum()),
        "baselines": int(unknown.sum()),
        "bound_changes": int(misfit.sum()),
    }
    return Outcome(new_starts, kept, found)


def totals(series: Series, points: Points, tolerance_ns: int, *, resets: bool) -> Outcome:
    """Restate delta points as totals; see `to_cumulative`."""
    at, before, kept, found = _recorded(series, points)
    first, starts, ends = before < 0, series.starts[at], series.times[before]
    told = ~first & (starts != 0)
    gaps, overlaps = told & (starts - ends > tolerance_ns), told & (ends - starts > tolerance_ns)
    misfit = np.zeros(len(at), np.bool_)
    misfit[~first] = points.mismatched(series.rows[before[~first]], series.rows[at[~first]])
    anew = first | misfit | (gaps & resets)
    points.accumulate(series.rows[at], anew)
    new_starts = series.starts.copy()
    new_starts[at] = starts[anew][np.cumsum(anew) - 1] if len(at) else starts
    for place in np.flatnonzero(series.empty):
        last = int(np.searchsorted(at, place)) - 1
        if last >= 0 and series.codes[at[last]] == series.codes[place]:
            new_starts[place] = new_starts[at[last]]
    found |= {
        "resets": int((anew & ~first).sum()),
        "gaps": int(gaps.sum() + (series.empty & kept).sum()),
        "overlaps": int(overlaps.sum()),
        "bound_changes": int(misfit.sum()),
    }
    return Outcome(new_starts, kept, found)


def _recorded(series: Series, points: Points) -> tuple[Rows, Rows, Marks, dict[str, int]]:
    """Return the points that hold a value of their own, the one before each or -1, and which points stay."""
    readable = (points.readable[series.rows] | series.empty) & (series.times != 0)
    at = np.flatnonzero(readable & ~series.empty)
    repeats = np.zeros(len(at), np.bool_)
    repeats[1:] = (np.diff(series.codes[at]) == 0) & (np.diff(series.times[at]) == 0)
    kept = readable.copy()
    kept[at[repeats]] = False
    at = at[~repeats]
    before = np.full(len(at), -1, np.int64)
    before[1:] = np.where(np.diff(series.codes[at]) == 0, at[:-1], -1)
    found: dict[str, Any] = {
        "series": len(np.unique(series.codes)),
        "points": len(series.rows),
        "out_of_order": series.late,
        "duplicates": int(repeats.sum()),
        "unreadable": int((~readable).sum()),
    }
    return at, before, kept, found


def _running_maximum(values: Rows, codes: Rows) -> Rows:
    """Return the greatest value so far in each run of equal codes."""
    ranks = np.unique(values, return_inverse=True)[1].astype(np.int64)
    runs = np.cumsum(np.diff(codes, prepend=codes[:1]) != 0)
    span = int(ranks.max(initial=0)) + 1
    highest = np.maximum.accumulate(ranks + runs * span) - runs * span
    return np.unique(values)[highest] if len(values) else values
