"""Rows that grow one by one into the tables of a signal: resources, scopes, attributes and values.

This is the slow and certain way: a Python object for each record, straight from the official messages.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from google.protobuf.message import Message

from workbench.otlp._schema import LAYOUTS, Signal, ValueType

__all__ = ["Row", "StarRows", "signed"]

Row = Mapping[str, Any]

SCALARS: dict[str, tuple[ValueType, str]] = {
    "string_value": (ValueType.STR, "str"),
    "int_value": (ValueType.INT, "int"),
    "double_value": (ValueType.DOUBLE, "double"),
    "bool_value": (ValueType.BOOL, "bool"),
    "bytes_value": (ValueType.BYTES, "bytes"),
}
NESTED = {"kvlist_value": ValueType.MAP, "array_value": ValueType.SLICE}


def signed(nanoseconds: int) -> int:
    """Return an unsigned 64-bit number as the signed one with the same bits: Arrow's times are signed."""
    return (nanoseconds + (1 << 63)) % (1 << 64) - (1 << 63)


class StarRows:
    """The growing tables of one signal."""

    def __init__(self, signal: Signal) -> None:
        self.layout = LAYOUTS[signal]
        self.rows: dict[str, list[Row]] = {name: [] for name in self.layout.schemas}
        self.resources = 0
        self.scopes = 0

    def add(self, table: str, **row: Any) -> int:
        """Append a row, numbered by its place, and return that number."""
        number = len(self.rows[table])
        self.rows[table].append(row | {"id": number})
        return number

    def add_attributes(self, table: str, parent: int, attributes: Iterable[Any]) -> None:
        """Append the attributes of one parent, in their order; equal keys stay."""
        rows = self.rows[table]
        for pair in attributes:
            rows.append({"parent_id": parent, "key": pair.key, **value_columns(pair.value)})

    def resource(self, envelope: Any) -> Row:
        """Append a resource with its attributes and entity references, and return its struct."""
        number, resource = self.resources, envelope.resource
        self.resources += 1
        self.add_attributes("resource_attrs", number, resource.attributes)
        for reference in resource.entity_refs:
            self.rows["resource_entity_refs"].append(
                {
                    "parent_id": number,
                    "schema_url": reference.schema_url,
                    "type": reference.type,
                    "id_keys": list(reference.id_keys),
                    "description_keys": list(reference.description_keys),
                }
            )
        return {
            "id": number,
            "schema_url": envelope.schema_url,
            "dropped_attributes_count": resource.dropped_attributes_count,
        }

    def scope(self, envelope: Any) -> Row:
        """Append an instrumentation scope with its attributes, and return its struct."""
        number, scope = self.scopes, envelope.scope
        self.scopes += 1
        self.add_attributes("scope_attrs", number, scope.attributes)
        return {
            "id": number,
            "name": scope.name,
            "version": scope.version,
            "dropped_attributes_count": scope.dropped_attributes_count,
        }

    def tables(self) -> dict[str, pa.Table]:
        """Return the finished tables."""
        return {name: _table(rows, self.layout.schemas[name]) for name, rows in self.rows.items()}


def _table(rows: list[Row], schema: pa.Schema) -> pa.Table:
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def value_columns(value: Message) -> dict[str, Any]:
    """Return the columns of one ``AnyValue``: its type, and the column of that type filled."""
    kind = value.WhichOneof("value")
    if kind in SCALARS:
        value_type, column = SCALARS[kind]
        return {"type": value_type, column: getattr(value, kind)}
    if kind in NESTED:
        return {"type": NESTED[kind], "ser": value.SerializeToString(deterministic=True)}
    return {"type": ValueType.EMPTY}
