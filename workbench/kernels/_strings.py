"""Strings as Arrow lays them out, and a needle to look for in them.

Row ``i`` is ``data[offsets[i] : offsets[i + 1]]``: rows lie one behind the other, without ends or lengths in
between. Kernels get addresses and numbers, so that one compiled loop serves 32-bit and 64-bit offsets, and
read-only memory is read where it lies.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from workbench.kernels._registry import KernelError
from workbench.kernels._simd import WINDOW
from workbench.kernels.memory import load32s, load64
from workbench.kernels.parts import inlined

__all__ = ["Bytes", "Needle", "Offsets", "Strings", "checked_strings", "offset"]

Bytes: TypeAlias = npt.NDArray[np.uint8]
Offsets: TypeAlias = npt.NDArray[np.int32] | npt.NDArray[np.int64]

CASE = 0x20  # the bit in which an ASCII letter's two cases differ
ANYTHING = 0xFF  # (x | 0xFF) == 0xFF for every x
SAMPLES, SAMPLE_SIZE = 64, 256


@dataclass(frozen=True, slots=True)
class Strings:
    """Rows of bytes, checked.

    Attributes
    ----------
    data : (m,) uint8
    offsets : (n + 1,) int32 or int64, ascending
    """

    data: Bytes
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def addresses(self) -> tuple[int, int, int, bool, int]:
        """What a kernel needs: data, its size, offsets, whether they have 64 bits, and the number of rows."""
        wide = self.offsets.dtype == np.int64
        return self.data.ctypes.data, len(self.data), self.offsets.ctypes.data, bool(wide), len(self)

    def frequencies(self) -> npt.NDArray[np.int64]:
        """Count each byte value in a sample of the rows, spread evenly: `(256,)`."""
        rows = self.data[self.offsets[0] : self.offsets[-1]]
        if len(rows) > SAMPLES * SAMPLE_SIZE:
            apart = len(rows) // SAMPLES
            rows = rows[: SAMPLES * apart].reshape(SAMPLES, apart)[:, :SAMPLE_SIZE].ravel()
        return np.bincount(rows, minlength=256)


def checked_strings(data: npt.ArrayLike, offsets: npt.ArrayLike) -> Strings:
    """Return strings that lie within the data; nothing is copied that has the right type.

    Only the first and the last offset are looked at: to read them all takes as long as to search. Where those
    between them do not ascend, kernels give no useful answer, but never read outside of the data.

    Raises
    ------
    KernelError
        When types or shapes are wrong, or the first and last offset do not lie within the data.
    """
    raw, bounds = np.asarray(data), np.asarray(offsets)
    if raw.dtype != np.uint8 or raw.ndim != 1:
        msg = f"data must be bytes, (m,) uint8, got {raw.shape} {raw.dtype}"
        raise KernelError(msg)
    if bounds.ndim != 1 or len(bounds) < 1 or not np.issubdtype(bounds.dtype, np.signedinteger):
        got = f"{bounds.shape} {bounds.dtype}"
        msg = f"offsets must be one more than the rows, (n + 1,) int32 or int64, got {got}"
        raise KernelError(msg)
    exact = np.int32 if bounds.dtype.itemsize <= 4 else np.int64
    found = Strings(
        np.require(raw, requirements=["C"]), np.require(bounds, exact, requirements=["C", "ALIGNED"])
    )
    _check_bounds(found)
    return found


def _check_bounds(strings: Strings) -> None:
    first, last, size = int(strings.offsets[0]), int(strings.offsets[-1]), len(strings.data)
    if first < 0 or last > size or first > last:
        msg = f"offsets must ascend within the data, 0 to {size}, got {first} to {last}"
        raise KernelError(msg)


@inlined
def offset(offsets: Any, wide: Any, row: Any) -> Any:
    """Return where a row starts."""
    return load64(offsets + 8 * row) if wide else load32s(offsets + 4 * row)


@dataclass(frozen=True, slots=True)
class Needle:
    """Bytes to look for, made ready for windows of 64.

    Attributes
    ----------
    text : (k,) uint8
        The bytes, folded, then 0xFF up to a whole number of windows.
    folds : (k,) uint8
        What to set in a byte before it is compared: 0x20 where case does not matter, 0 where it does, and
        0xFF behind the end, where everything is equal.
    length : int
        Of the bytes alone.
    first, second : int
        Places of the two bytes that are rarest in the data: a window without both holds no match.
    """

    text: Bytes
    folds: Bytes
    length: int
    first: int = 0
    second: int = 0

    @classmethod
    def of(
        cls, needle: str | bytes, *, ignore_case: bool = False, frequencies: npt.ArrayLike | None = None
    ) -> "Needle":
        """Return a needle for data in which bytes are as frequent as in a sample of it."""
        raw = np.frombuffer(needle.encode() if isinstance(needle, str) else needle, np.uint8)
        lower = raw | CASE
        letters = (lower >= ord("a")) & (lower <= ord("z")) & ignore_case
        blocks = -(-len(raw) // WINDOW) * WINDOW
        text, folds = np.full(blocks, ANYTHING, np.uint8), np.full(blocks, ANYTHING, np.uint8)
        text[: len(raw)] = np.where(letters, lower, raw)
        folds[: len(raw)] = np.where(letters, CASE, 0)
        counts = np.zeros(256, np.int64) if frequencies is None else np.asarray(frequencies)
        common = counts[raw] + np.where(letters, counts[raw ^ CASE], 0)
        rarest = np.argsort(common, kind="stable")[:2] if len(raw) > 1 else [0, 0]
        return cls(text, folds, len(raw), int(rarest[0]), int(rarest[1]))

    @property
    def addresses(self) -> tuple[int, int, int, int, int]:
        """What a kernel needs: text, folds, length, and the two places."""
        return self.text.ctypes.data, self.folds.ctypes.data, self.length, self.first, self.second
