"""Who calls whom: services as nodes, calls between them as edges with counts, errors and latency."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from workbench import display
from workbench.otlp.analysis._grouped import grouped_quantiles

if TYPE_CHECKING:
    import pandas as pd

    from workbench.otlp.analysis._structure import SpanStructure

__all__ = ["ServiceMap", "map_services", "tabulate_services"]

EDGES = pa.schema(
    {
        "caller": pa.string(),
        "callee": pa.string(),
        "calls": pa.int64(),
        "errors": pa.int64(),
        "p50_ms": pa.float64(),
        "p99_ms": pa.float64(),
    }
)


@dataclass(frozen=True, slots=True)
class ServiceMap:
    """The calls between services.

    Attributes
    ----------
    edges : pyarrow.Table
        caller, callee, calls, errors (calls whose client or server span has status ERROR), p50_ms and p99_ms
        (quantiles of the callee's time, milliseconds); most calls first.
    services : pyarrow.Table
        service, spans, errors.
    """

    edges: pa.Table
    services: pa.Table

    def __repr__(self) -> str:
        calls = sum(self.edges["calls"].to_pylist())
        counted = {"service": len(self.services), "edge": len(self.edges), "call": calls}
        return f"ServiceMap: {', '.join(display.plural(count, noun) for noun, count in counted.items())}"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        return self.picture()._repr_mimebundle_(**options) | {"text/plain": repr(self)}

    def picture(self) -> display.Picture:
        """Draw the map: wider edges carry more calls, coloured ones more errors."""
        edges = self.edges.to_pylist()
        return display.graph(
            [(edge["caller"], edge["callee"]) for edge in edges],
            width=[edge["calls"] for edge in edges],
            colour=[100 * edge["errors"] / edge["calls"] for edge in edges],
            edge_label=[_label(edge) for edge in edges],
            node_label={
                row["service"]: display.plural(row["spans"], "span") for row in self.services.to_pylist()
            },
            width_name="calls",
            colour_name="errors, %",
            title="Who calls whom",
        )

    def to_arrow(self) -> pa.Table:
        """Return the edges."""
        return self.edges

    def to_pandas(self) -> "pd.DataFrame":
        """Return the edges as a data frame."""
        return self.edges.to_pandas()


def _label(edge: dict[str, Any]) -> str:
    """Return the calls of an edge, and their median if any says when it started."""
    calls = display.plural(edge["calls"], "call")
    return calls if math.isnan(edge["p50_ms"]) else f"{calls}, p50 {edge['p50_ms']:.0f} ms"


def map_services(structure: "SpanStructure") -> ServiceMap:
    """Return the calls between services, from spans whose parent belongs to another service; O(n log n)."""
    called = np.flatnonzero(structure.is_entry & (structure.parent >= 0))
    parent, size = structure.parent[called], max(len(structure.services), 1)
    pairs, edge = np.unique(structure.service[parent] * size + structure.service[called], return_inverse=True)
    failed = structure.error[called] | structure.error[parent]
    timed = structure.is_started[called]
    duration_ms = structure.duration[called[timed]] / 1e6
    p50, p99 = grouped_quantiles(edge[timed], duration_ms, len(pairs), (0.5, 0.99))
    calls = np.bincount(edge, minlength=len(pairs))
    order = np.lexsort((pairs, -calls))
    columns = {
        "caller": [structure.services[pair // size] for pair in pairs[order]],
        "callee": [structure.services[pair % size] for pair in pairs[order]],
        "calls": calls[order],
        "errors": np.bincount(edge[failed], minlength=len(pairs))[order],
        "p50_ms": p50[order],
        "p99_ms": p99[order],
    }
    return ServiceMap(pa.table(columns, schema=EDGES), tabulate_services(structure))


def tabulate_services(structure: "SpanStructure") -> pa.Table:
    """Return service, spans and errors (spans with status ERROR), most spans first."""
    size = len(structure.services)
    spans = np.bincount(structure.service, minlength=size)
    errors = np.bincount(structure.service, weights=structure.error, minlength=size).astype(np.int64)
    order = np.lexsort((np.asarray(structure.services), -spans)) if size else np.empty(0, np.int64)
    return pa.table(
        {
            "service": pa.array([structure.services[row] for row in order], pa.string()),
            "spans": pa.array(spans[order], pa.int64()),
            "errors": pa.array(errors[order], pa.int64()),
        }
    )
