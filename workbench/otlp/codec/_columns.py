"""`ColumnDecoder`: one message of OTLP protobuf to flat columns."""

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._kernel_decode import count_rows, fill_columns
from workbench.otlp.codec._plan import Plan, plan_of
from workbench.otlp.codec._reserve import LINE, Arena, Dictionary, Heap, Sides
from workbench.otlp.codec._star import SlabColumns, Star, Strings

__all__ = ["ColumnDecoder", "MalformedMessageError", "RewriteNeededError"]

FEW = 64
MARGIN = 1.25  # more rows a byte than the last message had


class MalformedMessageError(ValueError):
    """Raised for bytes that the official parsers refuse; where and why, `_wire` finds out."""


class RewriteNeededError(ValueError):
    """Raised for a message that says something twice, or nests a value not in its shortest form."""


class ColumnDecoder:
    """Decodes messages of one signal; what it learnt about their texts and sizes serves the next message."""

    def __init__(self, signal: str) -> None:
        self.plan = plan_of(signal)
        self.records = _Records(self.plan)
        self.control = np.zeros(codes.CONTROL_SLOTS, np.int64)
        self.stack = np.zeros((codes.RECURSION_LIMIT + 2, 3), np.int64)
        _connect(self.control, codes.C_STACK, self.stack)
        self.records.connect(self.control)
        self.density = np.zeros(len(self.records.counts))  # rows and list elements a byte
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
        if self.density.any():
            room = (self.density * (MARGIN * len(raw))).astype(np.int64) + FEW
        else:
            room = self._count(at, at + len(raw))
        more = FEW
        while True:
            self.control[codes.C_KEEP // 8] = keep_unknown
            outcome, arena, heap, sides = self._fill(at, len(raw), room, more)
            if outcome != codes.ROOM:
                break
            room, more = self._count(at, at + len(raw)), 4 * max(heap.needed, sides.needed)
        if outcome != codes.OK:
            raise MalformedMessageError
        nested_unknown = self.control[codes.C_NESTED_UNKNOWN // 8] and not keep_unknown
        if self.control[codes.C_REWRITE // 8] or nested_unknown:
            raise RewriteNeededError
        if len(raw):
            np.maximum(self.density, self.records.counts / len(raw), out=self.density)
        return self._star(arena, heap, sides)

    def _count(self, at: int, end: int) -> npt.NDArray[np.int64]:
        self.records.reset()
        if count_rows(at, end, 0, self.control.ctypes.data) != codes.OK:
            raise MalformedMessageError
        return self.records.counts.copy()

    def _fill(
        self, at: int, size: int, room: npt.NDArray[np.int64], more: int
    ) -> tuple[int, Arena, Heap, Sides]:
        keys, texts = self.plan.most_texts(room)
        if not (self.keys.fits(keys, size) and self.texts.fits(texts, size)):
            self._learn_anew(keys, texts, size)
        arena = self.records.place(room)
        self.records.reset()
        self.recent[: self.keys.count + 1, codes.R_LENGTH // 8] = -1  # it points into the last input
        heap, sides = Heap(int(room[: len(self.plan.tables)].sum()) + more, size), Sides(more)
        control = self.control
        _connect(control, codes.C_BLOBS, heap.control)
        _connect(control, codes.C_SIDES, sides.control)
        control[codes.C_REWRITE // 8] = control[codes.C_UNKNOWN // 8] = 0
        control[codes.C_NESTED_UNKNOWN // 8] = 0
        control[codes.C_LIMIT // 8] = at + size - LINE
        outcome = fill_columns(at, at + size, 0, 0, control.ctypes.data)
        if not (self.keys.is_valid() & self.texts.is_valid()):
            outcome = codes.MALFORMED
        elif outcome == codes.OK and (heap.needed > heap.room or sides.needed > sides.room):
            outcome = codes.ROOM
        return outcome, arena, heap, sides

    def _star(self, arena: Arena, heap: Heap, sides: Sides) -> Star:
        plan, records = self.plan, self.records
        counts = records.counts.copy()
        columns = SlabColumns(arena.memory, plan.layout, records.offsets, counts[plan.sources] + plan.extra)
        for name, source in plan.sources_of_starts.items():
            columns[name][-1] = counts[source]
        return Star(
            plan.signal,
            dict(zip(plan.tables, counts.tolist(), strict=False)),
            columns,
            _strings(self.keys),
            _strings(self.texts),
            Strings(heap.offsets[: heap.needed + 1], heap.data),
            sides.entries[: sides.needed],
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
        tables = len(plan.tables)
        self.counts = np.zeros(tables + len(plan.lists), np.int64)  # rows of tables, then elements of lists
        self.room = np.zeros_like(self.counts)
        self.rows, self.lists = self.counts[:tables], self.counts[tables:]
        self.offsets = np.zeros(len(plan.columns), np.int64)

    def connect(self, control: npt.NDArray[np.int64]) -> None:
        tables = len(self.plan.tables)
        _connect(control, codes.C_DISPATCH, self.dispatch)
        _connect(control, codes.C_FIELDS, self.fields)
        _connect(control, codes.C_KINDS, self.kinds)
        _connect(control, codes.C_ATTRIBUTES, self.attributes)
        _connect(control, codes.C_ROWS, self.rows)
        _connect(control, codes.C_LISTS, self.lists)
        _connect(control, codes.C_ROOM, self.room[:tables])
        _connect(control, codes.C_LIST_ROOM, self.room[tables:])

    def reset(self) -> None:
        """Start to count anew; the outermost message is the one row of its table."""
        self.counts[:] = 0
        self.counts[0] = 1
        self.attributes[:, codes.A_SEEN_REF // 8] = 0

    def place(self, room: npt.NDArray[np.int64]) -> Arena:
        """Lay out zeroed columns with so much room, and write their addresses into the records."""
        plan = self.plan
        self.room[:] = room
        sizes = (room[plan.sources] + plan.extra) * plan.item_sizes
        sizes += LINE + -sizes % LINE
        self.offsets = np.cumsum(sizes) - sizes
        arena = Arena(int(sizes.sum()))
        addresses = self.offsets + arena.address
        for name, records in (
            ("fields", self.fields),
            ("kinds", self.kinds),
            ("attributes", self.attributes),
            ("starts", self.starts),
        ):
            at, columns = plan.patched(name)
            records.reshape(-1)[at] = addresses[columns]
        return arena


def _connect(control: npt.NDArray[np.int64], slot: int, array: npt.NDArray[Any]) -> None:
    control[slot // 8] = array.ctypes.data


def _strings(dictionary: Dictionary) -> Strings:
    return Strings(dictionary.offsets[: dictionary.count + 1], dictionary.data)
