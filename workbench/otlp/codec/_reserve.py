"""Room for the largest case that costs nothing until it is used: anonymous pages of the operating system."""

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._star import Strings, address_of

__all__ = ["LARGE", "LINE", "NO_SIDES", "Dictionary", "Heap", "new_memory"]

NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)
FIRST_SLOTS = 4096
LARGE = 1 << 25  # the largest block that the allocator keeps for its next use
SIDE_SIZE = codes.SIDE_SIZE
NO_SIDES = np.empty((0, 4), np.int64)
LINE = 64  # bytes of a cache line; also how far kernels read behind an array


def new_memory(size: int) -> npt.NDArray[np.uint8]:
    """Return some bytes, and a line behind them.

    Large ones (`LARGE`) are zeroed pages that become memory when first written; small ones come from the
    allocator, which has them at hand where the system would have to map each page anew.
    """
    if size < LARGE:
        return np.empty(size + LINE, np.uint8)
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE
    return np.frombuffer(mmap.mmap(-1, size + LINE, flags=flags), np.uint8)


def padded(size: int) -> int:
    """Return a size in bytes with what is kept free behind it."""
    return size + LINE + -size % LINE


class Dictionary:
    """Texts stored once, up to so many and of so many bytes; text 0 is empty.

    `_kernel_dictionary` fills it.
    """

    def __init__(self, room: int, bytes_room: int) -> None:
        self.room, self.bytes_room = room, bytes_room
        slots = FIRST_SLOTS
        while slots < 4 * (room + 1):
            slots *= 2
        shapes: tuple[tuple[int, Any], ...] = (
            (slots, np.int64),
            (room + 2, np.int32),
            (bytes_room, np.uint8),
            (room + 1, np.int64),
        )
        size = sum(padded(count * np.dtype(kind).itemsize) for count, kind in shapes)
        memory, used, arrays = new_memory(size), 0, []
        for count, kind in shapes:
            arrays.append(np.ndarray(count, kind, memory, used))
            used += padded(arrays[-1].nbytes)
        found, self.offsets, self.data, _ = arrays
        found[:FIRST_SLOTS] = 0  # the others are set to zero when they are needed
        self.offsets[:2] = 0
        addresses = [address_of(array) for array in arrays]
        self.control = np.array([*addresses, 1, FIRST_SLOTS - 1, 0, room, bytes_room], np.int64)
        self._numbers, self._ends = self.control.data, self.offsets.data
        self._known, self._strings = 0, Strings(self.offsets[:1], self.data)

    @property
    def count(self) -> int:
        """How many texts there are."""
        return self._numbers[codes.D_COUNT // 8]

    @property
    def size(self) -> int:
        """How many bytes the texts have."""
        return self._ends[self.count]

    @property
    def strings(self) -> Strings:
        """The texts that there are by now: the same ones as long as none are added."""
        count = self._numbers[codes.D_COUNT // 8]
        if count != self._known:
            self._known, self._strings = count, Strings(self.offsets[: count + 1], self.data)
        return self._strings

    def fits(self, texts: int, size: int) -> bool:
        """Tell whether so many more texts have room, of so many bytes altogether."""
        return self.count + texts <= self.room and self.size + size <= self.bytes_room


class Heap:
    """Byte strings that follow each other, up to so many and of so many bytes; number 0 is empty.

    Behind them lie side entries, `(n, 4) int64`: table, row, slot and string.
    """

    def __init__(self, room: int, bytes_room: int, sides: int) -> None:
        self.room, self.bytes_room, self.sides_room = room, bytes_room, sides
        self.bytes_at = padded(8 * (room + 2))
        self.sides_at = self.bytes_at + padded(bytes_room)
        self._memory = new_memory(self.sides_at + SIDE_SIZE * sides)

    def connect(self, strings: npt.NDArray[np.int64], sides: npt.NDArray[np.int64]) -> None:
        """Tell the two control blocks where offsets and bytes of the strings, and the side entries, go."""
        address = address_of(self._memory)
        for control, slot, number in (
            (strings, codes.H_OFFSETS, address),
            (strings, codes.H_BYTES, address + self.bytes_at),
            (strings, codes.H_ROOM, self.room),
            (strings, codes.H_BYTES_ROOM, self.bytes_room),
            (sides, codes.S_ENTRIES, address + self.sides_at),
            (sides, codes.S_ROOM, self.sides_room),
        ):
            control[slot // 8] = number

    def has_room(self, room: int, bytes_room: int, sides: int) -> bool:
        """Tell whether it is as large as one made for so much."""
        return room <= self.room and bytes_room <= self.bytes_room and sides <= self.sides_room

    def strings(self, count: int) -> Strings:
        """Return the first strings, of which there are so many."""
        memory = self._memory
        return Strings(memory[: 8 * (count + 1)].view(np.int64), memory[self.bytes_at : self.sides_at])

    def sides(self, count: int) -> npt.NDArray[np.int64]:
        """Return the first side entries."""
        entries = self._memory[self.sides_at : self.sides_at + SIDE_SIZE * count]
        return entries.view(np.int64).reshape(count, 4)
