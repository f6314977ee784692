"""What is left of a broken message when each record that cannot be read is left out.

Only the outermost messages are taken apart here: a record is sound when the official parser takes it where it
stands. The rest is framed again, so that one bad span costs no other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from workbench.otlp._schema import Signal
from workbench.otlp._tally import MOST_ERRORS, Skipped
from workbench.otlp.codec._official import MESSAGES, RECORD_PATHS
from workbench.otlp.codec._wire import find_fault
from workbench.otlp.errors import MalformedError, OtlpError, TruncatedError

__all__ = ["Salvaged", "in_place", "salvage"]

VARINT, FIXED64, LENGTH, GROUP_START, GROUP_END, FIXED32 = range(6)
WIRE_TYPE_MASK = 7
LONGEST_VARINT = 10
MOST_NUMBERS = 1 << 29  # of fields

Places = tuple[int, ...]  # of an envelope or a record: its number in each of the lists that lead to it


@dataclass(frozen=True, slots=True)
class Salvaged:
    """A sound message, and what was left out of it."""

    data: bytes
    skipped: Skipped


def salvage(data: bytes, signal: Signal) -> Salvaged:
    """Return what is sound of a message."""
    salvager = _Salvager(data, signal)
    kept = salvager.envelope(_Field(0, 0, 0, len(data), is_cut=False), ())
    return Salvaged(kept or b"", Skipped(salvager.skipped, salvager.errors))


def in_place(path: str, names: tuple[str, ...], places: Places) -> str:
    """Return a path through a message that holds one record alone as the path in the whole message."""
    steps = path.split(".") if path else []
    moved = [f"{name}[{place}]" for name, place in zip(names, places, strict=False)]
    return ".".join(moved + steps[len(moved) :])


@dataclass(frozen=True, slots=True)
class _Field:
    """A field in the input: where its tag, its content and what follows are; cut short, what there is of it.

    The tag is -1 where the framing breaks.
    """

    tag: int
    start: int
    content: int
    end: int
    is_cut: bool


class _Salvager:
    def __init__(self, data: bytes, signal: Signal) -> None:
        self.data, self.kind, self.names = data, MESSAGES[signal], RECORD_PATHS[signal]
        self.tags: list[int] = []
        self.known: list[set[int]] = []  # the fields of each envelope, by number
        descriptor: Any = self.kind.DESCRIPTOR
        for name in self.names:
            field = descriptor.fields_by_name[name]
            self.tags.append(field.number << 3 | LENGTH)
            self.known.append(set(descriptor.fields_by_number))
            descriptor = field.message_type
        self.skipped = 0
        self.errors: list[OtlpError] = []

    def envelope(self, outer: _Field, places: Places) -> bytes | None:
        """Return what is sound of a message that leads to records; None where that is nothing."""
        own, kept, number = [], [], 0
        before = self.skipped, len(self.errors)
        for field in _fields(self.data, outer.content, outer.end):
            if field.tag == self.tags[len(places)]:
                part = self.child(field, (*places, number))
                number += 1
                if part is not None:
                    kept.append(_framed(field.tag, part))
            elif field.tag >= 0 and self.is_sound(field.start, field.end, places):
                own.append(self.data[field.start : field.end])
            elif field.tag >> 3 not in self.known[len(places)]:
                self.lose(1, field.start, field.end, places)
            else:  # without its resource or scope a record says something else
                self.skipped, errors = before
                del self.errors[errors:]
                self.lose(max(1, self.count(outer, len(places))), field.start, field.end, places)
                return None
        if outer.is_cut and self.skipped == before[0]:
            self.lose(1, outer.start, outer.end, places, above=1)
        found = b"".join(own + kept)
        return found if found or outer.content == outer.end else None

    def child(self, field: _Field, places: Places) -> bytes | None:
        """Return what is sound of an envelope within; of a record, all or nothing."""
        if len(places) < len(self.names):
            return self.envelope(field, places)
        if not field.is_cut and self.is_sound(field.content, field.end, places):
            return self.data[field.content : field.end]
        if field.is_cut:
            self.lose(1, field.start, field.end, places, above=1)
        else:
            self.lose(1, field.content, field.end, places)
        return None

    def is_sound(self, start: int, end: int, places: Places) -> bool:
        """Tell whether the official parser takes these fields at their depth."""
        try:
            self.kind.FromString(self.alone(start, end, len(places)))
        except DecodeError:
            return False
        return True

    def alone(self, start: int, end: int, depth: int) -> bytes:
        """Return a message of some fields alone, in as many envelopes as they are in."""
        message = self.data[start:end]
        for tag in reversed(self.tags[:depth]):
            message = _framed(tag, message)
        return message

    def lose(self, records: int, start: int, end: int, places: Places, *, above: int = 0) -> None:
        """Count records that broken fields cost: fields in the message at a place, or so many above it."""
        self.skipped += records
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(self.error(start, end, places, len(places) - above))

    def error(self, start: int, end: int, places: Places, depth: int) -> OtlpError:
        message = self.alone(start, end, depth)
        fault = find_fault(message, self.kind)
        if fault is None:
            path = in_place("", self.names, places)
            return MalformedError("the official parser refuses this message", offset=start, path=path)
        kind = TruncatedError if fault.truncated and end == len(self.data) else MalformedError
        offset = fault.offset - (len(message) - (end - start)) + start
        path = in_place(fault.path, self.names, places)
        return kind(f"this is not OTLP: {fault.reason}", offset=max(offset, start), path=path)

    def count(self, outer: _Field, depth: int) -> int:
        """Return how many records a message holds, sound or not."""
        if depth == len(self.names):
            return 1
        fields = _fields(self.data, outer.content, outer.end)
        return sum(self.count(field, depth + 1) for field in fields if field.tag == self.tags[depth])


def _fields(data: bytes, at: int, end: int) -> Iterator[_Field]:
    """Yield the fields of a message that lies between two places."""
    while at < end:
        start = at
        tag, content = _read_varint(data, at, end)
        announced = _end_of_content(data, tag, content, end) if 0 < tag >> 3 < MOST_NUMBERS else -1
        if announced < 0 or (announced > end and tag & WIRE_TYPE_MASK != LENGTH):
            yield _Field(-1, start, start, end, is_cut=True)
            return
        if tag & WIRE_TYPE_MASK == LENGTH:
            content = _read_varint(data, content, end)[1]
        at = min(announced, end)
        yield _Field(tag, start, content, at, is_cut=announced > end)


def _end_of_content(data: bytes, tag: int, at: int, end: int) -> int:
    """Return where the content of a field ends by its wire type, maybe behind the end; -1 where none says."""
    wire_type = tag & WIRE_TYPE_MASK
    if wire_type == VARINT:
        return _read_varint(data, at, end)[1]
    if wire_type == LENGTH:
        size, content = _read_varint(data, at, end)
        return content + size if content >= 0 else -1
    if wire_type == GROUP_START:
        return _end_of_group(data, at, end)
    return at + 8 if wire_type == FIXED64 else at + 4 if wire_type == FIXED32 else -1


def _end_of_group(data: bytes, at: int, end: int) -> int:
    """Return where a group ends, and all groups in it, whatever their numbers; the parser judges those."""
    depth = 1
    while depth and at < end:
        tag, at = _read_varint(data, at, end)
        wire_type = tag & WIRE_TYPE_MASK
        if at < 0 or wire_type > FIXED32:
            return -1
        if wire_type == GROUP_START:
            depth += 1
        elif wire_type == GROUP_END:
            depth -= 1
        else:
            at = _end_of_content(data, tag, at, end)
            if at < 0:
                return -1
    return -1 if depth else at


def _read_varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return a number and where it ends; -1 twice where it does not end."""
    value = 0
    for place in range(LONGEST_VARINT):
        if at + place >= end:
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    return -1, -1


def _framed(tag: int, content: bytes) -> bytes:
    return _varint(tag) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
