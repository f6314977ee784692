"""Queues and stacks: states are sequences, found and told apart by the kernels themselves."""

from functools import partial
from typing import Any

import numpy as np

from workbench.histories._columns import Columns
from workbench.histories.models.model import SequentialModel
from workbench.histories.models.sequences import Queue, Stack
from workbench.histories.search import _codes as codes
from workbench.histories.search._kernel_machines import push_all, relink
from workbench.histories.search.machine import Array, Machine, UncodableError, rules_of
from workbench.histories.search.values import Inputs, Outputs, numbered, whole_number, with_keys

__all__ = ["SequenceMachine"]

FIRST_ROOM = 1 << 9
COUNTS = [codes.SEQUENCES, codes.POOLED]
PUSHES: dict[type, str] = {Queue: "enqueue", Stack: "push"}
ACTIONS: dict[type, dict[str, int]] = {
    Queue: {"dequeue": codes.TAKE, "peek": codes.FIRST, "size": codes.SIZE},
    Stack: {"pop": codes.POP, "peek": codes.LAST, "size": codes.SIZE},
}
NO_SIZE = -2  # which no sequence has


class SequenceMachine(Machine):
    """A queue or a stack, with the sequences found so far.

    Raises
    ------
    UncodableError
        For any other model, and for values that cannot be keys.
    """

    def __init__(self, model: SequentialModel, columns: Columns) -> None:
        if type(model) not in ACTIONS:
            raise UncodableError
        rules, start = with_keys(columns, partial(_rules, model))
        super().__init__(codes.SEQUENCE, rules_of(rules), 0)
        self._counts = np.zeros(codes.FIELDS, np.int64)
        self._make_room(FIRST_ROOM + len(start), FIRST_ROOM + len(start))
        values = np.array(start, np.int64)
        self.start = int(push_all(values, self._counts, self.sequences, self.pool, self.slots))

    def enter(self, here: Array) -> None:
        """Note also how many sequences there are."""
        super().enter(here)
        here[COUNTS] = self._counts[COUNTS]

    def supply(self, here: Array, room: float) -> bool:
        """Make twice the room for sequences, or where there is enough of it, for their values."""
        if self.nbytes > room:
            return False
        count, pooled = here[COUNTS]
        sequences, pool = self.sequences, self.pool
        if len(sequences) - count < 2 * (here[codes.LANES] + 1):
            self._make_room(2 * len(sequences), len(pool))
        else:
            self._make_room(len(sequences), 2 * len(pool))
        self.sequences[:count], self.pool[:pooled] = sequences[:count], pool[:pooled]
        relink(here, self.sequences, self.pool, self.slots)
        return True

    def _make_room(self, sequences: int, values: int) -> None:
        self.sequences = np.empty((sequences, codes.SEQUENCE_COLUMNS), np.int64)
        self.pool = np.empty(values, np.int64)
        self.slots = np.zeros(1 << (2 * sequences).bit_length(), np.int64)


def _rules(model: SequentialModel, inputs: Inputs, outputs: Outputs) -> tuple[list[int], list[int]]:
    """Return the rules, and the values at the start."""
    push, actions = PUSHES[type(model)], ACTIONS[type(model)]
    number = numbered([None], model.start, *inputs, outputs)
    rules: list[int] = []
    for asked, told in zip(inputs, outputs, strict=True):
        if asked[0] == push and len(asked) == 2:
            rules += (codes.PUSH, number[asked[1]], codes.ANY, 0, 0, 0)
        elif asked[0] not in actions or len(asked) > 1:
            raise UncodableError
        elif asked[0] == "size":
            rules += (codes.SIZE, 0, _size(told), 0, 0, 0)
        else:
            rules += (actions[asked[0]], 0, codes.ANY if told is None else number[told], 0, 0, 0)
    return rules, [number[value] for value in model.start]


def _size(told: Any) -> int:
    if told is None:
        return codes.ANY
    size = whole_number(told)
    return size if size is not None and 0 <= size < codes.NEVER else NO_SIZE
