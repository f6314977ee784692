"""The tables of metrics with some data points restated: new contents, new start times, some rows left out."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp.histograms._sequences import Outcome, Series, in_order
from workbench.otlp.histograms._series import series_of
from workbench.otlp.histograms._states import Points, points_of

__all__ = ["CUMULATIVE", "DELTA", "Change", "restated_tables"]

DELTA, CUMULATIVE = 1, 2
KINDS = {"number": 2, "histogram": 3, "exp_histogram": 4}  # tables of points, and the metrics they belong to
SUM = 2
NOT_RECORDED = 1
Change = Callable[[Series, Points], Outcome]
Tables = Mapping[str, pa.Table]
Marks = npt.NDArray[np.bool_]


def restated_tables(
    tables: Tables, source: int, target: int, change: Change
) -> tuple[dict[str, pa.Table], list[dict[str, int]], Marks]:
    """Return the tables in the other temporality, what was found, and which metrics lost all points."""
    metrics = tables["metrics"]
    kinds = _column(metrics, "metric_type")
    chosen = (_column(metrics, "aggregation_temporality") == source) & np.isin(kinds, list(KINDS.values()))
    new = dict(tables)
    counts, before, after = [], np.zeros(len(metrics), np.int64), np.zeros(len(metrics), np.int64)
    for stem, kind in KINDS.items():
        points = tables[f"{stem}_data_points"]
        owner = _column(points, "parent_id")
        before += np.bincount(owner, minlength=len(metrics))
        rows = np.flatnonzero(chosen[owner] & (kinds[owner] == kind))
        if len(rows):
            found, kept = _restate(tables, stem, rows, change, new)
            counts.append(found)
            owner = owner[kept]
        after += np.bincount(owner, minlength=len(metrics))
    temporality = np.where(chosen, target, _column(metrics, "aggregation_temporality"))
    known = metrics["aggregation_temporality"].is_valid().to_numpy()
    new["metrics"] = _replaced(metrics, "aggregation_temporality", pa.array(temporality, mask=~known))
    return new, counts, (before > 0) & (after == 0)


def _restate(
    tables: Tables, stem: str, rows: npt.NDArray[np.int64], change: Change, new: dict[str, pa.Table]
) -> tuple[dict[str, int], Marks]:
    """Put the restated points of one kind into `new`; return what was found, and which rows of all stayed."""
    table = tables[f"{stem}_data_points"]
    series = _series(tables, stem, rows)
    points = points_of(stem, table, rows)
    outcome = change(series, points)
    starts = _column(table, "start_time_unix_nano")
    starts[series.rows] = outcome.starts
    kind = table.schema.field("start_time_unix_nano").type
    changed = points.columns() | {"start_time_unix_nano": pa.array(starts).cast(kind)}
    for name, values in changed.items():
        table = _replaced(table, name, values)
    kept = np.ones(len(table), np.bool_)
    kept[series.rows[~outcome.kept]] = False
    new[f"{stem}_data_points"] = table
    exemplars = len(tables[f"{stem}_dp_exemplars"])
    new |= dict(_without(new, stem, kept))
    return outcome.found | {"lost_exemplars": exemplars - len(new[f"{stem}_dp_exemplars"])}, kept


def _series(tables: Tables, stem: str, rows: npt.NDArray[np.int64]) -> Series:
    table, metrics = tables[f"{stem}_data_points"], tables["metrics"]
    owner = _column(table, "parent_id")[rows]
    falls_not = _column(metrics, "is_monotonic").astype(np.bool_)
    monotonic = falls_not[owner] if KINDS[stem] == SUM else np.ones(len(rows), np.bool_)
    empty = (_column(table, "flags")[rows] & NOT_RECORDED) != 0
    times, starts = (_column(table, name)[rows] for name in ("time_unix_nano", "start_time_unix_nano"))
    return in_order(rows, series_of(tables, stem)[rows], times, starts, empty, monotonic)


def _without(tables: Tables, stem: str, kept: Marks) -> Iterator[tuple[str, pa.Table]]:
    """Yield the tables of points and of what belongs to them, without the points that are not kept."""
    if kept.all():
        return
    numbers = _numbers(kept)
    yield f"{stem}_data_points", _numbered(tables[f"{stem}_data_points"].filter(pa.array(kept)))
    yield f"{stem}_dp_attrs", _adopted(tables[f"{stem}_dp_attrs"], numbers)[0]
    exemplars, stay = _adopted(tables[f"{stem}_dp_exemplars"], numbers)
    yield f"{stem}_dp_exemplars", _numbered(exemplars)
    yield f"{stem}_dp_exemplar_attrs", _adopted(tables[f"{stem}_dp_exemplar_attrs"], _numbers(stay))[0]


def _numbers(kept: Marks) -> npt.NDArray[np.int64]:
    """Return the new number of each row, or -1."""
    return np.where(kept, np.cumsum(kept) - 1, -1)


def _adopted(child: pa.Table, numbers: npt.NDArray[np.int64]) -> tuple[pa.Table, Marks]:
    parents = numbers[_column(child, "parent_id")]
    stay = parents >= 0
    kept = child.filter(pa.array(stay))
    return _replaced(kept, "parent_id", pa.array(parents[stay])), stay


def _numbered(table: pa.Table) -> pa.Table:
    return _replaced(table, "id", pa.array(np.arange(len(table))))


def _replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    at = table.schema.get_field_index(name)
    field = table.schema.field(at)
    return table.set_column(at, field, values.cast(field.type))


def _column(table: pa.Table, name: str) -> Any:
    """Return a column as a writable array, null as zero."""
    column = table[name]
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.int64())
    values = column.fill_null(False if pa.types.is_boolean(column.type) else 0).to_numpy()
    return values.astype(np.int64 if values.dtype.kind in "iu" else values.dtype)
