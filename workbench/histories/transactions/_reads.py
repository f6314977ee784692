"""What was read, and whose it was: the first half of inference, before any dependency.

For each key that is appended to, the longest list that a committed transaction read is the order of its
versions: every version is a beginning of those after it. An indeterminate transaction committed when one that
did has seen a write of it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions._kernel_reading import compare_reads, find_longest, separate_reads
from workbench.histories.transactions._writes import Flags, Integers, Writes
from workbench.histories.transactions.columns import Transactions
from workbench.histories.transactions.errors import TransactionError

__all__ = ["Flags", "Integers", "Reads", "read_all"]


@dataclass(frozen=True)
class Reads:
    """Transactions, and for each of their rows what it says of others.

    Attributes
    ----------
    key : (m,) int64
        Keys as numbers from 0 to `keys`.
    fate : (n,) int8
        What became of each transaction, indeterminate ones that were seen being committed.
    owner : (m,) int32
        The transaction of each row.
    external, read_before, replaced, own_before, final
        See `_kernel_reading`.
    order_bounds : (keys + 1,) int64, order : (e,) int64
        The write of each element of each key's longest list, or -1 where there is none.
    longest : (keys,) int64
        The row that read it, or -1.
    agrees : (m,) bool
        Whether a list read begins the longest one.
    source : (m,) int64
        The write that each register read has seen, or -1.
    """

    transactions: Transactions
    writes: Writes
    key: Integers
    keys: int
    key_names: Integers
    fate: npt.NDArray[np.int8]
    owner: npt.NDArray[np.int32]
    external: Integers
    read_before: Integers
    replaced: Integers
    own_before: Integers
    final: Flags
    order_bounds: Integers
    order: Integers
    order_values: Integers
    longest: Integers
    agrees: Flags
    source: Integers

    @cached_property
    def committed(self) -> Flags:
        """Which rows are of transactions that committed."""
        return (self.fate == codes.COMMITTED)[self.owner]

    def find_writes(self, rows: Integers) -> Integers:
        """Return the writes of all elements of the lists that rows read, in a row, or -1."""
        places, keys = _spread(self.transactions, rows, self.key)
        return self.writes.find(keys, self.transactions.elements[places])

    def chain_of(self, orders: dict[int, tuple[int, ...]]) -> Integers:
        """Return the writes of these values to these keys, in order.

        Raises
        ------
        TransactionError
            When a value was not written to its key, or the key is a list.
        """
        t = self.transactions
        wanted = np.array(
            [(key, value) for key, order in orders.items() for value in order], np.int64
        ).reshape(-1, 2)
        number = dict(zip(self.key_names.tolist(), range(self.keys), strict=True))
        keys = np.array([number[key] for key in wanted[:, 0].tolist()], np.int64)
        rows = self.writes.find(keys, wanted[:, 1].copy())
        for place in np.flatnonzero((rows < 0) | (t.kind[rows] != codes.WRITE)):
            key, value = t.key_name(wanted[place, 0]), t.value_name(wanted[place, 1])
            msg = f"the version order of {key!r} has {value!r}, which nobody wrote to that register"
            raise TransactionError(msg)
        return rows


def read_all(transactions: Transactions) -> Reads:
    """Separate what each transaction saw of itself and of others, and find what others' writes it was."""
    t = transactions
    key, names = _numbered(t.key)
    rows, keys = len(t.kind), len(names)
    external, own_before, replaced, read_before = (np.full(rows, -1, np.int64) for _ in range(4))
    final, state = np.zeros(rows, np.bool_), np.full((keys, 5), -1, np.int64)
    columns = (t.offsets, t.kind, key, t.value, t.lists, t.elements)
    separate_reads(*columns, state, own_before, external, final, replaced, read_before)
    owner = np.repeat(np.arange(len(t), dtype=np.int32), np.diff(t.offsets))
    fate = t.fate.copy()
    is_read = t.kind == codes.READ
    _check_kinds(t, key, keys)
    writes = Writes.of(t, key, keys, owner)
    source = np.full(rows, -1, np.int64)
    wanted = np.flatnonzero(is_read & (t.value != codes.INITIAL))
    source[wanted] = writes.find(key[wanted], t.value[wanted])
    while True:
        longest = np.full(keys, -1, np.int64)
        find_longest(t.offsets, t.kind, key, t.lists, fate, external, longest)
        bounds, values, order = _orders(t, writes, key, longest)
        agrees = np.zeros(rows, np.bool_)
        compare_reads(t.offsets, t.kind, key, t.lists, t.elements, fate, external, longest, agrees)
        reads = Reads(
            t, writes, key, keys, names, fate, owner, external, read_before, replaced, own_before, final,
            bounds, order, values, longest, agrees, source,
        )  # fmt: skip
        if not _settle(reads):
            return reads


def _numbered(key: Integers) -> tuple[Integers, Integers]:
    """Return keys as numbers from zero, and the key of each number."""
    if len(key) == 0:
        return key, key
    low, high = int(key.min()), int(key.max())
    if low >= 0 and high < 4 * len(key) + 64:
        return key, np.arange(high + 1)
    import pandas as pd  # noqa: PLC0415 - hashes faster than numpy sorts

    numbers, names = pd.factorize(key)
    return numbers.astype(np.int64), np.asarray(names)


def _check_kinds(t: Transactions, key: Integers, keys: int) -> None:
    """Raise where a key is both a list and a register."""
    listed, single = np.zeros(keys, np.bool_), np.zeros(keys, np.bool_)
    listed[key[(t.kind == codes.APPEND) | (t.kind == codes.READ_LIST)]] = True
    single[key[(t.kind == codes.WRITE) | (t.kind == codes.READ)]] = True
    if (listed & single).any():
        row = int(np.flatnonzero((listed & single)[key])[0])
        msg = f"key {t.key_name(t.key[row])!r} is appended to and written: it must be a list or a register"
        raise TransactionError(msg)


def _spread(t: Transactions, rows: Integers, key: Integers) -> tuple[Integers, Integers]:
    """Return the places in `elements` of the lists that rows read, and the key of each."""
    sizes = t.lists[rows + 1] - t.lists[rows]
    begins = np.cumsum(sizes) - sizes
    places = np.repeat(t.lists[rows] - begins, sizes) + np.arange(sizes.sum())
    return places, np.repeat(key[rows], sizes)


def _orders(
    t: Transactions, writes: Writes, key: Integers, longest: Integers
) -> tuple[Integers, Integers, Integers]:
    """Return where the order of each key begins, its values, and the write of each, or -1."""
    known = np.flatnonzero(longest >= 0)
    sizes = np.zeros(len(longest), np.int64)
    sizes[known] = t.lists[longest[known] + 1] - t.lists[longest[known]]
    places, keys = _spread(t, longest[known], key)
    values = t.elements[places]
    return np.concatenate([[0], np.cumsum(sizes)]), values, writes.find(keys, values)


def _settle(reads: Reads) -> bool:
    """Let indeterminate transactions that were seen have committed; tell whether there were any."""
    pending = reads.fate == codes.INDETERMINATE
    if not pending.any():
        return False
    t = reads.transactions
    odd = np.flatnonzero(
        reads.committed & (t.kind == codes.READ_LIST) & (reads.external >= 0) & ~reads.agrees
    )
    seen: Any = np.concatenate([reads.order, reads.source[reads.committed], reads.find_writes(odd)])
    writers = np.unique(reads.owner[seen[seen >= 0]])
    settled = writers[pending[writers]]
    reads.fate[settled] = codes.COMMITTED
    return len(settled) > 0
