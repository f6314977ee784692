"""`Machine`: a model as the kernels know it, by numbers alone."""

import struct

import numpy as np
import numpy.typing as npt

from workbench.histories.search import _codes as codes

__all__ = ["Array", "Machine", "UncodableError", "rules_of"]

Array = npt.NDArray[np.int64]
RULE_COLUMNS = codes.OPERATION_COLUMNS - codes.RULE
NO_TABLE = np.zeros((1, 1), np.int32)
NO_SEQUENCES = np.zeros((1, codes.SEQUENCE_COLUMNS), np.int64)
NO_POOL = np.zeros(1, np.int64)
NO_SLOTS = np.zeros(1, np.int64)


class UncodableError(Exception):
    """Raised when a machine of some kind cannot be that model; another may."""


class Machine:
    """What the kernels need to take a model's steps.

    Attributes
    ----------
    kind : int
        `TABLE`, `BITS` or `SEQUENCE`.
    rules : (n, 6) int64
        What each operation does; the meaning of the columns is the kind's. Operations with equal rules are
        alike.
    start : int
    table, sequences, pool, slots
        The states and transitions found so far, where the kind keeps any.
    """

    table: npt.NDArray[np.int32] = NO_TABLE
    sequences: Array = NO_SEQUENCES
    pool: Array = NO_POOL
    slots: Array = NO_SLOTS

    def __init__(self, kind: int, rules: Array, start: int) -> None:
        self.kind, self.rules, self.start = kind, rules, start

    @property
    def nbytes(self) -> int:
        """The memory of what was found so far."""
        return self.table.nbytes + self.sequences.nbytes + self.pool.nbytes + self.slots.nbytes

    def supply(self, here: Array, room: float) -> bool:  # noqa: ARG002 - it lacks nothing
        """Provide what a search that stands here paused for; False where it is more than `room` bytes."""
        return True

    def enter(self, here: Array) -> None:
        """Note in what a search stands at which machine it drives."""
        here[codes.KIND], here[codes.STATE] = self.kind, self.start


def rules_of(numbers: list[int]) -> Array:
    """Return the rules of all operations from their numbers, one after the other."""
    packed = np.frombuffer(struct.pack(f"{len(numbers)}q", *numbers), np.int64)
    return packed.reshape(-1, RULE_COLUMNS)
