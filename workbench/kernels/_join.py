"""Find rows by key: an open-addressing hash table over keys of several 64-bit words.

For keys ``K (n, w)`` and queries ``Q (m, w)`` the answer is ``r[j] = min {i : K[i] = Q[j]}``, or -1.
The table has the next power of two above ``2 n`` slots and is probed linearly; hashing is the finalizer of
SplitMix64 (Steele, Lea & Flood 2014) over the words. Cost O(n + m) expected.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels._registry import checked, kernel

__all__ = ["find_rows"]

EMPTY = -1


def find_rows(keys: npt.ArrayLike, queries: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return for each query the first row of `keys` that equals it, or -1.

    Parameters
    ----------
    keys : (n, w) uint64
    queries : (m, w) uint64

    Returns
    -------
    (m,) int64

    Raises
    ------
    KernelError
        When the two do not have the same number of words.

    Examples
    --------
    >>> find_rows([[1, 2], [3, 4], [1, 2]], [[3, 4], [1, 2], [9, 9]]).tolist()
    [1, 0, -1]
    """
    table = checked("keys", keys, np.uint64, (None, None))
    wanted = checked("queries", queries, np.uint64, (None, table.shape[1]))
    slots = np.full(1 << max(1, 2 * len(table)).bit_length(), EMPTY, np.int64)
    rows = np.empty(len(wanted), np.int64)
    _find_rows(table, wanted, slots, rows)
    return rows


@kernel("uint64(uint64[:,::1], int64)")
def _hash(keys: Any, row: int) -> Any:
    code = np.uint64(0x9E3779B97F4A7C15)
    for word in range(keys.shape[1]):
        code += keys[row, word]
        code = (code ^ (code >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        code = (code ^ (code >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        code ^= code >> np.uint64(31)
    return code


@kernel("int64(uint64[:,::1], int64[::1], uint64[:,::1], int64)")
def _slot(keys: Any, slots: Any, queries: Any, row: int) -> Any:
    """Return the slot that holds an equal key, or the empty one where it would be."""
    mask = np.uint64(len(slots) - 1)
    slot = _hash(queries, row) & mask
    while slots[slot] != EMPTY:
        candidate = slots[slot]
        differ = np.uint64(0)
        for word in range(keys.shape[1]):
            differ |= keys[candidate, word] ^ queries[row, word]
        if differ == 0:
            break
        slot = (slot + np.uint64(1)) & mask
    return np.int64(slot)


@kernel("void(uint64[:,::1], uint64[:,::1], int64[::1], int64[::1])")
def _find_rows(keys: Any, queries: Any, slots: Any, rows: Any) -> None:
    for row in range(len(keys)):
        slot = _slot(keys, slots, keys, row)
        if slots[slot] == EMPTY:
            slots[slot] = row
    for row in range(len(queries)):
        rows[row] = slots[_slot(keys, slots, queries, row)]
