"""Where the columns lie, told to decoder and encoder: each record has the addresses of its own."""

from typing import Any

from workbench.kernels.memory import load64, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import L_COLUMNS, L_COUNT, L_MEMORY, L_OFFSETS, L_PLACES, L_RECORDS

__all__ = ["place_columns"]


@inlined
def place_columns(layout: Any) -> None:
    """Write into each of some places among the records the address of its column.

    A column lies at its offset in the memory, and has the address 0 where that is negative.
    """
    records, places = load64(layout + L_RECORDS), load64(layout + L_PLACES)
    columns, offsets = load64(layout + L_COLUMNS), load64(layout + L_OFFSETS)
    memory = load64(layout + L_MEMORY)
    for number in range(load64(layout + L_COUNT)):
        offset = load64(offsets + 8 * load64(columns + 8 * number))
        address = memory + offset if offset >= 0 else 0
        store64(records + 8 * load64(places + 8 * number), address)
