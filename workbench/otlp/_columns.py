"""One column by its OpenTelemetry name, whatever level it lives on.

``column(tables, star, "http.route")`` is aligned with the records. A name is looked for among the records'
own columns first (``name``, ``status.code``, ``scope.name``), then among attributes (`_attributes`). An
attribute that is called as an own column goes by ``attributes.name``.
"""

import difflib
from collections.abc import Mapping
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.otlp._attributes import (
    attribute_column,
    attribute_keys,
    names_apart,
    record_levels,
    value_column,
)
from workbench.otlp._profile_attributes import followed
from workbench.otlp._schema import LAYOUTS, Signal
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
    if key in _own_names(star.signal):
        return _own_column(tables[LAYOUTS[star.signal].records], star, key)
    known = followed(star)
    levels = record_levels(known)
    found = attribute_column(known, key, levels)
    if found is None:
        found = attribute_column(known, _attribute_called(key, star), levels)
    return pa.chunked_array([found])


def _attribute_called(name: str, star: Star) -> str:
    """Return the key of an attribute that goes by another name than its key."""
    keys = _attributes_by_name(star)
    if name not in keys:
        raise UnknownKeyError(no_such_key(name, column_names(star)))
    return keys[name]


def no_such_key(key: object, names: list[str], what: str = "column and no attribute") -> str:
    """Return the message for an unknown name, with near ones."""
    near = difflib.get_close_matches(str(key), names, n=5, cutoff=0.5)
    hint = f"near names: {', '.join(near)}" if near else f"there are {len(names)}; .keys() lists them"
    return f"no {what} is called {key!r}; {hint}"


def _own_column(records: pa.Table, star: Star, key: str) -> pa.ChunkedArray:
    if key == "end_time_unix_nano" and "duration_time_unix_nano" in records.column_names:
        return pc.add(records["start_time_unix_nano"], records["duration_time_unix_nano"])
    if key == "body":
        return pa.chunked_array([_body(star)])
    if key in records.column_names:
        return records[key]
    struct, field = STRUCT_ALIASES.get(key, key.partition(".")[::2])
    values = pc.struct_field(records[struct], field)
    return values.fill_null(UNSET_STATUS[field]) if struct == "status" else values


def _body(star: Star) -> pa.Array:
    """Return the bodies of log records: text, or one type if all have it."""
    present = star.columns["logs.present"] & plan_of("logs").bits["logs"]["body"] != 0
    kinds = np.where(present, star.columns["logs.body.type"] & (TYPE_MASK | PLAIN), 0).astype(np.uint8)
    return value_column(star, kinds, star.columns["logs.body.value"])


def column_names(star: Star) -> list[str]:
    """Return every name that `column` knows: the records' own first, then attributes, sorted."""
    return [*_own_names(star.signal), *_attributes_by_name(star)]


def _attributes_by_name(star: Star) -> dict[str, str]:
    """Return the keys of attributes by the names that they go by."""
    known = followed(star)
    names = names_apart(attribute_keys(known, record_levels(known)), _own_names(star.signal))
    return dict(sorted((name, key) for key, name in names.items()))


@cache
def _own_names(signal: Signal) -> tuple[str, ...]:
    layout = LAYOUTS[signal]
    names: list[str] = []
    for field in layout.schemas[layout.records]:
        if field.name == "body" or not pa.types.is_struct(field.type):
            names.append(field.name)
        else:
            names += [f"{field.name}.{item.name}".replace("status_message", "message") for item in field.type]
        if field.name == "duration_time_unix_nano":
            names.append("end_time_unix_nano")
    return tuple(names)
