"""The grammar of a signal, laid out: its tables, columns and lists, and one step for each field.

Columns are named ``table.column``. Besides the fields' own there are, for each table, ``parent`` (the row of
the message around) and ``present`` (a bit for each field that tells absent from empty; the highest bit: this
row has side entries). A list column has one entry an element, and its ``.start`` says where each row's begin.
"""

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.otlp._schema import Signal
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._grammar import GRAMMARS, Field, Kind, Message, walk

__all__ = ["ATTRIBUTE_COLUMNS", "Column", "Plan", "Step", "plan_of"]

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
# Kind -> operation when packed, wire type of one element, element type
LISTS: dict[Kind, tuple[int, int, str]] = {
    Kind.NUMBERS_DOUBLE: (codes.PACKED_WORDS, FIXED64, "f8"),
    Kind.NUMBERS_FIXED64: (codes.PACKED_WORDS, FIXED64, "u8"),
    Kind.NUMBERS_INT64: (codes.PACKED_VARINTS, VARINT, "i8"),
    Kind.NUMBERS_UINT64: (codes.PACKED_VARINTS, VARINT, "u8"),
    Kind.NUMBERS_INT32: (codes.PACKED_VARINTS32, VARINT, "i4"),
}
ID_WIDTHS = {Kind.ID16: 16, Kind.ID8: 8}
ATTRIBUTE_COLUMNS = {"parent": "u4", "key": "i4", "type": "u1", "value": "i8", "key_strindex": "i4"}
ROOT = "root"
FEWEST_WORDS = 3
ONE_BYTE = 16  # tags of smaller field numbers have one
FIRST_FIELD_SLOT = 1000  # of side entries: of fields; below are those of messages


@dataclass(frozen=True, slots=True)
class Column:
    """A flat array: its type, and whether it has an entry a row of its table or an entry a list element."""

    table: str
    name: str
    dtype: str
    elements: int | None = None  # number of the list whose elements it holds
    starts: int | None = None  # number of the list whose starts it holds: one more entry than rows
    text: bool = False  # it holds numbers of texts
    written: bool = False  # every row or element has its entry written; those of other columns start as zero


@dataclass(slots=True)
class Step:
    """What one field of one message means to the kernels; columns by name, tables and messages by number."""

    kind: int
    number: int
    wire_type: int
    op: int
    column: str = ""
    second: str = ""  # texts of TEXTS, values of VALUE, starts of a list
    target: int = 0  # message, or attribute table
    table: int = 0
    bit: int = 0
    others: int = 0  # bits of the other members of its oneof
    aux: int = 0  # width of an id, number of a list or of a shape
    slot: int = 0


@dataclass
class Plan:
    """A signal's tables, columns, lists and steps, by number."""

    signal: Signal
    kinds: list[Message]
    kind_tables: list[int]
    kind_depths: list[int]
    tables: list[str] = field(default_factory=lambda: [ROOT])
    attribute_tables: dict[str, int] = field(default_factory=dict)  # name -> depth of its KeyValue
    columns: dict[str, Column] = field(default_factory=dict)
    lists: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    bits: dict[str, dict[str, int]] = field(default_factory=dict)  # table -> field -> presence bit
    slots: dict[int, tuple[str, str]] = field(default_factory=dict)  # side slot -> table, field or message
    shapes: int = 0  # of POINTS, each of which repeats its own

    @cached_property
    def table_numbers(self) -> dict[str, int]:
        """Each table's number."""
        return {name: number for number, name in enumerate(self.tables)}

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
    def zeroed(self) -> int:
        """How many columns start as zero; they are the first."""
        return sum(not column.written for column in self.columns.values())

    @cached_property
    def ends_of_starts(self) -> dict[str, int]:
        """Columns that hold where lists start, and which count ends the last list."""
        lists = len(self.tables)
        return {name: lists + c.starts for name, c in self.columns.items() if c.starts is not None}

    @cached_property
    def text_columns(self) -> npt.NDArray[np.int64]:
        """How many keys, and how many other texts, a row of each table or an element of each list has."""
        found = np.zeros((2, len(self.tables) + len(self.lists)), np.int64)
        for table in self.attribute_tables:
            found[:, self.tables.index(table)] += 1  # its value may be a text
        for column in self.columns.values():
            found[1, self.tables.index(column.table)] += column.text
        return found


@cache
def plan_of(signal: Signal) -> Plan:
    """Return the plan of a signal."""
    return _Planner(signal).plan


class _Planner:
    def __init__(self, signal: Signal) -> None:
        root = GRAMMARS[signal]
        kinds = list(dict.fromkeys(walk(root)))
        self.numbers = {message: number for number, message in enumerate(kinds)}
        self.plan = Plan(signal, kinds, [0] * len(kinds), [0] * len(kinds))
        self.planned: set[int] = set()
        self.oneofs: dict[tuple[str, str], list[Step]] = {}
        self.column(ROOT, "present", "u4")
        self.message(root, ROOT, depth=0)
        self.plan.columns = dict(sorted(self.plan.columns.items(), key=lambda named: named[1].written))

    def message(self, message: Message, table: str, depth: int) -> None:
        """Plan a message that is written into rows of a table, and all within it."""
        kind = self.numbers[message]
        if kind in self.planned:
            return
        self.planned.add(kind)
        self.plan.kind_tables[kind], self.plan.kind_depths[kind] = self.table(table), depth
        self.plan.slots[kind] = (table, message.prefix + message.name)
        for described in message.fields:
            self.field(kind, described, table, message.prefix, depth)

    def field(self, kind: int, described: Field, table: str, prefix: str, depth: int) -> None:
        name = prefix + described.name
        if described.kind in SCALARS:
            self.scalar(kind, described, table, name)
        elif described.kind in LISTS:
            self.list(kind, described, table, name)
        elif described.kind == Kind.VALUE:
            step = self.step(kind, described, LENGTH, codes.VALUE, slot=self.slot(table, name))
            step.column = self.column(table, f"{name}.type", "u1")
            step.second = self.column(table, f"{name}.value", "i8")
            self.presence(step, table, name, described)
        elif isinstance(described.into, Message):
            self.nested(kind, described, described.into, table, depth)
        elif described.kind == Kind.TEXTS:
            child = str(described.into)
            step = self.step(kind, described, LENGTH, codes.TEXTS, table=self.table(child))
            step.column = self.column(child, "parent", "u4", written=True)
            step.second = self.column(child, "text", "i4", text=True, written=True)
        else:
            self.key_values(kind, described, str(described.into), depth)

    def scalar(self, kind: int, described: Field, table: str, name: str) -> None:
        op, wire_type, dtype = SCALARS[described.kind]
        step = self.step(kind, described, wire_type, op, table=self.table(table))
        step.column = self.column(table, name, dtype, text=op == codes.TEXT)
        if op == codes.ID:
            step.aux, step.slot = ID_WIDTHS[described.kind], self.slot(table, name)
        elif op == codes.VARINT32:
            step.aux = int(described.kind != Kind.UINT32)  # negative numbers have ten bytes
        if op == codes.ID or described.optional or described.oneof:
            self.presence(step, table, name, described)

    def list(self, kind: int, described: Field, table: str, name: str) -> None:
        op, wire_type, dtype = LISTS[described.kind]
        number = len(self.plan.lists)
        self.plan.lists.append(f"{table}.{name}")
        step = self.step(kind, described, wire_type, op, aux=number)
        step.second = self.column(table, f"{name}.start", "i8", starts=number, written=True)
        step.column = self.column(table, name, dtype, elements=number, written=True)

    def nested(self, kind: int, described: Field, inner: Message, table: str, depth: int) -> None:
        target = self.numbers[inner]
        if described.kind == Kind.ROWS:
            child = self.table(inner.table)
            step = self.step(kind, described, LENGTH, codes.ROWS, target=target, table=child)
            if _is_point(inner) and described.number < ONE_BYTE:
                step.op, step.aux = codes.POINTS, self.plan.shapes
                self.plan.shapes += 1
            step.column = self.column(inner.table, "parent", "u4", written=True)
            self.column(inner.table, "present", "u4")
            self.message(inner, inner.table, depth + 1)
        else:
            step = self.step(kind, described, LENGTH, codes.INLINE, target=target)
            self.presence(step, table, described.name, described)
            self.message(inner, table, depth + 1)

    def key_values(self, kind: int, described: Field, table: str, depth: int) -> None:
        if table not in self.plan.attribute_tables:
            self.plan.attribute_tables[table] = depth + 1
            for name, dtype in ATTRIBUTE_COLUMNS.items():
                self.column(
                    table, name, dtype, written=True
                )  # the decoder starts references when it meets one
        target = list(self.plan.attribute_tables).index(table)
        self.step(kind, described, LENGTH, codes.KEY_VALUE, target=target, table=self.table(table))

    def step(self, kind: int, described: Field, wire_type: int, op: int, **more: Any) -> Step:
        self.plan.steps.append(Step(kind, described.number, wire_type, op, **more))
        return self.plan.steps[-1]

    def presence(self, step: Step, table: str, name: str, described: Field) -> None:
        """Give a field a presence bit, and tell it of the other members of its oneof."""
        bits = self.plan.bits.setdefault(table, {})
        step.bit = bits.setdefault(name, 1 << len(bits))
        if described.oneof:
            family = self.oneofs.setdefault((table, described.oneof), [])
            for other in family:
                other.others |= step.bit
                step.others |= other.bit
            family.append(step)

    def table(self, name: str) -> int:
        if name not in self.plan.tables:
            self.plan.tables.append(name)
        return self.plan.tables.index(name)

    def column(self, table: str, name: str, dtype: str, **more: Any) -> str:
        full = f"{table}.{name}"
        self.plan.columns.setdefault(full, Column(table, name, dtype, **more))
        return full

    def slot(self, table: str, name: str) -> int:
        slot = FIRST_FIELD_SLOT + len(self.plan.slots)
        self.plan.slots[slot] = (table, name)
        return slot


def _is_point(message: Message) -> bool:
    """Tell whether a message is words for the most part, as a data point is."""
    kinds = (field.kind for field in message.fields)
    return sum(kind in SCALARS and SCALARS[kind][0] == codes.WORD for kind in kinds) >= FEWEST_WORDS
