"""Operations of a history as columns of transactions."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from workbench.histories.history import History
from workbench.histories.operation import Nil, Operation
from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions.errors import TransactionError

__all__ = ["columns_of"]

FATES = {
    "committed": codes.COMMITTED,
    "aborted": codes.ABORTED,
    "indeterminate": codes.INDETERMINATE,
}
SHAPES = (("read", 2), ("append", 3), ("write", 3))
EXPECTED = 'expected ("read", key), ("append", key, value) or ("write", key, value)'
WRITES = {"append": codes.APPEND, "write": codes.WRITE}


def columns_of(history: History, initial: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the columns of the transactions of a history."""
    parts: list[tuple[Any, ...]] = []
    for number, operation in enumerate(history):
        with _naming(number, operation):
            parts.append((operation, _asked(operation), *_told(operation)))
    columns = _Columns(_list_keys(parts), initial)
    for number, (operation, *part) in enumerate(parts):
        with _naming(number, operation):
            columns.add(operation, *part)
    return columns.arrays()


@contextmanager
def _naming(number: int, operation: Operation) -> Iterator[None]:
    """Let an error say which operation it is about."""
    try:
        yield
    except TransactionError as error:
        msg = f"operation {number}, {operation!r}: {error}"
        raise TransactionError(msg) from None


def _asked(operation: Operation) -> tuple[Any, ...]:
    asked = operation.input
    if asked[0] != "txn" or len(asked) != 2 or not isinstance(asked[1], tuple | list):
        msg = f'expected the input ("txn", (micro-operation, ...)), got {asked!r}'
        raise TransactionError(msg)
    for micro in asked[1]:
        shape = (micro[0], len(micro)) if isinstance(micro, tuple | list) and micro else None
        if shape not in SHAPES:
            msg = f"{micro!r} is no micro-operation: {EXPECTED}"
            raise TransactionError(msg)
    return tuple(asked[1])


def _told(operation: Operation) -> tuple[int, tuple[Any, ...]]:
    """Return the fate of a transaction, and the results of its micro-operations as far as they are known."""
    told = operation.output
    if told is None:
        return codes.INDETERMINATE, ()
    if isinstance(told, tuple | list) and told and told[0] in FATES and len(told) <= 2:
        return FATES[told[0]], tuple(told[1] or ()) if len(told) == 2 else ()
    msg = (
        f'expected the output ("committed", results), ("aborted",), ("indeterminate", results), got {told!r}'
    )
    raise TransactionError(msg)


def _list_keys(parts: list[tuple[Any, ...]]) -> set[Any]:
    """Return the keys that are appended to, or of which lists are read and nothing is written."""
    appended: set[Any] = set()
    written: set[Any] = set()
    listed: set[Any] = set()
    for _, asked, _, results in parts:
        for place, (function, key, *_) in enumerate(asked):
            if function != "read":
                (appended if function == "append" else written).add(key)
            elif place < len(results) and isinstance(results[place], tuple | list):
                listed.add(key)
    if both := appended & written:
        key = min(both, key=repr)
        msg = f"key {key!r} is appended to and written: it must be a list or a register"
        raise TransactionError(msg)
    return appended | (listed - written)


class _Columns:
    """Columns that grow by one operation at a time."""

    def __init__(self, list_keys: set[Any], initial: Mapping[Any, Any]) -> None:
        self.list_keys, self.initial = list_keys, initial
        self.keys: dict[Any, int] = {}
        self.values: dict[Any, int] = {}
        self.processes: dict[Any, int] = {}
        self.rows: list[tuple[int, int, int]] = []  # kind, key, value
        self.offsets, self.lists = [0], [0]
        self.elements: list[int] = []
        self.of_transactions: list[tuple[int, int, float, float]] = []  # fate, process, call_s, return_s

    def add(self, operation: Operation, asked: Any, fate: int, results: tuple[Any, ...]) -> None:
        if len(results) > len(asked) or (fate == codes.COMMITTED and len(results) != len(asked)):
            msg = f"{len(results)} results for {len(asked)} micro-operations"
            raise TransactionError(msg)
        for place, micro in enumerate(asked):
            self._add_row(micro, results[place] if place < len(results) else None)
        self.offsets.append(len(self.rows))
        process = self.processes.setdefault(operation.process, len(self.processes))
        ended = operation.return_s is not None and fate != codes.INDETERMINATE
        end = float(operation.return_s) if ended and operation.return_s is not None else np.nan
        self.of_transactions.append((fate, process, float(operation.call_s), end))

    def _add_row(self, micro: Any, result: Any) -> None:
        if micro[0] == "read":
            self._add_read(micro[1], result)
            return
        if micro[1] in self.initial and self.initial[micro[1]] == micro[2]:
            msg = f"{micro!r} writes what was there initially: no read could tell the two apart"
            raise TransactionError(msg)
        self._row(WRITES[micro[0]], micro[1], self._value(micro[2]))

    def _add_read(self, key: Any, result: Any) -> None:
        if result is None:
            self._row(codes.UNKNOWN, key, 0)
        elif key in self.list_keys:
            self.elements.extend(map(self._value, self._list(key, result)))
            self._row(codes.READ_LIST, key, 0)
        elif isinstance(result, Nil) or (key in self.initial and self.initial[key] == result):
            self._row(codes.READ, key, codes.INITIAL)
        else:
            self._row(codes.READ, key, self._value(result))

    def _list(self, key: Any, result: Any) -> Iterable[Any]:
        if isinstance(result, Nil):
            return ()
        if isinstance(result, tuple | list):
            return result
        msg = f"read of key {key!r}, which is appended to, returned {result!r}: expected a list"
        raise TransactionError(msg)

    def _row(self, kind: int, key: Any, value: int) -> None:
        self.rows.append((kind, self._place(self.keys, "key", key), value))
        self.lists.append(len(self.elements))

    def _value(self, value: Any) -> int:
        return self._place(self.values, "value", value)

    @staticmethod
    def _place(places: dict[Any, int], what: str, name: Any) -> int:
        try:
            return places.setdefault(name, len(places))
        except TypeError:
            msg = f"{what} {name!r} cannot be hashed: give a number, a str or a tuple"
            raise TransactionError(msg) from None

    def arrays(self) -> dict[str, Any]:
        rows = np.array(self.rows, np.int64).reshape(-1, 3)
        fates, processes, calls, returns = (
            zip(*self.of_transactions, strict=True) if self.of_transactions else [()] * 4
        )
        return {
            "offsets": np.array(self.offsets, np.int64),
            "kind": rows[:, 0].astype(np.int8),
            "key": rows[:, 1].copy(),
            "value": rows[:, 2].copy(),
            "lists": np.array(self.lists, np.int64),
            "elements": np.array(self.elements, np.int64),
            "fate": np.array(fates, np.int8),
            "process": np.array(processes, np.int64),
            "call_s": np.array(calls, np.float64),
            "return_s": np.array(returns, np.float64),
            "_keys": tuple(self.keys),
            "_values": tuple(self.values),
            "_processes": tuple(self.processes),
        }
