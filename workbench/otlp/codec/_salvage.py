"""What is left of a broken message when each record that cannot be read is left out.

Only the outermost messages are taken apart here: a record is sound when the official parser takes it. The
rest is framed again, so that one bad span costs no other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from workbench.otlp._schema import Signal
from workbench.otlp.codec._official import MESSAGES, RECORD_PATHS

__all__ = ["Salvaged", "salvage"]

LENGTH = 2
SCALAR_SIZES = {1: 8, 5: 4}
LONGEST_VARINT = 10


@dataclass(frozen=True, slots=True)
class Salvaged:
    """A sound message, and how many records or parts of it were left out."""

    data: bytes
    skipped: int


def salvage(data: bytes, signal: Signal) -> Salvaged:
    """Return what is sound of a message."""
    return _salvage(data, MESSAGES[signal], RECORD_PATHS[signal])


def _salvage(data: bytes, kind: type[Message], path: tuple[str, ...]) -> Salvaged:
    """Keep the sound parts of a message; `path` leads through repeated fields to the records."""
    if not path:
        return Salvaged(data, 0) if _is_sound(data, kind) else Salvaged(b"", 1)
    field = kind.DESCRIPTOR.fields_by_name[path[0]]
    described: Any = field.message_type
    inner = GetMessageClass(described)
    kept, others, skipped = [], [], 0
    for tag, start, content_start, end in _fields(data):
        if tag == field.number << 3 | LENGTH:
            part = _salvage(data[content_start:end], inner, path[1:])
            skipped += part.skipped
            if part.data or content_start == end:
                kept.append(_varint(tag) + _varint(len(part.data)) + part.data)
        elif tag < 0:
            skipped += 1
        elif _is_sound(data[start:end], kind):
            others.append(data[start:end])
        else:
            # without its resource or scope a record says something else
            return Salvaged(b"", max(1, _count(data, kind, path)))
    return Salvaged(b"".join(others + kept), skipped)


def _count(data: bytes, kind: type[Message], path: tuple[str, ...]) -> int:
    """Return how many records a message holds, sound or not."""
    if not path:
        return 1
    field = kind.DESCRIPTOR.fields_by_name[path[0]]
    described: Any = field.message_type
    inner = GetMessageClass(described)
    return sum(
        _count(data[content:end], inner, path[1:])
        for tag, _, content, end in _fields(data)
        if tag == field.number << 3 | LENGTH
    )


def _is_sound(data: bytes, kind: type[Message]) -> bool:
    try:
        kind.FromString(data)
    except DecodeError:
        return False
    return True


def _fields(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield tag, start, start of content and end of each field; a tag of -1 where the framing breaks.

    A field that the data's end cuts short is yielded with what there is of it.
    """
    at = 0
    while at < len(data):
        start = at
        tag, at = _read_varint(data, at)
        content, wire_type = at, tag & 7
        if wire_type == LENGTH:
            size, content = _read_varint(data, at)
            at = min(content + size, len(data)) if content >= 0 else -1
        elif wire_type == 0:
            at = _read_varint(data, at)[1]
        elif wire_type in SCALAR_SIZES:
            at += SCALAR_SIZES[wire_type]
        else:
            at = -1
        if tag < 0 or at < 0 or at > len(data):
            yield -1, start, start, len(data)
            return
        yield tag, start, content, at


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(LONGEST_VARINT):
        if at + place >= len(data):
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    return -1, -1


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
