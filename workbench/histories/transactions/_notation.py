"""Histories as the literature writes them: ``w1(x1) r2(x1) c2 w1(y1) c1 [x1 << x2]``.

``w1(x1)`` is a write by transaction 1, ``r2(x1)`` a read of that version by transaction 2, ``x0`` or
``xinit`` what is there initially, ``x1.2`` the second version of x by transaction 1, ``c1`` and ``a1`` commit
and abort. A value may follow, ``w1(x1, 50)``; it says nothing. The brackets give orders of versions. A
transaction that neither commits nor aborts is indeterminate. Adya, Weak Consistency (MIT, 1999), section 3.1.
"""

import re
from collections import defaultdict
from typing import Any

from workbench.histories.history import History
from workbench.histories.operation import NIL
from workbench.histories.transactions.building import Status, transaction
from workbench.histories.transactions.errors import TransactionError

__all__ = ["history_of_notation"]

EVENT = re.compile(r"([rw])(\d+)\(([a-zA-Z]+?)(\d+|init)(?:\.(\d+))?(?:\s*,[^)]*)?\)|([ca])(\d+)")
VERSION = re.compile(r"([a-zA-Z]+?)(\d+|init)(?:\.(\d+))?")
STATUS: dict[str, Status] = {"c": "committed", "a": "aborted"}


def history_of_notation(text: str) -> tuple[History, dict[str, list[str]]]:
    """Return the history, transactions numbered by their first event, and the orders of versions given."""
    events, _, rest = text.partition("[")
    did: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    times: dict[str, list[int]] = defaultdict(list)
    ends: dict[str, Status] = {}
    for time, event in enumerate(_events(events)):
        kind, txn, key, writer, number, end, ended = event.groups()
        times[txn or ended].append(time)
        if end:
            ends[ended] = STATUS[end]
        else:
            did[txn].append(("read" if kind == "r" else "write", key, _version(key, writer, number)))
    operations = [
        transaction(
            *did[txn],
            process=f"T{txn}",
            call_s=float(at[0]),
            return_s=float(at[-1]) if txn in ends else None,
            status=ends.get(txn, "indeterminate"),
        )
        for txn, at in times.items()
    ]
    return History(operations), _orders(rest.rstrip("] \n"))


def _events(text: str) -> list[re.Match[str]]:
    """Return the events of a text.

    Raises
    ------
    TransactionError
        When something else is in it.
    """
    found = list(EVENT.finditer(text))
    if rest := EVENT.sub("", text).strip():
        msg = f'{rest.split()[0]!r} is no event: expected such as "w1(x1)", "r2(x1, 5)", "c1" or "a2"'
        raise TransactionError(msg)
    return found


def _version(key: str, writer: str, number: str | None) -> Any:
    """Return the value that stands for a version."""
    if writer in ("0", "init"):
        return NIL
    return f"{key}{writer}" + (f".{number}" if number else "")


def _orders(text: str) -> dict[str, list[str]]:
    """Return the order of each key from ``x1 << x2, y2 << y1``."""
    orders = {}
    for chain in filter(None, (part.strip() for part in text.split(","))):
        versions = [VERSION.fullmatch(version.strip()) for version in chain.split("<<")]
        known = [match for match in versions if match]
        if len(known) != len(versions) or len({match[1] for match in known}) != 1:
            msg = f'{chain!r} is no order of versions: expected such as "x1 << x2"'
            raise TransactionError(msg)
        values = [_version(match[1], match[2], match[3]) for match in known]
        orders[known[0][1]] = [value for value in values if value is not NIL]
    return orders
