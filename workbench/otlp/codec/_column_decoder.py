"""`ColumnDecoder`: one message of OTLP protobuf to flat columns."""

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
        self.offsets = np.zeros(len(self.plan.columns), np.int64)
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
        spans = [_Span.of(part) for part in parts]
        size = sum(span.size for span in spans)
        room = self._estimate(size) if self.density.any() else self._count(spans)
        more = FEW  # room for what no count says: things said twice, unknown fields
        self.control[codes.C_KEEP // 8] = keep_unknown
        while (filled := self._fill(spans, size, room, more)) is None:
            room, more = self._count(spans), more * 16
        control = self.control
        unknown = int(control[codes.C_UNKNOWN // 8])
        if control[codes.C_REWRITE // 8] or (control[codes.C_NESTED_UNKNOWN // 8] and not keep_unknown):
            raise RewriteNeededError(unknown)
        if size:
            np.maximum(self.density, self.counters.counts / size, out=self.density)
        return self._star(*filled, size, unknown)

    def _estimate(self, size: int) -> npt.NDArray[np.int64]:
        return (self.density * (MARGIN * size)).astype(np.int64) + FEW

    def _count(self, spans: list["_Span"]) -> npt.NDArray[np.int64]:
        self.counters.reset()
        for number, span in enumerate(spans):
            if count_rows(span.at, span.at + span.size, 0, self.control.ctypes.data) != codes.OK:
                raise MalformedMessageError(number)
        return self.counters.counts.copy()

    def _fill(
        self, spans: list["_Span"], size: int, room: npt.NDArray[np.int64], more: int
    ) -> tuple[Arena, Heap, Sides] | None:
        """Fill columns with so much room; return None where it was not enough."""
        keys, texts = (most + more for most in self.plan.most_texts(room))
        if not (self.keys.fits(keys, size) and self.texts.fits(texts, size)):
            self._learn_anew(keys, texts, size)
        arena = self._place(room)
        self.counters.reset()
        heap, sides = Heap(int(room[: len(self.plan.tables)].sum()) + more, size), Sides(more)
        control = self.control
        _connect(control, codes.C_BLOBS, heap.control)
        _connect(control, codes.C_SIDES, sides.control)
        control[codes.C_REWRITE // 8] = control[codes.C_UNKNOWN // 8] = 0
        control[codes.C_NESTED_UNKNOWN // 8] = 0
        for number, span in enumerate(spans):
            self.recent[: self.keys.count + 1, codes.R_LENGTH // 8] = -1  # it points into another input
            control[codes.C_LIMIT // 8] = span.at + span.size - LINE
            outcome = fill_columns(span.at, span.at + span.size, 0, 0, control.ctypes.data)
            failure = self.keys.failure() | self.texts.failure()
            if failure & codes.NOT_UTF8:
                raise MalformedMessageError(number)
            if failure or outcome == codes.ROOM:
                return None
            if outcome != codes.OK:
                raise MalformedMessageError(number)
        return None if heap.overflowed or sides.overflowed else (arena, heap, sides)

    def _place(self, room: npt.NDArray[np.int64]) -> Arena:
        """Lay out columns with so much room, and write their addresses into the records."""
        plan = self.plan
        self.counters.room[:] = room
        sizes = (room[plan.sources] + plan.extra) * plan.item_sizes
        sizes += LINE + -sizes % LINE
        ends = np.cumsum(sizes)
        self.offsets = ends - sizes
        arena = Arena(int(ends[-1]), zeroed=int(ends[plan.zeroed - 1]))
        self.records.point_to(self.offsets + arena.address)
        self.seen_references[:] = 0
        return arena

    def _layout(self) -> SlabLayout:
        """Return the columns that hold anything: references to keys are rare."""
        seen = self.seen_references.tobytes()
        if seen not in self.layouts:
            tables = zip(self.plan.attribute_tables, self.seen_references, strict=True)
            unseen = {f"{table}.key_strindex" for table, found in tables if not found}
            places = {name: place for name, place in self.plan.layout.items() if name not in unseen}
            self.layouts[seen] = SlabLayout(places, [self.plan.layout[name][0] for name in unseen])
        return self.layouts[seen]

    def _star(self, arena: Arena, heap: Heap, sides: Sides, size: int, unknown: int) -> Star:
        plan = self.plan
        counts = self.counters.counts.copy()
        columns = SlabColumns(arena.memory, self._layout(), self.offsets, counts[plan.sources] + plan.extra)
        for name, source in plan.ends_of_starts.items():
            columns[name][-1] = counts[source]
        return Star(
            plan.signal,
            dict(zip(plan.tables, counts.tolist(), strict=False)),
            columns,
            _strings(self.keys),
            _strings(self.texts),
            Strings(heap.offsets[: heap.needed + 1], heap.data),
            sides.entries[: sides.needed],
            unknown,
            size,
        )


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
