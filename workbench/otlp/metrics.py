"""`Metrics`: metrics and their data points."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench import display
from workbench.otlp._attributes import (
    NOWHERE,
    Level,
    attribute_column,
    attribute_keys,
    names_apart,
    record_levels,
)
from workbench.otlp._columns import no_such_key
from workbench.otlp._schema import Signal
from workbench.otlp.codec._star import Star
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

        An attribute with the name of an own column is called ``attributes.NAME``, and again where that is
        taken. Where points are of several kinds, columns that others do not have are null.

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
        return _flat_points(chosen, stems)

    def _times(self) -> pa.ChunkedArray:
        tables = [table for name, table in self.tables.items() if name.endswith("data_points")]
        times = [chunk for table in tables for chunk in table["time_unix_nano"].chunks]
        return pa.chunked_array(times, tables[0].schema.field("time_unix_nano").type)

    def _facts(self) -> Iterator[str]:
        yield display.plural(len(self), "metric")
        yield display.plural(len(self.names()), "name")
        yield display.plural(self._point_count(), "data point")

    def _point_count(self) -> int:
        return sum(len(table) for name, table in self.tables.items() if name.endswith("data_points"))

    def _summary(self) -> display.Table:
        records = zip(
            *(self.records[name].to_pylist() for name in ("name", "metric_type", "unit")), strict=True
        )
        rows = [(name, TYPE_NAMES.get(kind, "?"), unit) for name, kind, unit in sorted(set(records))]
        return display.table(["metric", "type", "unit"], rows, title=repr(self))


def _flat_points(metrics: Metrics, stems: list[str]) -> pa.Table:
    """Return the points of metrics of some kinds with all attributes that speak of them as columns."""
    star = metrics._columns()  # noqa: SLF001 - the class's own
    tables = [metrics.tables[f"{stem}_data_points"].drop_columns(["id", "parent_id"]) for stem in stems]
    points = pa.concat_tables(tables, promote_options="default")
    levels = _point_levels(star, stems)
    names = names_apart(attribute_keys(star, levels), points.column_names)
    for key, name in names.items():
        points = points.append_column(name, attribute_column(star, key, levels))
    return points


def _point_levels(star: Star, stems: list[str]) -> list[Level]:
    """Return the attribute tables that speak of the points of some kinds, one kind after the other."""
    metric_of = [star.columns[f"{stem}_data_points.parent"].astype(np.int64) for stem in stems]
    kind = np.repeat(np.arange(len(stems)), [len(rows) for rows in metric_of])
    place = np.concatenate([np.arange(len(rows)) for rows in metric_of])
    own = [(f"{stem}_dp_attrs", np.where(kind == at, place, NOWHERE)) for at, stem in enumerate(stems)]
    metric = np.concatenate(metric_of)
    return [*own, *((table, owners[metric]) for table, owners in record_levels(star))]
