"""The Arrow tables of `_schema` as flat columns: the inverse of `_arrow`, for tables that were not decoded.

Rows are taken as they lie: children are sorted by their parents first, since a message is written from its
last child to its first.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.otlp._schema import Signal, ValueType
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._arrow import DATA_KINDS, EMPTY_DICTIONARY, RENAMED, dictionary_tables
from workbench.otlp.codec._choose import sorted_children
from workbench.otlp.codec._plan import Column, plan_of
from workbench.otlp.codec._star import Star, Strings, padded_strings
from workbench.otlp.errors import TableError

__all__ = ["LISTED", "star_of_tables"]

Array = npt.NDArray[Any]
Tables = Mapping[str, pa.Table]
IN_ATTRIBUTES = tuple(enumerate(("KeyValue", "AnyValue")))  # numbers of an attribute's two messages
SIDED_BIT = np.uint32(1 << 31)
VALUE_FIELDS = ("type", "str", "int", "double", "bool", "bytes", "ser")
OWN_NAMES = {new: old for old, new in RENAMED.items()}
LISTED = {  # table whose rows are lists in another -> that table, its column
    "resource_entity_ref_id_keys": ("resource_entity_refs", "id_keys"),
    "resource_entity_ref_description_keys": ("resource_entity_refs", "description_keys"),
    "summary_dp_quantiles": ("summary_data_points", "quantile"),
}


def star_of_tables(signal: Signal, tables: Tables) -> Star:
    """Return the columns of some tables; they follow the signal's schemas.

    Raises
    ------
    TableError
        When unknown fields are kept for a message that there is not.
    """
    return _Reader(signal, tables).star()


class _Pool:
    """Byte strings collected from many columns, and the numbers they got."""

    def __init__(self, kind: pa.DataType) -> None:
        self.kind = kind
        self.parts: list[pa.Array] = [pa.array([b"" if pa.types.is_binary(kind) else ""], kind)]
        self.count = 1

    def add(self, values: pa.Array) -> Array:
        """Append all values, null as empty, and return their numbers."""
        self.parts.append(values.cast(self.kind).fill_null(b"" if pa.types.is_binary(self.kind) else ""))
        first, self.count = self.count, self.count + len(values)
        return np.arange(first, self.count)

    def strings(self) -> Strings:
        whole = pa.concat_arrays([part.cast(pa.large_binary()) for part in self.parts])
        return padded_strings(whole, np.int64)

    def unified(self) -> tuple[Array, Strings]:
        """Return for each number that of the equal text, and the distinct texts."""
        encoded = pa.concat_arrays(self.parts).dictionary_encode()
        distinct = encoded.dictionary.cast(pa.large_binary())
        return encoded.indices.to_numpy(), padded_strings(distinct, np.int32)


class _Reader:
    def __init__(self, signal: Signal, tables: Tables) -> None:
        self.signal, self.plan = signal, plan_of(signal)
        self.tables = {name: table.combine_chunks() for name, table in tables.items()}
        for name, (owner, column) in LISTED.items():
            if owner in self.tables:
                self.tables[name] = _flattened(self.tables[owner], column)
        self.keys, self.texts = _Pool(pa.large_string()), _Pool(pa.large_string())
        self.blobs = _Pool(pa.large_binary())
        self.columns: dict[str, Array] = {}

    def star(self) -> Star:
        plan = self.plan
        rows = {name: len(self.tables[name]) if name in self.tables else 0 for name in plan.tables}
        rows["root"] = 1
        for column in plan.columns.values():
            if column.name != "present" and column.starts is None:
                self._fill(column)
        for name in plan.attribute_tables:
            self._values(name, self.tables[name])
        self._presence(rows)
        sides = self._sides()
        text_numbers, texts = self.texts.unified()
        key_numbers, keys = self.keys.unified()
        for name, column in plan.columns.items():
            if column.text:
                self.columns[name] = text_numbers[self.columns[name]].astype(np.int32)
        for name in plan.attribute_tables:
            self.columns[f"{name}.key"] = key_numbers[self.columns[f"{name}.key"]].astype(np.int32)
            texts_here = (self.columns[f"{name}.type"] & codes.TYPE_MASK) == ValueType.STR
            values = self.columns[f"{name}.value"]
            values[texts_here] = text_numbers[values[texts_here]]
        contiguous = {name: np.ascontiguousarray(array) for name, array in self.columns.items()}
        star = Star(self.signal, rows, contiguous, keys, texts, self.blobs.strings(), sides)
        return sorted_children(star)

    def _column(self, table: str, name: str) -> Any:
        """Return a field of a table by its name on the wire, inside a struct where it has a prefix."""
        struct, _, inner = name.partition(".")
        found = self.tables[table]
        name = OWN_NAMES.get(struct, struct) if not inner else struct
        if name not in found.schema.names:
            return None
        column = found[name].combine_chunks()
        if not inner:
            return column
        return pc.struct_field(column, OWN_NAMES.get(inner, inner))

    def _fill(self, column: Column) -> None:
        table, name, full = column.table, column.name, f"{column.table}.{column.name}"
        if table in self.plan.attribute_tables:
            return
        if name == "parent":
            self.columns[full] = self._parents(table)
        elif name == "end_time_unix_nano":
            starts, spans = self.columns["spans.start_time_unix_nano"], self.tables["spans"]
            durations = spans["duration_time_unix_nano"].combine_chunks().cast(pa.int64()).fill_null(0)
            self.columns[full] = starts + durations.to_numpy().view(np.uint64)
        elif name.endswith(".type") and f"{table}.{name.removesuffix('.type')}.value" in self.plan.columns:
            self._value_struct(table, name.removesuffix(".type"))
        elif full not in self.columns:
            self._plain(column, full)

    def _plain(self, column: Column, full: str) -> None:
        source = self._column(column.table, column.name)
        if column.elements is not None:
            starts, values = _list_parts(source)
            self.columns[full] = values.to_numpy(zero_copy_only=False).astype(column.dtype)
            self.columns[f"{full}.start"] = starts
        elif column.text:
            self.columns[full] = self.texts.add(source)
        elif column.dtype.startswith("V"):
            self.columns[full] = _fixed(source, int(column.dtype[1:]))
        elif pa.types.is_binary(source.type):
            self.columns[full] = np.where(pc.binary_length(source).fill_null(0), self.blobs.add(source), 0)
        elif pa.types.is_boolean(source.type):
            self.columns[full] = source.fill_null(False).to_numpy(zero_copy_only=False).astype(np.uint8)
        else:
            if pa.types.is_timestamp(source.type):
                source = source.cast(pa.int64())
            filled = source.fill_null(0).to_numpy(zero_copy_only=False)
            self.columns[full] = (
                filled.view(column.dtype) if filled.itemsize == 8 else filled.astype(column.dtype)
            )

    def _parents(self, table: str) -> Array:
        if table == "resources" or "parent_id" not in self.tables[table].schema.names:
            if "scope" in self.tables[table].schema.names:
                scope = self.tables[table]["scope"].combine_chunks()
                return pc.struct_field(scope, "id").to_numpy(zero_copy_only=False).astype(np.uint32)
            return np.zeros(len(self.tables[table]), np.uint32)
        return self.tables[table]["parent_id"].to_numpy().astype(np.uint32)

    def _values(self, name: str, table: pa.Table) -> None:
        kinds, values = self._typed(
            {field: table[field].combine_chunks() for field in VALUE_FIELDS}, plain=False
        )
        self.columns[f"{name}.parent"] = table["parent_id"].to_numpy().astype(np.uint32)
        self.columns[f"{name}.key"] = self.keys.add(_decoded(table["key"]))
        self.columns[f"{name}.type"], self.columns[f"{name}.value"] = kinds, values
        references = table["key_strindex"].combine_chunks()
        if references.null_count < len(references):
            self.columns[f"{name}.key_strindex"] = references.fill_null(0).to_numpy().astype(np.int32)

    def _value_struct(self, table: str, name: str) -> None:
        struct = self.tables[table][name].combine_chunks()
        kinds, values = self._typed(
            {field: pc.struct_field(struct, field) for field in VALUE_FIELDS}, plain=True
        )
        kinds[(kinds == codes.ABSENT)] = 0
        self.columns[f"{table}.{name}.type"], self.columns[f"{table}.{name}.value"] = kinds, values

    def _typed(self, fields: dict[str, pa.Array], *, plain: bool) -> tuple[Array, Array]:
        """Return types and values of a column each; texts are blobs where they are plain."""
        kinds = fields["type"].fill_null(codes.ABSENT).to_numpy(zero_copy_only=False).astype(np.uint8)
        values = fields["int"].fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        doubles = fields["double"].fill_null(0.0).to_numpy(zero_copy_only=False).view(np.int64)
        values[kinds == ValueType.DOUBLE] = doubles[kinds == ValueType.DOUBLE]
        flags = fields["bool"].fill_null(False).to_numpy(zero_copy_only=False)
        values[kinds == ValueType.BOOL] = flags[kinds == ValueType.BOOL]
        texts = kinds == ValueType.STR
        self._number(values, texts, _decoded(fields["str"]), self.blobs if plain else self.texts)
        if plain:
            kinds[texts] |= codes.PLAIN
        self._number(values, kinds == ValueType.BYTES, fields["bytes"], self.blobs)
        nested = (kinds == ValueType.MAP) | (kinds == ValueType.SLICE)
        self._number(values, nested, fields["ser"], self.blobs)
        return kinds, values

    def _number(self, values: Array, rows: Array, column: pa.Array, pool: _Pool) -> None:
        if rows.any():
            values[rows] = pool.add(column.filter(pa.array(rows)))

    def _presence(self, rows: dict[str, int]) -> None:
        for table in self.plan.tables:
            if f"{table}.present" in self.plan.columns:
                present = np.zeros(rows[table], np.uint32)
                for name, bit in self.plan.bits.get(table, {}).items():
                    present[self._is_present(table, name)] |= np.uint32(bit)
                self.columns[f"{table}.present"] = present

    def _is_present(self, table: str, name: str) -> Array:
        if table == "root":
            empty = EMPTY_DICTIONARY in self.tables["unknown_fields"]["field"].to_pylist()
            return np.array([empty or any(map(len, dictionary_tables(self.tables)))])
        if name in ("resource", "scope") and table in ("resources", "scopes"):
            return self.tables[table]["is_set"].to_numpy()
        if table == "metrics":
            kind = self.tables[table]["metric_type"].fill_null(0).to_numpy()
            return kind == DATA_KINDS.index(name) + 1
        return self._column(table, name).is_valid().to_numpy(zero_copy_only=False)

    def _sides(self) -> Array:
        unknown = self.tables["unknown_fields"]
        unknown = unknown.filter(pc.not_equal(unknown["field"], EMPTY_DICTIONARY))
        slots = {place: slot for slot, place in self.plan.slots.items()}
        slots |= {(table, field): n for table in self.plan.attribute_tables for n, field in IN_ATTRIBUTES}
        entries = []
        for table, row, field in zip(
            *(unknown[n].to_pylist() for n in ("table", "row", "field")), strict=True
        ):
            slot = slots.get((table, field))
            if slot is None:
                msg = f"'unknown_fields' names the field {field!r} of {table!r}, which there is not"
                raise TableError(msg)
            if table in self.plan.attribute_tables:
                self.columns[f"{table}.type"][row] |= codes.SIDED
            else:
                self.columns[f"{table}.present"][row] |= SIDED_BIT
                if f"{table}.{field}.type" in self.columns:
                    self.columns[f"{table}.{field}.type"][row] |= codes.SIDED
            entries.append([self.plan.tables.index(table), row, slot])
        numbers = self.blobs.add(unknown["value"].combine_chunks())
        return np.array(
            [[*entry, number] for entry, number in zip(entries, numbers, strict=True)], np.int64
        ).reshape(-1, 4)


def _decoded(column: Any) -> pa.Array:
    combined = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(combined, pa.ChunkedArray):
        combined = pa.concat_arrays(combined.chunks) if combined.num_chunks else pa.array([], combined.type)
    return combined.dictionary_decode() if pa.types.is_dictionary(combined.type) else combined


def _list_parts(column: pa.Array) -> tuple[Array, pa.Array]:
    """Return where each row's list starts, and the elements of all; null is empty."""
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return starts, pc.list_flatten(column)


def _flattened(table: pa.Table, name: str) -> pa.Table:
    """Return the elements of a list column as a table of its own."""
    column = table[name].combine_chunks()
    starts, values = _list_parts(column)
    parents = pa.array(np.repeat(np.arange(len(column), dtype=np.uint32), np.diff(starts)))
    fields = (
        {"text": values}
        if not pa.types.is_struct(values.type)
        else {field.name: pc.struct_field(values, field.name) for field in values.type}
    )
    return pa.table({"parent_id": parents, **fields})


def _fixed(column: pa.Array, width: int) -> Array:
    filled = column.fill_null(pa.scalar(bytes(width), column.type))
    raw = np.frombuffer(filled.buffers()[1], np.uint8) if len(filled) else np.empty(0, np.uint8)
    start = filled.offset * width
    return raw[start : start + len(filled) * width].view(f"V{width}")
