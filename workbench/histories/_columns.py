"""The operations of a history, column by column: what every judge of it needs, made once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.histories.operation import Operation
from workbench.histories.search._codes import NEVER

__all__ = ["Columns"]

Array = npt.NDArray[np.int64]
FLOATS = frozenset({float, np.float64, NoneType})
NUMBERS = FLOATS | {int}
EXACT = 1 << 53  # up to here, every int is a float


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Operations in the order of their calls.

    Attributes
    ----------
    operations : tuple of Operation
    calls, returns : (n,) int64
        Numbers in the order of the times; NEVER for a return that never came.
    processes : (n,) int64
        A number for each process.
    inputs, outputs : sequence
    """

    operations: tuple[Operation, ...]
    calls: Array
    returns: Array
    processes: Array
    inputs: Sequence[tuple[Any, ...]]
    outputs: Sequence[Any]

    @classmethod
    def of(cls, operations: tuple[Operation, ...]) -> "Columns":
        """Return the columns of operations."""
        calls = [operation.call_s for operation in operations]
        returns = [operation.return_s for operation in operations]
        known: dict[Any, int] = {}
        processes = [known.setdefault(operation.process, len(known)) for operation in operations]
        return cls(
            operations,
            *_ordered(calls, returns),
            np.array(processes, np.int64),
            [operation.input for operation in operations],
            [operation.output for operation in operations],
        )

    def part(self, rows: list[int]) -> "Columns":
        """Return the columns of some of the operations."""
        return Columns(
            tuple([self.operations[row] for row in rows]),
            self.calls[rows],
            self.returns[rows],
            self.processes[rows],
            [self.inputs[row] for row in rows],
            [self.outputs[row] for row in rows],
        )


def _ordered(calls: Sequence[float], returns: Sequence[float | None]) -> tuple[Array, Array]:
    """Return integers in the order of the times."""
    kinds = {*map(type, calls), *map(type, returns)}
    if not kinds <= NUMBERS:
        return _ranks(calls, returns)
    if not kinds <= FLOATS and _largest(calls, returns) > EXACT:
        return _ranks(calls, returns)
    floats = np.array([calls, returns], np.float64)  # None becomes nan
    floats[np.isnan(floats)] = np.inf
    bits = (floats + 0.0).view(np.int64)  # in the order of the floats where those are not negative
    bits ^= (bits >> 63) & ((1 << 63) - 1)
    return bits[0], bits[1]


def _largest(calls: Sequence[float], returns: Sequence[float | None]) -> float:
    return max(abs(time) for time in chain(calls, returns) if time is not None)


def _ranks(calls: Sequence[float], returns: Sequence[float | None]) -> tuple[Array, Array]:
    """Return the ranks of times of any type, each compared exactly."""
    times = {*calls, *(time for time in returns if time is not None)}
    rank = {time: place for place, time in enumerate(sorted(times))}
    ends = [NEVER if time is None else rank[time] for time in returns]
    return np.array([rank[time] for time in calls], np.int64), np.array(ends, np.int64)
