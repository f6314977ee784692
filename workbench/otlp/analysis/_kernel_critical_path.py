"""The walk along the critical paths of a forest of intervals, compiled; see `_critical_path`."""

from typing import Any

import numpy as np

from workbench.kernels import kernel

__all__ = ["walk_back"]

ROWS, MARKS = "int64[::1]", "boolean[::1]"
NONE = -1


@kernel(f"void({ROWS}, {ROWS}, {ROWS}, {ROWS})")
def _link(parent: Any, latest_first: Any, child: Any, sibling: Any) -> None:
    """Chain the children of each row, the one that ended last first."""
    for place in range(len(latest_first) - 1, -1, -1):
        row = latest_first[place]
        above = parent[row]
        if above >= 0:
            sibling[row] = child[above]
            child[above] = row


@kernel(f"int64({', '.join([ROWS] * 5)}, {MARKS}, {', '.join([ROWS] * 4)})")
def walk_back(
    start: Any,
    stop: Any,
    parent: Any,
    latest_first: Any,
    roots: Any,
    marks: Any,
    times: Any,
    segment_row: Any,
    segment_start: Any,
    segment_stop: Any,
) -> Any:
    """Mark the rows on the critical path below each root, add up their times, and list the segments.

    `segment_*` have room for two segments a row, which is enough: one after each child, and one before all.
    Returns how many segments there are. `stop` is nowhere before `start`.
    """
    size = len(start)
    child, sibling = np.full(size, NONE), np.full(size, NONE)
    _link(parent, latest_first, child, sibling)
    waiting, lows, highs = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    found = 0
    for root in roots:
        waiting[0], lows[0], highs[0], depth = root, start[root], stop[root], 1
        while depth > 0:
            depth -= 1
            row, low, high = waiting[depth], lows[depth], highs[depth]
            marks[row] = True
            until = high
            below = child[row]
            while below >= 0:
                ended = min(stop[below], high)
                begun = max(start[below], low)
                if start[below] < until and begun <= ended <= until:
                    waiting[depth], lows[depth], highs[depth] = below, begun, ended
                    depth += 1
                    if until > ended:
                        segment_row[found], segment_start[found], segment_stop[found] = row, ended, until
                        found += 1
                        times[row] += until - ended
                    until = begun
                below = sibling[below]
            if until > low:
                segment_row[found], segment_start[found], segment_stop[found] = row, low, until
                found += 1
                times[row] += until - low
    return found
