"""The critical path of a trace: the spans whose end the trace had to wait for.

Walk backwards from the end of the root: of the children that ended by then, the one that ended last held
the parent up; go into it, then on from its start. Spans never entered were done in the shadow of others. A
child that outlives its parent (a call given up) held it up until the parent's own end, and one that begins
before its parent (a clock that is wrong) from the parent's own start.

So the time from the start to the end of a root is cut into *segments*, each of one span: what the root
waited for at that moment. A span's *critical time* is the length of its segments; over the spans of a trace
it sums to the root's duration.

Source: Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures", USENIX ATC
2022.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.kernels import covered_length
from workbench.otlp.analysis._kernel_critical_path import walk_back

__all__ = ["CriticalWalk", "critical_path", "critical_walk", "self_time"]

Rows = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class CriticalWalk:
    """The critical paths below some roots.

    Attributes
    ----------
    critical : (n,) bool
        Whether the span lies on one.
    time : (n,) int64
        Critical time of each span, in the unit of the times.
    segment_row, segment_start, segment_stop : (m,) int64
        The span of each segment, and from when to when; those of a root sum to its duration.
    """

    critical: Marks
    time: Rows
    segment_row: Rows
    segment_start: Rows
    segment_stop: Rows


def critical_path(start: Rows, stop: Rows, parent: Rows) -> Marks:
    """Return which spans of one or more traces lie on the critical path below their root.

    Parameters
    ----------
    start, stop : (n,) int64
    parent : (n,) int64
        Row of the parent, negative for a root; no cycles.

    Returns
    -------
    (n,) bool
    """
    return critical_walk(start, stop, parent, np.flatnonzero(np.asarray(parent) < 0)).critical


def critical_walk(start: Rows, stop: Rows, parent: Rows, roots: Rows) -> CriticalWalk:
    """Return the critical paths below the rows `roots`; a span that ends before it starts lasts no time.

    Cost O(n log n).
    """
    starts, parents, below = (np.ascontiguousarray(rows, np.int64) for rows in (start, parent, roots))
    stops = np.maximum(np.asarray(stop, np.int64), starts)
    size = len(starts)
    marks, times = np.zeros(size, np.bool_), np.zeros(size, np.int64)
    segments = [np.empty(2 * size, np.int64) for _ in range(3)]
    latest_first = np.argsort(-stops, kind="stable")
    found = walk_back(*map(_writable, (starts, stops, parents, latest_first, below)), marks, times, *segments)
    return CriticalWalk(marks, times, *(part[:found] for part in segments))


def _writable(rows: Rows) -> Rows:
    """Return the rows as the kernel's type, which is writable."""
    return rows if rows.flags.writeable else rows.copy()


def self_time(start: Rows, stop: Rows, parent: Rows) -> Rows:
    """Return how long each span worked by itself: its duration without the union of its children's intervals.

    Children count within the span's own bounds only; a span that ends before it starts lasts no time. Cost
    O(n log n).
    """
    stops = np.maximum(stop, start)
    return stops - start - covered_length(parent, start, stops, start, stops)
