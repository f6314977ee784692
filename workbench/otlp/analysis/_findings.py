"""Candidates with their corrected p-values: the significant ones as changes, and all of them as a table."""

from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp.analysis._change import Change
from workbench.otlp.analysis._changes import Candidates
from workbench.otlp.analysis._pooled import Pooled

__all__ = ["services_below", "significant_changes", "tabulate"]

Floats = npt.NDArray[np.float64]


def significant_changes(  # noqa: PLR0913 - the thresholds
    pooled: Pooled, found: Candidates, q: Floats, latency_ms: float, alpha: float, min_impact: float
) -> list[Change]:
    """Return the candidates that are significant and of enough impact, as changes in words and numbers."""
    impact = np.abs(found.own)
    if found.kind != "errors":
        impact = impact / latency_ms if latency_ms > 0 else np.zeros(len(impact))
    # calls that are cheap but often come or go are worth telling, too
    worth = np.maximum(impact, np.abs(found.after - found.before)) if found.kind == "structure" else impact
    rows = np.flatnonzero((q <= alpha) & (worth >= min_impact))
    changes = []
    for row in rows.tolist():
        service, name, what, call = _described(pooled, found, row)
        changes.append(
            Change(
                service,
                name,
                what,
                before=float(found.before[row]),
                after=float(found.after[row]),
                contribution=float(found.own[row]),
                impact=float(impact[row]),
                effect=float(found.effect[row]),
                q=float(q[row]),
                call=call,
            )
        )
    return changes


def services_below(pooled: Pooled) -> dict[str, set[str]]:
    """Return for each service those that it calls, at any distance, and that do not call it."""
    operations, paths = pooled.operations, pooled.paths
    calls: nx.DiGraph[str] = nx.DiGraph()
    calls.add_nodes_from(operations.service)
    for above, operation in zip(paths.above.tolist(), paths.operation.tolist(), strict=True):
        if above >= 0:
            calls.add_edge(operations.service[paths.operation[above]], operations.service[operation])
    reached = {node: nx.descendants(calls, node) - {node} for node in calls}
    return {node: {other for other in found if node not in reached[other]} for node, found in reached.items()}


def tabulate(pooled: Pooled, found: Candidates, q: Floats) -> pa.Table:
    """Return all candidates of one kind as a table, by contribution."""
    operations = pooled.operations
    units = {"latency": ("self_p50", "_ms"), "errors": ("error_rate", ""), "structure": ("calls", "")}
    stem, unit = units[found.kind]
    of_errors = found.kind == "errors"
    order = np.argsort(-np.abs(found.contribution), kind="stable")
    last = pooled.paths.operation if found.kind == "structure" else found.group
    columns: dict[str, Any] = {
        "service": pa.array([operations.service[at] for at in last[order]], pa.string()),
        "name": pa.array([operations.name[at] for at in last[order]], pa.string()),
    }
    if found.kind == "structure":
        texts = operations.texts
        columns["path"] = pa.array([pooled.paths.text(row, texts) for row in order.tolist()], pa.string())
    share = "contribution" if of_errors else "contribution_ms"
    numbers = {
        f"before_{stem}{unit}": found.before,
        f"after_{stem}{unit}": found.after,
        "effect": found.effect,
        share: found.contribution,
        f"{share}_lower": found.contribution - 1.96 * found.error,
        f"{share}_upper": found.contribution + 1.96 * found.error,
        **({"slowdown_ms": found.own} if found.kind == "latency" else {}),
        "p": found.p,
        "q": q,
    }
    columns |= {name: pa.array(values[order], from_pandas=True) for name, values in numbers.items()}
    return pa.table(columns)


def _described(pooled: Pooled, found: Candidates, row: int) -> tuple[str, str, str, str]:
    """Return service, name, what and call of a change."""
    operations, paths = pooled.operations, pooled.paths
    if found.kind == "latency":
        # the median may stand still while the mean moves, and it is the mean that customers pay
        what = "slower" if found.own[row] > 0 else "faster"
        return operations.service[row], operations.name[row], what, ""
    more = bool(found.after[row] > found.before[row])
    if found.kind == "errors":
        return operations.service[row], operations.name[row], "more errors" if more else "fewer errors", ""
    above, operation = int(paths.above[row]), int(paths.operation[row])
    if above < 0:
        what = "more traffic" if more else "less traffic"
        return operations.service[operation], operations.name[operation], what, ""
    came, went = found.before[row] == 0, found.after[row] == 0
    what = ("new call" if came else "more calls") if more else ("call gone" if went else "fewer calls")
    caller = int(paths.operation[above])
    return operations.service[caller], operations.name[caller], what, paths.text(row, operations.texts)
