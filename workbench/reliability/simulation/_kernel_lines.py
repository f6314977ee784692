"""Lines: records that know their neighbours, and leave from wherever they stand."""

from typing import Any

from workbench.kernels.parts import inlined
from workbench.reliability.simulation._codes import NONE

__all__ = ["join_line", "leave_line"]


@inlined
def join_line(items: Any, line: Any, number: Any) -> None:
    """Put an item at the end of a line."""
    item = items[number]
    item.previous = line.tail
    item.following = NONE
    if line.tail == NONE:
        line.head = number
    else:
        items[line.tail].following = number
    line.tail = number
    line.count += 1


@inlined
def leave_line(items: Any, line: Any, number: Any) -> None:
    """Take an item out of a line."""
    item = items[number]
    if item.previous == NONE:
        line.head = item.following
    else:
        items[item.previous].following = item.following
    if item.following == NONE:
        line.tail = item.previous
    else:
        items[item.following].previous = item.previous
    line.count -= 1
