"""What a call of a JSON kernel works with: control block, stack, its own copy of the tables, padded text."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.otlp.codec import _json_codes as codes
from workbench.otlp.codec._json_powers import powers_of_five
from workbench.otlp.codec._json_records import Records

__all__ = ["Block", "Fault", "Text"]

WORD = 8


@dataclass(frozen=True, slots=True)
class Fault:
    """Where something is wrong: the byte, and the field."""

    at: int
    path: str


class Text:
    """A copy of bytes with zeros behind them."""

    def __init__(self, data: Any) -> None:
        source = np.frombuffer(data, np.uint8)
        self.size = len(source)
        self.memory = np.empty(self.size + codes.PADDING, np.uint8)
        self.memory[: self.size] = source
        self.memory[self.size :] = 0
        self.start = self.memory.ctypes.data
        self.end = self.start + self.size


class Block:
    """A kernel's control block, and the memory that it points to; slots by their names in `_json_codes`."""

    def __init__(self, records: Records, text: Text) -> None:
        self.records, self.text = records, text
        self._slots = np.zeros(codes.CONTROL_SLOTS, np.int64)
        self._kept: dict[int, npt.NDArray[Any]] = {}
        self._stack = np.zeros((codes.MOST_MESSAGES, codes.FRAME_SIZE // WORD), np.int64)
        self.point(codes.C_STACK, self._stack)
        self.point(codes.C_FIELDS, records.fields.copy())
        self.point(codes.C_POWERS, powers_of_five())
        self[codes.C_END] = text.end
        self.address = self._slots.ctypes.data

    def __getitem__(self, slot: int) -> int:
        return int(self._slots[slot // WORD])

    def __setitem__(self, slot: int, value: int) -> None:
        self._slots[slot // WORD] = value

    def point(self, slot: int, array: npt.NDArray[Any]) -> None:
        """Write an array's address into a slot, and keep the array."""
        self._kept[slot] = array
        self[slot] = array.ctypes.data

    def fault(self) -> Fault:
        """Return where the kernel found something wrong: through the frames of the open messages."""
        top = (self[codes.C_FAULT_FRAME] - self[codes.C_STACK]) // codes.FRAME_SIZE
        steps = self._stack[1 : top + 1, :2].tolist()
        if self[codes.C_FAULT_FIELD]:
            steps.append([self[codes.C_FAULT_FIELD], self[codes.C_FAULT_INDEX]])
        size = self.records.fields.itemsize * self.records.fields.shape[1]
        names = (self.records.names[field // size] + _bracketed(index) for field, index in steps)
        return Fault(self[codes.C_FAULT_AT] - self.text.start, ".".join(names))


def _bracketed(index: int) -> str:
    return f"[{index}]" if index >= 0 else ""
