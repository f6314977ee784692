"""`Metrics`: metrics and their data points."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench import display
from workbench.otlp._columns import Level, attribute_column, keys_of, no_such_key, record_levels
from workbench.otlp._schema import LAYOUTS, Signal
from workbench.otlp.errors import UnknownKeyError
from workbench.otlp.telemetry import Telemetry

__all__ = ["Metrics"]

POINT_STEMS = {1: "number", 2: "number", 3: "histogram", 4: "exp_histogram", 5: "summary"}
TYPE_NAMES = {0: "none", 1: "gauge", 2: "sum", 3: "histogram", 4: "exponential histogram", 5: "summary"}


class Metrics(Telemetry):
    """Immutable metrics with their data points, exemplars, resources and scopes.

    A record is a metric as it was sent: the same name comes again with every export. ``metrics.points(name)``
    is a table of all data points of that name.
    """

    __slots__ = ()
    signal: ClassVar[Signal] = "metrics"

    def names(self) -> list[str]:
        """Return the names of the metrics, sorted."""
        return sorted(set(self.records["name"].to_pylist()))

    def points(self, name: str) -> pa.Table:
        """Return all data points of one metric: their own columns, then one column an attribute.

        An attribute with the name of an own column is called ``attributes.NAME``.

        Raises
        ------
        UnknownKeyError
            When there is no metric of that name; lists near names.
        """
        chosen = self.filter(pc.equal(self.records["name"], name))
        if not len(chosen):
            raise UnknownKeyError(no_such_key(name, self.names(), what="metric"))
        kinds = pc.unique(chosen.records["metric_type"]).to_pylist()
        stems = sorted({POINT_STEMS[kind] for kind in kinds if kind in POINT_STEMS}) or ["number"]
        return pa.concat_tables([_flat_points(chosen, stem) for stem in stems], promote_options="default")

    def _times(self) -> pa.ChunkedArray:
        tables = [table for name, table in self.tables.items() if name.endswith("data_points")]
        times = [chunk for table in tables for chunk in table["time_unix_nano"].chunks]
        return pa.chunked_array(times, tables[0].schema.field("time_unix_nano").type)

    def _facts(self) -> Iterator[str]:
        yield f"{len(self):,} metrics"
        yield f"{len(self.names()):,} names"
        yield f"{self._point_count():,} data points"

    def _point_count(self) -> int:
        return sum(len(table) for name, table in self.tables.items() if name.endswith("data_points"))

    def _summary(self) -> display.Table:
        records = zip(
            *(self.records[name].to_pylist() for name in ("name", "metric_type", "unit")), strict=True
        )
        rows = [(name, TYPE_NAMES.get(kind, "?"), unit) for name, kind, unit in sorted(set(records))]
        return display.table(["metric", "type", "unit"], rows, title=repr(self))


def _flat_points(metrics: Metrics, stem: str) -> pa.Table:
    """Return the points of metrics of one kind with all attributes that speak of them as columns."""
    points = metrics.tables[f"{stem}_data_points"]
    levels = _point_levels(metrics, stem, points)
    own = {name: points[name] for name in points.column_names if name not in ("id", "parent_id")}
    columns = {_name(key, own): attribute_column(key, levels) for key in keys_of(levels)}
    return pa.table(own | columns)


def _name(key: str, own: dict[str, pa.ChunkedArray]) -> str:
    """Return an attribute's key, told apart from the points' own columns."""
    return f"attributes.{key}" if key in own else key


def _point_levels(metrics: Metrics, stem: str, points: pa.Table) -> list[Level]:
    metric = points["parent_id"].to_numpy()
    return [
        (metrics.tables[f"{stem}_dp_attrs"], np.arange(len(points))),
        *(
            (table, owners[metric])
            for table, owners in record_levels(metrics.tables, LAYOUTS[metrics.signal])
        ),
    ]
