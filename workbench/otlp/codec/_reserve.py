"""Room for the largest case that costs nothing until it is used: anonymous pages of the operating system."""

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Arena", "Dictionary", "Heap", "Sides"]

NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)
FIRST_SLOTS = 4096
LARGE = 1 << 25  # the largest block that the allocator keeps for its next use
LINE = 64  # bytes of a cache line; also how far kernels read behind an array


class Arena:
    """One piece of memory whose first bytes are zero, given out array by array.

    Large ones are zeroed pages that become memory when first written; small ones come from the allocator,
    which has them at hand where the system would have to map each page anew.
    """

    def __init__(self, size: int, zeroed: int) -> None:
        if size < LARGE:
            self.memory = np.empty(size + LINE, np.uint8)
            self.memory[:zeroed] = 0
        else:
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE
            self.memory = np.frombuffer(mmap.mmap(-1, size + LINE, flags=flags), np.uint8)
        self.address = self.memory.ctypes.data
        self.used = 0

    def take(self, count: int, dtype: Any) -> npt.NDArray[Any]:
        """Return the next array of so many items."""
        array = np.ndarray(count, dtype, self.memory, self.used)
        self.used += padded(array.nbytes)
        return array


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
        arena = Arena(size, zeroed=size)
        arrays = [arena.take(count, kind) for count, kind in shapes]
        _, self.offsets, self.data, _ = arrays
        addresses = [array.ctypes.data for array in arrays]
        self.control = np.array([*addresses, 1, FIRST_SLOTS - 1, 0, room, bytes_room], np.int64)

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

    def failure(self) -> int:
        """Return why texts were not appended since the last call: NOT_UTF8, FULL, both or neither (0)."""
        failed = int(self.control[6])
        self.control[6] = 0
        return failed


class Heap:
    """Byte strings that follow each other, up to so many and of so many bytes; number 0 is empty."""

    def __init__(self, room: int, bytes_room: int) -> None:
        arena = Arena(padded(8 * (room + 2)) + padded(bytes_room), zeroed=0)
        self.offsets = arena.take(room + 2, np.int64)
        self.data = arena.take(bytes_room, np.uint8)
        self.offsets[:2] = 0
        self.room = room
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
        return self.needed > self.room


class Sides:
    """Side entries: `(n, 4) int64`, table, row, slot and blob."""

    def __init__(self, room: int) -> None:
        self.entries = np.zeros((room, 4), np.int64)
        self.room = room
        self.control = np.array([self.entries.ctypes.data, 0, room, 0], np.int64)

    @property
    def needed(self) -> int:
        """How many entries were appended, those without room included."""
        return int(self.control[1])

    @property
    def overflowed(self) -> bool:
        """Tell whether some had no room."""
        return self.needed > self.room
