"""One order from the orders of a model's parts.

Each part's order is one of its own operations only. Let ``p(a)`` be the latest call among a and those that
its part's order puts before it. It took effect there or later, and ``p(a) <= return(a)``; so where a returned
before b was called, ``p(a) < p(b)``, and sorting by p keeps the order of times (Herlihy & Wing's locality).

Where the clock is coarse, two operations of one process may share an instant. Their order is then the
process's own, which is no order of times, and parts need not agree with it; that shows as a cycle.
"""

from graphlib import CycleError, TopologicalSorter
from itertools import groupby, pairwise
from operator import itemgetter
from typing import TypeAlias

from workbench.histories._columns import Columns
from workbench.histories.search._codes import EARLIEST

__all__ = ["merged"]

Placed: TypeAlias = tuple[int, int, int]  # instant, part, row of the history


def merged(orders: list[list[int]], columns: Columns) -> list[int] | None:
    """Merge the orders of all parts into one; None where the parts contradict the order of a process."""
    calls, processes = columns.calls.tolist(), columns.processes.tolist()
    entries = [entry for part, order in enumerate(orders) for entry in _placed(order, part, calls)]
    entries.sort(key=itemgetter(0))
    found: list[int] = []
    for _, group in groupby(entries, key=itemgetter(0)):
        together = list(group)
        try:
            found += _untangled(together, processes) if len(together) > 1 else [together[0][2]]
        except CycleError:
            return None
    return found


def _placed(order: list[int], part: int, calls: list[int]) -> list[Placed]:
    instant = EARLIEST
    found = []
    for row in order:
        instant = max(instant, calls[row])
        found.append((instant, part, row))
    return found


def _untangled(together: list[Placed], processes: list[int]) -> list[int]:
    """Order what shares an instant as its part and its process do."""
    sorter: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(range(len(together)), ()))
    by_part = sorted(range(len(together)), key=lambda number: together[number][1])
    for first, second in pairwise(by_part):
        if together[first][1] == together[second][1]:
            sorter.add(second, first)
    last: dict[int, int] = {}
    for number in sorted(range(len(together)), key=lambda number: together[number][2]):
        process = processes[together[number][2]]
        if process in last:
            sorter.add(number, last[process])
        last[process] = number
    return [together[number][2] for number in sorter.static_order()]
