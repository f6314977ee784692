"""Where a protobuf message is broken: the offset and the field, which the official parser does not tell.

Reads only what the wire format fixes (https://protobuf.dev/programming-guides/encoding/): tags, varints,
lengths, UTF-8 of strings, and nested messages by their descriptors. It is slow, and runs only after a
failure.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

__all__ = ["Fault", "find_fault", "find_field"]

RECURSION_LIMIT = 100  # of the official parsers
VARINT, FIXED64, LENGTH, GROUP_START, GROUP_END, FIXED32 = range(6)
WIRE_TYPE_MASK = 7

Descriptor: TypeAlias = Any  # the official package has three classes for it, one for each implementation


WIRE_TYPES = {
    **dict.fromkeys(
        (FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES), LENGTH
    ),
    **dict.fromkeys(
        (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FIXED64, FieldDescriptor.TYPE_SFIXED64), FIXED64
    ),
    **dict.fromkeys(
        (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_FIXED32, FieldDescriptor.TYPE_SFIXED32), FIXED32
    ),
}


def _fits(field: FieldDescriptor, wire_type: int) -> bool:
    """Tell whether a known field may be written so; otherwise parsers keep it as an unknown one."""
    natural = WIRE_TYPES.get(field.type, VARINT)
    packed = field.is_repeated and natural != LENGTH and wire_type == LENGTH
    return wire_type == natural or packed


@dataclass(frozen=True, slots=True)
class Fault:
    """A place in a message at which it stops being one."""

    offset: int
    path: str
    reason: str
    truncated: bool = False


class _FaultError(Exception):
    def __init__(self, offset: int, reason: str, *, truncated: bool = False) -> None:
        self.offset, self.reason, self.truncated = offset, reason, truncated


def find_fault(data: bytes, message: type[Message]) -> Fault | None:
    """Return the first fault of an encoded message, or None where the wire format is sound."""
    scanner = _Scanner(data)
    try:
        scanner.message(0, len(data), message.DESCRIPTOR, depth=0)
    except _FaultError as fault:
        return Fault(fault.offset, ".".join(scanner.path), fault.reason, fault.truncated)
    return None


def find_field(data: bytes, message: type[Message], path: str) -> int:
    """Return the offset of a field in a sound message, by its path; 0 if it is not there."""
    scanner = _Scanner(data, wanted=path.split("."))
    try:
        scanner.message(0, len(data), message.DESCRIPTOR, depth=0)
    except _FoundError as found:
        return found.offset
    return 0


class _FoundError(Exception):
    def __init__(self, offset: int) -> None:
        self.offset = offset


class _Scanner:
    def __init__(self, data: bytes, wanted: list[str] | None = None) -> None:
        self.data = data
        self.wanted = wanted
        self.path: list[str] = []

    def message(self, at: int, end: int, kind: Descriptor, depth: int) -> None:
        if depth > RECURSION_LIMIT:
            raise _FaultError(at, f"messages are nested more than {RECURSION_LIMIT} deep")
        seen: dict[int, int] = {}
        while at < end:
            tag, at = self.tag(at, end)
            number = tag >> 3
            field = kind.fields_by_number.get(number)
            if field is None or not _fits(field, tag & WIRE_TYPE_MASK):
                at = self.value(at, end, None, tag, depth)
            else:
                self.path.append(f"{field.name}[{seen.get(number, 0)}]" if field.is_repeated else field.name)
                at = self.value(at, end, field, tag, depth)
                self.path.pop()
                seen[number] = seen.get(number, 0) + 1

    def tag(self, at: int, end: int) -> tuple[int, int]:
        tag, after = self.varint(at, end)
        if tag >> 3 == 0 or tag >= 1 << 32:
            raise _FaultError(at, f"{tag >> 3} is no field number")
        return tag, after

    def value(self, at: int, end: int, field: FieldDescriptor | None, tag: int, depth: int) -> int:
        number, wire_type = tag >> 3, tag & WIRE_TYPE_MASK
        if self.path == self.wanted:
            raise _FoundError(at)
        if wire_type == VARINT:
            return self.varint(at, end)[1]
        if wire_type in (FIXED64, FIXED32):
            return self.skip(at, end, 8 if wire_type == FIXED64 else 4)
        if wire_type == LENGTH:
            length, at = self.varint(at, end)
            stop = self.skip(at, end, length)
            self.content(at, stop, field, depth)
            return stop
        if wire_type == GROUP_START:
            return self.group(at, end, number, depth + 1)
        reason = (
            "a group ends that did not start" if wire_type == GROUP_END else f"{wire_type} is no wire type"
        )
        raise _FaultError(at - 1, reason)

    def group(self, at: int, end: int, number: int, depth: int) -> int:
        """Skip a group, which OTLP does not use and parsers pass over; return where it has ended."""
        if depth > RECURSION_LIMIT:
            raise _FaultError(at, f"groups are nested more than {RECURSION_LIMIT} deep")
        while True:
            start = at
            tag, at = self.tag(at, end)
            if tag & WIRE_TYPE_MASK != GROUP_END:
                at = self.value(at, end, None, tag, depth)
            elif tag >> 3 == number:
                return at
            else:
                raise _FaultError(start, f"group {number} ends as group {tag >> 3}")

    def content(self, at: int, stop: int, field: FieldDescriptor | None, depth: int) -> None:
        if field is None:
            return
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            self.message(at, stop, field.message_type, depth + 1)
        elif field.type == FieldDescriptor.TYPE_STRING:
            try:
                self.data[at:stop].decode()
            except UnicodeDecodeError as error:
                raise _FaultError(at + error.start, "a string is not UTF-8") from error

    def varint(self, at: int, end: int) -> tuple[int, int]:
        value = 0
        for shift in range(0, 70, 7):
            if at + shift // 7 >= end:
                raise _FaultError(at, "the message ends inside a number", truncated=end == len(self.data))
            byte = self.data[at + shift // 7]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at + shift // 7 + 1
        raise _FaultError(at, "a number is longer than ten bytes")

    def skip(self, at: int, end: int, length: int) -> int:
        if at + length > end:
            reason = f"a field of {length} bytes is announced where {end - at} are left"
            raise _FaultError(at, reason, truncated=end == len(self.data))
        return at + length
