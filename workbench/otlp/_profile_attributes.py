"""The attributes of profiles as other signals have theirs: references into the dictionary are followed.

A profile lists rows of the dictionary's attributes, and their keys are rows of its strings; so may keys and
texts of any attribute be. Reference 0, and one that leads nowhere, is no attribute or an empty value.
"""

from collections import ChainMap
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp._schema import ValueType
from workbench.otlp.codec._codes import TYPE_MASK
from workbench.otlp.codec._star import Star, padded_strings

__all__ = ["PROFILE_ATTRIBUTES", "followed", "followed_values"]

Array = npt.NDArray[Any]
PROFILE_ATTRIBUTES = "profile_attrs"
ENVELOPES = ("resource_attrs", "scope_attrs")


def followed(star: Star) -> Star:
    """Return profiles with a table of their own attributes, without references; other signals as they are."""
    if star.signal != "profiles":
        return star
    references = star.columns["profiles.attribute_indices"]
    parents = np.repeat(
        np.arange(star.rows["profiles"]), np.diff(star.columns["profiles.attribute_indices.start"])
    )
    is_there = (references >= 0) & (references < star.rows["attributes"])
    rows, parents = references[is_there], parents[is_there]
    keys = star.columns["attributes.key_strindex"][rows]
    types, values = followed_values(
        star, star.columns["attributes.value.type"][rows], star.columns["attributes.value.value"][rows]
    )
    named = _is_string(star, keys)
    pool = _KeyPool(star)
    columns: dict[str, Array] = {
        f"{PROFILE_ATTRIBUTES}.parent": parents[named].astype(np.uint32),
        f"{PROFILE_ATTRIBUTES}.key": pool.numbers(keys[named]),
        f"{PROFILE_ATTRIBUTES}.type": types[named],
        f"{PROFILE_ATTRIBUTES}.value": values[named],
    }
    for table in ENVELOPES:
        columns |= _envelope(star, table, pool)
    both = ChainMap(columns, star.columns)  # type: ignore[arg-type] # none is written
    return star._replace(columns=both, keys=pool.strings())


def followed_values(star: Star, types: Array, values: Array) -> tuple[Array, Array]:
    """Return values of which those that refer to the table of strings are texts."""
    refers = np.flatnonzero((types & TYPE_MASK) == ValueType.STRINDEX)
    if not len(refers):
        return types, values
    types, values = types.copy(), values.copy()
    sound = refers[_is_string(star, values[refers])]
    types[refers], types[sound] = ValueType.EMPTY, ValueType.STR
    values[sound] = star.columns["strings.text"][values[sound]]
    return types, values


def _is_string(star: Star, references: Array) -> Array:
    found: Array = (references > 0) & (references < star.rows["strings"])
    return found


def _envelope(star: Star, table: str, pool: "_KeyPool") -> dict[str, Array]:
    types, values = followed_values(star, star.columns[f"{table}.type"], star.columns[f"{table}.value"])
    columns = {f"{table}.type": types, f"{table}.value": values}
    if f"{table}.key_strindex" in star.columns:
        references = star.columns[f"{table}.key_strindex"]
        refers = _is_string(star, references)
        columns[f"{table}.key"] = star.columns[f"{table}.key"].copy()
        columns[f"{table}.key"][refers] = pool.numbers(references[refers])
    return columns


class _KeyPool:
    """The keys of a star, and those that references into the table of strings add."""

    def __init__(self, star: Star) -> None:
        self._star = star
        self._numbers = {star.keys[number]: number for number in reversed(range(len(star.keys)))}
        self._added: list[bytes] = []

    def numbers(self, references: Array) -> Array:
        """Return the numbers of keys that are rows of the table of strings."""
        distinct, place = np.unique(references, return_inverse=True)
        texts = self._star.columns["strings.text"][distinct].tolist()
        return np.array([self._number(self._star.texts[text]) for text in texts], np.int32)[place]

    def _number(self, key: bytes) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self._star.keys) + len(self._added)
            self._added.append(key)
        return self._numbers[key]

    def strings(self) -> Any:
        before = [self._star.keys[number] for number in range(len(self._star.keys))]
        return padded_strings(pa.array(before + self._added, pa.large_binary()), np.int32)
