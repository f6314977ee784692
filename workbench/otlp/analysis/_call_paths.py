"""Call paths: the operations from the root of a trace down to a span.

``path(s) = path(parent(s)) + (operation(s),)``. Spans of equal paths, in whatever traces, are one node of the
*call tree* that all traces together make; retries and loops are several spans of one path. Paths are
numbered so that each comes after the one above it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.otlp.analysis._kernel_call_paths import depths, number_paths

__all__ = ["ABSENT", "ROOT", "CallPaths", "call_paths"]

Rows = npt.NDArray[np.int64]

ROOT = -1  # above a path that begins with a root
ABSENT = -2  # above a path that begins below a parent that is not there


@dataclass(frozen=True, slots=True, eq=False)
class CallPaths:
    """The call tree of some spans.

    Attributes
    ----------
    of_span : (n,) int64
        Number of each span's path.
    above : (p,) int64
        Number of the path one operation shorter; `ROOT` or `ABSENT` where there is none.
    operation : (p,) int64
        Number of the last operation of each path.
    """

    of_span: Rows
    above: Rows
    operation: Rows

    def __len__(self) -> int:
        return len(self.above)

    def text(self, path: int, names: Sequence[str]) -> str:
        """Return a path as the names of its operations; one below an absent parent begins with ``...``."""
        words: list[str] = []
        while path >= 0:
            words.append(names[int(self.operation[path])])
            path = int(self.above[path])
        return " > ".join([*(["..."] if path == ABSENT else []), *reversed(words)])

    def with_below(self, amounts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return for each path the sum of the amounts of it and of all paths below it."""
        sums = amounts.tolist()
        above = self.above.tolist()
        for path in range(len(sums) - 1, -1, -1):
            if above[path] >= 0:
                sums[above[path]] += sums[path]
        return np.asarray(sums, np.float64)


def call_paths(parent: Rows, operation: Rows, is_orphan: npt.NDArray[np.bool_]) -> CallPaths:
    """Return the call paths of spans; cost O(n) expected.

    Parameters
    ----------
    parent : (n,) int64
        Row of the parent, negative for none; no cycles.
    operation : (n,) int64
        Number of each span's operation.
    is_orphan : (n,) bool
        Whether a span without parent row names one that is not there.
    """
    size = len(parent)
    parents, labels = (np.array(rows, np.int64) for rows in (parent, operation))
    depth = np.full(size, -1, np.int64)
    depths(parents, depth)
    order = np.argsort(depth, kind="stable")
    begin = np.where(is_orphan, ABSENT, ROOT).astype(np.int64)
    of_span, above, label = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    slots = np.full(1 << max(1, 2 * size).bit_length(), -1, np.int64)
    found = number_paths(parents, labels, begin, order, of_span, above, label, slots)
    return CallPaths(of_span, above[:found].copy(), label[:found].copy())
