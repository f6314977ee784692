"""Operations in lanes: chains of operations of which each returned before the next was called.

The set of operations that a search has placed is then one number a lane: how many of its first ones. This is
exact, and as short as the operations' overlap allows: ``sum over lanes of log2(length + 1)`` bits.

Operations that never returned and are alike share a lane too: whatever can be done with a later one can be
done with the earlier, so they are placed in the order of their calls.

Operation a precedes b when ``returns[a] < calls[b]``, or when one process did both.
"""

from dataclasses import dataclass

import numpy as np

from workbench.histories._columns import Columns
from workbench.histories.search import _codes as codes
from workbench.histories.search._kernel_lanes import lay_out
from workbench.histories.search.machine import Array, Machine

__all__ = ["Lanes"]


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """Operations lane after lane, and what a search begins with.

    Attributes
    ----------
    here : (FIELDS,) int64
        What a search stands at before its first step.
    operations : (n + lanes, columns) int64
        Lane after lane; each ends with one that is never called.
    lanes : (lanes, columns) int64
    """

    here: Array
    operations: Array
    lanes: Array

    @classmethod
    def of(cls, columns: Columns, machine: Machine, *, by_time: bool) -> "Lanes":
        """Lay out operations as their times order them, or so that only the order within a process counts.

        What never returned and changes no state is left out.
        """
        size = len(columns.operations)
        here = np.zeros(codes.FIELDS, np.int64)
        operations = np.empty((2 * size, codes.OPERATION_COLUMNS), np.int64)
        lanes = np.empty((size, 3), np.int64)
        machine.enter(here)
        lay_out(
            columns.calls,
            columns.returns,
            columns.processes,
            machine.rules,
            by_time,
            here,
            operations,
            lanes,
        )
        return cls(here, operations[: here[codes.OPERATIONS]], lanes[: here[codes.LANES]])
