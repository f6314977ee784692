"""`ColumnDecoder`: one message of OTLP protobuf to flat columns."""

import ctypes
import threading
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from workbench.kernels import announce_compilation
from workbench.otlp._schema import Signal
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._kernel_decode import count_rows, fill_columns
from workbench.otlp.codec._kernel_messages import MIB, begin_message, end_message
from workbench.otlp.codec._plan import Plan, plan_of
from workbench.otlp.codec._records import decoder_records
from workbench.otlp.codec._reserve import LARGE, LINE, NO_SIDES, Dictionary, Heap, new_memory
from workbench.otlp.codec._star import NO_STRINGS, SlabColumns, SlabLayout, SlabRows, Star, address_of

__all__ = ["ColumnDecoder", "MalformedMessageError", "RewriteNeededError"]

Counts: TypeAlias = npt.NDArray[np.int64]
Memory: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = list[tuple[int, int]]  # where bytes lie, and how many
FEW = 64
MARGIN = 1.25  # more rows a byte than the last message had
NO_HEAP = Heap(0, 0, 0)
_start_of_bytes = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(
    ("PyBytes_AsString", ctypes.pythonapi)
)  # which needs no array to be made first


class MalformedMessageError(ValueError):
    """Raised for bytes that the official parsers refuse; where and why, `_wire` finds out."""

    def __init__(self, part: int) -> None:
        super().__init__(f"message {part} is malformed")
        self.part = part


class RewriteNeededError(ValueError):
    """Raised for a message that says something twice, or nests a value not in its shortest form."""

    def __init__(self, unknown: int) -> None:
        super().__init__("the message must be written in its usual form first")
        self.unknown = unknown


class ColumnDecoder:
    """Decodes messages of one signal; what it learnt about their texts and sizes serves the next message."""

    def __init__(self, signal: Signal) -> None:
        announce_compilation(fill_columns, "the OTLP decoder (some 15 s)")
        self.plan = plan_of(signal)
        self.records = decoder_records(signal).copy()
        first, last = codes.K_LISTS // 8, codes.K_LISTS_END // 8
        self.records.kinds[:, first : last + 1] *= self.records.starts.itemsize * 2
        self.records.kinds[:, first : last + 1] += self.records.starts.ctypes.data
        self.seen_references = self.records.attributes[:, codes.A_SEEN_REF // 8]
        self.counters = _Counters(self.plan)
        self.lock = threading.Lock()
        self.stack = np.zeros((codes.RECURSION_LIMIT + 2, 3), np.int64)
        self.pending = np.zeros((codes.MOST_PENDING, codes.PENDING_SIZE // 8), np.int64)
        self.queue = np.zeros((codes.MOST_QUEUED, codes.QUEUED_SIZE // 8), np.int64)
        self.shapes = np.full((self.plan.shapes, codes.SHAPE_SIZE // 8), codes.NO_SHAPE)
        self.heap_control, self.sides_control = np.zeros(5, np.int64), np.zeros(3, np.int64)
        self.control = np.zeros(codes.CONTROL_SLOTS, np.int64)
        self.control_address = address_of(self.control)
        self._connect_all()
        # Memory views, whose elements are at hand sooner than an array's.
        self.numbers, self.layout_numbers = self.control.data, self.records.layout.data
        self.heap_numbers, self.sides_numbers = self.heap_control.data, self.sides_control.data
        self._learn_anew(0, 0, 0)
        self.learnt = False
        self.slab = _Slab.of(self.plan, np.zeros_like(self.counters.counts), 0)
        self.heap = NO_HEAP  # which holds nothing yet, whenever a message begins

    def _connect_all(self) -> None:
        for slot, array in (
            (codes.C_STACK, self.stack),
            (codes.C_PENDING, self.pending),
            (codes.C_QUEUE, self.queue),
            (codes.C_SHAPES, self.shapes),
            (codes.C_DISPATCH, self.records.dispatch),
            (codes.C_FIELDS, self.records.fields),
            (codes.C_KINDS, self.records.kinds),
            (codes.C_ATTRIBUTES, self.records.attributes),
            (codes.C_ROWS, self.counters.rows),
            (codes.C_LISTS, self.counters.lists),
            (codes.C_ROOM, self.counters.row_room),
            (codes.C_LIST_ROOM, self.counters.list_room),
            (codes.C_DENSITY, self.counters.density),
            (codes.C_BLOBS, self.heap_control),
            (codes.C_SIDES, self.sides_control),
            (codes.C_LAYOUT, self.records.layout),
        ):
            _connect(self.control, slot, array)
        for slot, number in (
            (codes.C_COUNT_COUNT, len(self.counters.counts)),
            (codes.C_KIND_COUNT, len(self.plan.kinds)),
            (codes.C_ATTRIBUTE_COUNT, len(self.plan.attribute_tables)),
        ):
            self.control[slot // 8] = number
        self.records.layout[codes.L_COUNT // 8] = len(self.records.places)

    def _learn_anew(self, keys: int, texts: int, size: int) -> None:
        self.keys = Dictionary(max(1 << 12, 2 * keys), max(1 << 16, 2 * size))
        self.texts = Dictionary(max(1 << 16, 2 * texts), max(1 << 24, 2 * size))
        starts = len(self.plan.attribute_tables) + self.plan.shapes  # of attributes: instead of a key before
        self.follow = np.zeros(starts + self.keys.room + 1, np.int32)  # which key came next, plus 1
        self.recent = np.zeros((self.keys.room + 1, codes.RECENT_SIZE // 8), np.int64)
        self.recent[0, codes.R_KEY // 8] = self.keys.data.ctypes.data  # the empty key
        self.next_texts = np.zeros(self.texts.room + 1, np.int32)  # which one a field had after another
        fields = self.records.fields
        fields[fields[:, codes.F_OP // 8] == codes.TEXT, codes.F_LAST_TEXT // 8] = 0
        _connect(self.control, codes.C_NEXT_TEXTS, self.next_texts)
        _connect(self.control, codes.C_KEYS, self.keys.control)
        _connect(self.control, codes.C_TEXTS, self.texts.control)
        _connect(self.control, codes.C_FOLLOW, self.follow)
        self.control[codes.C_FOLLOW // 8] += starts * self.follow.itemsize  # where that of key 0 is
        _connect(self.control, codes.C_RECENT, self.recent)

    def decode(self, *parts: Any, keep_unknown: bool = True) -> Star:
        """Return the columns of some messages, one after the other.

        Raises
        ------
        MalformedMessageError, RewriteNeededError
            As their names say.
        """
        buffers, places, size = [], [], 0
        for part in parts:
            buffer = part if isinstance(part, bytes) else _as_array(part)
            buffers.append(buffer)  # which holds it in place
            places.append((_start_of(buffer), len(buffer)))
            size += len(buffer)
        with self.lock:
            return self._decode(places, size, keep_unknown=keep_unknown)

    def _decode(self, places: Places, size: int, *, keep_unknown: bool) -> Star:
        more = FEW  # room for what no count says: things said twice, unknown fields
        self.numbers[codes.C_KEEP // 8] = keep_unknown
        self.numbers[codes.C_SIZE // 8] = size
        if not self.learnt:
            self._make_room(self._count(places), size, more)
        elif self.heap is NO_HEAP or not self.slab.suits(size):
            slab = self._estimate(size)
            self._make_room(slab, slab.message_size, more)
        while (memory := self._fill(places)) is None:
            more *= 16  # and what was estimated does not suit what comes now
            self._make_room(self._count(places), size, more)
        self.learnt = self.learnt or size != 0
        return self._star(memory, size)

    def _estimate(self, size: int) -> "_Slab":
        """Return room for a message of so many bytes, as dense as the densest so far."""
        if self.slab.suits(size):
            return self.slab
        return _Slab.of(self.plan, (self.counters.density * int(MARGIN * size) // MIB) + FEW, size)

    def _count(self, places: Places) -> "_Slab":
        """Return room for exactly what the messages hold, which suits no others."""
        self.counters.reset()
        for number, (at, size) in enumerate(places):
            if count_rows(at, at + size, 0, self.control_address) != codes.OK:
                raise MalformedMessageError(number)
        return _Slab.of(self.plan, self.counters.counts.copy(), 0)

    def _make_room(self, slab: "_Slab", size: int, more: int) -> None:
        """Let messages of so many bytes be read into columns, texts and a heap with so much room."""
        keys, texts = slab.keys + more, slab.texts + more
        if not (self.keys.fits(keys, size) and self.texts.fits(texts, size)):
            self._learn_anew(keys, texts, size)
        self.slab = slab
        self.numbers[codes.C_SLAB_ROOM // 8] = address_of(slab.room)
        self.numbers[codes.C_ZEROED // 8] = slab.zeroed if slab.size < LARGE else 0
        self.layout_numbers[codes.L_OFFSETS // 8] = address_of(slab.offsets)
        if not self.heap.has_room(slab.rows + more, size, more):
            self.heap = Heap(slab.rows + more, size, more)
            self.heap.connect(self.heap_control, self.sides_control)

    def _fill(self, places: Places) -> Memory | None:
        """Fill columns; return None where the room was not enough."""
        control, memory, last = self.control_address, new_memory(self.slab.size), len(places) - 1
        self.layout_numbers[codes.L_MEMORY // 8] = address_of(memory)
        for number, (at, size) in enumerate(places):
            begin_message(control, at, size, number == 0)
            outcome = fill_columns(at, at + size, 0, 0, control)
            ended = end_message(control, outcome, number == last)
            if ended == codes.ROOM:
                return None
            if ended == codes.MALFORMED:
                raise MalformedMessageError(number)
            if ended == codes.REWRITE:
                raise RewriteNeededError(self.numbers[codes.C_UNKNOWN // 8])
        return memory

    def _star(self, memory: Memory, size: int) -> Star:
        plan, slab, heap, numbers = self.plan, self.slab, self.heap, self.numbers
        layout = slab.layout
        if numbers[codes.C_REFERENCES // 8]:
            layout = slab.layout_with(plan, self.seen_references)
        counts = self.counters.counts.copy()
        blobs, sides = NO_STRINGS, NO_SIDES
        if (count := self.heap_numbers[codes.H_COUNT // 8]) > 1:
            blobs, self.heap = heap.strings(count), NO_HEAP
        if (count := self.sides_numbers[codes.S_COUNT // 8]) > 0:
            sides, self.heap = heap.sides(count), NO_HEAP
        return Star(
            plan.signal,
            SlabRows(plan.table_numbers, counts),
            SlabColumns(memory, self.layout_numbers[codes.L_MEMORY // 8], layout, counts),
            self.keys.strings,
            self.texts.strings,
            blobs,
            sides,
            numbers[codes.C_UNKNOWN // 8],
            size,
        )


@dataclass(frozen=True, slots=True)
class _Slab:
    """Columns laid out one behind the other, for so many rows of tables and elements of lists.

    `size` and `zeroed` are the bytes of all, and of those that start as zero; `keys` and `texts` how many of
    them there can be at most. The layouts are those of messages with references to keys in some tables.
    """

    message_size: int
    room: Counts
    offsets: Counts
    size: int
    zeroed: int
    rows: int
    keys: int
    texts: int
    layout: SlabLayout  # without references, as nearly always
    layouts: dict[bytes, SlabLayout]

    @classmethod
    def of(cls, plan: Plan, room: Counts, message_size: int) -> "_Slab":
        sizes = (room[plan.sources] + plan.extra) * plan.item_sizes
        sizes += LINE + -sizes % LINE
        ends = np.cumsum(sizes)
        offsets = ends - sizes
        keys, texts = (plan.text_columns @ room).tolist()
        rows, zeroed = int(room[: len(plan.tables)].sum()), int(ends[plan.zeroed - 1])
        layout = _layout_of(plan, offsets, np.zeros(len(plan.attribute_tables), np.int64))
        return cls(message_size, room, offsets, int(ends[-1]), zeroed, rows, keys, texts, layout, {})

    def suits(self, message_size: int) -> bool:
        """Tell whether it is as large as a message of so many bytes needs, and not much larger."""
        return 0.8 * self.message_size <= message_size <= self.message_size

    def layout_with(self, plan: Plan, seen_references: Counts) -> SlabLayout:
        """Return the layout of columns with those of references to keys that hold any."""
        seen = seen_references.tobytes()
        if seen not in self.layouts:
            self.layouts[seen] = _layout_of(plan, self.offsets, seen_references)
        return self.layouts[seen]


def _layout_of(plan: Plan, offsets: Counts, seen_references: Counts) -> SlabLayout:
    tables = zip(plan.attribute_tables, seen_references, strict=True)
    unseen = {f"{table}.key_strindex" for table, found in tables if not found}
    offsets = offsets.copy()
    offsets[[plan.layout[name][0] for name in unseen]] = -1
    places = {name: place for name, place in plan.layout.items() if name not in unseen}
    return SlabLayout(places, offsets, address_of(offsets), plan.sources, plan.extra)


def _as_array(part: Any) -> npt.NDArray[np.uint8]:
    return np.frombuffer(part, np.uint8) if len(part) else np.empty(0, np.uint8)


def _start_of(part: Any) -> int:
    return _start_of_bytes(part) if isinstance(part, bytes) else address_of(part)


class _Counters:
    """Rows of tables and elements of lists: how many were met, and how many have room."""

    def __init__(self, plan: Plan) -> None:
        tables = len(plan.tables)
        self.counts = np.zeros(tables + len(plan.lists), np.int64)  # rows of tables, then elements of lists
        self.room = np.zeros_like(self.counts)
        self.density = np.zeros_like(self.counts)  # the most that a MiB of messages had
        self.rows, self.lists = self.counts[:tables], self.counts[tables:]
        self.row_room, self.list_room = self.room[:tables], self.room[tables:]

    def reset(self) -> None:
        """Start to count anew; the outermost message is the one row of its table."""
        self.counts[:] = 0
        self.counts[0] = 1


def _connect(control: npt.NDArray[np.int64], slot: int, array: npt.NDArray[Any]) -> None:
    control[slot // 8] = address_of(array)
