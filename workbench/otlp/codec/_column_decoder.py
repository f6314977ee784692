"""`ColumnDecoder`: one message of OTLP protobuf to flat columns."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels import announce_compilation
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._kernel_decode import count_rows, fill_columns
from workbench.otlp.codec._plan import Plan, plan_of
from workbench.otlp.codec._records import decoder_records
from workbench.otlp.codec._reserve import LINE, Arena, Dictionary, Heap, Sides
from workbench.otlp.codec._star import SlabColumns, SlabLayout, Star, Strings, address_of

__all__ = ["ColumnDecoder", "MalformedMessageError", "RewriteNeededError"]

Counts = npt.NDArray[np.int64]
FEW = 64
MARGIN = 1.25  # more rows a byte than the last message had


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
        self.layouts: dict[bytes, SlabLayout] = {}
        self.counters = _Counters(self.plan)
        self.density = np.zeros(len(self.counters.counts))  # rows and list elements a byte
        self.lock = threading.Lock()
        self.slab = _Slab.of(self.plan, np.zeros_like(self.counters.counts), 0)
        self.stack = np.zeros((codes.RECURSION_LIMIT + 2, 3), np.int64)
        self.control = np.zeros(codes.CONTROL_SLOTS, np.int64)
        for slot, array in (
            (codes.C_STACK, self.stack),
            (codes.C_DISPATCH, self.records.dispatch),
            (codes.C_FIELDS, self.records.fields),
            (codes.C_KINDS, self.records.kinds),
            (codes.C_ATTRIBUTES, self.records.attributes),
            (codes.C_ROWS, self.counters.rows),
            (codes.C_LISTS, self.counters.lists),
            (codes.C_ROOM, self.counters.row_room),
            (codes.C_LIST_ROOM, self.counters.list_room),
        ):
            _connect(self.control, slot, array)
        self.control_address = address_of(self.control)
        self.learnt = False
        self._learn_anew(0, 0, 0)

    def _learn_anew(self, keys: int, texts: int, size: int) -> None:
        self.keys = Dictionary(max(1 << 12, 2 * keys), max(1 << 16, 2 * size))
        self.texts = Dictionary(max(1 << 16, 2 * texts), max(1 << 24, 2 * size))
        self.follow = np.zeros(self.keys.room + 2, np.int32)
        self.recent = np.zeros((self.keys.room + 1, codes.RECENT_SIZE // 8), np.int64)
        self.recent[0, codes.R_KEY // 8] = self.keys.data.ctypes.data  # the empty key
        _connect(self.control, codes.C_KEYS, self.keys.control)
        _connect(self.control, codes.C_TEXTS, self.texts.control)
        _connect(self.control, codes.C_FOLLOW, self.follow)
        _connect(self.control, codes.C_RECENT, self.recent)

    def decode(self, *parts: Any, keep_unknown: bool = True) -> Star:
        """Return the columns of some messages, one after the other.

        Raises
        ------
        MalformedMessageError, RewriteNeededError
            As their names say.
        """
        with self.lock:
            return self._decode([_Span.of(part) for part in parts], keep_unknown)

    def _decode(self, spans: list["_Span"], keep_unknown: bool) -> Star:  # noqa: FBT001 - as its caller says
        size = sum(span.size for span in spans)
        slab = self._estimate(size) if self.learnt else self._count(spans, size)
        more = FEW  # room for what no count says: things said twice, unknown fields
        control = self.control
        control[codes.C_KEEP // 8] = keep_unknown
        while (filled := self._fill(spans, slab, more)) is None:
            slab, more = self._count(spans, size), more * 16
            self.slab = slab  # the one estimated does not suit what comes now
        unknown = int(control[codes.C_UNKNOWN // 8])
        if control[codes.C_REWRITE // 8] or (control[codes.C_NESTED_UNKNOWN // 8] and not keep_unknown):
            raise RewriteNeededError(unknown)
        if size:
            np.maximum(self.density, self.counters.counts / size, out=self.density)
            self.learnt = True
        return self._star(filled, unknown)

    def _estimate(self, size: int) -> "_Slab":
        """Return room for a message of so many bytes, as dense as the densest so far."""
        if not self.slab.suits(size):
            room = (self.density * (MARGIN * size)).astype(np.int64) + FEW
            self.slab = _Slab.of(self.plan, room, size)
        return self.slab

    def _count(self, spans: list["_Span"], size: int) -> "_Slab":
        """Return room for exactly what the messages hold."""
        self.counters.reset()
        for number, span in enumerate(spans):
            if count_rows(span.at, span.at + span.size, 0, self.control_address) != codes.OK:
                raise MalformedMessageError(number)
        return _Slab.of(self.plan, self.counters.counts.copy(), size)

    def _fill(self, spans: list["_Span"], slab: "_Slab", more: int) -> "_Filled | None":
        """Fill columns with so much room; return None where it was not enough."""
        size = sum(span.size for span in spans)
        if not (self.keys.fits(slab.keys + more, size) and self.texts.fits(slab.texts + more, size)):
            self._learn_anew(slab.keys + more, slab.texts + more, size)
        arena = Arena(slab.size, zeroed=slab.zeroed)
        self.records.point_to(slab.offsets + arena.address)
        self.seen_references[:] = 0
        self.counters.room[:] = slab.room
        self.counters.reset()
        heap, sides = Heap(slab.rows + more, size), Sides(more)
        control = self.control
        _connect(control, codes.C_BLOBS, heap.control)
        _connect(control, codes.C_SIDES, sides.control)
        control[codes.C_REWRITE // 8] = control[codes.C_UNKNOWN // 8] = 0
        control[codes.C_NESTED_UNKNOWN // 8] = 0
        for number, span in enumerate(spans):
            self.recent[: self.keys.count + 1, codes.R_LENGTH // 8] = -1  # it points into another input
            control[codes.C_LIMIT // 8] = span.at + span.size - LINE
            outcome = fill_columns(span.at, span.at + span.size, 0, 0, self.control_address)
            failure = self.keys.failure() | self.texts.failure()
            if failure & codes.NOT_UTF8:
                raise MalformedMessageError(number)
            if failure or outcome == codes.ROOM:
                return None
            if outcome != codes.OK:
                raise MalformedMessageError(number)
        return None if heap.overflowed or sides.overflowed else _Filled(slab, arena, heap, sides, size)

    def _layout(self) -> SlabLayout:
        """Return the columns that hold anything: references to keys are rare."""
        seen = self.seen_references.tobytes()
        if seen not in self.layouts:
            tables = zip(self.plan.attribute_tables, self.seen_references, strict=True)
            unseen = {f"{table}.key_strindex" for table, found in tables if not found}
            places = {name: place for name, place in self.plan.layout.items() if name not in unseen}
            self.layouts[seen] = SlabLayout(places, [self.plan.layout[name][0] for name in unseen])
        return self.layouts[seen]

    def _star(self, filled: "_Filled", unknown: int) -> Star:
        plan = self.plan
        counts = self.counters.counts.copy()
        columns = SlabColumns(
            filled.arena.memory, self._layout(), filled.slab.offsets, counts[plan.sources] + plan.extra
        )
        for name, source in plan.ends_of_starts.items():
            columns[name][-1] = counts[source]
        return Star(
            plan.signal,
            dict(zip(plan.tables, counts.tolist(), strict=False)),
            columns,
            _strings(self.keys),
            _strings(self.texts),
            Strings(filled.heap.offsets[: filled.heap.needed + 1], filled.heap.data),
            filled.sides.entries[: filled.sides.needed],
            unknown,
            filled.size,
        )


@dataclass(frozen=True, slots=True)
class _Slab:
    """Columns laid out one behind the other, for so many rows of tables and elements of lists.

    `size` and `zeroed` are the bytes of all, and of those that start as zero; `keys` and `texts` how many of
    them there can be at most.
    """

    message_size: int
    room: Counts
    offsets: Counts
    size: int
    zeroed: int
    rows: int
    keys: int
    texts: int

    @classmethod
    def of(cls, plan: Plan, room: Counts, message_size: int) -> "_Slab":
        sizes = (room[plan.sources] + plan.extra) * plan.item_sizes
        sizes += LINE + -sizes % LINE
        ends = np.cumsum(sizes)
        keys, texts = (plan.text_columns @ room).tolist()
        rows, zeroed = int(room[: len(plan.tables)].sum()), int(ends[plan.zeroed - 1])
        return cls(message_size, room, ends - sizes, int(ends[-1]), zeroed, rows, keys, texts)

    def suits(self, message_size: int) -> bool:
        """Tell whether it is as large as a message of so many bytes needs, and not much larger."""
        return 0.8 * self.message_size <= message_size <= self.message_size


@dataclass(frozen=True, slots=True)
class _Filled:
    """What messages of so many bytes became."""

    slab: _Slab
    arena: Arena
    heap: Heap
    sides: Sides
    size: int


class _Span:
    """Where the bytes of a message lie; keeps them there."""

    def __init__(self, raw: npt.NDArray[np.uint8]) -> None:
        self.raw, self.at, self.size = raw, address_of(raw), len(raw)

    @classmethod
    def of(cls, data: Any) -> "_Span":
        return cls(np.frombuffer(data, np.uint8) if len(data) else np.empty(0, np.uint8))


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


def _strings(dictionary: Dictionary) -> Strings:
    return Strings(dictionary.offsets[: dictionary.count + 1], dictionary.data)
