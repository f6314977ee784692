"""The grammar of a signal as flat arrays: what the kernels walk along.

Columns are named ``table.column``. Besides the fields' own there are, for each table, ``parent`` (the row of
the message around) and ``present`` (a bit for each field that tells absent from empty; the highest bit: this
row has side entries).
"""

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._grammar import GRAMMARS, Field, Kind, Message, walk

__all__ = ["ATTRIBUTE_COLUMNS", "Column", "Plan", "plan_of"]

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # wire types

# Kind -> operation, wire type, column type
SCALARS: dict[Kind, tuple[int, int, str]] = {
    Kind.DOUBLE: (codes.WORD, FIXED64, "f8"),
    Kind.FIXED64: (codes.WORD, FIXED64, "u8"),
    Kind.SFIXED64: (codes.WORD, FIXED64, "i8"),
    Kind.INT64: (codes.VARINT64, VARINT, "i8"),
    Kind.UINT64: (codes.VARINT64, VARINT, "u8"),
    Kind.FIXED32: (codes.HALF, FIXED32, "u4"),
    Kind.UINT32: (codes.VARINT32, VARINT, "u4"),
    Kind.INT32: (codes.VARINT32, VARINT, "i4"),
    Kind.ENUM: (codes.VARINT32, VARINT, "i4"),
    Kind.SINT32: (codes.ZIGZAG32, VARINT, "i4"),
    Kind.BOOL: (codes.FLAG, VARINT, "u1"),
    Kind.STRING: (codes.TEXT, LENGTH, "i4"),
    Kind.ID16: (codes.ID, LENGTH, "V16"),
    Kind.ID8: (codes.ID, LENGTH, "V8"),
    Kind.BYTES: (codes.BLOB, LENGTH, "i8"),
}
# Kind -> operation when packed, operation and wire type of one element, element type
LISTS: dict[Kind, tuple[int, int, int, str]] = {
    Kind.NUMBERS_DOUBLE: (codes.PACKED_WORDS, codes.ONE_WORD, FIXED64, "f8"),
    Kind.NUMBERS_FIXED64: (codes.PACKED_WORDS, codes.ONE_WORD, FIXED64, "u8"),
    Kind.NUMBERS_INT64: (codes.PACKED_VARINTS, codes.ONE_VARINT, VARINT, "i8"),
    Kind.NUMBERS_UINT64: (codes.PACKED_VARINTS, codes.ONE_VARINT, VARINT, "u8"),
    Kind.NUMBERS_INT32: (codes.PACKED_VARINTS32, codes.ONE_VARINT32, VARINT, "i4"),
}
ID_WIDTHS = {Kind.ID16: 16, Kind.ID8: 8}
ATTRIBUTE_COLUMNS = {"parent": "u4", "key": "i4", "type": "u1", "value": "i8", "key_strindex": "i4"}
ROOT = "root"
FIRST_ID_SLOT = 1000  # side entries of ids; below are those of messages


@dataclass(frozen=True, slots=True)
class Column:
    """A flat array: its type, and whether it has an entry a row of its table or an entry a list element."""

    table: str
    name: str
    dtype: str
    elements: int | None = None  # number of the list whose elements it holds
    starts: int | None = None  # number of the list whose starts it holds: one more entry than rows
    text: bool = False  # it holds numbers of texts


@dataclass
class Plan:
    """A signal's messages as arrays of records, whose columns' addresses are filled in for each call.

    `patches` lists (record array, position in it, column name): where an address goes.
    """

    signal: str
    kinds: list[Message]
    tables: list[str]
    attribute_tables: list[str]
    columns: dict[str, Column] = field(default_factory=dict)
    lists: list[str] = field(default_factory=list)
    bits: dict[str, dict[str, int]] = field(default_factory=dict)  # table -> field's column -> presence bit
    slots: dict[int, tuple[str, str]] = field(default_factory=dict)  # side slot -> table, field or message
    dispatch: npt.NDArray[np.uint16] = field(default_factory=lambda: np.zeros((0, 256), np.uint16))
    fields: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((1, 8), np.int64))
    kind_records: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 8), np.int64))
    attributes: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 8), np.int64))
    list_starts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    patches: list[tuple[str, int, str]] = field(default_factory=list)
    _patched: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def layout(self) -> dict[str, tuple[int, str]]:
        """Each column's number and type."""
        return {name: (at, column.dtype) for at, (name, column) in enumerate(self.columns.items())}

    @cached_property
    def sources(self) -> npt.NDArray[np.int64]:
        """Which count says how long a column is: those of the tables come first, then those of the lists."""
        lists = len(self.tables)
        return np.array(
            [
                self.tables.index(column.table) if column.elements is None else lists + column.elements
                for column in self.columns.values()
            ],
            np.int64,
        )

    @cached_property
    def extra(self) -> npt.NDArray[np.int64]:
        """How many entries a column has beyond its rows: one for the end of the last row's list."""
        return np.array([column.starts is not None for column in self.columns.values()], np.int64)

    @cached_property
    def item_sizes(self) -> npt.NDArray[np.int64]:
        """How many bytes an entry of each column has."""
        return np.array([np.dtype(column.dtype).itemsize for column in self.columns.values()], np.int64)

    @cached_property
    def sources_of_starts(self) -> dict[str, int]:
        """Columns that hold where lists start, and which count ends the last list."""
        lists = len(self.tables)
        return {name: lists + c.starts for name, c in self.columns.items() if c.starts is not None}

    @cached_property
    def _text_columns(self) -> npt.NDArray[np.int64]:
        """How many columns of texts each table has."""
        found = np.zeros(len(self.tables) + len(self.lists), np.int64)
        for column in self.columns.values():
            found[self.tables.index(column.table)] += column.text
        return found

    def most_texts(self, room: npt.NDArray[np.int64]) -> tuple[int, int]:
        """Return how many keys and how many other texts there can be at most."""
        keys = int(sum(room[self.tables.index(table)] for table in self.attribute_tables))
        return keys, keys + int((room * self._text_columns).sum())

    def patched(self, records: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return where addresses go in a record array, and of which columns."""
        if records not in self._patched:
            found = [(at, self.layout[name][0]) for kind, at, name in self.patches if kind == records]
            self._patched[records] = tuple(np.array(found, np.int64).reshape(-1, 2).T)
        return self._patched[records]

    def kind(self, message: Message) -> int:
        """Return a message's number."""
        return next(number for number, known in enumerate(self.kinds) if known is message)


@cache
def plan_of(signal: str) -> Plan:
    """Return the plan of a signal's decoder."""
    return _Planner(signal).plan


class _Planner:
    def __init__(self, signal: str) -> None:
        root = GRAMMARS[signal]
        kinds: list[Message] = []
        for message in walk(root):
            if not any(known is message for known in kinds):
                kinds.append(message)
        self.plan = Plan(signal, kinds, [ROOT], [])
        self.records: list[list[int]] = [[0] * 8]
        self.starts: list[list[int]] = []
        self.plan.dispatch = np.zeros((len(kinds), 256), np.uint16)
        self.plan.kind_records = np.zeros((len(kinds), 8), np.int64)
        self.done: set[int] = set()
        self.column(ROOT, "present", "u4")
        self.message(root, ROOT, depth=0)
        self.plan.fields = np.array(self.records, np.int64)
        self.plan.attributes = np.array(self.attribute_records(), np.int64).reshape(-1, 8)
        self.plan.list_starts = np.array(self.starts, np.int64).reshape(-1, 2)

    def column(self, table: str, name: str, dtype: str, **more: Any) -> str:
        full = f"{table}.{name}"
        self.plan.columns.setdefault(full, Column(table, name, dtype, **more))
        return full

    def table(self, name: str) -> int:
        if name not in self.plan.tables:
            self.plan.tables.append(name)
        return self.plan.tables.index(name)

    def message(self, message: Message, table: str, depth: int) -> None:
        """Plan a message that is written into rows of `table`."""
        kind = self.plan.kind(message)
        if kind in self.done:
            return
        self.done.add(kind)
        self.plan.slots[kind] = (table, message.name)
        first = len(self.records)
        for described in message.fields:
            self.field(kind, described, message, table, depth)
        self.plan.kind_records[kind, :5] = self.table(table), 0, depth, first, len(self.records) - first
        self.plan.kind_records[kind, 7] = kind
        self.plan.patches.append(("kinds", kind * 8 + 1, f"{table}.present"))

    def field(self, kind: int, described: Field, message: Message, table: str, depth: int) -> None:
        plan = self.plan
        name = message.prefix + described.name
        if described.kind in SCALARS:
            op, wire, dtype = SCALARS[described.kind]
            width = ID_WIDTHS.get(described.kind, 0)
            bit, others = self.presence(table, name, described, always=width > 0)
            slot = self.slot(table, name) if width else 0
            record = self.add(kind, described.number, wire, op, bit=bit, others=others, aux=width, slot=slot)
            plan.patches.append(("fields", record * 8 + 1, self.column(table, name, dtype, text=op == codes.TEXT)))
        elif described.kind in LISTS:
            self.numbers(kind, described, table, name)
        elif described.kind == Kind.VALUE:
            bit, _ = self.presence(table, name, described, always=True)
            slot = self.slot(table, name)
            record = self.add(kind, described.number, LENGTH, codes.VALUE, bit=bit, slot=slot)
            plan.patches.append(("fields", record * 8 + 1, self.column(table, f"{name}.type", "u1")))
            plan.patches.append(("fields", record * 8 + 6, self.column(table, f"{name}.value", "i8")))
        elif described.kind == Kind.KEY_VALUES:
            self.key_values(kind, described, depth)
        elif described.kind == Kind.TEXTS:
            child = str(described.into)
            record = self.add(kind, described.number, LENGTH, codes.TEXTS, table=self.table(child))
            plan.patches.append(("fields", record * 8 + 1, self.column(child, "parent", "u4")))
            plan.patches.append(("fields", record * 8 + 6, self.column(child, "text", "i4", text=True)))
        elif isinstance(described.into, Message):
            self.nested(kind, described, described.into, table, depth)

    def nested(self, kind: int, described: Field, inner: Message, table: str, depth: int) -> None:
        target = self.plan.kind(inner)
        if described.kind == Kind.ROWS:
            child = self.table(inner.table)
            parent = self.column(inner.table, "parent", "u4")
            self.column(inner.table, "present", "u4")
            record = self.add(kind, described.number, LENGTH, codes.ROWS, target=target, table=child)
            self.plan.patches.append(("fields", record * 8 + 1, parent))
            first = len(self.starts)
            self.message(inner, inner.table, depth + 1)
            self.list_starts_of(inner, target, first)
        else:
            bit, others = self.presence(table, described.name, described, always=True)
            self.add(kind, described.number, LENGTH, codes.INLINE, target=target, bit=bit, others=others)
            self.message(inner, table, depth + 1)

    def numbers(self, kind: int, described: Field, table: str, name: str) -> None:
        packed, one, wire, dtype = LISTS[described.kind]
        number = len(self.plan.lists)
        self.plan.lists.append(f"{table}.{name}")
        self.column(table, f"{name}.start", "i8", starts=number)
        values = self.column(table, name, dtype, elements=number)
        for op, wire_type in ((packed, LENGTH), (one, wire)):
            record = self.add(kind, described.number, wire_type, op, aux=number)
            self.plan.patches.append(("fields", record * 8 + 1, values))

    def list_starts_of(self, message: Message, kind: int, first: int) -> None:
        """Note which lists begin in a new row of a table: its own, and those of messages in the same row."""
        del first
        names = [name for name in self.plan.lists if name.startswith(f"{message.table}.")]
        begin = len(self.starts)
        for name in names:
            self.plan.patches.append(("starts", len(self.starts) * 2, f"{name}.start"))
            self.starts.append([0, self.plan.lists.index(name)])
        self.plan.kind_records[kind, 5:7] = begin, len(self.starts)

    def key_values(self, kind: int, described: Field, depth: int) -> None:
        table = str(described.into)
        if table not in self.plan.attribute_tables:
            self.plan.attribute_tables.append(table)
            for name, dtype in ATTRIBUTE_COLUMNS.items():
                self.column(table, name, dtype)
        number = self.plan.attribute_tables.index(table)
        self.depths = {**getattr(self, "depths", {}), number: depth + 1}
        self.add(kind, described.number, LENGTH, codes.KEY_VALUE, target=number, table=self.table(table))

    def attribute_records(self) -> list[list[int]]:
        records = []
        for number, table in enumerate(self.plan.attribute_tables):
            for at, name in enumerate(ATTRIBUTE_COLUMNS):
                self.plan.patches.append(("attributes", number * 8 + at, f"{table}.{name}"))
            records.append([0, 0, 0, 0, 0, self.table(table), self.depths[number], 0])
        return records

    def presence(self, table: str, name: str, described: Field, *, always: bool) -> tuple[int, int]:
        """Return a field's presence bit, and those of the other members of its oneof."""
        if not (always or described.optional or described.oneof):
            return 0, 0
        bits = self.plan.bits.setdefault(table, {})
        bit = bits.setdefault(name, 1 << len(bits))
        if described.oneof:
            family = self.families.setdefault((table, described.oneof), [])
            family.append((len(self.records), bit))
            for record, _ in family[:-1]:
                self.records[record][5] |= bit
            return bit, sum(other for _, other in family[:-1])
        return bit, 0

    @property
    def families(self) -> dict[tuple[str, str], list[tuple[int, int]]]:
        return self.__dict__.setdefault("_families", {})

    def slot(self, table: str, name: str) -> int:
        slot = FIRST_ID_SLOT + len(self.plan.slots)
        self.plan.slots[slot] = (table, name)
        return slot

    def add(  # noqa: PLR0913
        self,
        kind: int,
        number: int,
        wire_type: int,
        op: int,
        *,
        target: int = 0,
        table: int = 0,
        bit: int = 0,
        others: int = 0,
        aux: int = 0,
        slot: int = 0,
    ) -> int:
        """Append a field's record, reached by its tag, and return the record's number."""
        record = len(self.records)
        self.records.append([op, 0, target, table, bit, others, aux, slot])
        self.plan.dispatch[kind, number << 3 | wire_type] = record
        return record
