"""A file's bytes without its compression, a piece at a time.

Compression is recognised by its first bytes, so that a Collector's ``traces.json`` written with compression
is read as well; a name that promises compression is held to it, unless every message is compressed by itself.
"""

import io
import re
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Self

import pyarrow as pa

from workbench.otlp._tally import Tally
from workbench.otlp.errors import CompressionError, EmptyInputError, OtlpError
from workbench.otlp.storage._names import Compression, FileName

__all__ = ["MAGIC", "ByteStream", "decompress", "open_stream"]

MAGIC: dict[Compression, bytes] = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
# A frame of others' data (RFC 8878, 3.1.2), as pzstd begins
SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
CHUNK = 1 << 16
STEP = 1 << 14  # bytes of zstd decompressed at once: so many are lost before damage
HEAD = 8

Refuse = Callable[[OtlpError], None]


class ByteStream(ABC):
    """Reads on through a file; `raw_position` is how far it came in the file as it lies on the disk."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._file.close()

    @property
    def raw_position(self) -> int:
        return self._file.tell()

    @property
    def left(self) -> int | None:
        """How many bytes are to come; None where only reading them would tell."""
        return None

    @abstractmethod
    def read(self, size: int) -> bytes:
        """Return that many bytes, fewer only at the end."""


class _Plain(ByteStream):
    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__(file)
        self._size = size

    @property
    def left(self) -> int:
        return self._size - self._file.tell()

    def read(self, size: int) -> bytes:
        return self._file.read(size)


class _Compressed(ByteStream):
    """What comes before damage is read; the damage is refused, and if that raises nothing, it is the end.

    Damage with nothing before it is raised in any case.
    """

    def __init__(self, file: BinaryIO, refuse: Refuse) -> None:
        super().__init__(file)
        self._refuse = refuse
        self._is_begun = self._is_damaged = False

    def read(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0 and (part := self._sound_part(size)):
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _sound_part(self, size: int) -> bytes:
        try:
            part = b"" if self._is_damaged else self._part(size)
        except CompressionError as error:
            if not self._is_begun:
                raise
            self._is_damaged = True
            self._refuse(error)
            return b""
        self._is_begun = True
        return part

    @abstractmethod
    def _part(self, size: int) -> bytes:
        """Return so many of the next bytes at most, none at the end only."""


class _Gzip(_Compressed):
    """Members that follow one another (RFC 1952 section 2.2)."""

    def __init__(self, file: BinaryIO, refuse: Refuse) -> None:
        super().__init__(file, refuse)
        self._member = zlib.decompressobj(wbits=31)
        self._pending = b""
        self._at = 0  # of the first byte that is pending
        self._damage: CompressionError | None = None  # behind what was read

    def _part(self, size: int) -> bytes:
        part = b""
        while not part and (not self._member.eof or self._next_member()):
            part = self._decompressed(size)
        return part

    def _next_member(self) -> bool:
        self._pending = self._pending or self._file.read(CHUNK)
        if not self._pending:
            return False
        if len(self._pending) == 1:
            self._pending += self._file.read(CHUNK)
        if not self._pending.startswith(MAGIC["gzip"]):
            left = len(self._pending)
            while more := self._file.read(CHUNK):
                left += len(more)
            msg = f"{left} bytes follow the gzip stream"
            raise CompressionError(msg, offset=self._at)
        self._member = zlib.decompressobj(wbits=31)
        return True

    def _decompressed(self, size: int) -> bytes:
        if self._damage is not None:
            raise self._damage
        chunk = self._pending or self._file.read(CHUNK)
        if not chunk:
            msg = "the gzip stream is cut short"
            raise CompressionError(msg, offset=self._at)
        before = self._member.copy()
        try:
            part = self._member.decompress(chunk, size)
        except zlib.error as error:
            msg = f"the gzip stream is damaged at or after this byte: {error}"
            self._damage = CompressionError(msg, offset=self._at)
            return _sound_beginning(before, chunk)
        self._pending = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        self._at += len(chunk) - len(self._pending)
        return part


def _sound_beginning(member: Any, chunk: bytes) -> bytes:
    """Return what a damaged chunk holds before the damage."""
    sound = bytearray()
    with suppress(zlib.error):
        for at in range(len(chunk)):
            sound += member.decompress(chunk[at : at + 1])
    return bytes(sound)


class _Zstd(_Compressed):
    def __init__(self, file: BinaryIO, refuse: Refuse) -> None:
        super().__init__(file, refuse)
        self._compressed = pa.PythonFile(file, mode="r")
        self._stream = pa.CompressedInputStream(self._compressed, "zstd")

    def __exit__(self, *exception: object) -> None:
        self._stream.close()
        super().__exit__(*exception)

    @property
    def raw_position(self) -> int:
        return 0 if self._file.closed else self._file.tell()

    def _part(self, size: int) -> bytes:
        try:
            return self._stream.read(min(size, STEP))
        except OSError as error:
            msg = f"the zstd stream is damaged or cut short at or before this byte: {error}"
            raise CompressionError(msg, offset=self.raw_position) from error


def open_stream(path: Path, name: FileName, refuse: Refuse) -> ByteStream:
    """Open a file for reading what it holds; `refuse` hears of damage, before which all is read.

    Raises
    ------
    EmptyInputError
        When there is no byte in it.
    CompressionError
        When it is not compressed although its name says so.
    """
    size = path.stat().st_size
    file = path.open("rb")
    try:
        return _stream_of(file, size, path.name, name, refuse)
    except BaseException:
        file.close()
        raise


def _stream_of(file: BinaryIO, size: int, called: str, name: FileName, refuse: Refuse) -> ByteStream:
    head = file.read(HEAD)
    if not head:
        msg = f"{called} is empty: 0 bytes, where one OTLP message at least was expected"
        raise EmptyInputError(msg)
    if name.compression == "zstd" and SKIPPABLE.match(head):
        file.seek(0)
        return _Zstd(file, refuse)
    by_frame = head[4:].startswith(tuple(MAGIC.values()))  # a length, and a compressed message behind it
    if name.compression and not head.startswith(MAGIC[name.compression]) and not by_frame:
        msg = f"{called} is not {name.compression}, as its name says: it starts with {head[:4].hex(' ')}"
        raise CompressionError(msg)
    file.seek(0)
    if head.startswith(MAGIC["gzip"]):
        return _Gzip(file, refuse)
    return _Zstd(file, refuse) if head.startswith(MAGIC["zstd"]) else _Plain(file, size)


def decompress(raw: bytes, most_bytes: int) -> bytes:
    """Undo gzip or zstd of one message, recognised by the first bytes; others are returned as they are.

    Raises
    ------
    CompressionError
        When it is damaged, or would become more than so many bytes.
    """
    if not raw.startswith(tuple(MAGIC.values())):
        return raw
    kind = _Gzip if raw.startswith(MAGIC["gzip"]) else _Zstd
    parts: list[bytes] = []
    size = 0
    with kind(io.BytesIO(raw), Tally("raise").refuse) as stream:
        while part := stream.read(1 << 20):
            parts.append(part)
            size += len(part)
            if size > most_bytes:
                msg = f"a message of {len(raw):,} bytes becomes more than {most_bytes:,}, which is the most"
                raise CompressionError(msg)
    return b"".join(parts)
