"""Kernels that decide by trace id, by the spans above, and by how a trace grows.

FNV-1a over bytes b: ``h = offset; h = (h xor b_i) * prime``, modulo 2^64 or 2^32 (Fowler, Noll & Vo 1991).
"""

from typing import Any

import numpy as np

from workbench.kernels import kernel

__all__ = ["depths", "fnv32a", "fnv64a", "latency_matches", "take_tokens"]


@kernel("void(uint8[:,::1], uint64, uint64[::1])")
def fnv64a(rows: Any, start: Any, hashes: Any) -> None:
    """Continue the 64-bit hash `start` over each row of bytes."""
    for row in range(len(rows)):
        code = start
        for at in range(rows.shape[1]):
            code = (code ^ np.uint64(rows[row, at])) * np.uint64(0x100000001B3)
        hashes[row] = code


@kernel("void(uint8[:,::1], uint32, uint32[::1])")
def fnv32a(rows: Any, start: Any, hashes: Any) -> None:
    """Continue the 32-bit hash `start` over each row of bytes."""
    for row in range(len(rows)):
        code = np.uint64(start)
        for at in range(rows.shape[1]):
            code = ((code ^ np.uint64(rows[row, at])) * np.uint64(0x01000193)) & np.uint64(0xFFFFFFFF)
        hashes[row] = code


@kernel("void(int64[::1], int64[::1])")
def depths(parent: Any, depth: Any) -> None:
    """Count the ancestors of each row of a forest; `depth` arrives filled with -1."""
    for row in range(len(parent)):
        above, steps = row, 0
        while above >= 0 and depth[above] < 0:
            above = parent[above]
            steps += 1
        level = steps - 1 + (depth[above] + 1 if above >= 0 else 0)
        below = row
        while below >= 0 and depth[below] < 0:
            depth[below] = level
            level -= 1
            below = parent[below]


@kernel("void(int64[::1], int64[::1], int64[::1], int64[::1], int64, int64, boolean[::1])")
def latency_matches(
    start: Any, end: Any, first: Any, after: Any, threshold_ms: int, upper_ms: int, matches: Any
) -> None:
    """Tell of each range of spans whether its duration, growing span by span, is ever within the bounds.

    Without an upper bound (zero) that is the threshold or more; with one, above the threshold and not above
    the upper bound.
    """
    for trace in range(len(first)):
        earliest, latest = np.int64(0), np.int64(0)
        matches[trace] = False
        for row in range(first[trace], after[trace]):
            if earliest == 0 or start[row] < earliest:
                earliest = start[row]
            if latest == 0 or end[row] > latest:
                latest = end[row]
            lasted = latest - earliest
            lasted_ms = lasted // 1_000_000 if lasted >= 0 else -(-lasted // 1_000_000)  # as Go: towards zero
            if upper_ms == 0:
                matches[trace] = lasted_ms >= threshold_ms
            else:
                matches[trace] = threshold_ms < lasted_ms <= upper_ms
            if matches[trace]:
                break


@kernel("float64(int64[::1], float64, boolean[::1])")
def take_tokens(wanted: Any, tokens: float, granted: Any) -> Any:
    """Grant one after the other what the bucket still holds, and return what is left in it."""
    for row in range(len(wanted)):
        granted[row] = wanted[row] <= tokens
        if granted[row]:
            tokens -= wanted[row]
    return tokens
