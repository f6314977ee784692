"""`Transactions`: the micro-operations of any number of transactions as columns, with no object for each.

Transaction t has the rows ``offsets[t] : offsets[t + 1]``, in the order in which it did them; a row is a read
of a list, an append, a read of a register or a write. The list that row r read is ``elements[lists[r] :
lists[r + 1]]``. Every value is written to a key at most once, by whichever transaction, so that a value says
which write it comes from: that is what makes dependencies recoverable (Kingsbury & Alvaro 2020, section 4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from workbench import display
from workbench.histories.operation import NIL, Nil
from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions.errors import TransactionError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from workbench.histories.history import History

__all__ = ["Fate", "MicroOperation", "Transactions"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class MicroOperation(IntEnum):
    """What a row of `Transactions` did."""

    READ_LIST = codes.READ_LIST
    APPEND = codes.APPEND
    READ = codes.READ
    WRITE = codes.WRITE
    UNKNOWN = codes.UNKNOWN  # a read of which nobody kept the result


class Fate(IntEnum):
    """What became of a transaction, as far as its client knows."""

    COMMITTED = codes.COMMITTED
    ABORTED = codes.ABORTED
    INDETERMINATE = codes.INDETERMINATE  # it may have committed; it has where others have seen its writes


@dataclass(frozen=True, slots=True, eq=False)
class Transactions:
    """Transactions as columns; made from a `History`, or from arrays where there are millions.

    Attributes
    ----------
    offsets : (n + 1,) int64
        Where the rows of each transaction begin.
    kind : (m,) int8
        A `MicroOperation` each.
    key : (m,) int64
    value : (m,) int64
        What was appended, written, or read from a register (`INITIAL` before any write); else ignored.
    lists : (m + 1,) int64
        Where the list that each row read begins; empty for rows that read none.
    elements : (e,) int64
    fate : (n,) int8
        A `Fate` each.
    process : (n,) int64
    call_s, return_s : (n,) float64, seconds
        NaN where that is not known; then real time orders nothing.
    """

    INITIAL = codes.INITIAL

    offsets: Integers
    kind: npt.NDArray[np.int8]
    key: Integers
    value: Integers
    lists: Integers
    elements: Integers
    fate: npt.NDArray[np.int8]
    process: Integers
    call_s: Floats
    return_s: Floats
    _keys: tuple[Any, ...] | None = field(default=None, repr=False)
    _values: tuple[Any, ...] | None = field(default=None, repr=False)
    _processes: tuple[Any, ...] | None = field(default=None, repr=False)
    _version_order: dict[int, tuple[int, ...]] | None = field(default=None, repr=False)

    @classmethod
    def from_history(cls, history: "History", *, initial: Mapping[Any, Any] | None = None) -> Self:
        """Read the transactions of a history.

        Parameters
        ----------
        history : History
            Operations with the input ``("txn", (micro-operation, ...))``, as `transaction` makes them.
        initial : mapping of key to value, optional
            What registers hold before any write, where that is something.

        Raises
        ------
        TransactionError
            When an operation is no transaction, or a key is both a list and a register.
        """
        from workbench.histories.transactions._conversion import columns_of  # noqa: PLC0415 - needs this

        return cls(**columns_of(history, initial or {}))

    @classmethod
    def from_notation(cls, text: str) -> Self:
        """Read a history in the notation of the literature, with the orders of versions that it gives.

        Parameters
        ----------
        text : str
            ``w1(x1)``: transaction 1 writes x; ``r2(x1)``: 2 reads that version; ``x0`` is the initial one;
            ``x1.2`` the second by transaction 1; ``c1``, ``a1``; then in brackets ``[x1 << x2, y2 << y1]``.

        Raises
        ------
        TransactionError
            When something is no event, or an order does not fit.

        Examples
        --------
        >>> Transactions.from_notation("w1(x1) w2(x2) w2(y2) c2 w1(y1) c1 [x1 << x2, y2 << y1]").text(0)
        'write(x, x1), write(y, y1)'
        """
        from workbench.histories.transactions._notation import history_of_notation  # noqa: PLC0415 - as above

        history, orders = history_of_notation(text)
        made = cls.from_history(history)
        return made.with_version_order(orders) if orders else made

    @classmethod
    def from_arrays(  # noqa: PLR0913 - the columns
        cls,
        offsets: npt.ArrayLike,
        kind: npt.ArrayLike,
        key: npt.ArrayLike,
        value: npt.ArrayLike,
        *,
        lists: npt.ArrayLike | None = None,
        elements: npt.ArrayLike = (),
        fate: npt.ArrayLike | None = None,
        process: npt.ArrayLike | None = None,
        call_s: npt.ArrayLike | None = None,
        return_s: npt.ArrayLike | None = None,
    ) -> Self:
        """Return transactions of columns as in *Attributes*; what is left out is committed, alone, timeless.

        Raises
        ------
        TransactionError
            When columns do not fit together.

        Examples
        --------
        >>> did = [MicroOperation.APPEND, MicroOperation.READ_LIST]
        >>> Transactions.from_arrays([0, 1, 2], did, [7, 7], [1, 0], lists=[0, 0, 1], elements=[1])
        Transactions: 2 of 2 micro-operations on 1 key
        """
        bounds = np.ascontiguousarray(offsets, np.int64)
        count, rows = len(bounds) - 1, len(np.atleast_1d(np.asarray(kind)))
        made = cls(
            bounds,
            np.ascontiguousarray(kind, np.int8),
            np.ascontiguousarray(key, np.int64),
            np.ascontiguousarray(value, np.int64),
            np.zeros(rows + 1, np.int64) if lists is None else np.ascontiguousarray(lists, np.int64),
            np.ascontiguousarray(elements, np.int64),
            np.zeros(count, np.int8) if fate is None else np.ascontiguousarray(fate, np.int8),
            np.arange(count, dtype=np.int64) if process is None else np.ascontiguousarray(process, np.int64),
            np.full(count, np.nan) if call_s is None else np.ascontiguousarray(call_s, np.float64),
            np.full(count, np.nan) if return_s is None else np.ascontiguousarray(return_s, np.float64),
        )
        _check(made)
        return made

    @classmethod
    def from_arrow(cls, table: "pa.Table") -> Self:
        """Read what `to_arrow` writes: a row for each micro-operation.

        Raises
        ------
        TransactionError
            When a column is missing, or the rows of a transaction do not stand together.
        """
        from workbench.histories.transactions._tables import columns_of_table  # noqa: PLC0415 - needs pyarrow

        return cls.from_arrays(**columns_of_table(table))

    def to_arrow(self) -> "pa.Table":
        """Return a row for each micro-operation: whose, when, what it did, and the list it read."""
        from workbench.histories.transactions._tables import table_of  # noqa: PLC0415 - needs pyarrow

        return table_of(self)

    def to_pandas(self) -> "pd.DataFrame":
        """Return a row for each micro-operation, with keys and values as they were given."""
        import pandas as pd  # noqa: PLC0415 - only for those who ask for tables

        rows = [
            (txn, Fate(self.fate[txn]).name.lower(), *micro)
            for txn in range(len(self))
            for micro in self.micro_operations(txn)
        ]
        return pd.DataFrame(rows, columns=["transaction", "fate", "function", "key", "value"])

    def with_version_order(self, orders: Mapping[Any, Sequence[Any]]) -> Self:
        """Return the same transactions with the order in which values were installed in registers.

        Parameters
        ----------
        orders : mapping of key to values
            For each of these keys, the last value that each committed transaction wrote, the oldest first;
            from the log or the version numbers of a store. What reads cannot tell, this can.

        Raises
        ------
        TransactionError
            For a key or value that no transaction has.
        """
        has_value = ~np.isin(self.kind, (codes.READ_LIST, codes.UNKNOWN))
        keys = self._places(self._keys, self.key)
        values = self._places(self._values, np.concatenate([self.value[has_value], self.elements]))
        found = {
            self._place(keys, "key", key): tuple(self._place(values, "value", value) for value in order)
            for key, order in orders.items()
        }
        return replace(self, _version_order=found)

    def micro_operations(self, txn: int) -> list[tuple[str, Any, Any]]:
        """Return what a transaction did: function, key, and the value written or read (None: not known)."""
        return [self.micro_operation(row) for row in range(self.offsets[txn], self.offsets[txn + 1])]

    def micro_operation(self, row: int) -> tuple[str, Any, Any]:
        """Return what one row did: function, key, and the value written or read (None: not known)."""
        kind, key = self.kind[row], self.key_name(self.key[row])
        if kind == codes.READ_LIST:
            return "read", key, self.list_read(row)
        if kind == codes.UNKNOWN:
            return "read", key, None
        function = {codes.APPEND: "append", codes.WRITE: "write", codes.READ: "read"}[int(kind)]
        return function, key, self.value_name(self.value[row])

    def list_read(self, row: int) -> list[Any]:
        """Return the list that a row read."""
        return [self.value_name(each) for each in self.elements[self.lists[row] : self.lists[row + 1]]]

    def text(self, txn: int, most: int = 8) -> str:
        """Return what a transaction did, as people write it: ``append(x, 1), read(y) -> [1, 2]``."""
        begin, end = int(self.offsets[txn]), int(self.offsets[txn + 1])
        shown = [_micro_text(*self.micro_operation(row)) for row in range(begin, min(end, begin + most))]
        return ", ".join([*shown, f"{end - begin - most} more"] if end - begin > most else shown)

    def key_name(self, key: int) -> Any:
        """Return a key as it was given."""
        return int(key) if self._keys is None else self._keys[key]

    def value_name(self, value: int) -> Any:
        """Return a value as it was given."""
        if value == codes.INITIAL:
            return NIL
        return int(value) if self._values is None else self._values[value]

    def process_name(self, txn: int) -> Any:
        """Return the process of a transaction as it was given."""
        process = self.process[txn]
        return int(process) if self._processes is None else self._processes[process]

    @property
    def has_times(self) -> bool:
        """Whether every transaction has a time of its call."""
        return bool(np.isfinite(self.call_s).all())

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        keys = display.plural(len(np.unique(self.key)), "key")
        rows = display.plural(len(self.kind), "micro-operation")
        fates = np.bincount(self.fate, minlength=3)
        others = [f"{fates[fate]:,} {fate.name.lower()}" for fate in (Fate.ABORTED, Fate.INDETERMINATE)]
        said = [text for text in others if not text.startswith("0 ")]
        return ", ".join([f"Transactions: {len(self):,} of {rows} on {keys}", *said])

    def _repr_html_(self) -> str:
        rows = [
            [f"T{txn}", self.process_name(txn), Fate(self.fate[txn]).name.lower(), self.text(txn)]
            for txn in range(min(len(self), 20))
        ]
        title = repr(self)
        return display.table(["", "process", "fate", "did"], rows, title=title)._repr_html_()

    @staticmethod
    def _places(names: tuple[Any, ...] | None, column: Integers) -> dict[Any, int]:
        if names is None:
            return {number: number for number in np.unique(column).tolist()}
        return {name: place for place, name in enumerate(names)}

    @staticmethod
    def _place(places: dict[Any, int], what: str, name: Any) -> int:
        if name not in places:
            msg = f"the version order has the {what} {name!r}, which no transaction has"
            raise TransactionError(msg)
        return places[name]


def _micro_text(function: str, key: object, value: object) -> str:
    told = "nothing" if isinstance(value, Nil) else "?" if value is None else value
    return f"{function}({key}) -> {told}" if function == "read" else f"{function}({key}, {told})"


def _check(made: Transactions) -> None:
    rows, count = len(made.kind), len(made)
    _check_bounds("offsets", made.offsets, rows)
    _check_bounds("lists", made.lists, len(made.elements))
    for name, want in (("key", rows), ("value", rows), ("lists", rows + 1)):
        _check_length(name, getattr(made, name), want)
    for name in ("fate", "process", "call_s", "return_s"):
        _check_length(name, getattr(made, name), count)
    for name, most in (("kind", codes.UNKNOWN), ("fate", codes.INDETERMINATE)):
        column = getattr(made, name)
        if len(column) and not 0 <= column.min() <= column.max() <= most:
            msg = f"{name} holds {column.min()} to {column.max()}, expected 0 to {most}"
            raise TransactionError(msg)


def _check_length(name: str, column: npt.NDArray[Any], want: int) -> None:
    if column.shape != (want,):
        msg = f"{name} has the shape {column.shape}, expected ({want},)"
        raise TransactionError(msg)


def _check_bounds(name: str, bounds: Integers, end: int) -> None:
    if (
        bounds.ndim != 1
        or len(bounds) == 0
        or bounds[0] != 0
        or bounds[-1] != end
        or (np.diff(bounds) < 0).any()
    ):
        msg = f"{name} must ascend from 0 to {end:,}, the number of what it divides"
        raise TransactionError(msg)
