"""The critical path of a trace: the spans whose end the trace had to wait for.

Walk backwards from the end of the root: of the children that ended by then, the one that ended last held
the parent up; go into it, then on from its start. Spans never entered were done in the shadow of others. A
child that outlives its parent (a call given up) held it up until the parent's own end.

Source: Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures", USENIX ATC
2022.
"""

from collections import defaultdict

import numpy as np
import numpy.typing as npt

__all__ = ["critical_path"]

Rows = npt.NDArray[np.int64]


def critical_path(start: Rows, stop: Rows, parent: Rows) -> npt.NDArray[np.bool_]:
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
    children = _children_by_stop(stop, parent)
    critical = np.zeros(len(start), bool)
    waiting = [(int(root), int(stop[root])) for root in np.flatnonzero(parent < 0)]
    while waiting:
        span, end = waiting.pop()
        critical[span] = True
        until = end
        for child in children[span]:
            ended = min(int(stop[child]), end)
            if start[child] < until and ended <= until:
                waiting.append((child, ended))
                until = int(start[child])
    return critical


def _children_by_stop(stop: Rows, parent: Rows) -> dict[int, list[int]]:
    children: dict[int, list[int]] = defaultdict(list)
    for row in np.argsort(-stop, kind="stable").tolist():
        if parent[row] >= 0:
            children[int(parent[row])].append(row)
    return children
