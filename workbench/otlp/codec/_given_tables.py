"""Tables that somebody made: are they those of a signal? What they leave out is filled in."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.otlp._schema import Layout
from workbench.otlp.codec._given_values import check_values
from workbench.otlp.errors import TableError

__all__ = ["MOST_OWNERS", "checked_tables"]

Array = npt.NDArray[Any]
MOST_OWNERS = 1 << 24  # that are made up for records: a wrong id must not fill the memory


def checked_tables(tables: Any, layout: Layout) -> dict[str, pa.Table]:
    """Return tables of a signal's schemas, those that are missing empty.

    Raises
    ------
    TableError
        When there is one of another signal, one lacks a column, a column has another type, or a value is
        none that it may hold.
    """
    if not isinstance(tables, Mapping):
        msg = f"expected tables by name, got {type(tables).__name__}"
        raise TableError(msg)
    given = {name: _whole(name, table) for name, table in tables.items()}
    for name, table in given.items():
        if name not in layout.schemas:
            msg = f"there is no table {name!r} here; expected {', '.join(layout.schemas)}"
            raise TableError(msg)
        for field in layout.schemas[name]:
            if field.name not in table.schema.names:
                msg = f"table {name!r} lacks the column {field.name!r} of type {field.type}"
                raise TableError(msg)
            _check_parts(field.type, table.schema.field(field.name).type, name, field.name)
    whole = {name: _with_schema(given.get(name), name, schema) for name, schema in layout.schemas.items()}
    for name in ("resources", "scopes"):
        if name not in given and layout.records in given:
            whole[name] = _owners(whole[layout.records], name.removesuffix("s"), layout.schemas[name])
    check_values(whole, layout)
    return whole


def _check_parts(expected: pa.DataType, given: pa.DataType, table: str, path: str) -> None:
    """Refuse structs that lack a field, which Arrow would take for one without values."""
    if pa.types.is_list(expected) and (pa.types.is_list(given) or pa.types.is_large_list(given)):
        _check_parts(expected.value_type, given.value_type, table, path)
    if pa.types.is_struct(expected) and pa.types.is_struct(given):
        for field in expected:
            if given.get_field_index(field.name) < 0:
                msg = f"table {table!r} lacks the field '{path}.{field.name}' of type {field.type}"
                raise TableError(msg)
            _check_parts(field.type, given.field(field.name).type, table, f"{path}.{field.name}")


def _whole(name: str, table: pa.Table | pa.RecordBatch) -> pa.Table:
    """Return a table whose memory is what Arrow says that it is."""
    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    if not isinstance(table, pa.Table):
        msg = f"expected a pyarrow Table for {name!r}, got {type(table).__name__}"
        raise TableError(msg)
    try:
        table.validate(full=True)
    except (pa.ArrowInvalid, IndexError) as error:
        msg = f"table {name!r} is broken: {error}"
        raise TableError(msg) from error
    return table


def _owners(records: pa.Table, struct: str, schema: pa.Schema) -> pa.Table:
    """Return the resources or scopes that records name in their structs, for tables that have none."""
    column = records[struct].combine_chunks()
    numbers = pc.struct_field(column, "id")
    if numbers.null_count:
        row = pc.index(numbers.is_null(), True).as_py()
        msg = f"there are no {struct}s, and row {row:,} of the records has no {struct}.id"
        raise TableError(msg)
    ids = numbers.to_numpy(zero_copy_only=False).astype(np.int64)
    size = int(ids.max(initial=-1)) + 1
    if size > MOST_OWNERS:
        msg = f"ids of {struct}s are the numbers of their rows, from 0 on; got {size - 1:,}"
        raise TableError(msg)
    row = np.full(size, -1, np.int64)
    row[ids[::-1]] = np.arange(len(ids))[::-1]
    taken = column.take(pa.array(row, mask=row < 0))
    parents = pc.struct_field(records["resource"].combine_chunks(), "id").take(pa.array(row, mask=row < 0))
    columns = {
        "id": pa.array(np.arange(size), pa.uint32()),
        "parent_id": parents.fill_null(0),
        "is_set": pa.array(np.ones(size, bool)),
        "schema_url": _texts_of(records["schema_url"] if struct == "scope" else None, taken, row),
    }
    fields = [columns[f.name] if f.name in columns else pc.struct_field(taken, f.name) for f in schema]
    return pa.Table.from_arrays(fields, schema=schema)


def _texts_of(column: pa.ChunkedArray | None, taken: pa.Array, row: Array) -> pa.Array:
    if column is None:
        return pc.struct_field(taken, "schema_url").fill_null("")
    return column.combine_chunks().take(pa.array(row, mask=row < 0)).fill_null("")


def _with_schema(table: pa.Table | None, name: str, schema: pa.Schema) -> pa.Table:
    if table is None:
        return schema.empty_table()
    try:
        return table if table.schema.equals(schema) else table.select(schema.names).cast(schema)
    except (pa.ArrowException, ValueError) as error:
        msg = f"table {name!r} has other types than expected: {error}"
        raise TableError(msg) from error
