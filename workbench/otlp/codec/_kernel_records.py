"""Where the columns lie, told to decoder and encoder: each record has the addresses of its own."""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import load64, store64

__all__ = ["place_columns"]


@kernel("void(int64, int64, int64, int64, int64, int64)")
def place_columns(records: Any, places: Any, columns: Any, count: Any, offsets: Any, memory: Any) -> None:
    """Write into each of some places among the records the address of its column.

    A column lies at its offset in the memory, and has the address 0 where that is negative.
    """
    for number in range(count):
        offset = load64(offsets + 8 * load64(columns + 8 * number))
        address = memory + offset if offset >= 0 else 0
        store64(records + 8 * load64(places + 8 * number), address)
