"""Flat columns as the Arrow tables of `_schema`, each made when first asked for, without copies where it can be.

Integers, doubles, times and ids share the columns' memory; only their validity is computed. Texts of
attributes are dictionary-encoded and share the dictionary; other texts are written out.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.otlp._schema import LAYOUTS, Layout, ValueType
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._plan import plan_of
from workbench.otlp.codec._star import Star, Strings
from workbench.otlp.errors import TableError

__all__ = ["DATA_KINDS", "EMPTY_DICTIONARY", "RENAMED", "StarTables", "arrow_array", "arrow_binaries", "arrow_strings", "checked_tables", "dictionary_tables"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

DATA_KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")  # metric_type 1, 2, ...
WITH_TEMPORALITY = (2, 3, 4)
SUM = 2
EMPTY_DICTIONARY = "dictionary"  # as an unknown field: there is a dictionary, and it is empty
OF_DICTIONARY = (
    "mappings",
    "locations",
    "functions",
    "profile_links",
    "strings",
    "attributes",
    "stacks",
)
RENAMED = {"int_value": "as_int", "double_value": "as_double", "status_message": "message"}


def dictionary_tables(tables: Mapping[str, pa.Table]) -> list[pa.Table]:
    """Return the tables of the profiles' dictionary; none for other signals."""
    return [tables[name] for name in OF_DICTIONARY if name in tables]


def checked_tables(tables: Mapping[str, pa.Table], layout: Layout) -> dict[str, pa.Table]:
    """Return tables of a signal's schemas, those that are missing empty.

    Raises
    ------
    TableError
        When there is one of another signal, one lacks a column, or a column has another type.
    """
    for name, table in tables.items():
        if name not in layout.schemas:
            msg = f"there is no table {name!r} here; expected {', '.join(layout.schemas)}"
            raise TableError(msg)
        for field in layout.schemas[name]:
            if field.name not in table.schema.names:
                msg = f"table {name!r} lacks the column {field.name!r} of type {field.type}"
                raise TableError(msg)
    found = dict(tables)
    for name in ("resources", "scopes"):
        if name not in found and layout.records in found:
            found[name] = _owners(found[layout.records], name.removesuffix("s"), layout.schemas[name])
    return {name: _with_schema(found.get(name), name, schema) for name, schema in layout.schemas.items()}


def _owners(records: pa.Table, struct: str, schema: pa.Schema) -> pa.Table:
    """Return the resources or scopes that records name in their structs, for tables that have none."""
    column = records[struct].combine_chunks()
    ids = pc.struct_field(column, "id").to_numpy(zero_copy_only=False).astype(np.int64)
    size = int(ids.max(initial=-1)) + 1
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
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        msg = f"table {name!r} has other types than expected: {error}"
        raise TableError(msg) from error


class StarTables(Mapping[str, pa.Table]):
    """The tables of a star, by name."""

    def __init__(self, star: Star) -> None:
        self.star = star
        self._schemas = LAYOUTS[star.signal].schemas  # type: ignore[index]
        self._made: dict[str, pa.Table] = {}
        self._text_values: pa.Array | None = None

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._made:
            self._made[name] = self._table(name, self._schemas[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._schemas)

    def __len__(self) -> int:
        return len(self._schemas)

    def _table(self, name: str, schema: pa.Schema) -> pa.Table:
        if name == "unknown_fields":
            return self._unknown_fields(schema)
        if "key_strindex" in schema.names and "parent_id" in schema.names:
            columns = self._attributes(name)
            return pa.Table.from_arrays([columns[field.name] for field in schema], schema=schema)
        return pa.Table.from_arrays([self._column(name, field) for field in schema], schema=schema)

    def _raw(self, table: str, name: str) -> Array:
        return self.star.columns[f"{table}.{name}"]

    def _column(self, table: str, field: pa.Field) -> pa.Array:
        special = SPECIAL.get((table, field.name)) or SPECIAL.get(("", field.name))
        if special is not None:
            return special(self, table)
        return self._own(table, RENAMED.get(field.name, field.name), field.type)

    def _own(self, table: str, name: str, kind: pa.DataType) -> pa.Array:
        """Return a column that is a field of its table."""
        valid = self._present(table, name)
        if pa.types.is_list(kind):
            return self._list(table, name, kind)
        if pa.types.is_struct(kind):
            return self._struct(table, name, kind, valid)
        raw = self._raw(table, name)
        if pa.types.is_string(kind):
            return self._texts(raw)
        if pa.types.is_boolean(kind):
            return pa.array(raw.view(np.bool_), mask=None if valid is None else ~valid)
        if pa.types.is_binary(kind):
            return arrow_binaries(self.star.blobs, raw, np.ones(len(raw), bool))
        return arrow_array(raw, kind, valid)

    def _present(self, table: str, name: str) -> Mask | None:
        """Return where a field is present; None where the protocol does not tell absent from zero."""
        bit = plan_of(self.star.signal).bits.get(table, {}).get(name)
        return None if bit is None else (self._raw(table, "present") & bit) != 0

    def _struct(self, table: str, name: str, kind: pa.DataType, valid: Mask | None) -> pa.Array:
        if f"{table}.{name}.type" in self.star.columns:
            children = self._value(table, name, valid)
        else:
            children = [
                self._own(table, f"{name}.{RENAMED.get(field.name, field.name)}", field.type)
                for field in kind
            ]
        mask = None if valid is None else pa.array(~valid)
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=mask)

    def _list(self, table: str, name: str, kind: pa.DataType) -> pa.Array:
        starts = self._raw(table, f"{name}.start").astype(np.int32)
        return pa.ListArray.from_arrays(
            arrow_array(starts, pa.int32()), arrow_array(self._raw(table, name), kind.value_type), type=kind
        )

    def _texts(self, numbers: Array) -> pa.Array:
        """Return the texts of some numbers, written out."""
        return pa.DictionaryArray.from_arrays(arrow_array(numbers, pa.int32()), self._dictionary()).cast(
            pa.string()
        )

    def _dictionary(self) -> pa.Array:
        if self._text_values is None:
            self._text_values = arrow_strings(self.star.texts)
        return self._text_values

    def _attributes(self, table: str) -> dict[str, pa.Array]:
        kinds = self._raw(table, "type") & codes.TYPE_MASK
        values = self._raw(table, "value")
        keys = pa.DictionaryArray.from_arrays(
            arrow_array(self._raw(table, "key"), pa.int32()), arrow_strings(self.star.keys)
        )
        texts = kinds == ValueType.STR
        numbers = arrow_array(np.where(texts, values, 0).astype(np.int32), pa.int32(), texts)
        return {
            "parent_id": arrow_array(self._raw(table, "parent"), pa.uint32()),
            "key": keys,
            **_values(self.star, kinds, values),
            "str": pa.DictionaryArray.from_arrays(numbers, self._dictionary()),
            "key_strindex": self._key_references(table, len(kinds)),
        }

    def _key_references(self, table: str, size: int) -> pa.Array:
        name = f"{table}.key_strindex"
        if name not in self.star.columns:
            return pa.nulls(size, pa.int32())
        found = self.star.columns[name]
        return arrow_array(found, pa.int32(), found != 0)

    def _value(self, table: str, name: str, valid: Mask | None) -> list[pa.Array]:
        """Return the children of a struct that holds one value a row; its texts are blobs."""
        kinds = self._raw(table, f"{name}.type") & codes.TYPE_MASK
        values = self._raw(table, f"{name}.value")
        found = _values(self.star, kinds, values)
        found["str"] = arrow_binaries(self.star.blobs, values, kinds == ValueType.STR).cast(pa.string())
        found["type"] = arrow_array(kinds, pa.uint8(), valid)
        return [found[child] for child in ("type", "str", "int", "double", "bool", "bytes", "ser")]

    def _unknown_fields(self, schema: pa.Schema) -> pa.Table:
        star, plan = self.star, plan_of(self.star.signal)
        tables = [plan.tables[number] for number in star.sides[:, 0].tolist()]
        fields = [_slot_name(plan, table, slot) for table, slot in zip(tables, star.sides[:, 2].tolist(), strict=True)]
        values = arrow_binaries(star.blobs, star.sides[:, 3], np.ones(len(tables), bool))
        rows = star.sides[:, 1]
        if self._has_empty_dictionary():
            tables, fields, rows = [*tables, "root"], [*fields, EMPTY_DICTIONARY], np.append(rows, 0)
            values = pa.concat_arrays([values, pa.array([b""], pa.binary())])
        columns = [pa.array(tables, pa.string()), pa.array(rows, pa.uint32()), pa.array(fields, pa.string())]
        return pa.Table.from_arrays([*columns, values], schema=schema)

    def _has_empty_dictionary(self) -> bool:
        present = self._present("root", EMPTY_DICTIONARY)
        return present is not None and bool(present[0]) and not any(map(len, dictionary_tables(self)))

    # --- columns that are not fields of their table --------------------------------------------------

    def _ids(self, table: str) -> pa.Array:
        return arrow_array(np.arange(self.star.rows[table], dtype=np.uint32), pa.uint32())

    def _parents(self, table: str) -> pa.Array:
        return arrow_array(self._raw(table, "parent"), pa.uint32())

    def _scope_rows(self, table: str) -> Array:
        return self._raw(table, "parent")

    def _resource_structs(self, table: str) -> pa.Array:
        rows = self._raw("scopes", "parent")[self._scope_rows(table)]
        return _take_struct(self["resources"], ("id", "schema_url", "dropped_attributes_count"), rows)

    def _scope_structs(self, table: str) -> pa.Array:
        rows = self._scope_rows(table)
        return _take_struct(self["scopes"], ("id", "name", "version", "dropped_attributes_count"), rows)

    def _schema_urls(self, table: str) -> pa.Array:
        if table in ("resources", "scopes", "resource_entity_refs"):
            return self._texts(self._raw(table, "schema_url"))
        return self["scopes"]["schema_url"].combine_chunks().take(pa.array(self._scope_rows(table)))

    def _is_set(self, table: str) -> pa.Array:
        present = self._present(table, table.removesuffix("s"))
        return pa.array(present, pa.bool_())

    def _durations(self, table: str) -> pa.Array:
        ends, starts = (self._raw(table, f"{end}_time_unix_nano") for end in ("end", "start"))
        return arrow_array((ends - starts).view(np.int64), pa.duration("ns"))

    def _metric_types(self, table: str) -> pa.Array:
        return arrow_array(self._data_kinds(table), pa.uint8())

    def _data_kinds(self, table: str) -> Array:
        found = np.zeros(self.star.rows[table], np.uint8)
        for number, name in enumerate(DATA_KINDS, start=1):
            present = self._present(table, name)
            found[present] = number
        return found

    def _temporalities(self, table: str) -> pa.Array:
        raw = self._raw(table, "aggregation_temporality")
        return arrow_array(raw, pa.int32(), np.isin(self._data_kinds(table), WITH_TEMPORALITY))

    def _monotonic(self, table: str) -> pa.Array:
        raw = self._raw(table, "is_monotonic").view(np.bool_)
        return pa.array(raw, mask=self._data_kinds(table) != SUM)

    def _quantiles(self, table: str) -> pa.Array:
        pairs = pa.StructArray.from_arrays(
            [arrow_array(self._raw("summary_dp_quantiles", name), pa.float64()) for name in ("quantile", "value")],
            names=["quantile", "value"],
        )
        return self._children(table, "summary_dp_quantiles", pairs)

    def _id_keys(self, table: str) -> pa.Array:
        return self._text_lists(table, "resource_entity_ref_id_keys")

    def _description_keys(self, table: str) -> pa.Array:
        return self._text_lists(table, "resource_entity_ref_description_keys")

    def _text_lists(self, table: str, child: str) -> pa.Array:
        return self._children(table, child, self._texts(self._raw(child, "text")))

    def _children(self, table: str, child: str, values: pa.Array) -> pa.Array:
        """Return the rows of a child table as lists, by their parents."""
        rows = np.arange(self.star.rows[table] + 1)
        starts = np.searchsorted(self._raw(child, "parent"), rows).astype(np.int32)
        return pa.ListArray.from_arrays(arrow_array(starts, pa.int32()), values)


Special = Callable[[StarTables, str], pa.Array]
SPECIAL: dict[tuple[str, str], Special] = {
    ("", "id"): StarTables._ids,
    ("", "parent_id"): StarTables._parents,
    ("", "resource"): StarTables._resource_structs,
    ("", "scope"): StarTables._scope_structs,
    ("", "schema_url"): StarTables._schema_urls,
    ("", "is_set"): StarTables._is_set,
    ("spans", "duration_time_unix_nano"): StarTables._durations,
    ("metrics", "metric_type"): StarTables._metric_types,
    ("metrics", "aggregation_temporality"): StarTables._temporalities,
    ("metrics", "is_monotonic"): StarTables._monotonic,
    ("summary_data_points", "quantile"): StarTables._quantiles,
    ("resource_entity_refs", "id_keys"): StarTables._id_keys,
    ("resource_entity_refs", "description_keys"): StarTables._description_keys,
}


def arrow_array(values: Array, kind: pa.DataType, valid: Mask | None = None) -> pa.Array:
    """Return a column's memory as an Arrow array of a type of the same width."""
    contiguous = np.ascontiguousarray(values)
    bitmap = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [bitmap, pa.py_buffer(contiguous)])


def arrow_strings(strings: Strings) -> pa.Array:
    """Return texts as an Arrow array that shares their memory."""
    used = strings.data[: int(strings.offsets[-1])]
    buffers = [None, pa.py_buffer(np.ascontiguousarray(strings.offsets)), pa.py_buffer(used)]
    return pa.Array.from_buffers(pa.string(), len(strings), buffers)


def arrow_binaries(blobs: Strings, numbers: Array, valid: Mask) -> pa.Array:
    """Return some blobs, null where they are not valid."""
    if not valid.any():
        return pa.nulls(len(numbers), pa.binary())
    buffers = [None, pa.py_buffer(np.ascontiguousarray(blobs.offsets)), pa.py_buffer(blobs.data[: int(blobs.offsets[-1])])]
    pool = pa.Array.from_buffers(pa.large_binary(), len(blobs), buffers)
    return pool.take(pa.array(numbers.astype(np.int64), mask=~valid)).cast(pa.binary())


def _values(star: Star, kinds: Array, values: Array) -> dict[str, pa.Array]:
    """Return the columns of values but for texts: each shares the memory of all, valid where it is the type."""
    nested = (kinds == ValueType.MAP) | (kinds == ValueType.SLICE)
    return {
        "type": arrow_array(kinds, pa.uint8(), kinds != codes.ABSENT),
        "int": arrow_array(values, pa.int64(), (kinds == ValueType.INT) | (kinds == ValueType.STRINDEX)),
        "double": arrow_array(values, pa.float64(), kinds == ValueType.DOUBLE),
        "bool": pa.array(values != 0, mask=kinds != ValueType.BOOL),
        "bytes": arrow_binaries(star.blobs, values, kinds == ValueType.BYTES),
        "ser": arrow_binaries(star.blobs, values, nested),
    }


def _take_struct(table: pa.Table, names: tuple[str, ...], rows: Array) -> pa.Array:
    taken = pa.array(rows)
    columns = [table[name].combine_chunks().take(taken) for name in names]
    return pa.StructArray.from_arrays(columns, fields=[table.schema.field(name) for name in names])


def _slot_name(plan: Any, table: str, slot: int) -> str:
    if table in plan.attribute_tables:
        return ("KeyValue", "AnyValue")[slot]
    return str(plan.slots[slot][1])


