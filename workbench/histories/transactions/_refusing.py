"""Which operation of a history is no transaction, and why."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from workbench.histories.operation import Nil, Operation
from workbench.histories.transactions.errors import TransactionError

__all__ = ["SHAPES", "refuse"]

SHAPES = frozenset({("read", 2), ("append", 3), ("write", 3)})
STATUSES = ("committed", "aborted", "indeterminate")
ANSWERS = '("committed", results), ("aborted",), ("indeterminate", results)'
EXPECTED = 'expected ("read", key), ("append", key, value) or ("write", key, value)'


def refuse(operations: tuple[Operation, ...], initial: Mapping[Any, Any]) -> None:
    """Raise for the first operation that is no transaction; where all are, do nothing.

    Raises
    ------
    TransactionError
        When an operation is no transaction, or a key is both a list and a register.
    """
    for number, operation in enumerate(operations):
        with _naming(number, operation):
            _check_shape(operation)
    appended = _check_keys(operations)
    for number, operation in enumerate(operations):
        with _naming(number, operation):
            _check_values(operation, appended, initial)


@contextmanager
def _naming(number: int, operation: Operation) -> Iterator[None]:
    """Let an error say which operation it is about."""
    try:
        yield
    except TransactionError as error:
        msg = f"operation {number}, {operation!r}: {error}"
        raise TransactionError(msg) from None


def _check_shape(operation: Operation) -> None:
    asked, told = operation.input, operation.output
    if asked[0] != "txn" or len(asked) != 2 or not isinstance(asked[1], tuple | list):
        msg = f'expected the input ("txn", (micro-operation, ...)), got {asked!r}'
        raise TransactionError(msg)
    for micro in asked[1]:
        shape = (micro[0], len(micro)) if isinstance(micro, tuple | list) and micro else None
        if shape not in list(SHAPES):
            msg = f"{micro!r} is no micro-operation: {EXPECTED}"
            raise TransactionError(msg)
        _check_key("key", micro[1])
    is_answer = isinstance(told, tuple | list) and told and told[0] in STATUSES and len(told) <= 2
    if told is not None and not is_answer:
        msg = f"expected the output {ANSWERS}, got {told!r}"
        raise TransactionError(msg)


def _check_keys(operations: tuple[Operation, ...]) -> set[Any]:
    """Return the keys that are appended to."""
    micros = [micro for operation in operations for micro in operation.input[1]]
    appended = {micro[1] for micro in micros if micro[0] == "append"}
    if both := appended & {micro[1] for micro in micros if micro[0] == "write"}:
        key = min(both, key=repr)
        msg = f"key {key!r} is appended to and written: it must be a list or a register"
        raise TransactionError(msg)
    return appended


def _check_values(operation: Operation, appended: set[Any], initial: Mapping[Any, Any]) -> None:
    asked: tuple[Any, ...] = operation.input[1]
    told: tuple[Any, ...] = operation.output or ("indeterminate",)
    results = tuple(told[1] or ()) if len(told) == 2 else ()
    if len(results) > len(asked) or (told[0] == "committed" and len(results) != len(asked)):
        msg = f"{len(results)} results for {len(asked)} micro-operations"
        raise TransactionError(msg)
    for place, micro in enumerate(asked):
        if micro[0] == "read":
            _check_result(micro[1], results[place] if place < len(results) else None, appended)
        elif micro[1] in initial and initial[micro[1]] == micro[2]:
            msg = f"{micro!r} writes what was there initially: no read could tell the two apart"
            raise TransactionError(msg)
        else:
            _check_key("value", micro[2])


def _check_result(key: Any, result: Any, appended: set[Any]) -> None:
    if isinstance(result, tuple | list):
        for value in result:
            _check_key("value", value)
    elif key in appended and result is not None and not isinstance(result, Nil):
        msg = f"read of key {key!r}, which is appended to, returned {result!r}: expected a list"
        raise TransactionError(msg)
    else:
        _check_key("value", result)


def _check_key(what: str, name: Any) -> None:
    try:
        hash(name)
    except TypeError:
        msg = f"{what} {name!r} cannot be hashed: give a number, a str or a tuple"
        raise TransactionError(msg) from None
