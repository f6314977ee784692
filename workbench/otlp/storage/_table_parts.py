"""Some resources of a folder of tables with all that is theirs; every id becomes its row's number."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.otlp._schema import LAYOUTS, Signal
from workbench.otlp.codec._choose import parents_of
from workbench.otlp.codec._given_tables import MOST_OWNERS
from workbench.otlp.storage._table_files import TableFile, bounds_of

__all__ = ["LISTED", "PartReader", "with_column", "with_struct_ids"]

Rows = npt.NDArray[np.int64]
LISTED = {"summary_dp_quantiles": ("summary_data_points", "quantile")}  # messages that a list column holds
ENVELOPE = {"resource": "resources", "scope": "scopes"}  # struct of a record -> table
UNKNOWN_FIELDS = "unknown_fields"


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of a table: their ids in the file, and the table with new ones."""

    ids: Rows
    table: pa.Table


class PartReader:
    """Reads the tables of one signal, resources by resources; counts what it read."""

    def __init__(self, signal: Signal, files: Mapping[str, TableFile]) -> None:
        self.files = {name: file for name, file in files.items() if name in LAYOUTS[signal].schemas}
        self.records = LAYOUTS[signal].records
        schemas = LAYOUTS[signal].schemas
        self.parents = {
            child: parent
            for child, parent in parents_of(signal).items()
            if child in schemas and (child == self.records or "parent_id" in schemas[child].names)
        }
        self._read: dict[str, int] = dict.fromkeys(self.files, 0)
        self._elements: dict[str, int] = dict.fromkeys(LISTED, 0)
        self._unknown = self._all(UNKNOWN_FIELDS) if UNKNOWN_FIELDS in self.files else None
        self._bounds: dict[tuple[str, str], Rows] = {}

    def records_by_resource(self) -> Rows:
        """Return how many records each resource has."""
        file = self.files.get(self.records)
        found = np.zeros(self._resources(), np.int64)
        most = len(found) if "resources" in self.files else MOST_OWNERS
        for group in range(len(file.group_rows)) if file else ():
            ids = _struct_ids(file.read([group], ["resource"]), "resource")  # type: ignore[union-attr]
            found = _added(found, np.bincount(ids[(ids >= 0) & (ids < most)]))
        return found

    def _resources(self) -> int:
        return int(self.files["resources"].group_rows.sum()) if "resources" in self.files else 0

    def read(self, run: slice) -> dict[str, pa.Table]:
        """Return the tables of some resources, by their rows."""
        parts = {"resources": self._slice("resources", run)} if "resources" in self.files else {}
        for name in self.files:  # what has no parent is the profiles' dictionary, of which nothing is cut
            if name not in self.parents and name not in ("resources", UNKNOWN_FIELDS):
                table = self._all(name)
                parts[name] = _Part(np.arange(len(table)), table)
                self._read[name] += len(table)
        for child, parent in self._in_order():
            parts[child] = self._children(child, parent, parts, run)
        tables = {name: part.table for name, part in parts.items()}
        if self._unknown is not None:
            tables[UNKNOWN_FIELDS] = self._unknown_of(parts, is_first=run.start == 0)
        for name, (owner, column) in LISTED.items():
            if owner in tables:
                self._elements[name] += _elements(tables[owner][column])
        return tables

    def orphans(self) -> dict[str, int]:
        """Return how many rows of each table belonged to no row that was read."""
        rows = {
            name: int(file.group_rows.sum()) for name, file in self.files.items() if name != UNKNOWN_FIELDS
        }
        return {name: count - self._read[name] for name, count in rows.items() if count != self._read[name]}

    def _in_order(self) -> Iterator[tuple[str, str]]:
        """Yield the tables with a parent, parents first."""
        done = {"resources", *(name for name in self.files if name not in self.parents)}
        left = {child: parent for child, parent in self.parents.items() if child in self.files}
        while ready := [
            child for child, parent in left.items() if parent in done or parent not in self.files
        ]:
            for child in ready:
                yield child, left.pop(child)
                done.add(child)

    def _all(self, name: str) -> pa.Table:
        return self.files[name].read(range(len(self.files[name].group_rows)))

    def _slice(self, name: str, run: slice) -> _Part:
        """Return a run of rows of a table whose ids are its rows' numbers."""
        file = self.files[name]
        ends = np.cumsum(file.group_rows)
        groups = np.flatnonzero((ends > run.start) & (ends - file.group_rows < run.stop)).tolist()
        first = int(ends[groups[0]] - file.group_rows[groups[0]]) if groups else 0
        table = file.read(groups).slice(run.start - first if groups else 0, run.stop - run.start)
        self._read[name] += len(table)
        ids = _ids_of(table, np.arange(run.start, run.start + len(table)))
        return _Part(ids, with_column(table, "id", np.arange(len(table))))

    def _children(self, name: str, parent: str, parts: Mapping[str, _Part], run: slice) -> _Part:
        """Return the rows of a table whose parents were read."""
        if parent not in parts:
            owners = np.arange(run.start, run.stop)
            struct: str | None = "resource" if name == self.records else None
        else:
            owners, struct = parts[parent].ids, "scope" if name == self.records else None
        rows, table = self._candidates(name, owners, struct)
        found = _struct_ids(table, struct) if struct else _integers(table["parent_id"])
        places, is_mine = _places(owners, found)
        if not is_mine.all():
            table, rows, places = table.filter(pa.array(is_mine)), rows[is_mine], places[is_mine]
        if len(places) and (np.diff(places) < 0).any():
            order = np.argsort(places, kind="stable")
            table, rows, places = table.take(pa.array(order)), rows[order], places[order]
        self._read[name] += len(table)
        return _Part(_ids_of(table, rows), self._renumbered(name, table, places, parts))

    def _renumbered(self, name: str, table: pa.Table, places: Rows, parts: Mapping[str, _Part]) -> pa.Table:
        if "id" in table.schema.names:
            table = with_column(table, "id", np.arange(len(table)))
        if name != self.records:
            return with_column(table, "parent_id", places)
        for struct, owner in ENVELOPE.items():
            if owner in parts:
                numbers, _ = _places(parts[owner].ids, _struct_ids(table, struct))
                table = with_struct_ids(table, struct, numbers)
        return table

    def _candidates(self, name: str, owners: Rows, struct: str | None) -> tuple[Rows, pa.Table]:
        """Return the groups of rows that may have these parents, and the rows' numbers in the file."""
        file = self.files[name]
        column = f"{struct}.id" if struct else "parent_id"
        bounds = self._bounds_of(name, column)
        least, most = (int(owners.min()), int(owners.max())) if len(owners) else (0, -1)
        groups = np.flatnonzero((bounds[:, 0] <= most) & (bounds[:, 1] >= least))
        starts = np.cumsum(file.group_rows) - file.group_rows
        numbers = [np.arange(starts[group], starts[group] + file.group_rows[group]) for group in groups]
        rows = np.concatenate(numbers) if numbers else np.empty(0, np.int64)
        return rows, file.read(groups.tolist())

    def _bounds_of(self, name: str, column: str) -> Rows:
        key = (name, column)
        if key not in self._bounds:
            self._bounds[key] = bounds_of(self.files[name], column)
        return self._bounds[key]

    def _unknown_of(self, parts: Mapping[str, _Part], *, is_first: bool) -> pa.Table:
        """Return the fields that no column holds, of the rows that were read."""
        unknown: Any = self._unknown
        tables = np.array(unknown["table"].to_pylist(), object)
        rows = _integers(unknown["row"])
        kept, new = np.zeros(len(rows), bool), rows.copy()
        for name in set(tables.tolist()):
            here = np.flatnonzero(tables == name)
            if name in parts:
                new[here], kept[here] = _places(parts[name].ids, rows[here])
            elif name in LISTED and LISTED[name][0] in parts:
                owner, column = LISTED[name]
                new[here] = rows[here] - self._elements[name]
                kept[here] = (new[here] >= 0) & (new[here] < _elements(parts[owner].table[column]))
            else:
                kept[here] = is_first
        return with_column(unknown, "row", new).filter(pa.array(kept))


def _elements(column: pa.ChunkedArray) -> int:
    if pa.types.is_null(column.type):
        return 0
    return int(pc.sum(pc.list_value_length(column)).as_py() or 0)


def _added(first: Rows, second: Rows) -> Rows:
    longest = max(len(first), len(second))
    return np.pad(first, (0, longest - len(first))) + np.pad(second, (0, longest - len(second)))


def _ids_of(table: pa.Table, rows: Rows) -> Rows:
    return _integers(table["id"]) if "id" in table.schema.names else rows


def _struct_ids(table: pa.Table, struct: str) -> Rows:
    return _integers(pc.struct_field(table[struct], "id"))


def _integers(ids: pa.ChunkedArray) -> Rows:
    """Return ids, -1 where there is none: a row that belongs to no other."""
    return ids.cast(pa.int64(), safe=False).fill_null(-1).to_numpy()


def _places(owners: Rows, found: Rows) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """Return where each id stands among the owners', and whether it does."""
    if not len(owners):
        return np.zeros(len(found), np.int64), np.zeros(len(found), bool)
    order = np.argsort(owners, kind="stable")
    at = np.minimum(np.searchsorted(owners[order], found), len(owners) - 1)
    return order[at], owners[order][at] == found


def with_column(table: pa.Table, name: str, values: Rows) -> pa.Table:
    """Return a table with other numbers in a column."""
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))


def with_struct_ids(table: pa.Table, struct: str, ids: Rows) -> pa.Table:
    """Return a table with other ids in a struct."""
    at = table.schema.get_field_index(struct)
    column = table[struct].combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    fields = [  # by number: a name with a dot would be taken for a path
        pa.array(ids, field.type) if field.name == "id" else pc.struct_field(column, [number])
        for number, field in enumerate(column.type)
    ]
    made = pa.StructArray.from_arrays(fields, fields=list(column.type))
    return table.set_column(at, table.schema.field(at), made)
