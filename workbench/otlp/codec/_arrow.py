"""Flat columns as the Arrow tables of `_schema`, each made when first asked for.

Nothing is copied that need not be: integers, doubles, times and ids share the columns' memory, and only their
validity is computed. Texts of
attributes are dictionary-encoded and share the dictionary; other texts are written out.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp._schema import LAYOUTS, ValueType
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._arrow_arrays import (
    arrow_array,
    arrow_binaries,
    arrow_strings,
    arrow_texts,
    arrow_values,
)
from workbench.otlp.codec._plan import plan_of
from workbench.otlp.codec._star import Star

__all__ = ["DATA_KINDS", "EMPTY_DICTIONARY", "RENAMED", "StarTables", "dictionary_tables"]

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


class StarTables(Mapping[str, pa.Table]):
    """The tables of a star, by name."""

    def __init__(self, star: Star) -> None:
        self.star = star
        self._schemas = LAYOUTS[star.signal].schemas
        self._made: dict[str, pa.Table] = {}

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
        if not self.star.rows[name]:
            return schema.empty_table()
        if "key_strindex" in schema.names and "parent_id" in schema.names:
            columns = self._attributes(name)
            return pa.Table.from_arrays([columns[field.name] for field in schema], schema=schema)
        return pa.Table.from_arrays([self._column(name, field) for field in schema], schema=schema)

    def raw(self, table: str, name: str) -> Array:
        """Return a flat column."""
        return self.star.columns[f"{table}.{name}"]

    def _column(self, table: str, field: pa.Field) -> pa.Array:
        special = SPECIAL.get((table, field.name)) or SPECIAL.get(("", field.name))
        if special is not None:
            return special(self, table)
        return self._own(table, RENAMED.get(field.name, field.name), field.type)

    def _own(self, table: str, name: str, kind: pa.DataType) -> pa.Array:
        """Return a column that is a field of its table."""
        valid = self.present(table, name)
        if pa.types.is_list(kind):
            return self._list(table, name, kind)
        if pa.types.is_struct(kind):
            return self._struct(table, name, kind, valid)
        raw = self.raw(table, name)
        if pa.types.is_string(kind):
            return self.texts(raw)
        if pa.types.is_boolean(kind):
            return pa.array(raw.view(np.bool_), mask=None if valid is None else ~valid)
        if pa.types.is_binary(kind):
            return arrow_binaries(self.star.blobs, raw, np.ones(len(raw), bool))
        return arrow_array(raw, kind, valid)

    def present(self, table: str, name: str) -> Mask | None:
        """Return where a field is present; None where the protocol does not tell absent from zero."""
        bit = plan_of(self.star.signal).bits.get(table, {}).get(name)
        return None if bit is None else (self.raw(table, "present") & bit) != 0

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
        starts = self.raw(table, f"{name}.start").astype(np.int32)
        return pa.ListArray.from_arrays(
            arrow_array(starts, pa.int32()), arrow_array(self.raw(table, name), kind.value_type), type=kind
        )

    def texts(self, numbers: Array) -> pa.Array:
        """Return the texts of some numbers, written out."""
        return arrow_texts(self.star.texts, numbers)

    @cached_property
    def _key_values(self) -> pa.Array:
        return arrow_strings(self.star.keys)

    @cached_property
    def _text_values(self) -> pa.Array:
        return arrow_strings(self.star.texts)

    def _attributes(self, table: str) -> dict[str, pa.Array]:
        found = arrow_values(self.star, self.raw(table, "type"), self.raw(table, "value"))
        keys = arrow_array(self.raw(table, "key"), pa.int32())
        return {
            "parent_id": arrow_array(self.raw(table, "parent"), pa.uint32()),
            "key": pa.DictionaryArray.from_arrays(keys, self._key_values, safe=False),
            **found.columns,
            "str": pa.DictionaryArray.from_arrays(found.texts, self._text_values, safe=False),
            "key_strindex": self._key_references(table, self.star.rows[table]),
        }

    def _key_references(self, table: str, size: int) -> pa.Array:
        name = f"{table}.key_strindex"
        if name not in self.star.columns:
            return pa.nulls(size, pa.int32())
        found = self.star.columns[name]
        return arrow_array(found, pa.int32(), found != 0)

    def _value(self, table: str, name: str, valid: Mask | None) -> list[pa.Array]:
        """Return the children of a struct that holds one value a row; its texts are blobs."""
        kinds, values = self.raw(table, f"{name}.type"), self.raw(table, f"{name}.value")
        found = arrow_values(self.star, kinds, values).columns
        is_text = kinds & codes.TYPE_MASK == ValueType.STR
        found["str"] = arrow_binaries(self.star.blobs, values, is_text).cast(pa.string())
        found["type"] = arrow_array(kinds & codes.TYPE_MASK, pa.uint8(), valid)
        return [found[child] for child in ("type", "str", "int", "double", "bool", "bytes", "ser")]

    def _unknown_fields(self, schema: pa.Schema) -> pa.Table:
        star, plan = self.star, plan_of(self.star.signal)
        tables = [plan.tables[number] for number in star.sides[:, 0].tolist()]
        fields = [
            _slot_name(plan, table, slot)
            for table, slot in zip(tables, star.sides[:, 2].tolist(), strict=True)
        ]
        values = arrow_binaries(star.blobs, star.sides[:, 3], np.ones(len(tables), bool))
        rows = star.sides[:, 1]
        if self._has_empty_dictionary():
            tables, fields, rows = [*tables, "root"], [*fields, EMPTY_DICTIONARY], np.append(rows, 0)
            values = pa.concat_arrays([values, pa.array([b""], pa.binary())])
        columns = [pa.array(tables, pa.string()), pa.array(rows, pa.uint32()), pa.array(fields, pa.string())]
        return pa.Table.from_arrays([*columns, values], schema=schema)

    def _has_empty_dictionary(self) -> bool:
        present = self.present("root", EMPTY_DICTIONARY)
        return present is not None and bool(present[0]) and not any(map(len, dictionary_tables(self)))


def _ids(tables: StarTables, table: str) -> pa.Array:
    return arrow_array(np.arange(tables.star.rows[table], dtype=np.uint32), pa.uint32())


def _parents(tables: StarTables, table: str) -> pa.Array:
    return arrow_array(tables.raw(table, "parent"), pa.uint32())


def _scope_rows(tables: StarTables, table: str) -> Array:
    return tables.raw(table, "parent")


def _resource_structs(tables: StarTables, table: str) -> pa.Array:
    rows = tables.raw("scopes", "parent")[_scope_rows(tables, table)]
    return _owner_structs(tables, "resources", ("schema_url",), rows)


def _scope_structs(tables: StarTables, table: str) -> pa.Array:
    return _owner_structs(tables, "scopes", ("name", "version"), _scope_rows(tables, table))


def _owner_structs(tables: StarTables, owner: str, texts: tuple[str, ...], rows: Array) -> pa.Array:
    """Return for each record what says who made it: number, texts and the count of dropped attributes."""
    dropped = tables.raw(owner, "dropped_attributes_count")[rows]
    columns = {
        "id": arrow_array(rows, pa.uint32()),
        **{name: tables.texts(tables.raw(owner, name)[rows]) for name in texts},
        "dropped_attributes_count": arrow_array(dropped, pa.uint32()),
    }
    fields = [tables[owner].schema.field(name) for name in columns]
    return pa.StructArray.from_arrays(list(columns.values()), fields=fields)


def _schema_urls(tables: StarTables, table: str) -> pa.Array:
    if table in ("resources", "scopes", "resource_entity_refs"):
        return tables.texts(tables.raw(table, "schema_url"))
    return tables.texts(tables.raw("scopes", "schema_url")[_scope_rows(tables, table)])


def _is_set(tables: StarTables, table: str) -> pa.Array:
    present = tables.present(table, table.removesuffix("s"))
    return pa.array(present, pa.bool_())


def _durations(tables: StarTables, table: str) -> pa.Array:
    ends, starts = (tables.raw(table, f"{end}_time_unix_nano") for end in ("end", "start"))
    return arrow_array((ends - starts).view(np.int64), pa.duration("ns"))


def _metric_types(tables: StarTables, table: str) -> pa.Array:
    return arrow_array(_data_kinds(tables, table), pa.uint8())


def _data_kinds(tables: StarTables, table: str) -> Array:
    found = np.zeros(tables.star.rows[table], np.uint8)
    for number, name in enumerate(DATA_KINDS, start=1):
        present = tables.present(table, name)
        found[present] = number
    return found


def _temporalities(tables: StarTables, table: str) -> pa.Array:
    raw = tables.raw(table, "aggregation_temporality")
    return arrow_array(raw, pa.int32(), np.isin(_data_kinds(tables, table), WITH_TEMPORALITY))


def _monotonic(tables: StarTables, table: str) -> pa.Array:
    raw = tables.raw(table, "is_monotonic").view(np.bool_)
    return pa.array(raw, mask=_data_kinds(tables, table) != SUM)


def _quantiles(tables: StarTables, table: str) -> pa.Array:
    pairs = pa.StructArray.from_arrays(
        [
            arrow_array(tables.raw("summary_dp_quantiles", name), pa.float64())
            for name in ("quantile", "value")
        ],
        names=["quantile", "value"],
    )
    return _children(tables, table, "summary_dp_quantiles", pairs)


def _id_keys(tables: StarTables, table: str) -> pa.Array:
    return _text_lists(tables, table, "resource_entity_ref_id_keys")


def _description_keys(tables: StarTables, table: str) -> pa.Array:
    return _text_lists(tables, table, "resource_entity_ref_description_keys")


def _text_lists(tables: StarTables, table: str, child: str) -> pa.Array:
    return _children(tables, table, child, tables.texts(tables.raw(child, "text")))


def _children(tables: StarTables, table: str, child: str, values: pa.Array) -> pa.Array:
    """Return the rows of a child table as lists, by their parents."""
    rows = np.arange(tables.star.rows[table] + 1)
    starts = np.searchsorted(tables.raw(child, "parent"), rows).astype(np.int32)
    return pa.ListArray.from_arrays(arrow_array(starts, pa.int32()), values)


Special = Callable[[StarTables, str], pa.Array]
SPECIAL: dict[tuple[str, str], Special] = {
    ("", "id"): _ids,
    ("", "parent_id"): _parents,
    ("", "resource"): _resource_structs,
    ("", "scope"): _scope_structs,
    ("", "schema_url"): _schema_urls,
    ("", "is_set"): _is_set,
    ("spans", "duration_time_unix_nano"): _durations,
    ("metrics", "metric_type"): _metric_types,
    ("metrics", "aggregation_temporality"): _temporalities,
    ("metrics", "is_monotonic"): _monotonic,
    ("summary_data_points", "quantile"): _quantiles,
    ("resource_entity_refs", "id_keys"): _id_keys,
    ("resource_entity_refs", "description_keys"): _description_keys,
}


def _slot_name(plan: Any, table: str, slot: int) -> str:
    if table in plan.attribute_tables:
        return ("KeyValue", "AnyValue")[slot]
    return str(plan.slots[slot][1])
