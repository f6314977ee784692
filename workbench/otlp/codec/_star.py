"""Telemetry in flat arrays: the columns of all tables, the texts they refer to, and what fits no column."""

import ctypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp._schema import Signal

__all__ = [
    "BEHIND",
    "NO_STRINGS",
    "SlabColumns",
    "SlabLayout",
    "SlabRows",
    "Star",
    "Strings",
    "address_of",
    "padded_strings",
]

FRONT, BEHIND = 64, 64  # bytes around texts that kernels may read


@dataclass(frozen=True, slots=True)
class Strings:
    """Byte strings one after the other: string i is ``data[offsets[i]:offsets[i + 1]]``.

    `places` are the addresses of both, for those who ask often.
    """

    offsets: npt.NDArray[np.integer]
    data: npt.NDArray[np.uint8]
    places: tuple[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", (address_of(self.offsets), address_of(self.data)))

    def __reduce__(self) -> tuple[Any, ...]:  # copies lie elsewhere
        return Strings, (self.offsets, self.data)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, number: int) -> bytes:
        return self.data[self.offsets[number] : self.offsets[number + 1]].tobytes()


def address_of(array: npt.NDArray[Any] | bytearray) -> int:
    """Return where an array's memory starts, or that of a bytearray that is not empty."""
    try:
        # a third of the time of the other way
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # type: ignore[arg-type] # it is a buffer
    except (TypeError, ValueError):  # read-only, or empty
        address: int = array.__array_interface__["data"][0]  # type: ignore[union-attr] # an array
        return address


def padded_strings(values: pa.Array, offset_type: type[np.integer]) -> Strings:
    """Return Arrow's large_binary in memory that kernels may read around."""
    offsets = np.frombuffer(values.buffers()[1], np.int64)[values.offset : values.offset + len(values) + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    memory = np.zeros(FRONT + last - first + BEHIND, np.uint8)
    if last > first:
        memory[FRONT : FRONT + last - first] = np.frombuffer(values.buffers()[2], np.uint8)[first:last]
    return Strings((offsets - first).astype(offset_type), memory[FRONT:])


NO_STRINGS = Strings(np.zeros(2, np.int64), np.zeros(FRONT + BEHIND, np.uint8)[FRONT:])  # but the empty one


@dataclass(frozen=True, slots=True)
class SlabLayout:
    """Where the columns of a plan lie in a piece of memory.

    `places` has the numbers and types of those that there are. `offsets`, at an address, says where each
    lies, and -1 for the others. A column is as long as the count of its source, and its extra entries.
    """

    places: Mapping[str, tuple[int, str]]
    offsets: npt.NDArray[np.int64]
    offsets_at: int
    sources: npt.NDArray[np.int64]
    extra: npt.NDArray[np.int64]


class SlabColumns(Mapping[str, npt.NDArray[Any]]):
    """Columns in one piece of memory, as arrays when first asked for; rows are in the order of their parents.

    `counts` has the rows of the plan's tables, then the elements of its lists.
    """

    __slots__ = ("_arrays", "address", "counts", "layout", "memory")

    def __init__(
        self, memory: npt.NDArray[np.uint8], address: int, layout: SlabLayout, counts: npt.NDArray[np.int64]
    ) -> None:
        self.memory, self.address, self.layout, self.counts = memory, address, layout, counts
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in self._arrays:
            layout = self.layout
            number, dtype = layout.places[name]
            count = int(self.counts[layout.sources[number]] + layout.extra[number])
            self._arrays[name] = np.ndarray(count, dtype, self.memory, int(layout.offsets[number]))
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layout.places)

    def __len__(self) -> int:
        return len(self.layout.places)


class SlabRows(Mapping[str, int]):
    """How many rows each table has, given the tables' numbers and their counts."""

    __slots__ = ("counts", "tables")

    def __init__(self, tables: Mapping[str, int], counts: npt.NDArray[np.int64]) -> None:
        self.tables, self.counts = tables, counts

    def __getitem__(self, table: str) -> int:
        return int(self.counts[self.tables[table]])

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)


class Star(NamedTuple):
    """One signal's columns (`_plan`), with the texts of keys and values, the blobs, and the side entries.

    `sides` is `(n, 4) int64`: table, row, slot and blob of what no column holds, in the input's order.
    """

    signal: Signal
    rows: Mapping[str, int]
    columns: Mapping[str, npt.NDArray[Any]]
    keys: Strings
    texts: Strings
    blobs: Strings
    sides: npt.NDArray[np.int64]
    unknown: int = 0
    size: int = 0  # bytes of the message that it was decoded from; 0 if it was not
