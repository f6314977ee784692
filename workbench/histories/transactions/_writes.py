"""The writes of all transactions by key and value, each there once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions._kernel_writes import enter_writes, find_writes
from workbench.histories.transactions.columns import Transactions
from workbench.histories.transactions.errors import TransactionError

__all__ = ["Flags", "Integers", "Writes"]

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Writes:
    """Finds the row that wrote a value to a key."""

    value: Integers
    bounds: Integers
    table: npt.NDArray[np.int32]

    @classmethod
    def of(cls, t: Transactions, key: Integers, keys: int, owner: npt.NDArray[np.int32]) -> "Writes":
        """Return the writes of transactions, their keys numbered.

        Raises
        ------
        TransactionError
            When one value is written to one key twice.
        """
        rows = np.flatnonzero((t.kind == codes.APPEND) | (t.kind == codes.WRITE))
        counts = np.bincount(key[rows], minlength=keys)
        sizes = np.where(counts > 0, 2 << np.ceil(np.log2(np.maximum(counts, 1))).astype(np.int64), 0)
        bounds = np.concatenate([[0], np.cumsum(sizes)])
        made = cls(t.value, bounds, np.full(bounds[-1], -1, np.int32))
        twice = int(enter_writes(rows, key, t.value, bounds, made.table))
        if twice >= 0:
            _refuse(t, owner, int(made.find(key[twice : twice + 1], t.value[twice : twice + 1])[0]), twice)
        return made

    def find(self, keys: Integers, values: Integers) -> Integers:
        """Return the row that wrote each of these values to these keys, or -1."""
        found = np.empty(len(keys), np.int64)
        find_writes(keys, values, self.value, self.bounds, self.table, found)
        return found


def _refuse(t: Transactions, owner: npt.NDArray[np.int32], before: int, row: int) -> None:
    function, name, value = t.micro_operation(row)
    msg = (
        f"{function}({name!r}, {value!r}) is done twice, by transactions {owner[before]} and {owner[row]}: "
        "write a new value each time, also when a transaction is tried again, or no read tells which it saw"
    )
    raise TransactionError(msg)
