"""Room for the largest case that costs nothing until it is used: anonymous pages of the operating system."""

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Dictionary", "Heap", "Sides", "reserve"]

NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)
FIRST_SLOTS = 4096
SLACK = 64


def reserve(size: int, dtype: Any) -> npt.NDArray[Any]:
    """Return an array of zeros whose pages become memory when they are first written."""
    item = np.dtype(dtype).itemsize
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE
    return np.frombuffer(mmap.mmap(-1, size * item + SLACK, flags=flags), dtype, count=size)


class Dictionary:
    """Texts stored once, up to so many and of so many bytes; `_kernel_dictionary` fills it."""

    def __init__(self, room: int, bytes_room: int) -> None:
        self.room, self.bytes_room = room, bytes_room
        slots = FIRST_SLOTS
        while slots < 4 * (room + 1):
            slots *= 2
        self.slots = reserve(slots, np.int64)
        self.offsets = reserve(room + 2, np.int32)
        self.data = reserve(bytes_room, np.uint8)
        self.hashes = reserve(room + 1, np.int64)
        arrays = (self.slots, self.offsets, self.data, self.hashes)
        addresses = [array.ctypes.data for array in arrays]
        self.control = np.array([*addresses, 1, FIRST_SLOTS - 1, 0, 0], np.int64)  # text 0 is empty

    @property
    def count(self) -> int:
        """How many texts there are."""
        return int(self.control[4])

    @property
    def size(self) -> int:
        """How many bytes the texts have."""
        return int(self.offsets[self.count])

    def fits(self, texts: int, size: int) -> bool:
        """Tell whether so many more texts have room, of so many bytes altogether."""
        return self.count + texts <= self.room and self.size + size <= self.bytes_room

    def is_valid(self) -> bool:
        """Tell whether all texts since the last call were UTF-8."""
        invalid = bool(self.control[6])
        self.control[6] = 0
        return not invalid


class Heap:
    """Byte strings that follow each other, up to so many and of so many bytes; number 0 is empty."""

    def __init__(self, room: int, bytes_room: int) -> None:
        self.offsets = reserve(room + 2, np.int64)
        self.data = reserve(bytes_room, np.uint8)
        self.control = np.array(
            [self.offsets.ctypes.data, self.data.ctypes.data, 1, room, bytes_room, 0], np.int64
        )

    @property
    def needed(self) -> int:
        """How many strings were appended, those without room included."""
        return int(self.control[2])

    @property
    def overflowed(self) -> bool:
        """Tell whether some had no room."""
        return self.needed > int(self.control[3])


class Sides:
    """Side entries: `(n, 4) int64`, table, row, slot and blob."""

    def __init__(self, room: int) -> None:
        self.entries = reserve(4 * room, np.int64).reshape(-1, 4)
        self.control = np.array([self.entries.ctypes.data, 0, room, 0], np.int64)

    @property
    def needed(self) -> int:
        """How many entries were appended, those without room included."""
        return int(self.control[1])

    @property
    def overflowed(self) -> bool:
        """Tell whether some had no room."""
        return self.needed > int(self.control[2])
