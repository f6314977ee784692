"""Where the time of traces goes: critical and self time of each span, and of each operation over all traces.

*Self time* is what a span did while none of its children ran; ``self + covered = duration`` for every span.
*Critical time* is how long its trace had to wait for it; over the spans of a trace it sums to the duration of
the root, so over all traces it divides up what customers waited for. An operation with much self
time and little critical time works in the shadow of others: to make it faster gains nothing.

A trace's root is its longest span without a parent among these spans. Spans below other parentless spans
(their parent was not recorded, most often) are on no critical path; `CriticalPaths.apart` counts them.

Source: Zhang et al., "CRISP", USENIX ATC 2022.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import display
from workbench.otlp.analysis._call_paths import CallPaths, call_paths
from workbench.otlp.analysis._critical_path import CriticalWalk, critical_walk, self_time
from workbench.otlp.analysis._grouped import grouped_quantiles
from workbench.otlp.analysis._identity import has_parent_id
from workbench.otlp.analysis._operations import Operations, number_operations

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.otlp.traces import Traces

__all__ = ["CriticalPaths", "critical_paths"]

Rows = npt.NDArray[np.int64]
MS = 1e6


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CriticalPaths:
    """Critical and self time of spans.

    Attributes
    ----------
    table : pyarrow.Table
        A row an operation, that of most critical time first: ``service``, ``name``, ``spans``,
        ``critical_spans`` and ``traces`` (spans on, and traces with it on, the critical path),
        ``critical_ms`` (sum), ``critical_share`` (of the sum over all operations),
        ``critical_ms_per_trace`` (over all traces), ``self_ms`` (sum), ``self_p50_ms`` and ``self_p99_ms``
        (of its spans).
    self_time, critical_time : (n,) int64, nanoseconds
        Of each span, aligned with the traces.
    traces : int
    apart : int
        Spans below a parentless span that is not their trace's root.
    """

    table: pa.Table
    self_time: Rows
    critical_time: Rows
    traces: int
    apart: int
    _walk: CriticalWalk = field(repr=False)
    _paths: CallPaths = field(repr=False)
    _operations: Operations = field(repr=False)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        total = int(self.critical_time.sum())
        facts = [
            display.plural(len(self), "operation"),
            display.plural(self.traces, "trace"),
            f"{display.duration_text(total)} in all",
        ]
        if self.apart:
            facts.append(f"{display.plural(self.apart, 'span')} apart")
        return f"CriticalPaths: {', '.join(facts)}"

    def _repr_html_(self) -> str:
        columns = ["service", "name", "spans", "critical, ms/trace", "share", "self p50, ms", "self p99, ms"]
        rows = [
            (
                row["service"],
                row["name"],
                row["spans"],
                f"{row['critical_ms_per_trace']:.2f}",
                f"{row['critical_share']:.1%}",
                f"{row['self_p50_ms']:.2f}",
                f"{row['self_p99_ms']:.2f}",
            )
            for row in self.table.to_pylist()
        ]
        return display.table(columns, rows, title=repr(self))._repr_html_()

    @property
    def segments(self) -> pa.Table:
        """The critical paths in pieces: row of the span, start and end; those of a trace never overlap."""
        walk, utc = self._walk, pa.timestamp("ns", tz="UTC")
        return pa.table(
            {
                "row": walk.segment_row,
                "start": pa.array(walk.segment_start, pa.int64()).cast(utc),
                "end": pa.array(walk.segment_stop, pa.int64()).cast(utc),
            }
        )

    def to_arrow(self) -> pa.Table:
        """Return the table."""
        return self.table

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table as a data frame."""
        return self.table.to_pandas()

    def plot(self, ax: "Axes | None" = None, *, most: int = 12) -> "Axes":
        """Draw critical time and shadowed self time of the `most` critical operations; return the axes."""
        from workbench.otlp.analysis._critical_plot import draw_operations  # noqa: PLC0415 - matplotlib is costly

        return draw_operations(self.table, self.traces, ax, most)

    def flame(self, ax: "Axes | None" = None, *, min_share: float = 0.002) -> "Axes":
        """Draw the call tree, each path as wide as the critical time of it and all below; return the axes.

        Paths of less than `min_share` of the whole are left out.
        """
        from workbench.otlp.analysis._critical_plot import draw_flame  # noqa: PLC0415 - matplotlib is costly

        size = len(self._paths)
        amounts = np.bincount(self._paths.of_span, self.critical_time / MS, size)
        return draw_flame(self._paths, self._operations, amounts / max(self.traces, 1), ax, min_share)


def critical_paths(traces: "Traces") -> CriticalPaths:
    """Return critical and self time of every span, and of every operation over all traces.

    An operation is the spans of one name in one service. A span without a start lasts no time. Cost
    O(n log n).

    Examples
    --------
    >>> from workbench import otlp
    >>> traces = otlp.read("datasets/checkout/traces.otlp.zst")
    >>> paths = otlp.critical_paths(traces)
    >>> paths.to_pandas()[["service", "name"]].values.tolist()[0]
    ['payment', 'POST /charges']
    """
    structure = traces.structure
    start, parent = structure.start, structure.parent
    stop = start + structure.duration
    walk = critical_walk(start, stop, parent, structure.root)
    own = self_time(start, stop, parent)
    operations = number_operations([traces])
    orphan = has_parent_id(traces) & (parent < 0)
    paths = call_paths(parent, operations.of_span, orphan)
    return CriticalPaths(
        _tabulate(operations, walk, own, structure.trace, len(structure.root)),
        own,
        walk.time,
        len(structure.root),
        _apart(parent, structure.root),
        walk,
        paths,
        operations,
    )


def _tabulate(operations: Operations, walk: CriticalWalk, own: Rows, trace: Rows, traces: int) -> pa.Table:
    size, of_span = len(operations), operations.of_span
    critical_ms = np.bincount(of_span, walk.time / MS, size)
    total = critical_ms.sum()
    held = of_span[walk.critical] * traces + trace[walk.critical]
    p50, p99 = grouped_quantiles(of_span, own, size, (0.5, 0.99)) / MS
    columns = {
        "service": np.array(operations.service, object),
        "name": np.array(operations.name, object),
        "spans": np.bincount(of_span, minlength=size),
        "critical_spans": np.bincount(of_span[walk.critical], minlength=size),
        "traces": np.bincount(np.unique(held) // max(traces, 1), minlength=size),
        "critical_ms": critical_ms,
        "critical_share": critical_ms / total if total else np.zeros(size),
        "critical_ms_per_trace": critical_ms / max(traces, 1),
        "self_ms": np.bincount(of_span, own / MS, size),
        "self_p50_ms": p50,
        "self_p99_ms": p99,
    }
    order = np.lexsort((-columns["self_ms"], -critical_ms))
    types = {"service": pa.string(), "name": pa.string()}
    return pa.table({name: pa.array(values[order], types.get(name)) for name, values in columns.items()})


def _apart(parent: Rows, root: Rows) -> int:
    """Return how many spans hang below another parentless span than their trace's root."""
    top = np.where(parent < 0, np.arange(len(parent)), parent)
    while True:
        further = top[top]
        if np.array_equal(further, top):
            break
        top = further
    is_root = np.zeros(len(parent), np.bool_)
    is_root[root] = True
    return int((~is_root[top]).sum())
