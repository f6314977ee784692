"""Many messages in one file: each behind its length, 4 bytes, most significant first.

The Collector's file exporter writes protobuf so, and compresses each message by itself where compression is
on. A file whose first byte is below 8 must be framed, for no protobuf message starts with field number 0; any
other file is framed only if the lengths lead exactly to its end.
"""

from collections.abc import Iterator

from workbench.otlp._source import decompress
from workbench.otlp._tally import Tally
from workbench.otlp.errors import CompressionError, TruncatedError

__all__ = ["frame", "is_framed", "split_frames"]

PREFIX = 4


def frame(message: bytes) -> bytes:
    """Return a message behind its length."""
    return len(message).to_bytes(PREFIX, "big") + message


def is_framed(data: bytes) -> bool:
    """Tell length-prefixed messages from one bare message."""
    return data[0] < 8 or _lengths_fit(data)


def _lengths_fit(data: bytes) -> bool:
    at = 0
    while at + PREFIX <= len(data):
        at += PREFIX + _length(data, at)
    return at == len(data)


def _length(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + PREFIX], "big")


def split_frames(data: bytes, tally: Tally) -> Iterator[tuple[int, bytes]]:
    """Yield each message and its offset; a cut last message is refused through the tally."""
    at = 0
    while at < len(data):
        start, length = at + PREFIX, _length(data, at)
        if start + length > len(data):
            tally.refuse(_cut_short(at, length, len(data) - start))
            return
        try:
            yield start, decompress(data[start : start + length])
        except CompressionError as error:
            tally.refuse(CompressionError(error.args[0], offset=start + error.offset))
        at = start + length


def _cut_short(offset: int, length: int, left: int) -> TruncatedError:
    msg = f"a message of {length} bytes is announced where {left} are left: the file was cut short"
    if left < 0:
        msg = "the file was cut short inside the length of a message"
    return TruncatedError(msg, offset=offset)
