"""Transactions as an Arrow table, a row for each micro-operation, and back."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.histories.transactions.errors import TransactionError

if TYPE_CHECKING:
    from workbench.histories.transactions.columns import Transactions

__all__ = ["columns_of_table", "table_of"]

OF_ROWS = ("transaction", "kind", "key", "value", "elements")
OF_TRANSACTIONS = ("fate", "process", "call_s", "return_s")


def table_of(transactions: "Transactions") -> pa.Table:
    """Return a row for each micro-operation, keys and values as numbers."""
    sizes = np.diff(transactions.offsets)
    lists = pa.LargeListArray.from_arrays(pa.array(transactions.lists), pa.array(transactions.elements))
    columns = {
        "transaction": np.repeat(np.arange(len(transactions)), sizes),
        "kind": transactions.kind,
        "key": transactions.key,
        "value": transactions.value,
        "elements": lists,
    }
    columns |= {name: np.repeat(getattr(transactions, name), sizes) for name in OF_TRANSACTIONS}
    return pa.table(columns)


def columns_of_table(table: pa.Table) -> dict[str, Any]:
    """Return the columns of transactions from such a table; those of whole transactions may be missing."""
    if missing := [
        name for name in ("transaction", "kind", "key", "value") if name not in table.column_names
    ]:
        msg = f"the table has no column {missing[0]!r}: it has {', '.join(table.column_names)}"
        raise TransactionError(msg)
    owner = table["transaction"].to_numpy()
    begins = (
        np.flatnonzero(np.concatenate([[True], np.diff(owner) != 0])) if len(owner) else np.empty(0, np.int64)
    )
    if len(np.unique(owner)) != len(begins):
        msg = "the rows of a transaction must stand together"
        raise TransactionError(msg)
    found = {name: table[name].to_numpy() for name in ("kind", "key", "value")}
    found["offsets"] = np.concatenate([begins, [len(owner)]])
    found |= {name: table[name].to_numpy()[begins] for name in OF_TRANSACTIONS if name in table.column_names}
    return found | (_lists(table["elements"]) if "elements" in table.column_names else {})


def _lists(column: pa.ChunkedArray) -> dict[str, Any]:
    sizes = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    return {
        "lists": np.concatenate([[0], np.cumsum(sizes)]),
        "elements": pc.list_flatten(column).to_numpy(),
    }
