"""A file of OTLP protobuf in pieces, each of which is a message: frames, or runs of a bare message's fields.

The Collector's file exporter writes each message behind its length, 4 bytes, most significant first, and
compresses each by itself where compression is on. A file whose first byte is below 8 must be framed, for no
protobuf message starts with field number 0; any other file is framed only if the lengths lead exactly to its
end.

A protobuf message is cut between the fields at its top: each run of them is a message as well, and the
messages' concatenation is the whole. So a bare message is read without being held in memory. One of profiles
is not cut, as its dictionary speaks for all of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.otlp._schema import Signal
from workbench.otlp._tally import Tally
from workbench.otlp.codec._official import RECORD_PATHS
from workbench.otlp.codec._star_decoder import Buffer
from workbench.otlp.errors import CompressionError, MalformedError, OtlpError, TruncatedError
from workbench.otlp.storage._streams import MAGIC, decompress
from workbench.otlp.storage._window import Window

__all__ = [
    "KNOWN_TAGS",
    "PREFIX",
    "Piece",
    "cut_fields",
    "frame",
    "is_framed",
    "names_something",
    "read_frames",
    "split_message",
]

PREFIX = 4
KNOWN_TAGS: dict[Signal, tuple[int, ...]] = {
    "traces": (0x0A,),
    "metrics": (0x0A,),
    "logs": (0x0A,),
    "profiles": (0x0A, 0x12),
}  # of a message's own fields at the top: number 1, and 2 for the dictionary of profiles
ENVELOPE, LENGTH, GROUP_START, LONGEST_VARINT = 0x0A, 2, 3, 10
SIZES = {0: -1, 1: 8, 2: -1, 3: 0, 5: 4}  # of the content by wire type; -1: a number says, or is it
UNREAD, BROKEN = -1, -2
WIRE_TYPE_MASK = 7
MOST_BYTES = (1 << 31) - 1  # of a protobuf message


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that are a message, and where they lie in the input."""

    data: Buffer
    offset: int
    earlier: int = 0  # records' envelopes of the same message in pieces before this one
    is_first: bool = True  # of its message
    is_last: bool = True  # of its message


def frame(message: bytes) -> bytes:
    """Return a message behind its length."""
    return len(message).to_bytes(PREFIX, "big") + message


def is_framed(window: Window, probe: Window) -> bool:
    """Tell length-prefixed messages from one bare one; `probe` looks at the same input, and is used up."""
    window.have(2 * PREFIX)
    first = window.block[window.at]
    if first < 1 << 3:
        return True
    begins = window.block[window.at + PREFIX : window.at + 2 * PREFIX]
    tags = {tag for known in KNOWN_TAGS.values() for tag in known}
    if not begins or (begins[0] not in tags and not begins.startswith(tuple(MAGIC.values()))):
        return False
    return _lengths_fit(probe)


def _lengths_fit(window: Window) -> bool:
    while window.have(PREFIX):
        left = int.from_bytes(window.take(PREFIX), "big")
        while left:
            if not window.have(1):
                return False
            step = min(left, window.ready)
            window.take(step)
            left -= step
    return window.ready == 0


def read_frames(window: Window, tally: Tally) -> Iterator[Piece]:
    """Yield each framed message; a cut last one is refused through the tally."""
    while window.have(1):
        if not window.have(PREFIX):
            tally.refuse(
                TruncatedError("the file was cut short inside the length of a message", offset=window.offset)
            )
            return
        length = int.from_bytes(window.block[window.at : window.at + PREFIX], "big")
        if not window.have(PREFIX + length):
            tally.refuse(_cut_short(window, length))
            return
        window.take(PREFIX)
        start = window.offset
        data: Buffer = window.take(length)
        if bytes(data[:4]).startswith(tuple(MAGIC.values())):
            try:
                data = decompress(bytes(data), MOST_BYTES)
            except CompressionError as error:
                tally.refuse(CompressionError(error.args[0], offset=start + error.offset))
                continue
        yield Piece(data, start)


def _cut_short(window: Window, length: int) -> TruncatedError:
    left = window.ready + (window.stream.left or 0) - PREFIX
    msg = f"a message of {length} bytes is announced where {left} are left: the file was cut short"
    return TruncatedError(msg, offset=window.offset)


def cut_fields(window: Window, signal: Signal, tally: Tally) -> Iterator[Piece]:
    """Yield a bare message in runs of its fields; one that is cut short is refused through the tally."""
    earlier, is_first = 0, True
    while window.have(1):
        run = _everything(window) if signal == "profiles" else _run(window, is_first=is_first)
        if run.size == 0:
            tally.refuse(_broken_off(window, signal, earlier, run))
            return
        offset = window.offset
        data = window.take(run.size)
        is_last = run.is_last or not window.have(1)
        yield Piece(data, offset, earlier, is_first, is_last)
        if run.is_last:
            return
        earlier, is_first = earlier + run.envelopes, False


@dataclass(frozen=True, slots=True)
class _Run:
    """Whole fields of a message: bytes, and how many of them are envelopes of records."""

    size: int
    envelopes: int = 0
    is_last: bool = False
    announced: int = 0  # bytes of a field that is cut off
    header: int = 0  # and of its tag and length


def _run(window: Window, *, is_first: bool) -> _Run:
    """Return the fields that were read as a whole: one at least, and of the first run up to an envelope."""
    at = envelopes = 0
    while True:
        goes_on = at == 0 or (is_first and not envelopes)
        if at == window.ready and not (goes_on and window.have(at + 1)):
            return _Run(at, envelopes)
        tag, header, content = _field_at(window.block, window.at + at)
        if header == BROKEN or (header == UNREAD and goes_on and not window.have(window.ready + 1)):
            return _Run(window.ready, envelopes, is_last=True)
        if header > 0 and tag & WIRE_TYPE_MASK == GROUP_START:
            return _everything(window)
        end = at + header + content
        if header > 0 and (end <= window.ready or (goes_on and content <= MOST_BYTES and window.have(end))):
            at, envelopes = end, envelopes + (tag == ENVELOPE)
        elif header > 0 and goes_on:
            return _Run(0, int(tag == ENVELOPE), announced=content, header=at + header)
        elif not goes_on:
            return _Run(at, envelopes)


def _everything(window: Window) -> _Run:
    while window.grow():
        pass
    return _Run(window.ready, is_last=True)


def _field_at(block: bytes, at: int) -> tuple[int, int, int]:
    """Return a field's tag, and the sizes of its header and of its content; a header of UNREAD or BROKEN."""
    tag, after = _varint(block, at)
    if after < 0:
        return 0, after, 0
    wire_type = tag & WIRE_TYPE_MASK
    if tag >> 3 == 0 or tag >= 1 << 32 or wire_type not in SIZES:
        return 0, BROKEN, 0
    size = SIZES[wire_type]
    if size >= 0:
        return tag, after - at, size
    value, end = _varint(block, after)
    if end < 0:
        return 0, end, 0
    return (tag, end - at, value) if wire_type == LENGTH else (tag, end - at, 0)


def _varint(block: bytes, at: int) -> tuple[int, int]:
    """Return a number and where it ends; UNREAD where the block ends before, BROKEN if it is too long."""
    value = 0
    for place, byte in enumerate(block[at : at + LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    return 0, UNREAD if len(block) - at < LONGEST_VARINT else BROKEN


def _broken_off(window: Window, signal: Signal, earlier: int, run: _Run) -> OtlpError:
    offset, path = window.offset + run.header, ""
    if run.envelopes:
        path = f"{RECORD_PATHS[signal][0]}[{earlier}]"
    if run.announced > MOST_BYTES:
        msg = f"this is not OTLP: a field of {run.announced} bytes is announced, more than protobuf allows"
        return MalformedError(msg, offset=offset, path=path)
    left = window.ready + (window.stream.left or 0) - run.header
    msg = f"this is not OTLP: a field of {run.announced} bytes is announced where {left} are left"
    return TruncatedError(msg, offset=offset, path=path)


def split_message(message: bytes, signal: Signal, most_bytes: int) -> Iterator[bytes]:
    """Yield messages of about so many bytes that together are this one, cut between its resources.

    A message of profiles is not cut, as its dictionary speaks for all of it.
    """
    if signal == "profiles" or len(message) <= most_bytes:
        yield message
        return
    start = at = 0
    while at < len(message):
        end = _next_field(message, at)
        if end - start > most_bytes and at > start:
            yield message[start:at]
            start = at
        at = end
    yield message[start:]


def _next_field(message: bytes, at: int) -> int:
    """Return where a field of a sound message ends."""
    _, header, content = _field_at(message, at)
    return at + header + content if header > 0 else len(message)


def names_something(data: Buffer, signal: Signal) -> bool:
    """Tell whether a sound message has a field that its signal knows."""
    block, at = bytes(data), 0
    while at < len(block):
        tag, header, content = _field_at(block, at)
        if tag in KNOWN_TAGS[signal]:
            return True
        if header < 0 or tag & WIRE_TYPE_MASK == GROUP_START:
            return False
        at += header + content
    return False
