"""A log segment: frames one after the other, each a length, a checksum, and a request.

::

    frame = length (4 bytes, big endian) | CRC-32 of length and body (4 bytes, big endian) | body

A process that is killed, or a machine that loses power, leaves a torn tail: a frame that is short or whose
checksum is wrong, zeros included; it was never acknowledged. A frame whose checksum is wrong and that others
follow has been damaged on the disk: it is passed over by its length, and those behind it are read.
"""

import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from workbench.otlp.transport._services import SERVICES, ServiceName

__all__ = ["Segment", "encode_frame", "read_frames", "segment_path", "segments_in"]

HEAD = 8
NAME = re.compile(r"(?P<signal>[a-z]+)-(?P<number>\d{8,})\.log")


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A segment's place and name."""

    number: int
    signal: ServiceName
    path: Path


def segment_path(folder: Path, signal: ServiceName, number: int) -> Path:
    """Return where a segment is."""
    return folder / f"{signal}-{number:08d}.log"


def segments_in(folder: Path) -> list[Segment]:
    """Return the segments of a folder, oldest first."""
    found = []
    for path in folder.iterdir():
        name = NAME.fullmatch(path.name)
        if name and name["signal"] in SERVICES:
            found.append(Segment(int(name["number"]), cast("ServiceName", name["signal"]), path))
    return sorted(found)


def encode_frame(body: bytes) -> bytes:
    """Return a request as it stands in a segment."""
    length = len(body).to_bytes(4, "big")
    return length + _checksum(length, body) + body


def _checksum(length: bytes, body: bytes) -> bytes:
    return zlib.crc32(body, zlib.crc32(length)).to_bytes(4, "big")


def read_frames(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the requests of a segment, and what belongs to no sound frame.

    Examples
    --------
    >>> whole = encode_frame(b"first") + encode_frame(b"second")
    >>> read_frames(whole)
    ([b'first', b'second'], b'')
    >>> read_frames(whole[:-10])[0]
    [b'first']
    """
    bodies: list[bytes] = []
    torn: list[bytes] = []
    at = 0
    while at < len(data):
        end = _end_of_frame(data, at)
        body = data[at + HEAD : end]
        is_sound = end <= len(data) and _checksum(data[at : at + 4], body) == data[at + 4 : at + HEAD]
        (bodies if is_sound else torn).append(body if is_sound else data[at:end])
        at = end
    return bodies, b"".join(torn)


def _end_of_frame(data: bytes, at: int) -> int:
    """Return where a frame ends by its length, which may be behind all there is."""
    return at + HEAD + int.from_bytes(data[at : at + 4], "big")
