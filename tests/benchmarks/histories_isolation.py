"""Isolation of list-append histories: transactions a second, by their number, and memory.

Each transaction does four micro-operations, half of them appends, on ten keys at a time; a key is left for a
new one after some 32 appends, as in histories of real tests. A serializable history is checked whole; where
every thousandth transaction reads what is no longer there, all anomalies are found as well. At last the same
from a `History` of Python objects, which are made into columns first.

python tests/benchmarks/histories_isolation.py
"""

import resource
import statistics
import time

import numpy as np
import pandas as pd

from workbench.histories import History, MicroOperation, Transactions, isolation, transaction

SIZES = (10_000, 100_000, 500_000, 1_000_000, 2_000_000)
RUNS = 5
ROWS, KEYS, APPENDS = 4, 10, 32


def serial_history(count: int, *, stale_every: int = 0, seed: int = 7) -> Transactions:
    """Return transactions that ran one after another; every so many, a read misses the last append."""
    rng = np.random.default_rng(seed)
    rows = count * ROWS
    block = np.arange(rows) // (2 * KEYS * APPENDS)
    key = KEYS * block + rng.integers(0, KEYS, rows)
    appends = rng.random(rows) < 0.5
    before = pd.Series(appends.astype(np.int64)).groupby(key).cumsum().to_numpy() - appends
    sizes = np.where(appends, 0, before)
    if stale_every:
        stale = np.arange(0, rows, ROWS * stale_every)
        sizes[stale] = np.maximum(sizes[stale] - 1, 0)
    lists = np.concatenate([[0], np.cumsum(sizes)])
    elements = np.arange(lists[-1]) - np.repeat(lists[:-1], sizes)
    kind = np.where(appends, MicroOperation.APPEND, MicroOperation.READ_LIST).astype(np.int8)
    start = np.arange(count, dtype=np.float64)
    return Transactions.from_arrays(
        np.arange(0, rows + 1, ROWS), kind, key, before, lists=lists, elements=elements,
        process=np.arange(count) % 10, call_s=start, return_s=start + 0.5,
    )  # fmt: skip


def measure(name: str, count: int, level: str, *, stale_every: int = 0) -> None:
    """Print the rate at which histories of a size are judged."""
    history = serial_history(count, stale_every=stale_every)
    seconds = []
    for _ in range(RUNS if count <= 500_000 else 3):
        start = time.process_time()
        verdict = isolation(history, level)
        seconds.append(time.process_time() - start)
    best, middle = count / min(seconds), count / statistics.median(seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{name}, {count:>9,} transactions, {len(history.elements):>11,} elements: "
        f"{best / 1000:7,.0f}k/s best, {middle / 1000:7,.0f}k/s median; peak {peak:.2f} GB; {verdict!r}",
        flush=True,
    )


def as_objects(columns: Transactions) -> History:
    """Return the same transactions as operations."""
    return History(
        transaction(
            *columns.micro_operations(txn),
            process=columns.process_name(txn),
            call_s=float(columns.call_s[txn]),
            return_s=float(columns.return_s[txn]),
        )
        for txn in range(len(columns))
    )


def measure_objects(count: int) -> None:
    """Print the rate at which histories of Python objects are made into columns, and judged."""
    history = as_objects(serial_history(count))
    for name, judge in (("into columns", Transactions.from_history), ("whole", isolation)):
        seconds = []
        for _ in range(RUNS):
            start = time.process_time()
            judge(history)
            seconds.append(time.process_time() - start)
        best, middle = count / min(seconds), count / statistics.median(seconds)
        rates = f"{best / 1000:,.0f}k/s best, {middle / 1000:,.0f}k/s median"
        print(f"objects, {count:>9,} transactions, {name}: {rates}", flush=True)


if __name__ == "__main__":
    isolation(serial_history(1000, stale_every=10), "strict-serializable")  # compiles
    for size in SIZES:
        measure("serializable", size, "serializable")
    for size in SIZES:
        measure("with stale reads", size, "serializable", stale_every=1000)
    for size in SIZES[:3]:
        measure("real time", size, "strict-serializable")
    for size in SIZES[:2]:
        measure_objects(size)
