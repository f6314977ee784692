"""One column by its OpenTelemetry name, whatever level it lives on.

``column(tables, layout, "http.route")`` is aligned with the records. A name is looked for among the records'
own columns first (``name``, ``status.code``, ``scope.name``), then among the attributes of the record, its
scope and its resource: for each record the first of these three that holds a value gives it.

A column has the type of its values. Integers and doubles together are doubles; any other mixture is text, as
are arrays and maps (JSON).
"""

import difflib
import json
import math
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from workbench.otlp._schema import Layout, ValueType
from workbench.otlp._select import Tables, struct_ids
from workbench.otlp.errors import UnknownKeyError

__all__ = [
    "Level",
    "attribute_column",
    "attribute_keys",
    "column",
    "column_names",
    "keys_of",
    "no_such_key",
    "record_levels",
    "value_text",
]

Rows = npt.NDArray[np.int64]
Level: TypeAlias = tuple[pa.Table, Rows]  # attributes, and the row that each record has as their parent
TYPE_COLUMNS = {
    ValueType.STR: "str",
    ValueType.INT: "int",
    ValueType.DOUBLE: "double",
    ValueType.BOOL: "bool",
    ValueType.BYTES: "bytes",
}
STRUCT_ALIASES = {"status.message": ("status", "status_message")}
UNSET_STATUS = {"code": 0, "status_message": ""}  # a span without a status has the status UNSET


def column(tables: Tables, layout: Layout, key: object) -> pa.ChunkedArray:
    """Return the values of `key`, one for each record, null where it has none.

    Raises
    ------
    UnknownKeyError
        When no record, scope or resource knows the key; lists near names.
    TypeError
        When the key is no name.
    """
    if not isinstance(key, str):
        msg = f"expected the name of a column, such as 'service.name', got {key!r}"
        raise TypeError(msg)
    own = _own_column(tables[layout.records], key)
    if own is not None:
        return own
    found = attribute_column(key, record_levels(tables, layout))
    if found is None:
        raise UnknownKeyError(no_such_key(key, column_names(tables, layout)))
    return found


def no_such_key(key: object, names: list[str], what: str = "column and no attribute") -> str:
    """Return the message for an unknown name, with near ones."""
    near = difflib.get_close_matches(str(key), names, n=5, cutoff=0.5)
    hint = f"near names: {', '.join(near)}" if near else f"there are {len(names)}; .keys() lists them"
    return f"no {what} is called {key!r}; {hint}"


def _own_column(records: pa.Table, key: str) -> pa.ChunkedArray | None:
    if key == "end_time_unix_nano" and "duration_time_unix_nano" in records.schema.names:
        return pc.add(records["start_time_unix_nano"], records["duration_time_unix_nano"])
    if key == "body" and "body" in records.schema.names:
        return _body(records)
    if key in records.schema.names and not pa.types.is_struct(records.schema.field(key).type):
        return records[key]
    return _struct_column(records, *STRUCT_ALIASES.get(key, key.partition(".")[::2]))


def _struct_column(records: pa.Table, struct: str, field: str) -> pa.ChunkedArray | None:
    if struct not in records.schema.names or not _has_field(records.schema.field(struct).type, field):
        return None
    values = pc.struct_field(records[struct], field)
    return values.fill_null(UNSET_STATUS[field]) if struct == "status" else values


def _has_field(kind: pa.DataType, field: str) -> bool:
    return pa.types.is_struct(kind) and any(item.name == field for item in kind)


def _own_names(records: pa.Table) -> list[str]:
    names: list[str] = []
    for field in records.schema:
        if field.name == "body" or not pa.types.is_struct(field.type):
            names.append(field.name)
        else:
            names += [f"{field.name}.{item.name}".replace("status_message", "message") for item in field.type]
        if field.name == "duration_time_unix_nano":
            names.append("end_time_unix_nano")
    return names


def column_names(tables: Tables, layout: Layout) -> list[str]:
    """Return every name that `column` knows: the records' own first, then attributes, sorted."""
    own = _own_names(tables[layout.records])
    return own + [key for key in attribute_keys(tables, layout) if key not in own]


def attribute_keys(tables: Tables, layout: Layout) -> list[str]:
    """Return the attribute keys of records, scopes and resources, sorted."""
    return keys_of(record_levels(tables, layout))


def keys_of(levels: list[Level]) -> list[str]:
    """Return the attribute keys of some levels, sorted."""
    return sorted({key for attributes, _ in levels for key in pc.unique(attributes["key"]).to_pylist()})


def record_levels(tables: Tables, layout: Layout) -> list[Level]:
    """Return the attribute tables that speak of the records, nearest first, with each record's parent row."""
    records = tables[layout.records]
    return [
        (tables[layout.attributes], np.arange(len(records))),
        (tables["scope_attrs"], struct_ids(records, "scope")),
        (tables["resource_attrs"], struct_ids(records, "resource")),
    ]


def attribute_column(key: str, levels: list[Level]) -> pa.ChunkedArray | None:
    """Return an attribute's values aligned with the levels' owners, or None where no level has the key."""
    size = len(levels[0][1])
    rows, found = np.full(size, -1, np.int64), [levels[0][0].slice(0, 0)]
    known = False
    for attributes, owners in levels:
        with_key = attributes.filter(pc.equal(attributes["key"], key))
        known |= len(with_key) > 0
        values = with_key.filter(pc.not_equal(with_key["type"], int(ValueType.EMPTY)))
        first = _first_of_each(values["parent_id"].to_numpy(), owners)
        rows = np.where((rows < 0) & (first >= 0), first + sum(map(len, found)), rows)
        found.append(values)
    if not known:
        return None
    return _typed(pa.concat_tables(found)).take(pa.array(rows, mask=rows < 0))


def _first_of_each(parents: npt.NDArray[Any], owners: Rows) -> Rows:
    """Return for each owner the first row with that parent, or -1."""
    rows = np.full(max(int(parents.max(initial=0)), int(owners.max(initial=0))) + 1, -1, np.int64)
    rows[parents[::-1]] = np.arange(len(parents))[::-1]
    return rows[owners]


def _typed(values: pa.Table) -> pa.ChunkedArray:
    """Return the value of each row as one column of the narrowest type that holds them all."""
    kinds = {ValueType(kind) for kind in pc.unique(values["type"]).to_pylist()}
    if len(kinds) == 1 and kinds <= TYPE_COLUMNS.keys():
        return values[TYPE_COLUMNS[kinds.pop()]]
    if kinds == {ValueType.INT, ValueType.DOUBLE}:
        return pc.coalesce(values["double"], pc.cast(values["int"], pa.float64(), safe=False))
    return pa.chunked_array([_texts(values.to_pylist())], pa.string())


def _texts(rows: Iterable[dict[str, Any]]) -> pa.Array:
    return pa.array([value_text(row) for row in rows], pa.string())


def value_text(row: dict[str, Any] | None) -> str | None:
    """Return one value, given by its columns, as text: strings as they are, arrays and maps as JSON."""
    if row is None or row["type"] == ValueType.EMPTY:
        return None
    kind = ValueType(row["type"])
    if kind in TYPE_COLUMNS:
        return _scalar_text(row[TYPE_COLUMNS[kind]])
    return json.dumps(_plain(AnyValue.FromString(row["ser"])), ensure_ascii=False)


def _scalar_text(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: AnyValue) -> object:
    """Return a nested value as Python lists, dicts and scalars; bytes as hexadecimal digits."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
    scalar = getattr(value, kind) if kind else None
    if isinstance(scalar, float) and not math.isfinite(scalar):
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(str(scalar), "NaN")  # as OTLP's JSON names them
    return scalar.hex() if isinstance(scalar, bytes) else scalar


def _body(records: pa.Table) -> pa.ChunkedArray:
    """Return the bodies of log records: text, or one type if all have it."""
    bodies = records["body"].combine_chunks()
    present = pa.Table.from_struct_array(bodies.filter(bodies.is_valid()))
    kinds = set(pc.unique(present["type"]).to_pylist())
    if len(kinds) == 1 and ValueType(next(iter(kinds))) in TYPE_COLUMNS:
        return pc.struct_field(records["body"], TYPE_COLUMNS[ValueType(kinds.pop())])
    return pa.chunked_array([_texts(bodies.to_pylist())], pa.string())
