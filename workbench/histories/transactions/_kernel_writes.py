"""Which row wrote a value to a key: one small open-addressing table for each key, side by side.

Histories use a key for a while and then another, so the tables in use at a time stay in the cache, where one
table for all writes would miss it at every step. Probing is linear, hashing the finalizer of SplitMix64
(Steele, Lea & Flood 2014), and what is found is compared in full.
"""

from typing import Any

import numpy as np

from workbench.kernels import kernel
from workbench.kernels.parts import inlined

__all__ = ["enter_writes", "find_writes"]

NOBODY = -1


@inlined
def _slot(table: Any, value: Any, base: Any, size: Any, wanted: Any) -> Any:
    """Return the slot that holds a value's row, or the empty one where it would be."""
    code = np.uint64(wanted) + np.uint64(0x9E3779B97F4A7C15)
    code = (code ^ (code >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    code = (code ^ (code >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    place = np.int64((code ^ (code >> np.uint64(31))) & np.uint64(size - 1))
    while table[base + place] != NOBODY and value[table[base + place]] != wanted:
        place = (place + 1) & (size - 1)
    return base + place


@kernel("int64(int64[::1], int64[::1], int64[::1], int64[::1], int32[::1])")
def enter_writes(writes: Any, key: Any, value: Any, bounds: Any, table: Any) -> Any:
    """Fill the tables, all -1; return the first write of what another has written before, or -1.

    `bounds` divides `table` into one part for each key, each a power of two long, or empty.
    """
    for row in writes:
        base, size = bounds[key[row]], bounds[key[row] + 1] - bounds[key[row]]
        slot = _slot(table, value, base, size, value[row])
        if table[slot] != NOBODY:
            return row
        table[slot] = row
    return NOBODY


@kernel("void(int64[::1], int64[::1], int64[::1], int64[::1], int32[::1], int64[::1])")
def find_writes(keys: Any, values: Any, value: Any, bounds: Any, table: Any, found: Any) -> None:
    """Fill in the row that wrote each of these values to its key, or -1."""
    for query in range(len(keys)):
        base, size = bounds[keys[query]], bounds[keys[query] + 1] - bounds[keys[query]]
        found[query] = NOBODY
        if size > 0:
            found[query] = table[_slot(table, value, base, size, values[query])]
