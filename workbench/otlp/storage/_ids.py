"""Records whose trace or span ids are no ids: of another length than 16 and 8 bytes, and not absent.

No reader could follow them, and they are what another signal's message looks like: a metric's name lies where
a span has its trace id. The codec keeps them beside its columns; of files they are refused.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from google.protobuf.message import Message

from workbench.otlp._schema import LAYOUTS, Signal
from workbench.otlp.codec._choose import choose, parents_of
from workbench.otlp.codec._official import MESSAGES
from workbench.otlp.codec._plan import FIRST_FIELD_SLOT, plan_of
from workbench.otlp.codec._star import Star
from workbench.otlp.codec._wire import find_field
from workbench.otlp.errors import MalformedError

__all__ = ["find_bad_id", "records_with_bad_ids", "without_records"]

WIDTHS = {"trace_id": 16, "span_id": 8, "parent_span_id": 8, "profile_id": 16}

Rows = npt.NDArray[np.int64]


def records_with_bad_ids(star: Star, signal: Signal) -> Rows:
    """Return the rows of records that have an id of a wrong length, or whose children have."""
    if not len(star.sides):
        return np.empty(0, np.int64)
    plan, parents, records = plan_of(signal), parents_of(signal), LAYOUTS[signal].records
    found = set()
    for table, row, slot, _ in star.sides.tolist():
        if plan.slots[slot][1] in WIDTHS and slot >= FIRST_FIELD_SLOT:
            name, at = plan.tables[table], row
            while name not in (records, "root"):
                at, name = int(star.columns[f"{name}.parent"][at]), parents[name]
            if name == records:
                found.add(at)
    return np.array(sorted(found), np.int64)


def without_records(star: Star, rows: Rows, signal: Signal) -> Star:
    """Return all but some records."""
    kept = np.ones(star.rows[LAYOUTS[signal].records], bool)
    kept[rows] = False
    return choose(star, np.flatnonzero(kept))


def find_bad_id(data: bytes, signal: Signal, offset: int, earlier: int) -> MalformedError | None:
    """Return what to say of the first id of a wrong length, by byte and field."""
    message = MESSAGES[signal].FromString(data)
    for path, name, value in _ids(message, ""):
        width = WIDTHS[name]
        if len(value) not in (0, width):
            msg = f"an id of {width} bytes was expected, got {len(value)}: not OTLP, or another signal's"
            at = offset + find_field(data, MESSAGES[signal], path)
            return MalformedError(msg, offset=at, path=moved(path, earlier))
    return None


def moved(path: str, earlier: int) -> str:
    """Return a path whose first index counts the envelopes of earlier pieces too."""
    head, bracket, rest = path.partition("[")
    number, end, tail = rest.partition("]")
    return f"{head}[{int(number) + earlier}]{tail}" if bracket and end and number.isdigit() else path


def _ids(message: Message, path: str) -> Iterator[tuple[str, str, bytes]]:
    for field, value in message.ListFields():
        here = f"{path}.{field.name}".lstrip(".")
        if field.name in WIDTHS and isinstance(value, bytes):
            yield here, field.name, value
        elif field.message_type is not None:
            yield from _inside(value, here, is_repeated=field.is_repeated)


def _inside(value: Any, path: str, *, is_repeated: bool) -> Iterator[tuple[str, str, bytes]]:
    if not is_repeated:
        yield from _ids(value, path)
        return
    for number, item in enumerate(value):
        yield from _ids(item, f"{path}[{number}]")
