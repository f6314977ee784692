"""Kernels against their peers: interleaved in one process, minimum CPU time of several runs, as ratios.

python tests/benchmarks/kernels.py
"""

import time
from collections.abc import Callable

import boost_histogram as bh
import numpy as np
import pandas as pd

from workbench import kernels

RUNS = 7
ROWS = 1_000_000


def cpu_seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def compare(name: str, ours: Callable[[], object], peers: dict[str, Callable[[], object]]) -> None:
    """Print how many times longer each peer takes than ours; everything runs once before it is timed."""
    everyone = {"ours": ours, **peers}
    times: dict[str, list[float]] = {who: [] for who in everyone}
    for run in everyone.values():
        run()
    for _ in range(RUNS):
        for who, run in everyone.items():
            times[who].append(cpu_seconds(run))
    best = {who: min(seconds) for who, seconds in times.items()}
    ratios = ", ".join(f"{who} {best[who] / best['ours']:.1f}x" for who in peers)
    print(f"{name}: {1000 * best['ours']:.1f} ms; {ratios}")


def histogram() -> None:
    rng = np.random.default_rng(7)
    x, y = rng.uniform(0, 120, ROWS), rng.lognormal(3, 1, ROWS)
    x_edges, y_edges = np.arange(0, 121.0), np.geomspace(0.1, 10_000, 41)
    peer = bh.Histogram(bh.axis.Variable(x_edges), bh.axis.Variable(y_edges), storage=bh.storage.Int64())
    compare(
        f"histogram2d, {ROWS:,} points in 120 x 40 uneven bins",
        lambda: kernels.histogram2d(x, y, x_edges, y_edges),
        {
            "numpy": lambda: np.histogram2d(x, y, [x_edges, y_edges]),
            "boost-histogram": lambda: peer.reset().fill(x, y, threads=1),
        },
    )


def join() -> None:
    rng = np.random.default_rng(7)
    keys = rng.integers(0, 2**63, (ROWS, 3)).astype(np.uint64)
    queries = keys[rng.permutation(ROWS)]
    columns = ["a", "b", "c"]
    left = pd.DataFrame(queries, columns=columns)
    right = pd.DataFrame(keys, columns=columns).assign(row=np.arange(ROWS))
    compare(
        f"find_rows, {ROWS:,} keys of 24 bytes",
        lambda: kernels.find_rows(keys, queries),
        {"pandas": lambda: left.merge(right, on=columns, how="left")},
    )


if __name__ == "__main__":
    kernels.warm()
    histogram()
    join()
