"""`ColumnDecoder`: one message of OTLP protobuf to flat columns."""

import ctypes
import threading
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.kernels import announce_compilation
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._kernel_decode import count_rows, fill_columns
from workbench.otlp.codec._kernel_messages import (
    begin_columns,
    begin_message,
    end_columns,
    end_message,
    learn_density,
)
from workbench.otlp.codec._plan import Plan, plan_of
from workbench.otlp.codec._records import decoder_records
from workbench.otlp.codec._reserve import LINE, Arena, Dictionary, Heap
from workbench.otlp.codec._star import NO_STRINGS, SlabColumns, SlabLayout, SlabRows, Star, address_of

__all__ = ["ColumnDecoder", "MalformedMessageError", "RewriteNeededError"]

Counts = npt.NDArray[np.int64]
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

    def __init__(self, signal: str) -> None:
        announce_compilation(fill_columns, "the OTLP decoder (some 15 s)")
        self.plan = plan_of(signal)
        self.records = decoder_records(signal).copy()
        first, last = codes.K_LISTS // 8, codes.K_LISTS_END // 8
        self.records.kinds[:, first : last + 1] *= self.records.starts.itemsize * 2
        self.records.kinds[:, first : last + 1] += self.records.starts.ctypes.data
        self.seen_references = self.records.attributes[:, codes.A_SEEN_REF // 8]
        self.counters = _Counters(self.plan)
        self.density = np.zeros(len(self.counters.counts))  # rows and list elements a byte
        self.lock = threading.Lock()
        self.slab = _Slab.of(self.plan, np.zeros_like(self.counters.counts), 0)
        self.spare_heap = NO_HEAP  # else one that holds nothing yet
        self.stack = np.zeros((codes.RECURSION_LIMIT + 2, 3), np.int64)
        self.pending = np.zeros((codes.MOST_PENDING, codes.PENDING_SIZE // 8), np.int64)
        self.shapes = np.full((self.plan.shapes, codes.SHAPE_SIZE // 8), codes.NO_SHAPE)
        self.heap, self.sides = np.zeros(5, np.int64), np.zeros(3, np.int64)  # control blocks
        self.control = np.zeros(codes.CONTROL_SLOTS, np.int64)
        self.control_address = address_of(self.control)
        self.numbers = self.control.data  # whose elements are at hand sooner than an array's
        self.heap_numbers, self.sides_numbers = self.heap.data, self.sides.data
        self._connect_all()
        self.learnt = False
        self._learn_anew(0, 0, 0)

    def _connect_all(self) -> None:
        for slot, array in (
            (codes.C_STACK, self.stack),
            (codes.C_PENDING, self.pending),
            (codes.C_SHAPES, self.shapes),
            (codes.C_DISPATCH, self.records.dispatch),
            (codes.C_FIELDS, self.records.fields),
            (codes.C_KINDS, self.records.kinds),
            (codes.C_ATTRIBUTES, self.records.attributes),
            (codes.C_ROWS, self.counters.rows),
            (codes.C_LISTS, self.counters.lists),
            (codes.C_ROOM, self.counters.row_room),
            (codes.C_LIST_ROOM, self.counters.list_room),
            (codes.C_BLOBS, self.heap),
            (codes.C_SIDES, self.sides),
            (codes.C_RECORDS, self.records.memory),
            (codes.C_PLACES, self.records.places),
            (codes.C_PLACE_COLUMNS, self.records.columns),
        ):
            _connect(self.control, slot, array)
        for slot, number in (
            (codes.C_PLACE_COUNT, len(self.records.places)),
            (codes.C_COUNT_COUNT, len(self.counters.counts)),
            (codes.C_KIND_COUNT, len(self.plan.kinds)),
            (codes.C_ATTRIBUTE_COUNT, len(self.plan.attribute_tables)),
        ):
            self.control[slot // 8] = number

    def _learn_anew(self, keys: int, texts: int, size: int) -> None:
        self.keys = Dictionary(max(1 << 12, 2 * keys), max(1 << 16, 2 * size))
        self.texts = Dictionary(max(1 << 16, 2 * texts), max(1 << 24, 2 * size))
        starts = len(self.plan.attribute_tables) + self.plan.shapes  # of attributes: instead of a key before
        self.follow = np.zeros(starts + self.keys.room + 1, np.int32)  # which key came next, plus 1
        self.recent = np.zeros((self.keys.room + 1, codes.RECENT_SIZE // 8), np.int64)
        self.recent[0, codes.R_KEY // 8] = self.keys.data.ctypes.data  # the empty key
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
        buffers = [part if isinstance(part, bytes) else _as_array(part) for part in parts]
        places = [(_start_of(buffer), len(buffer)) for buffer in buffers]
        with self.lock:
            return self._decode(_Spans(places, sum([size for _, size in places])), keep_unknown)

    def _decode(self, spans: "_Spans", keep_unknown: bool) -> Star:  # noqa: FBT001 - as its caller says
        slab = self._estimate(spans.size) if self.learnt else self._count(spans)
        more = FEW  # room for what no count says: things said twice, unknown fields
        numbers = self.numbers
        numbers[codes.C_KEEP // 8] = keep_unknown
        while (filled := self._fill(spans, slab, more)) is None:
            slab, more = self._count(spans), more * 16
            self.slab = slab  # the one estimated does not suit what comes now
        unknown = numbers[codes.C_UNKNOWN // 8]
        if numbers[codes.C_REWRITE // 8] or (numbers[codes.C_NESTED_UNKNOWN // 8] and not keep_unknown):
            raise RewriteNeededError(unknown)
        if spans.size:
            learn_density(self.density, self.counters.counts, spans.size)
            self.learnt = True
        return self._star(filled, unknown, spans.size)

    def _estimate(self, size: int) -> "_Slab":
        """Return room for a message of so many bytes, as dense as the densest so far."""
        if not self.slab.suits(size):
            room = (self.density * (MARGIN * size)).astype(np.int64) + FEW
            self.slab = _Slab.of(self.plan, room, size)
        return self.slab

    def _count(self, spans: "_Spans") -> "_Slab":
        """Return room for exactly what the messages hold."""
        self.counters.reset()
        for number, (at, size) in enumerate(spans.places):
            if count_rows(at, at + size, 0, self.control_address) != codes.OK:
                raise MalformedMessageError(number)
        return _Slab.of(self.plan, self.counters.counts.copy(), spans.size)

    def _fill(self, spans: "_Spans", slab: "_Slab", more: int) -> "_Filled | None":
        """Fill columns with so much room; return None where it was not enough."""
        keys, texts, size = slab.keys + more, slab.texts + more, spans.size
        if not (self.keys.fits(keys, size) and self.texts.fits(texts, size)):
            self._learn_anew(keys, texts, size)
        arena, heap = Arena(slab.size, slab.zeroed), self._empty_heap(slab.rows + more, size, more)
        numbers = self.numbers
        numbers[codes.C_OFFSETS // 8] = slab.offsets_at
        numbers[codes.C_SLAB_ROOM // 8] = slab.room_at
        begin_columns(self.control_address, arena.address, heap.address, heap.bytes_at, heap.sides_at)
        for number, span in enumerate(spans.places):
            outcome = self._read(*span)
            if outcome == codes.ROOM:
                return None
            if outcome != codes.OK:
                raise MalformedMessageError(number)
        return _Filled(slab, arena, heap) if end_columns(self.control_address) == codes.OK else None

    def _empty_heap(self, room: int, bytes_room: int, sides: int) -> Heap:
        """Return one with so much room, which few messages use."""
        heap = self.spare_heap
        if not heap.has_room(room, bytes_room, sides):
            heap = self.spare_heap = Heap(room, bytes_room, sides)
        self.heap_numbers[codes.H_ROOM // 8] = room
        self.heap_numbers[codes.H_BYTES_ROOM // 8] = bytes_room
        self.sides_numbers[codes.S_ROOM // 8] = sides
        return heap

    def _read(self, at: int, size: int) -> int:
        begin_message(self.control_address, at, size)
        outcome = fill_columns(at, at + size, 0, 0, self.control_address)
        ended: int = end_message(self.control_address, outcome)
        return ended

    def _star(self, filled: "_Filled", unknown: int, size: int) -> Star:
        plan, (slab, arena, heap) = self.plan, filled
        layout = slab.layout(plan, self.seen_references)
        counts = self.counters.counts.copy()
        blobs = heap.strings(self.heap_numbers[codes.H_COUNT // 8])
        sides = heap.sides(self.sides_numbers[codes.S_COUNT // 8])
        if blobs is not NO_STRINGS or len(sides):
            self.spare_heap = NO_HEAP
        return Star(
            plan.signal,
            SlabRows(plan.table_numbers, counts),
            SlabColumns(arena.memory, arena.address, layout, counts),
            self.keys.strings,
            self.texts.strings,
            blobs,
            sides,
            unknown,
            size,
        )


@dataclass(frozen=True, slots=True)
class _Slab:
    """Columns laid out one behind the other, for so many rows of tables and elements of lists.

    `size` and `zeroed` are the bytes of all, and of those that start as zero; `keys` and `texts` how many of
    them there can be at most. The two addresses are those of the arrays `room` and `offsets`.
    """

    message_size: int
    room: Counts
    room_at: int
    offsets: Counts
    offsets_at: int
    size: int
    zeroed: int
    rows: int
    keys: int
    texts: int
    layouts: dict[bytes, SlabLayout]

    @classmethod
    def of(cls, plan: Plan, room: Counts, message_size: int) -> "_Slab":
        sizes = (room[plan.sources] + plan.extra) * plan.item_sizes
        sizes += LINE + -sizes % LINE
        ends = np.cumsum(sizes)
        offsets = ends - sizes
        keys, texts = (plan.text_columns @ room).tolist()
        rows, zeroed = int(room[: len(plan.tables)].sum()), int(ends[plan.zeroed - 1])
        at = address_of(room), address_of(offsets)
        return cls(message_size, room, at[0], offsets, at[1], int(ends[-1]), zeroed, rows, keys, texts, {})

    def suits(self, message_size: int) -> bool:
        """Tell whether it is as large as a message of so many bytes needs, and not much larger."""
        return 0.8 * self.message_size <= message_size <= self.message_size

    def layout(self, plan: Plan, seen_references: Counts) -> SlabLayout:
        """Return the columns that hold anything: references to keys are rare."""
        seen = seen_references.tobytes()
        if seen not in self.layouts:
            tables = zip(plan.attribute_tables, seen_references, strict=True)
            unseen = {f"{table}.key_strindex" for table, found in tables if not found}
            offsets = self.offsets.copy()
            offsets[[plan.layout[name][0] for name in unseen]] = -1
            places = {name: place for name, place in plan.layout.items() if name not in unseen}
            self.layouts[seen] = SlabLayout(places, offsets, address_of(offsets), plan.sources, plan.extra)
        return self.layouts[seen]


class _Filled(NamedTuple):
    """What messages became."""

    slab: _Slab
    arena: Arena
    heap: Heap


class _Spans(NamedTuple):
    """Where the bytes of messages lie: an address and a size each; and their size altogether."""

    places: list[tuple[int, int]]
    size: int


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
        self.rows, self.lists = self.counts[:tables], self.counts[tables:]
        self.row_room, self.list_room = self.room[:tables], self.room[tables:]

    def reset(self) -> None:
        """Start to count anew; the outermost message is the one row of its table."""
        self.counts[:] = 0
        self.counts[0] = 1


def _connect(control: npt.NDArray[np.int64], slot: int, array: npt.NDArray[Any]) -> None:
    control[slot // 8] = address_of(array)
