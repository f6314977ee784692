"""Several stars of one signal as one: rows follow each other, texts are unified, references are moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from workbench.otlp._schema import ValueType
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._choose import parents_of
from workbench.otlp.codec._plan import Plan, plan_of
from workbench.otlp.codec._star import Star, Strings, padded_strings

__all__ = ["join_stars"]

Array = npt.NDArray[Any]
MOST_REFERENCE = (1 << 31) - 1

# Which of the profiles' dictionary tables a column refers to; 0 stays 0, the zero value
REFERENCES = {
    "profiles.sample_type.type_strindex": "strings",
    "profiles.sample_type.unit_strindex": "strings",
    "profiles.period_type.type_strindex": "strings",
    "profiles.period_type.unit_strindex": "strings",
    "profiles.attribute_indices": "attributes",
    "samples.stack_index": "stacks",
    "samples.attribute_indices": "attributes",
    "samples.link_index": "profile_links",
    "mappings.filename_strindex": "strings",
    "mappings.attribute_indices": "attributes",
    "locations.mapping_index": "mappings",
    "locations.attribute_indices": "attributes",
    "location_lines.function_index": "functions",
    "functions.name_strindex": "strings",
    "functions.system_name_strindex": "strings",
    "functions.filename_strindex": "strings",
    "stacks.location_indices": "locations",
    "attributes.key_strindex": "strings",
    "attributes.unit_strindex": "strings",
    "resource_attrs.key_strindex": "strings",
    "scope_attrs.key_strindex": "strings",
}


@dataclass(frozen=True, slots=True)
class _Shift:
    """Where the references of one star into a table lead in the joined one."""

    before: int  # rows of earlier stars
    own: int
    total: int

    def of(self, references: Array) -> Array:
        """Return references as they are in the joined star: 0 stays, and what led nowhere leads nowhere."""
        wide = references.astype(np.int64)
        dangling = np.minimum(wide + (self.total - self.own), MOST_REFERENCE)
        moved = np.where(wide < self.own, wide + self.before, dangling)
        return np.where(wide <= 0, wide, moved).astype(references.dtype)

    def of_one(self, reference: int) -> int:
        return int(self.of(np.array([reference], np.int64))[0])


def join_stars(stars: Sequence[Star]) -> Star:
    """Return all records of some stars, in their order."""
    first = stars[0]
    if len(stars) == 1:
        return first
    plan = plan_of(first.signal)
    key_maps, keys = _unified([star.keys for star in stars])
    text_maps, texts = _unified([star.texts for star in stars])
    shifts = _shifts(plan, stars)
    if first.signal == "profiles":
        stars = [
            _with_moved_nested(plan, star, at["strings"]) for star, at in zip(stars, shifts, strict=True)
        ]
    blob_starts, blobs = _appended([star.blobs for star in stars])
    parts = [
        _moved(plan, star, key_maps[at], text_maps[at], blob_starts[at], shifts[at])
        for at, star in enumerate(stars)
    ]
    columns = {name: _concatenated(plan, name, stars, parts) for name in plan.columns}
    columns["root.present"] = np.bitwise_or.reduce([star.columns["root.present"] for star in stars])
    rows = {table: sum(star.rows[table] for star in stars) for table in plan.tables}
    rows["root"] = 1
    sides = np.concatenate(
        [_moved_sides(plan, star, blob_starts[at], shifts[at]) for at, star in enumerate(stars)]
    )
    kept = {name: column for name, column in columns.items() if column is not None}
    unknown = sum(star.unknown for star in stars)
    return Star(
        first.signal, rows, kept, keys, texts, blobs, sides, unknown, sum(star.size for star in stars)
    )


def _shifts(plan: Plan, stars: Sequence[Star]) -> list[dict[str, _Shift]]:
    """Return for each star where its rows of each table come to lie; there is one root."""
    shifts: list[dict[str, _Shift]] = [{plan.tables[0]: _Shift(0, 1, 1)} for _ in stars]
    for table in plan.tables[1:]:
        rows = [star.rows[table] for star in stars]
        starts = np.cumsum([0, *rows]).tolist()
        for at, shift in enumerate(shifts):
            shift[table] = _Shift(starts[at], rows[at], starts[-1])
    return shifts


def _unified(pools: list[Strings]) -> tuple[list[Array | None], Strings]:
    """Return the distinct texts, and for each pool the new numbers (None: they stay)."""
    largest = max(pools, key=len)
    if all(pool.data is largest.data or pool.data.ctypes.data == largest.data.ctypes.data for pool in pools):
        return [None] * len(pools), largest
    arrays = [
        pa.LargeBinaryArray.from_buffers(
            pa.large_binary(),
            len(pool),
            [
                None,
                pa.py_buffer(pool.offsets.astype(np.int64)),
                pa.py_buffer(pool.data[: int(pool.offsets[-1])]),
            ],
        )
        for pool in pools
    ]
    encoded = pa.concat_arrays(arrays).dictionary_encode()
    numbers = encoded.indices.to_numpy()
    ends = np.cumsum([len(pool) for pool in pools])
    return list(np.split(numbers, ends[:-1])), padded_strings(encoded.dictionary, np.int32)


def _appended(pools: list[Strings]) -> tuple[list[int], Strings]:
    """Return all blobs one after the other, and at which number each pool's start; blob 0 stays 0."""
    sizes = [int(pool.offsets[-1]) for pool in pools]
    starts = np.cumsum([0, *(len(pool) - 1 for pool in pools)])
    ends = [
        pool.offsets[1:] + before for pool, before in zip(pools, np.cumsum([0, *sizes[:-1]]), strict=True)
    ]
    offsets = np.concatenate([[0, 0], *(part[1:] if len(part) else part for part in ends)]).astype(np.int64)
    values = pa.concat_arrays(
        [
            pa.LargeBinaryArray.from_buffers(
                pa.large_binary(),
                1,
                [None, pa.py_buffer(np.array([0, size])), pa.py_buffer(pool.data[:size])],
            )
            for pool, size in zip(pools, sizes, strict=True)
        ]
    )
    whole = padded_strings(values, np.int64)
    return starts[:-1].tolist(), Strings(offsets, whole.data)


def _moved(  # noqa: PLR0913 - all that may move
    plan: Plan, star: Star, keys: Array | None, texts: Array | None, blobs: int, shifts: dict[str, _Shift]
) -> dict[str, Array]:
    """Return a star's columns with all numbers as they are in the joined one."""
    found: dict[str, Array] = {}
    parents = parents_of(star.signal)
    for name, column in plan.columns.items():
        if name not in star.columns:
            continue
        array = star.columns[name]
        if column.name == "parent":
            array = array + np.uint32(shifts[parents[column.table]].before)
        elif column.text and texts is not None:
            array = texts[array].astype(np.int32)
        elif column.table in plan.attribute_tables and column.name == "key" and keys is not None:
            array = keys[array].astype(np.int32)
        elif column.dtype == "i8" and column.name == "original_payload":
            array = np.where(array == 0, 0, array + blobs)
        if star.signal == "profiles" and name in REFERENCES:
            array = shifts[REFERENCES[name]].of(array)
        found[name] = array
    for name in [name for name in found if name.endswith(".type") and f"{name[:-5]}.value" in found]:
        values = f"{name[:-5]}.value"
        found[values] = _moved_values(star, found[name], found[values], texts, blobs, shifts)
    return found


def _moved_values(  # noqa: PLR0913
    star: Star, types: Array, values: Array, texts: Array | None, blobs: int, shifts: dict[str, _Shift]
) -> Array:
    kinds = types & codes.TYPE_MASK
    plain = (types & codes.PLAIN) != 0
    in_blobs = plain | np.isin(kinds, (ValueType.MAP, ValueType.SLICE, ValueType.BYTES))
    values = np.where(in_blobs & (values != 0), values + blobs, values)
    in_texts = (kinds == ValueType.STR) & ~plain
    if texts is not None:
        values[in_texts] = texts[values[in_texts]]
    if star.signal == "profiles":
        values = np.where(kinds == ValueType.STRINDEX, shifts["strings"].of(values), values)
    return values


def _moved_sides(plan: Plan, star: Star, blobs: int, shifts: dict[str, _Shift]) -> Array:
    moved = star.sides.copy()
    for entry in moved:
        entry[1] += shifts[plan.tables[entry[0]]].before
        entry[3] += blobs if entry[3] else 0
    return moved


def _concatenated(
    plan: Plan, name: str, stars: Sequence[Star], parts: list[dict[str, Array]]
) -> Array | None:
    column = plan.columns[name]
    if column.starts is not None:
        lengths = np.concatenate([np.diff(part[name]) for part in parts])
        return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    if not any(name in part for part in parts):
        return None
    absent = [np.zeros(star.rows[column.table], column.dtype) for star in stars]
    return np.concatenate([part.get(name, absent[at]) for at, part in enumerate(parts)])


def _with_moved_nested(plan: Plan, star: Star, strings: _Shift) -> Star:
    """Return a star whose nested values refer to the joined string table."""
    nested: set[int] = set()
    for name in plan.columns:
        if name.endswith(".type") and f"{name[:-5]}.value" in star.columns:
            kinds = star.columns[name] & codes.TYPE_MASK
            chosen = (kinds == ValueType.MAP) | (kinds == ValueType.SLICE)
            nested |= set(star.columns[f"{name[:-5]}.value"][chosen].tolist())
    if not nested or strings.own == strings.total:
        return star
    blobs = [
        _nested_references(star.blobs[at], strings) if at in nested else star.blobs[at]
        for at in range(len(star.blobs))
    ]
    return star._replace(blobs=padded_strings(pa.array(blobs, pa.large_binary()), np.int64))


def _nested_references(value: bytes, strings: _Shift) -> bytes:
    """Return a nested value whose references into the string table are moved."""
    message = AnyValue.FromString(value)
    _move(message, strings)
    return message.SerializeToString()


def _move(value: AnyValue, strings: _Shift) -> None:
    kind = value.WhichOneof("value")
    if kind == "string_value_strindex":
        value.string_value_strindex = strings.of_one(value.string_value_strindex)
    for item in value.array_value.values if kind == "array_value" else ():
        _move(item, strings)
    for pair in value.kvlist_value.values if kind == "kvlist_value" else ():
        pair.key_strindex = strings.of_one(pair.key_strindex)
        _move(pair.value, strings)
