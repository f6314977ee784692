"""Group rows by the values of several columns: each combination that occurs is a group, numbered densely.

A column becomes codes into its distinct values, null among them. Where the product of the numbers of distinct
values is small, the codes are digits of the group's number in a mixed radix, and nothing is hashed; where it
is large, numbers are hashed to dense ones, column by column.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["Coded", "Groups", "encode", "group_rows"]

DENSE = 1 << 20  # this many numbers may be unused, whatever the number of rows
BLOCK = 1 << 16
Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column as codes into its distinct values: ``distinct[codes[i]]`` is the value of row `i`."""

    codes: Codes
    distinct: pa.Array


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The group of each row.

    Attributes
    ----------
    ids : (n,) int32
    size : int
        Ids are less than this; not every one need occur.
    members : sequence of (size,) int32
        For each column the code of its value in each group.
    """

    ids: Codes
    size: int
    members: Sequence[Codes]


def group_rows(columns: Sequence[Coded], rows: int) -> Groups:
    """Return the groups of `rows` rows; without columns they are one group."""
    sizes = [max(len(column.distinct), 1) for column in columns]
    size = math.prod(sizes)
    if size <= max(DENSE, 2 * rows):
        ids = _numbers([column.codes for column in columns], sizes, rows)
        members = np.unravel_index(np.arange(size), sizes) if columns else ()
        return Groups(ids, size, [codes.astype(np.int32) for codes in members])
    ids, size = _hashed(columns)
    first = np.zeros(size, np.int64)
    first[ids[::-1]] = np.arange(rows)[::-1]
    return Groups(ids, size, [column.codes[first] for column in columns])


def _numbers(codes: Sequence[Codes], sizes: Sequence[int], rows: int) -> Codes:
    """Return the numbers of which the codes are digits; in blocks, so that they stay in the cache."""
    if len(codes) < 2:
        return codes[0] if codes else np.zeros(rows, np.int32)
    ids = np.empty(rows, np.int32)
    for start in range(0, rows, BLOCK):
        part = slice(start, start + BLOCK)
        number = codes[0][part]
        for digits, radix in zip(codes[1:], sizes[1:], strict=True):
            number = np.multiply(number, np.int32(radix), out=ids[part])
            number += digits[part]
    return ids


def _hashed(columns: Sequence[Coded]) -> tuple[Codes, int]:
    """Return dense group numbers in order of first appearance, and how many there are."""
    import pandas as pd  # noqa: PLC0415 - for its hash table, and for few inputs

    numbers, size = columns[0].codes.astype(np.int64), len(columns[0].distinct)
    for column in columns[1:]:
        numbers, distinct = pd.factorize(numbers * len(column.distinct) + column.codes)
        size = len(distinct)
    return numbers.astype(np.int32), size


def encode(column: pa.Array | pa.ChunkedArray) -> Coded:
    """Return a column as codes; null is a value of its own, and those of a dictionary are made distinct."""
    if pa.types.is_null(column.type):
        return Coded(np.zeros(len(column), np.int32), pa.nulls(min(len(column), 1)))
    if not pa.types.is_dictionary(column.type):
        return _coded(_flat(column.dictionary_encode(null_encoding="encode")))
    found = _flat(column.unify_dictionaries() if isinstance(column, pa.ChunkedArray) else column)
    values = found.dictionary.dictionary_encode(null_encoding="encode")
    distinct = values.dictionary
    missing = int(np.argmax(~_valid(distinct))) if distinct.null_count else -1
    if missing < 0 and found.indices.null_count:
        missing, distinct = len(distinct), pa.concat_arrays([distinct, pa.nulls(1, distinct.type)])
    codes = _integers(found.indices.fill_null(0) if found.indices.null_count else found.indices)
    if len(values.dictionary) < len(values):
        codes = _integers(values.indices)[codes]
    if found.indices.null_count:
        codes = np.where(_valid(found.indices), codes, np.int32(missing))
    return Coded(codes, distinct)


def _flat(column: Any) -> Any:
    """Return one array of a column that may be in chunks."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _coded(found: Any) -> Coded:
    return Coded(_integers(found.indices), found.dictionary)


def _integers(indices: pa.Array) -> Codes:
    codes: Codes = indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return codes


def _valid(column: pa.Array) -> npt.NDArray[np.bool_]:
    valid: npt.NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
    return valid
