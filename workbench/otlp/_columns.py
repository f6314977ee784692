"""One column by its OpenTelemetry name, whatever level it lives on.

``column(tables, star, "http.route")`` is aligned with the records. A name is looked for among the records'
own columns first (``name``, ``status.code``, ``scope.name``), then among attributes (`_attributes`).
"""

import difflib
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.otlp._attributes import attribute_column, attribute_keys, record_levels, value_column
from workbench.otlp._profile_attributes import followed
from workbench.otlp._schema import LAYOUTS
from workbench.otlp.codec._codes import PLAIN, TYPE_MASK
from workbench.otlp.codec._plan import plan_of
from workbench.otlp.codec._star import Star
from workbench.otlp.errors import UnknownKeyError

__all__ = ["column", "column_names", "no_such_key"]

Tables = Mapping[str, pa.Table]
STRUCT_ALIASES = {"status.message": ("status", "status_message")}
UNSET_STATUS = {"code": 0, "status_message": ""}  # a span without a status has the status UNSET


def column(tables: Tables, star: Star, key: object) -> pa.ChunkedArray:
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
    own = _own_column(tables, star, key)
    if own is not None:
        return own
    known = followed(star)
    found = attribute_column(known, key, record_levels(known))
    if found is None:
        raise UnknownKeyError(no_such_key(key, column_names(tables, star)))
    return pa.chunked_array([found])


def no_such_key(key: object, names: list[str], what: str = "column and no attribute") -> str:
    """Return the message for an unknown name, with near ones."""
    near = difflib.get_close_matches(str(key), names, n=5, cutoff=0.5)
    hint = f"near names: {', '.join(near)}" if near else f"there are {len(names)}; .keys() lists them"
    return f"no {what} is called {key!r}; {hint}"


def _own_column(tables: Tables, star: Star, key: str) -> pa.ChunkedArray | None:
    layout = LAYOUTS[star.signal]  # type: ignore[index]
    schema = layout.schemas[layout.records]
    if key == "end_time_unix_nano" and "duration_time_unix_nano" in schema.names:
        records = tables[layout.records]
        return pc.add(records["start_time_unix_nano"], records["duration_time_unix_nano"])
    if key == "body" and "body" in schema.names:
        return pa.chunked_array([_body(star)])
    if key in schema.names and not pa.types.is_struct(schema.field(key).type):
        return tables[layout.records][key]
    struct, field = STRUCT_ALIASES.get(key, key.partition(".")[::2])
    if struct not in schema.names or not _has_field(schema.field(struct).type, field):
        return None
    values = pc.struct_field(tables[layout.records][struct], field)
    return values.fill_null(UNSET_STATUS[field]) if struct == "status" else values


def _has_field(kind: pa.DataType, field: str) -> bool:
    return pa.types.is_struct(kind) and any(item.name == field for item in kind)


def _body(star: Star) -> pa.Array:
    """Return the bodies of log records: text, or one type if all have it."""
    present = star.columns["logs.present"] & plan_of("logs").bits["logs"]["body"] != 0
    kinds = np.where(present, star.columns["logs.body.type"] & (TYPE_MASK | PLAIN), 0).astype(np.uint8)
    return value_column(star, kinds, star.columns["logs.body.value"])


def column_names(tables: Tables, star: Star) -> list[str]:
    """Return every name that `column` knows: the records' own first, then attributes, sorted."""
    own = _own_names(tables[LAYOUTS[star.signal].records])  # type: ignore[index]
    known = followed(star)
    return own + [key for key in attribute_keys(known, record_levels(known)) if key not in own]


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
