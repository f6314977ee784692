"""Numbering of the paths from root to node in a labelled forest, compiled; see `_call_paths`."""

from typing import Any

import numpy as np

from workbench.kernels import kernel

__all__ = ["depths", "number_paths"]

ROWS = "int64[::1]"
UNKNOWN = -1


@kernel(f"void({ROWS}, {ROWS})")
def depths(parent: Any, depth: Any) -> None:
    """Fill how many nodes are above each; `depth` comes as -1 everywhere. Cost O(n)."""
    for row in range(len(parent)):
        steps, above = 0, row
        while above >= 0 and depth[above] == UNKNOWN:
            steps += 1
            above = parent[above]
        reached = depth[above] if above >= 0 else UNKNOWN
        above = row
        while steps > 0:
            depth[above] = reached + steps
            steps -= 1
            above = parent[above]


@kernel(f"int64({', '.join([ROWS] * 8)})")
def number_paths(
    parent: Any, label: Any, begin: Any, order: Any, path: Any, path_above: Any, path_label: Any, slots: Any
) -> Any:
    """Give each distinct path of labels a number, parents before children; return how many there are.

    `order` has parents before children; `begin` is negative, and says what stands above a node without
    parent. `slots` is a hash table, filled with -1, of a power of two.
    """
    mask, found = np.uint64(len(slots) - 1), 0
    for row in order:
        above = path[parent[row]] if parent[row] >= 0 else begin[row]
        code = np.uint64(above) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(label[row])
        code = (code ^ (code >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        slot = (code ^ (code >> np.uint64(27))) & mask
        while slots[slot] >= 0 and (
            path_above[slots[slot]] != above or path_label[slots[slot]] != label[row]
        ):
            slot = (slot + np.uint64(1)) & mask
        if slots[slot] < 0:
            slots[slot] = found
            path_above[found], path_label[found] = above, label[row]
            found += 1
        path[row] = slots[slot]
    return found
