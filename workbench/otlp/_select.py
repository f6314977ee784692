"""Choose records of a star schema, and with them exactly the children, resources and scopes that are theirs.

After a selection every id is its row's number again, so equal telemetry has equal tables however it was
chosen.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.otlp._schema import Layout

__all__ = ["Tables", "select_rows", "struct_ids"]

Tables = Mapping[str, pa.Table]
Rows = npt.NDArray[np.int64]

ENVELOPES = ("resource", "scope")


def struct_ids(records: pa.Table, struct: str) -> Rows:
    """Return the resource or scope id of each record, `(n,) int64`."""
    ids = pc.struct_field(records[struct], "id")
    return ids.to_numpy().astype(np.int64)


def select_rows(tables: Tables, layout: Layout, rows: Rows) -> dict[str, pa.Table]:
    """Return the tables of the given records, in the given order.

    Parameters
    ----------
    rows : (k,) int64
        Row numbers of distinct records.
    """
    chosen = {layout.records: _numbered(tables[layout.records].take(rows))}
    renumbered = {layout.records: _new_numbers(rows, len(tables[layout.records]))}
    for struct in ENVELOPES:
        chosen[layout.records], renumbered[struct] = _renumber_struct(chosen[layout.records], struct)
    for child, parent in layout.parents.items():
        kept = _children(tables[child], renumbered[parent])
        chosen[child] = _adopted(tables[child], kept, renumbered[parent])
        renumbered[child] = _new_numbers(kept, len(tables[child]))
    return chosen


def _new_numbers(rows: Rows, size: int) -> Rows:
    """Return for each old row its new number, or -1 where it is left out."""
    numbers = np.full(size, -1, np.int64)
    numbers[rows] = np.arange(len(rows))
    return numbers


def _renumber_struct(records: pa.Table, struct: str) -> tuple[pa.Table, Rows]:
    old = struct_ids(records, struct)
    distinct, first, inverse = np.unique(old, return_index=True, return_inverse=True)
    rank = np.empty(len(distinct), np.int64)
    rank[np.argsort(first)] = np.arange(len(distinct))
    numbers = np.full(int(distinct[-1]) + 1 if len(distinct) else 0, -1, np.int64)
    numbers[distinct] = rank
    return _with_struct_ids(records, struct, rank[inverse]), numbers


def _with_struct_ids(records: pa.Table, struct: str, ids: Rows) -> pa.Table:
    at = records.schema.get_field_index(struct)
    column = records[struct].combine_chunks()
    fields = [pa.array(ids, pa.uint32()) if f.name == "id" else column.field(f.name) for f in column.type]
    return records.set_column(
        at, records.schema.field(at), pa.StructArray.from_arrays(fields, fields=list(column.type))
    )


def _children(child: pa.Table, numbers: Rows) -> Rows:
    """Return the rows of a child table whose parents stay, ordered by the parents' new numbers."""
    parents = child["parent_id"].to_numpy()
    new = (
        np.where(parents < len(numbers), numbers[np.minimum(parents, len(numbers) - 1)], -1)
        if len(numbers)
        else np.full(len(parents), -1)
    )
    kept = np.flatnonzero(new >= 0)
    return kept[np.argsort(new[kept], kind="stable")]


def _adopted(child: pa.Table, rows: Rows, numbers: Rows) -> pa.Table:
    taken = child.take(rows)
    parents = numbers[taken["parent_id"].to_numpy()]
    at = child.schema.get_field_index("parent_id")
    taken = taken.set_column(at, child.schema.field(at), pa.array(parents, pa.uint32()))
    return _numbered(taken) if "id" in child.schema.names else taken


def _numbered(table: pa.Table) -> pa.Table:
    at = table.schema.get_field_index("id")
    return table.set_column(at, table.schema.field(at), pa.array(np.arange(len(table)), pa.uint32()))
