"""A column of texts by row number, whatever chunks it has."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp.text._arrow_strings import layout

__all__ = ["Lines"]

Rows = npt.NDArray[np.int64]


class Lines:
    """Texts where Arrow keeps them: their addresses, valid as long as this lives."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        plain = [chunk.dictionary_decode() if _is_dictionary(chunk) else chunk for chunk in column.chunks]
        self.chunks = [chunk for chunk in plain if len(chunk)]
        self.layouts = [layout(chunk) for chunk in self.chunks]
        self.firsts = np.cumsum([0, *map(len, self.chunks)])

    def __len__(self) -> int:
        return int(self.firsts[-1])

    def valid(self, chunk: int) -> npt.NDArray[np.bool_]:
        """Tell which rows of a chunk hold a text."""
        return np.array(self.chunks[chunk].is_valid().to_numpy(zero_copy_only=False), bool)

    def longest(self) -> int:
        """Return the length of the longest text, bytes."""
        return max((int(np.diff(offsets).max()) for _, offsets in self.layouts), default=0)

    def bytes_of(self, row: int) -> bytes:
        """Return one text."""
        chunk = int(np.searchsorted(self.firsts, row, side="right")) - 1
        data, offsets = self.layouts[chunk]
        inside = row - int(self.firsts[chunk])
        return data[offsets[inside] : offsets[inside + 1]].tobytes()

    def addresses(self, rows: Rows) -> tuple[Rows, Rows]:
        """Return the first and after-last address of each text, `(k,)`; rows ascend."""
        starts, stops = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
        cuts = np.searchsorted(rows, self.firsts)
        for chunk, (data, offsets) in enumerate(self.layouts):
            here = slice(int(cuts[chunk]), int(cuts[chunk + 1]))
            inside = rows[here] - self.firsts[chunk]
            starts[here] = data.ctypes.data + offsets[inside].astype(np.int64)
            stops[here] = data.ctypes.data + offsets[inside + 1].astype(np.int64)
        return starts, stops


def _is_dictionary(chunk: Any) -> bool:
    return bool(pa.types.is_dictionary(chunk.type))
