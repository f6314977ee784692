"""Telemetry in flat arrays: the columns of all tables, the texts they refer to, and what fits no column."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Star", "Strings"]


@dataclass(frozen=True, slots=True)
class Strings:
    """Byte strings one after the other: string i is ``data[offsets[i]:offsets[i + 1]]``."""

    offsets: npt.NDArray[np.integer]
    data: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, number: int) -> bytes:
        return self.data[self.offsets[number] : self.offsets[number + 1]].tobytes()


@dataclass(frozen=True, slots=True)
class Star:
    """One signal's columns (`_plan`), with the texts of keys and values, the blobs, and the side entries.

    `sides` is `(n, 4) int64`: table, row, slot and blob of what no column holds, in the input's order.
    """

    signal: str
    rows: dict[str, int]
    columns: dict[str, npt.NDArray[np.generic]]
    keys: Strings
    texts: Strings
    blobs: Strings
    sides: npt.NDArray[np.int64]
    unknown: int = 0
