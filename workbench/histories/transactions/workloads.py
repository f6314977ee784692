"""Random transactions that overlap at random, for a `TransactionStore`: where anomalies come from."""

import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Literal

from workbench.histories.transactions.store import StoreTransaction, TransactionAbortedError, TransactionStore

__all__ = ["run_workload"]


def run_workload(  # noqa: PLR0913 - a workload has many knobs
    store: TransactionStore,
    *,
    seed: int,
    transactions: int = 100,
    keys: int = 5,
    processes: int = 4,
    function: Literal["append", "write"] = "append",
) -> None:
    """Let processes run transactions in a store, in steps that interleave at random.

    Parameters
    ----------
    store : TransactionStore
        Processes are spread over its replicas.
    seed : int
        The same seed gives the same steps.
    transactions : int
        How many commit before it ends; those still running then are aborted.
    keys : int
        How many keys are in use at a time. After a hundred commits new ones take their place, so that lists
        stay short.
    processes : int
    function : {"append", "write"}
        Whether keys hold lists or registers.

    Examples
    --------
    >>> store = TransactionStore("snapshot")
    >>> run_workload(store, seed=1, transactions=20)
    >>> store.commits
    20
    """
    rng, fresh = random.Random(seed), count(1)  # noqa: S311 - chance, not secrets
    running: dict[int, StoreTransaction] = {}
    until = store.commits + transactions
    while store.commits < until:
        process = rng.randrange(processes)
        if process not in running:
            running[process] = store.begin(process, replica=process % store.replicas)
        current = running[process]
        key = f"k{store.commits // 100 * keys + rng.randrange(keys)}"
        with suppress(TransactionAbortedError):
            _step(current, key, rng.random(), partial(next, fresh), function)
        if current.is_over:
            del running[process]
        if rng.random() < 0.05:
            store.sync()
    for current in running.values():
        current.abort()


def _step(
    current: StoreTransaction,
    key: str,
    chance: float,
    value: Callable[[], int],
    function: Literal["append", "write"],
) -> None:
    """Read, write, abort or commit."""
    if chance < 0.4:
        current.read(key)
    elif chance < 0.7:
        write = current.append if function == "append" else current.write
        write(key, value())
    elif chance < 0.75:
        current.abort()
    else:
        current.commit()
