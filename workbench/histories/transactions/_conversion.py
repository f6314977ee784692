"""Operations of a history as columns of transactions.

Column by column, never operation by operation: each step below is one pass over all micro-operations, all
results or all elements of lists. A step that cannot go on only says so; which operation is to blame is then
found one by one.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain, compress
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.histories.operation import Nil, Operation
from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions._refusing import SHAPES, refuse

__all__ = ["columns_of"]

FATES = {
    "committed": codes.COMMITTED,
    "aborted": codes.ABORTED,
    "indeterminate": codes.INDETERMINATE,
}
KINDS = {"append": codes.APPEND, "write": codes.WRITE, "read": codes.UNKNOWN}
LISTS = (tuple, list)
Integers = npt.NDArray[np.int64]


class _UnusualError(Exception):
    """Raised where some operation is no transaction."""


def columns_of(history: Iterable[Operation], initial: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the columns of the transactions of a history.

    Raises
    ------
    TransactionError
        When an operation is no transaction, or a key is both a list and a register.
    """
    operations = tuple(history)
    try:
        return _columns(operations, initial)
    except (_UnusualError, TypeError, IndexError):
        refuse(operations, initial)
        raise


def _columns(operations: tuple[Operation, ...], initial: Mapping[Any, Any]) -> dict[str, Any]:
    asked = _asked(operations)
    counts = list(map(len, asked))
    fates, results = _told(operations, counts)
    rows = _Rows(list(chain.from_iterable(asked)), results, initial)
    keys, key = _numbered(rows.keys)
    values, numbers = _numbered([*rows.values, *rows.elements])
    processes, process = _numbered([operation.process for operation in operations])
    returns = np.array([operation.return_s for operation in operations], np.float64)  # None becomes nan
    returns[fates == codes.INDETERMINATE] = np.nan
    return {
        "offsets": _bounds(counts),
        "kind": rows.kind,
        "key": key,
        "value": rows.value_column(numbers[: len(rows.values)]),
        "lists": _bounds(rows.lengths),
        "elements": numbers[len(rows.values) :].copy(),
        "fate": fates,
        "process": process,
        "call_s": np.array([operation.call_s for operation in operations], np.float64),
        "return_s": returns,
        "_keys": keys,
        "_values": values,
        "_processes": processes,
    }


def _asked(operations: tuple[Operation, ...]) -> list[Sequence[Any]]:
    """Return the micro-operations of each transaction."""
    inputs = [operation.input for operation in operations]
    if {(asked[0], len(asked)) for asked in inputs} - {("txn", 2)}:
        raise _UnusualError
    found = [asked[1] for asked in inputs]
    _check_lists(found)
    return found


def _told(operations: tuple[Operation, ...], counts: list[int]) -> tuple[npt.NDArray[np.int8], list[Any]]:
    """Return the fate of each transaction, and the result of each micro-operation, None where not known."""
    fates: list[int] = []
    results: list[Any] = []
    for operation, count in zip(operations, counts, strict=True):
        fate, told = _answer(operation.output)
        known = len(told)
        if known != count and (known > count or fate == codes.COMMITTED):
            raise _UnusualError
        fates.append(fate)
        results += told
        if known != count:
            results += [None] * (count - known)
    return np.array(fates, np.int8), results


def _answer(told: Any) -> tuple[int, Sequence[Any]]:
    if told is None:
        return codes.INDETERMINATE, ()
    if not isinstance(told, LISTS) or not 1 <= len(told) <= 2 or told[0] not in FATES:
        raise _UnusualError
    results = (told[1] or ()) if len(told) == 2 else ()
    return FATES[told[0]], results if isinstance(results, LISTS) else tuple(results)


class _Rows:
    """The micro-operations of all transactions, column by column.

    `values` are what was appended, written or read from registers, `has_value` says by which rows.
    """

    def __init__(self, micros: list[Any], results: list[Any], initial: Mapping[Any, Any]) -> None:
        _check_lists(micros)
        functions = [micro[0] for micro in micros]
        if set(zip(functions, map(len, micros), strict=True)) - SHAPES:
            raise _UnusualError
        self.keys = [micro[1] for micro in micros]
        self.kind = np.array([KINDS[function] for function in functions], np.int8)
        self.lengths = np.zeros(len(micros), np.int64)
        self.is_initial = np.zeros(len(micros), np.bool_)
        named = [micro[-1] for micro in micros]
        self.has_value = self.kind != codes.UNKNOWN
        if initial:
            self._check_writes(named, initial)
        self._read(results, named, initial)
        self.values = list(compress(named, self.has_value))

    def value_column(self, numbers: Integers) -> Integers:
        """Return the column of values from the numbers of those there are."""
        column = np.zeros(len(self.keys), np.int64)
        column[self.has_value] = numbers
        column[self.is_initial] = codes.INITIAL
        return column

    def _check_writes(self, named: list[Any], initial: Mapping[Any, Any]) -> None:
        """Refuse what writes what was there initially."""
        writes = zip(compress(self.keys, self.has_value), compress(named, self.has_value), strict=True)
        if any(key in initial and initial[key] == value for key, value in writes):
            raise _UnusualError

    def _read(self, results: list[Any], named: list[Any], initial: Mapping[Any, Any]) -> None:
        """Fill in what reads returned: a list, a value, or nothing."""
        reads = np.flatnonzero(~self.has_value).tolist()
        list_keys = self._list_keys(results, reads)
        of_lists, lists = [], []
        for row in reads:
            key, result = self.keys[row], results[row]
            if result is None:
                continue
            if key in list_keys:
                of_lists.append(row)
                lists.append(() if isinstance(result, Nil) else result)
            elif isinstance(result, Nil) or (key in initial and initial[key] == result):
                self.kind[row], self.is_initial[row] = codes.READ, True
            else:
                self.kind[row], self.has_value[row], named[row] = codes.READ, True, result
        _check_lists(lists)
        self.kind[of_lists] = codes.READ_LIST
        self.lengths[of_lists] = list(map(len, lists))
        self.elements = list(chain.from_iterable(lists))

    def _list_keys(self, results: list[Any], reads: list[int]) -> set[Any]:
        """Return the keys that are appended to, or of which lists are read and nothing is written."""
        appended = set(compress(self.keys, self.kind == codes.APPEND))
        written = set(compress(self.keys, self.kind == codes.WRITE))
        if appended & written:
            raise _UnusualError
        return appended | ({self.keys[row] for row in reads if isinstance(results[row], LISTS)} - written)


def _check_lists(given: list[Any]) -> None:
    if not all(issubclass(kind, LISTS) for kind in set(map(type, given))):
        raise _UnusualError


def _bounds(lengths: npt.ArrayLike) -> Integers:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _numbered(names: list[Any]) -> tuple[tuple[Any, ...] | None, Integers]:
    """Return names and each one's place in them; None, and what they are, where all are whole numbers."""
    if set(map(type, names)) == {int}:
        with suppress(OverflowError):
            numbers = np.array(names, np.int64)
            if numbers.min() != codes.INITIAL:
                return None, numbers
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return tuple(places), np.fromiter(map(places.__getitem__, names), np.int64, len(names))
