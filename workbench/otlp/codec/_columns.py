"""`ColumnDecoder`: one message of OTLP protobuf to flat columns."""

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._kernel_decode import count_rows, fill_columns
from workbench.otlp.codec._plan import Plan, plan_of
from workbench.otlp.codec._reserve import Dictionary, Heap, Sides
from workbench.otlp.codec._star import Star, Strings

__all__ = ["ColumnDecoder", "MalformedMessageError", "RewriteNeededError"]

ALIGNMENT = 64
FEW_SIDES = 64
MOST_BYTES = 1 << 31  # of a dictionary: its offsets are 32 bits wide


class MalformedMessageError(ValueError):
    """Raised for bytes that the official parsers refuse; where and why, `_wire` finds out."""


class RewriteNeededError(ValueError):
    """Raised for a message that says something twice, or nests a value not in its shortest form."""


class ColumnDecoder:
    """Decodes messages of one signal; what it learnt about their texts serves the next message."""

    def __init__(self, signal: str) -> None:
        self.plan = plan_of(signal)
        self.records = _Records(self.plan)
        self.control = np.zeros(codes.CONTROL_SLOTS, np.int64)
        self.stack = np.zeros((codes.RECURSION_LIMIT + 2, 3), np.int64)
        _connect(self.control, codes.C_STACK, self.stack)
        self.records.connect(self.control)
        self._learn_anew(0, 0, 0)

    def _learn_anew(self, keys: int, texts: int, size: int) -> None:
        self.keys = Dictionary(max(1 << 12, 2 * keys), max(1 << 16, 2 * size))
        self.texts = Dictionary(max(1 << 16, 2 * texts), max(1 << 24, 2 * size))
        self.follow = np.zeros(self.keys.room + 2, np.int32)
        self.recent = np.zeros((self.keys.room + 1, codes.RECENT_SIZE // 8), np.int64)
        _connect(self.control, codes.C_KEYS, self.keys.control)
        _connect(self.control, codes.C_TEXTS, self.texts.control)
        _connect(self.control, codes.C_FOLLOW, self.follow)
        _connect(self.control, codes.C_RECENT, self.recent)

    def decode(self, data: Any, *, keep_unknown: bool = True) -> Star:
        """Return a message's columns.

        Raises
        ------
        MalformedMessageError, RewriteNeededError
            As their names say.
        """
        raw = np.frombuffer(data, np.uint8)
        at = raw.ctypes.data
        records = self.records
        records.reset()
        if count_rows(at, at + len(raw), 0, self.control.ctypes.data) != codes.OK:
            raise MalformedMessageError
        records.room[:] = records.rows
        keys, texts = records.most_texts()
        if not (self.keys.fits(keys, len(raw)) and self.texts.fits(texts, len(raw))):
            self._learn_anew(keys, texts, len(raw))
        columns = _allocate(self.plan, records.rows, records.lists)
        records.point_to(columns)
        heap, sides = Heap(int(records.rows.sum()) + FEW_SIDES, len(raw)), Sides(FEW_SIDES)
        self._fill(at, at + len(raw), heap, sides, keep_unknown=keep_unknown)
        if heap.overflowed or sides.overflowed:
            heap = Heap(max(heap.needed, sides.needed) * 2 + int(records.rows.sum()), 2 * len(raw))
            sides = Sides(sides.needed)
            self._fill(at, at + len(raw), heap, sides, keep_unknown=keep_unknown)
        return self._star(columns, heap, sides)

    def _fill(self, at: int, end: int, heap: Heap, sides: Sides, *, keep_unknown: bool) -> None:
        self.records.reset()
        self.recent[: self.keys.count + 1, codes.R_LENGTH // 8] = -1  # it points into the last input
        _connect(self.control, codes.C_BLOBS, heap.control)
        _connect(self.control, codes.C_SIDES, sides.control)
        self.control[codes.C_REWRITE // 8 : codes.C_NESTED_UNKNOWN // 8 + 1] = 0, 0, keep_unknown, 0
        outcome = fill_columns(at, end, 0, 0, self.control.ctypes.data)
        valid = self.keys.is_valid() & self.texts.is_valid()
        if outcome != codes.OK or not valid:
            raise MalformedMessageError
        nested_unknown = self.control[codes.C_NESTED_UNKNOWN // 8] and not keep_unknown
        if self.control[codes.C_REWRITE // 8] or nested_unknown:
            raise RewriteNeededError

    def _star(self, columns: dict[str, npt.NDArray[Any]], heap: Heap, sides: Sides) -> Star:
        plan, rows = self.plan, self.records.rows.tolist()
        lists = self.records.lists
        for name, column in plan.columns.items():
            if column.starts is not None:
                columns[name][-1] = lists[column.starts]
        for number, table in enumerate(plan.attribute_tables):
            if not self.records.attributes[number, codes.A_SEEN_REF // 8]:
                del columns[f"{table}.key_strindex"]
        return Star(
            plan.signal,
            dict(zip(plan.tables, rows, strict=True)),
            columns,
            _strings(self.keys),
            _strings(self.texts),
            Strings(heap.offsets[: heap.needed + 1], heap.data),
            sides.entries[: sides.needed].copy(),
            int(self.control[codes.C_UNKNOWN // 8]),
        )


class _Records:
    """A decoder's own copies of its plan's records, with the counters they refer to."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.dispatch, self.fields = plan.dispatch, plan.fields.copy()
        self.kinds, self.attributes = plan.kind_records.copy(), plan.attributes.copy()
        self.starts = plan.list_starts.copy()
        first, last = codes.K_LISTS // 8, codes.K_LISTS_END // 8
        self.kinds[:, first : last + 1] *= 16
        self.kinds[:, first : last + 1] += self.starts.ctypes.data
        self.rows, self.room = np.zeros((2, len(plan.tables)), np.int64)
        self.lists = np.zeros(max(1, len(plan.lists)), np.int64)

    def connect(self, control: npt.NDArray[np.int64]) -> None:
        _connect(control, codes.C_DISPATCH, self.dispatch)
        _connect(control, codes.C_FIELDS, self.fields)
        _connect(control, codes.C_KINDS, self.kinds)
        _connect(control, codes.C_ATTRIBUTES, self.attributes)
        _connect(control, codes.C_LISTS, self.lists)
        _connect(control, codes.C_ROWS, self.rows)
        _connect(control, codes.C_ROOM, self.room)

    def reset(self) -> None:
        """Start to count anew; the outermost message is the one row of its table."""
        self.rows[:] = 0
        self.rows[0] = 1
        self.lists[:] = 0
        self.attributes[:, codes.A_SEEN_REF // 8] = 0

    def most_texts(self) -> tuple[int, int]:
        """Return how many keys and how many other texts there can be at most."""
        rows = dict(zip(self.plan.tables, self.rows.tolist(), strict=True))
        attributes = sum(rows[table] for table in self.plan.attribute_tables)
        others = sum(rows[table] for table in self.plan.text_tables)
        return attributes, attributes + others

    def point_to(self, columns: dict[str, npt.NDArray[Any]]) -> None:
        """Write the columns' addresses into the records."""
        arrays = {
            "fields": self.fields.reshape(-1),
            "kinds": self.kinds.reshape(-1),
            "attributes": self.attributes.reshape(-1),
            "starts": self.starts.reshape(-1),
        }
        addresses = {name: column.ctypes.data for name, column in columns.items()}
        for record, at, name in self.plan.patches:
            arrays[record][at] = addresses[name]


def _connect(control: npt.NDArray[np.int64], slot: int, array: npt.NDArray[Any]) -> None:
    control[slot // 8] = array.ctypes.data


def _allocate(
    plan: Plan, rows: npt.NDArray[np.int64], lists: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[Any]]:
    """Return zeroed columns of the exact sizes, all in one piece of memory."""
    sizes = []
    for column in plan.columns.values():
        if column.elements is not None:
            count = int(lists[column.elements])
        else:
            count = int(rows[plan.tables.index(column.table)]) + (column.starts is not None)
        sizes.append(count)
    offsets, total = [], 0
    for column, count in zip(plan.columns.values(), sizes, strict=True):
        offsets.append(total)
        total += -(-count * np.dtype(column.dtype).itemsize // ALIGNMENT) * ALIGNMENT
    slab = np.zeros(total + ALIGNMENT, np.uint8)
    return {
        name: np.ndarray(count, column.dtype, slab, offset)
        for (name, column), count, offset in zip(plan.columns.items(), sizes, offsets, strict=True)
    }


def _strings(dictionary: Dictionary) -> Strings:
    return Strings(dictionary.offsets[: dictionary.count + 1], dictionary.data)
