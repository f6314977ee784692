"""Attributes as columns: what each record, its scope or its resource says under a key.

A level is an attribute table and, for each record, the row that is the parent of its attributes there, or
`NOWHERE`. The nearest level that holds a value gives it; of equal keys the first counts, in maps as well.

A column has the type of its values. Integers and doubles together are doubles; any other mixture is text, as
are arrays and maps (JSON).
"""

import json
import math
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from workbench.otlp._profile_attributes import PROFILE_ATTRIBUTES
from workbench.otlp._schema import LAYOUTS, ValueType
from workbench.otlp.codec._arrow_arrays import arrow_array, arrow_binaries, arrow_strings
from workbench.otlp.codec._codes import ABSENT, PLAIN, TYPE_MASK
from workbench.otlp.codec._star import Star

__all__ = [
    "NOWHERE",
    "Level",
    "attribute_column",
    "attribute_keys",
    "names_apart",
    "record_levels",
    "value_column",
]

Rows = npt.NDArray[np.int64]
Array = npt.NDArray[Any]
Level: TypeAlias = tuple[str, Rows]
NOWHERE = -1
NUMBERS = {ValueType.INT, ValueType.DOUBLE}


def record_levels(star: Star) -> list[Level]:
    """Return the attribute tables that speak of the records, nearest first; of profiles, `followed` ones."""
    layout = LAYOUTS[star.signal]
    scope = star.columns[f"{layout.records}.parent"].astype(np.int64)
    resource = star.columns["scopes.parent"].astype(np.int64)[scope]
    own = layout.attributes or PROFILE_ATTRIBUTES
    return [(own, np.arange(len(scope))), ("scope_attrs", scope), ("resource_attrs", resource)]


def attribute_keys(star: Star, levels: Sequence[Level]) -> list[str]:
    """Return the attribute keys of some levels, sorted."""
    used = {number for table, _ in levels for number in np.unique(star.columns[f"{table}.key"]).tolist()}
    return sorted(star.keys[number].decode() for number in used)


def names_apart(keys: Collection[str], own: Collection[str]) -> dict[str, str]:
    """Return for each key a name that is no other's: ``attributes.KEY`` where `own` has the key.

    Examples
    --------
    >>> names_apart(["flags", "k", "attributes.flags"], own=["flags"])
    {'flags': 'attributes.attributes.flags', 'k': 'k', 'attributes.flags': 'attributes.flags'}
    """
    taken, names = {*own, *keys}, {}
    for key in dict.fromkeys(keys):
        name = key
        if key in own:
            while name in taken:
                name = f"attributes.{name}"
            taken.add(name)
        names[key] = name
    return names


def attribute_column(star: Star, key: str, levels: Sequence[Level]) -> pa.Array | None:
    """Return an attribute's values aligned with the levels' owners, or None where no level has the key."""
    number = pc.index(arrow_strings(star.keys), key).as_py()
    size = len(levels[0][1])
    kinds, values = np.zeros(size, np.uint8), np.zeros(size, np.int64)
    known = False
    for table, owners in levels:
        rows = np.flatnonzero(star.columns[f"{table}.key"] == number)
        known |= len(rows) > 0
        found = star.columns[f"{table}.type"][rows] & (TYPE_MASK | PLAIN)
        rows = rows[(found != ValueType.EMPTY) & (found != ABSENT)]
        first = _first_of_each(star.columns[f"{table}.parent"][rows], rows, owners)
        news = np.flatnonzero((kinds == 0) & (first >= 0))
        kinds[news] = star.columns[f"{table}.type"][first[news]] & (TYPE_MASK | PLAIN)
        values[news] = star.columns[f"{table}.value"][first[news]]
    return value_column(star, kinds, values) if known else None


def _first_of_each(parents: Array, rows: Rows, owners: Rows) -> Rows:
    """Return for each owner the first of the rows with that parent, or -1."""
    size = max(int(parents.max(initial=0)), int(owners.max(initial=0))) + 1
    first = np.full(size + 1, -1, np.int64)  # the last one is for `NOWHERE`
    first[parents[::-1]] = rows[::-1]
    return first[owners]


def value_column(  # noqa: PLR0911 - one for each type
    star: Star, kinds: Array, values: Array
) -> pa.Array:
    """Return values as one column of the narrowest type that holds them all; empty ones are null."""
    types = kinds & TYPE_MASK
    types[types == ABSENT] = ValueType.EMPTY
    present = types != ValueType.EMPTY
    distinct = {ValueType(number) for number in np.unique(types[present]).tolist()}
    if distinct == {ValueType.STR}:
        return _texts(star, kinds, values)
    if distinct == {ValueType.INT}:
        return arrow_array(values, pa.int64(), present)
    if distinct == {ValueType.DOUBLE}:
        return arrow_array(values, pa.float64(), present)
    if distinct == {ValueType.BOOL}:
        return pa.array(values != 0, mask=~present)
    if distinct == {ValueType.BYTES}:
        return arrow_binaries(star.blobs, values, present)
    if distinct == NUMBERS:
        numbers = np.where(types == ValueType.INT, values.astype(np.float64), values.view(np.float64))
        return pa.array(numbers, mask=~present)
    pairs = zip(kinds.tolist(), values.tolist(), strict=True)
    return pa.array([_text(star, kind, value) for kind, value in pairs], pa.string())


def _texts(star: Star, kinds: Array, values: Array) -> pa.Array:
    plain, valid = (kinds & PLAIN) != 0, kinds == ValueType.STR
    in_blobs = arrow_binaries(star.blobs, np.where(plain, values, 0), plain).cast(pa.string())
    if not valid.any():
        return in_blobs
    numbers = arrow_array(np.where(valid, values, 0).astype(np.int32), pa.int32(), valid)
    texts = pa.DictionaryArray.from_arrays(numbers, arrow_strings(star.texts)).cast(pa.string())
    return pc.coalesce(texts, in_blobs) if plain.any() else texts


def _text(star: Star, kind: int, value: int) -> str | None:  # noqa: PLR0911 - one for each type
    """Return one value as text: strings as they are, arrays and maps as JSON."""
    number = ValueType(kind & TYPE_MASK)
    if number == ValueType.EMPTY:
        return None
    if number == ValueType.STR:
        return (star.blobs if kind & PLAIN else star.texts)[value].decode()
    if number == ValueType.BOOL:
        return str(bool(value)).lower()
    if number == ValueType.DOUBLE:
        return str(np.int64(value).view(np.float64))
    if number == ValueType.BYTES:
        return star.blobs[value].hex()
    if number in (ValueType.MAP, ValueType.SLICE):
        return json.dumps(_plain(star, AnyValue.FromString(star.blobs[value])), ensure_ascii=False)
    return str(value)


def _plain(star: Star, value: AnyValue) -> object:
    """Return a nested value as Python lists, dicts and scalars; bytes as hexadecimal digits."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(star, item) for item in value.array_value.values]
    if kind == "kvlist_value":
        found: dict[str, object] = {}
        for pair in value.kvlist_value.values:
            found.setdefault(pair.key or _string(star, pair.key_strindex), _plain(star, pair.value))
        return found
    if kind == "string_value_strindex" and star.signal == "profiles":
        return _string(star, value.string_value_strindex)
    scalar = getattr(value, kind) if kind else None
    if isinstance(scalar, float) and not math.isfinite(scalar):
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(str(scalar), "NaN")  # as OTLP's JSON names them
    return scalar.hex() if isinstance(scalar, bytes) else scalar


def _string(star: Star, reference: int) -> str:
    """Return a row of the table of strings, which only profiles have; empty where there is none."""
    if star.signal != "profiles" or not 0 < reference < star.rows["strings"]:
        return ""
    return star.texts[star.columns["strings.text"][reference]].decode()
