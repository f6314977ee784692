"""Pictures of anomalies: the cycle as a graph, its transactions in time, and tables of what was found."""

from collections.abc import Mapping, Sequence

import numpy as np

from workbench import display
from workbench.histories.transactions.anomalies import Anomaly
from workbench.histories.transactions.columns import Transactions
from workbench.histories.transactions.errors import TransactionError
from workbench.histories.transactions.levels import FIRST_FORBIDDEN, LEVELS

__all__ = ["anomaly_table", "chosen", "draw_cycle", "draw_times", "level_table"]

WORDS = {True: "holds", False: "violated", None: "not known"}


def chosen(anomalies: Sequence[Anomaly], number: int) -> Anomaly:
    """Return one anomaly.

    Raises
    ------
    TransactionError
        When there is no such one.
    """
    if -len(anomalies) <= number < len(anomalies):
        return anomalies[number]
    msg = f"there is no anomaly {number}: {len(anomalies)} explained, counted from 0"
    raise TransactionError(msg)


def draw_cycle(transactions: Transactions, anomaly: Anomaly) -> display.Picture:
    """Draw the transactions of an anomaly, and the dependencies between them."""
    below = {f"T{txn}": _deeds(transactions, txn) for txn in anomaly.transactions}
    edges = [(f"T{edge.before}", f"T{edge.after}") for edge in anomaly.cycle]
    labels = [edge.label for edge in anomaly.cycle]
    if not edges and len(anomaly.transactions) == 2:
        before, after = anomaly.transactions
        edges, labels = [(f"T{before}", f"T{after}")], [anomaly.name]
    return display.graph(edges, edge_label=labels, node_label=below, title=f"{anomaly.name}: {anomaly.text}")


def _deeds(transactions: Transactions, txn: int) -> str:
    """Return what a transaction did to which keys, without values: those stand on the edges."""
    deeds = dict.fromkeys(f"{function} {key}" for function, key, _ in transactions.micro_operations(txn))
    return ", ".join(list(deeds)[:6])


def draw_times(transactions: Transactions, anomaly: Anomaly) -> display.Picture:
    """Draw when the transactions of an anomaly ran, one bar each."""
    txns = sorted(set(anomaly.transactions))
    start, end = transactions.call_s[txns], transactions.return_s[txns]
    known = np.isfinite(start).all() and (np.nanmax([*end, *start]) > start.min())
    if known:
        end = np.where(np.isfinite(end), end, np.nanmax([*end, *start]))
    else:
        start = np.arange(len(txns), dtype=np.float64)
        end = start + 1
    begin = start.min()
    return display.timeline(
        start_ns=[round((each - begin) * 1e9) for each in start],
        duration_ns=[round((till - since) * 1e9) for since, till in zip(start, end, strict=True)],
        parent=[-1] * len(txns),
        label=[f"T{txn} {transactions.text(txn, 4)}" for txn in txns],
        group=[f"process {transactions.process_name(txn)}" for txn in txns],
        title=f"{anomaly.name}: {anomaly.text}"
        + ("" if known else " (no times: in the order of the history)"),
    )


def level_table(levels: Mapping[str, bool | None], counts: Mapping[str, int], title: str) -> display.Table:
    """Return a row for each level: whether it holds, and how many anomalies of each name it forbids."""
    names = sorted(counts, key=lambda name: (FIRST_FORBIDDEN[name.partition(" (")[0]], name))
    rows = [
        [name, LEVELS[name].portable_name, WORDS[holds]]
        + [f"{counts[each]:,}" if LEVELS[name].forbids(each) else "" for each in names]
        for name, holds in levels.items()
    ]
    return display.table(["level", "Adya", "verdict", *names], rows, title=title)


def anomaly_table(anomalies: Sequence[Anomaly], counts: Mapping[str, int]) -> display.Table:
    """Return a row for each anomaly, the worst first."""
    rows = [
        [anomaly.name, " → ".join(f"T{txn}" for txn in anomaly.transactions), _said(anomaly)]
        for anomaly in anomalies
    ]
    total = sum(counts.values())
    title = "" if total == len(anomalies) else f"{len(anomalies):,} of {total:,} explained"
    return display.table(["anomaly", "transactions", "what happened"], rows, title=title, max_rows=10)


def _said(anomaly: Anomaly) -> str:
    return "; ".join(str(edge) for edge in anomaly.cycle) or anomaly.text
