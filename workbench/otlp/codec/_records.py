"""A plan's steps as records that kernels read, with the addresses of the columns in them.

A record is eight int64; `_codes` names its slots. Decoder and encoder have records of their own: the decoder
finds a field by its tag, the encoder walks each message's fields from the last to the first.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._plan import ATTRIBUTE_COLUMNS, Plan, Step, plan_of
from workbench.otlp.codec._star import address_of

__all__ = ["Records", "decoder_records", "encoder_records"]

Integers = npt.NDArray[np.int64]
LENGTH = 2
SLOTS = 8
LIST_OPS = (codes.PACKED_WORDS, codes.PACKED_VARINTS, codes.PACKED_VARINTS32)


@dataclass
class Records:
    """The records of one signal, for one direction, all in one piece of `memory`.

    `starts` lists, for each kind of message with a table, where its rows' lists start: address, list number.
    `places` says where in the memory the addresses of which columns go, and `layout` where these are.
    """

    memory: Integers
    shapes: dict[str, tuple[int, int, int]]  # name -> where it starts, rows, width
    dispatch: npt.NDArray[np.uint16]
    places: Integers
    columns: Integers
    layout: Integers  # a control block

    def copy(self) -> "Records":
        """Return records whose addresses may be written."""
        memory, layout = self.memory.copy(), self.layout.copy()
        for slot, array in (
            (codes.L_RECORDS, memory),
            (codes.L_PLACES, self.places),
            (codes.L_COLUMNS, self.columns),
        ):
            layout[slot // 8] = address_of(array)
        return replace(self, memory=memory, layout=layout)

    def __getattr__(self, name: str) -> Integers:
        if name not in Records.NAMES:
            raise AttributeError(name)
        start, rows, width = self.shapes[name]
        return self.memory[start : start + rows * width].reshape(rows, width)

    NAMES: ClassVar[tuple[str, ...]] = ("fields", "kinds", "attributes", "starts")

    def point_to(self, addresses: Integers) -> None:
        """Write the addresses of all columns, in the plan's order; a kernel need not."""
        self.memory[self.places] = addresses[self.columns]
        self.layout[codes.L_COUNT // 8] = 0


@cache
def decoder_records(signal: str) -> Records:
    """Return the decoder's records of a signal; tags lead to fields through `dispatch`."""
    plan = plan_of(signal)
    builder = _Builder(plan)
    dispatch = np.zeros((len(plan.kinds), 256), np.uint16)
    for step in plan.steps:
        for op, wire_type in _spellings(step):
            second = "" if step.op in LIST_OPS else step.second
            row = [op, 0, step.target, step.table, step.bit, step.others, step.aux, step.slot]
            record = builder.field(row, step.column, codes.F_AUX, second)
            dispatch[step.kind, step.number << 3 | wire_type] = record
    return builder.finish(dispatch, [[0, 0]] * len(plan.kinds))


@cache
def encoder_records(signal: str) -> Records:
    """Return the encoder's records of a signal: each kind's fields together, the highest number first."""
    plan = plan_of(signal)
    builder = _Builder(plan)
    spans = []
    for kind in range(len(plan.kinds)):
        first = len(builder.fields)
        steps = (step for step in plan.steps if step.kind == kind)
        for step in sorted(steps, key=lambda step: -step.number):
            wire_type = LENGTH if step.op in LIST_OPS else step.wire_type
            tag = step.number << 3 | wire_type
            row = [step.op, 0, step.target, step.table, step.bit, tag, step.aux, step.slot]
            place = codes.F_TARGET if step.op in LIST_OPS else codes.F_AUX
            builder.field(row, step.column, place, step.second)
        spans.append([first, len(builder.fields) - first])
    return builder.finish(np.zeros((0, 256), np.uint16), spans)


def _spellings(step: Step) -> list[tuple[int, int]]:
    """Return the operation for each wire type that a field may have: repeated numbers have two."""
    if step.op in LIST_OPS:
        return [(step.op, LENGTH), (step.op + 1, step.wire_type)]
    return [(step.op, step.wire_type)]


class _Builder:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.fields: list[list[int]] = [[0] * SLOTS]
        self.places: dict[str, list[tuple[int, int]]] = {}

    def address(self, records: str, record: int, slot: int, column: str, *, width: int = SLOTS) -> None:
        place = record * width + slot // 8
        self.places.setdefault(records, []).append((place, self.plan.layout[column][0]))

    def field(self, row: list[int], column: str, place: int, second: str) -> int:
        record = len(self.fields)
        self.fields.append(row)
        if column:
            self.address("fields", record, codes.F_COLUMN, column)
        if second:
            self.address("fields", record, place, second)
        return record

    def finish(self, dispatch: npt.NDArray[np.uint16], spans: list[list[int]]) -> Records:
        kinds, starts = self.kinds(spans)
        attributes = self.attributes()
        arrays = {
            "fields": np.array(self.fields, np.int64),
            "kinds": kinds,
            "attributes": attributes,
            "starts": starts,
        }
        shapes, places, begin = {}, [], 0
        for name, array in arrays.items():
            shapes[name] = (begin, *array.shape)
            places += [(begin + place, column) for place, column in self.places.get(name, [])]
            begin += array.size
        memory = np.concatenate([array.reshape(-1) for array in arrays.values()])
        layout = np.zeros(codes.LAYOUT_SLOTS, np.int64)
        spots, columns = np.array(places, np.int64).T.copy()
        return Records(memory, shapes, dispatch, spots, columns, layout)

    def kinds(self, spans: list[list[int]]) -> tuple[Integers, Integers]:
        plan = self.plan
        kinds: list[list[int]] = []
        starts: list[list[int]] = []
        for kind, message in enumerate(plan.kinds):
            table = plan.tables[plan.kind_tables[kind]]
            begin = len(starts)
            if message.table:
                for name in (name for name in plan.lists if name.startswith(f"{message.table}.")):
                    self.address("starts", len(starts), 0, f"{name}.start", width=2)
                    starts.append([0, plan.lists.index(name)])
            row = [plan.kind_tables[kind], 0, plan.kind_depths[kind], *spans[kind], begin, len(starts), kind]
            kinds.append(row)
            self.address("kinds", kind, codes.K_PRESENT, f"{table}.present")
        return np.array(kinds, np.int64), np.array(starts, np.int64).reshape(-1, 2)

    def attributes(self) -> Integers:
        rows = []
        for number, (table, depth) in enumerate(self.plan.attribute_tables.items()):
            for at, name in enumerate(ATTRIBUTE_COLUMNS):
                self.address("attributes", number, 8 * at, f"{table}.{name}")
            rows.append([0, 0, 0, 0, 0, self.plan.tables.index(table), depth, 0])
        return np.array(rows, np.int64).reshape(-1, SLOTS)
