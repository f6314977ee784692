"""`transaction`: one transaction as an operation of a history, what it read written beside what it asked."""

from collections.abc import Hashable
from typing import Any, Literal

from workbench.histories.operation import Operation
from workbench.histories.transactions.errors import TransactionError

__all__ = ["transaction"]

Status = Literal["committed", "aborted", "indeterminate"]


def transaction(
    *micro_operations: tuple[Any, ...],
    process: Hashable = 0,
    call_s: float = 0.0,
    return_s: float | None = None,
    status: Status = "committed",
) -> Operation:
    """Return one transaction, input ``("txn", what it asked)`` and output ``(status, what it was told)``.

    Parameters
    ----------
    micro_operations : tuples
        ``("append", key, value)``, ``("write", key, value)`` and ``("read", key, result)``: the list of a
        key that is appended to, the value of one that is written, `NIL` where nothing was there yet, None or
        left out where the result is not known.
    process : hashable
    call_s, return_s : float, seconds
        When it began and ended; without `return_s` it ended when it began, or never if indeterminate.
    status : {"committed", "aborted", "indeterminate"}
        Indeterminate: its commit was not answered; it committed if anybody has seen its writes.

    Raises
    ------
    TransactionError
        When a micro-operation or the status is none of these.

    Examples
    --------
    >>> transaction(("read", "x", [1]), ("append", "x", 2), process="A", call_s=1, return_s=2).output
    ('committed', ((1,), None))
    """
    if status not in ("committed", "aborted", "indeterminate"):
        msg = f'status is {status!r}, expected "committed", "aborted" or "indeterminate"'
        raise TransactionError(msg)
    asked, told = zip(*map(_parts, micro_operations), strict=True) if micro_operations else ((), ())
    end = call_s if return_s is None and status != "indeterminate" else return_s
    return Operation(process, call_s, end, ("txn", asked), (status, told))


def _parts(micro: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
    """Return what a micro-operation asked, and what it was told."""
    if len(micro) == 3 and micro[0] in ("append", "write"):
        return tuple(micro), None
    if len(micro) in (2, 3) and micro[0] == "read":
        result = micro[2] if len(micro) == 3 else None
        return ("read", micro[1]), tuple(result) if isinstance(result, list) else result
    msg = (
        f'micro-operation {micro!r}: expected ("read", key, result), ("append", key, value) or '
        f'("write", key, value)'
    )
    raise TransactionError(msg)
