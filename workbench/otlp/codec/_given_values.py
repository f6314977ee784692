"""What schemas do not say of tables that somebody made: references, types of values, nested values.

Kernels follow references without looking, so all of them are looked at here.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from workbench.otlp._schema import LAYOUTS, Layout, Signal, ValueType
from workbench.otlp.codec._arrow import EMPTY_DICTIONARY
from workbench.otlp.codec._plan import Plan, plan_of
from workbench.otlp.codec._unarrow import LISTED
from workbench.otlp.errors import TableError

__all__ = ["check_values"]

Tables = Mapping[str, pa.Table]
Array = npt.NDArray[Any]
ENVELOPES = {"resource": "resources", "scope": "scopes"}
NESTED = {ValueType.MAP: "kvlist_value", ValueType.SLICE: "array_value"}
UNKNOWN = "unknown_fields"
IN_ATTRIBUTES = ("KeyValue", "AnyValue")


def check_values(tables: Tables, layout: Layout) -> None:
    """Refuse tables that follow their schemas, and still are no telemetry.

    Raises
    ------
    TableError
        With the table, the column and the first row that is wrong.
    """
    for name, table in tables.items():
        if "id" in table.schema.names:
            _check_all(table["id"], name, "id", "the row's own number", np.arange(len(table)))
        if "is_set" in table.schema.names:
            _check_none_null(table["is_set"], name, "is_set")
        _check_types(name, table)
    for child, parent in {**layout.parents, "scopes": "resource"}.items():
        rows = len(tables[ENVELOPES.get(parent, parent)])
        _check_reference(tables[child]["parent_id"], child, "parent_id", rows)
    _check_owners(tables, layout.records)
    _check_unknown_fields(plan_of(_signal_of(layout)), tables)


def _signal_of(layout: Layout) -> Signal:
    return next(signal for signal, known in LAYOUTS.items() if known.records == layout.records)


def _check_owners(tables: Tables, records: str) -> None:
    """Refuse records of no scope, or of another resource than their scope's."""
    ids = {}
    for struct, owners in ENVELOPES.items():
        column = pc.struct_field(tables[records][struct], "id")
        _check_reference(column, records, f"{struct}.id", len(tables[owners]))
        ids[struct] = column.to_numpy()
    scopes = tables["scopes"]["parent_id"].to_numpy()
    expected = scopes[ids["scope"]] if len(scopes) else ids["scope"]
    wrong = np.flatnonzero(ids["resource"] != expected)
    if len(wrong):
        raise _wrong(records, "resource.id", int(wrong[0]), "the resource that its scope belongs to")


def _check_reference(column: pa.ChunkedArray, table: str, name: str, rows: int) -> None:
    _check_none_null(column, table, name)
    wrong = np.flatnonzero(column.to_numpy() >= rows)
    if len(wrong):
        raise _wrong(table, name, int(wrong[0]), f"one of the {rows:,} rows that it refers to")


def _check_all(column: pa.ChunkedArray, table: str, name: str, what: str, expected: Array) -> None:
    _check_none_null(column, table, name)
    wrong = np.flatnonzero(column.to_numpy() != expected)
    if len(wrong):
        raise _wrong(table, name, int(wrong[0]), what)


def _check_none_null(column: pa.ChunkedArray, table: str, name: str) -> None:
    if column.null_count:
        raise _wrong(table, name, pc.index(column.is_null(), True).as_py(), "a value, got null")


def _check_types(name: str, table: pa.Table) -> None:
    """Check the values of an attribute table, and of structs that are values."""
    if {"type", "ser"} <= set(table.schema.names):
        _check_values(name, "", table["type"], table["ser"])
    for field in table.schema:
        if pa.types.is_struct(field.type) and field.type.get_field_index("ser") >= 0:
            column = table[field.name]
            parts = (pc.struct_field(column, part) for part in ("type", "ser"))
            _check_values(name, f"{field.name}.", *parts)


def _check_values(table: str, prefix: str, types: pa.ChunkedArray, nested: pa.ChunkedArray) -> None:
    kinds = types.fill_null(0).to_numpy()
    wrong = np.flatnonzero(kinds > max(ValueType))
    if len(wrong):
        raise _wrong(table, f"{prefix}type", int(wrong[0]), f"a type from 0 to {max(ValueType):d}")
    for kind, field in NESTED.items():
        of_kind = pa.array(kinds == kind)
        for value in pc.unique(nested.filter(of_kind)).to_pylist():
            if _nested_kind(value) != field:
                row = int(np.flatnonzero(kinds == kind)[_index(nested.filter(of_kind), value)])
                raise _wrong(table, f"{prefix}ser", row, f"a serialized AnyValue with its {field}")


def _index(column: pa.ChunkedArray, value: bytes | None) -> int:
    found: int = pc.index(column.is_null() if value is None else pc.equal(column, value), True).as_py()
    return found


def _nested_kind(value: bytes | None) -> str | None:
    try:
        return AnyValue.FromString(value).WhichOneof("value") if value is not None else None
    except DecodeError:
        return None


def _check_unknown_fields(plan: Plan, tables: Tables) -> None:
    """Check that what no column holds belongs to a row, and is fields of a message, or an id."""
    places = set(plan.slots.values())
    places |= {(table, field) for table in plan.attribute_tables for field in IN_ATTRIBUTES}
    places.add(("root", EMPTY_DICTIONARY))
    for number, entry in enumerate(tables[UNKNOWN].to_pylist()):
        table, row, field, value = (entry[key] for key in ("table", "row", "field", "value"))
        if (table, field) not in places:
            raise _wrong(UNKNOWN, "field", number, "a message or an id of its table")
        rows = _rows(tables, table)
        if row is None or row >= rows:
            raise _wrong(UNKNOWN, "row", number, f"one of the {rows:,} rows of {table!r}")
        is_id = table in tables and field in tables[table].schema.names
        if value is None or not (is_id or _are_fields(value)):
            raise _wrong(UNKNOWN, "value", number, "whole fields of a protobuf message")


def _rows(tables: Tables, table: str) -> int:
    """Return how many rows a table has, or would have where it is lists in another."""
    if table == "root":
        return 1
    if table not in LISTED:
        return len(tables[table])
    owner, column = LISTED[table]
    return int(pc.sum(pc.list_value_length(tables[owner][column])).as_py() or 0)


def _are_fields(value: bytes) -> bool:
    try:
        Empty.FromString(value)
    except DecodeError:
        return False
    return True


def _wrong(table: str, column: str, row: int, expected: str) -> TableError:
    return TableError(f"table {table!r}, column {column!r}, row {row:,}: expected {expected}")
