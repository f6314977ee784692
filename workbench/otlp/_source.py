"""What a file of telemetry is: its bytes without compression, its encoding, and the signal its name tells.

A name reads from the right: ``checkout-traces.otlp.zst`` is zstd around OTLP protobuf and says "traces".
Compression is recognised by its first bytes, so that a Collector's ``traces.json`` written with compression
is read as well; a name that promises compression is held to it.
"""

import os
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa

from workbench.otlp._schema import SIGNALS, Signal
from workbench.otlp.errors import CompressionError, EmptyInputError, MalformedError, UnknownFormatError

__all__ = ["ENCODINGS", "Encoding", "FileName", "Source", "decompress", "open_source", "parse_name"]

Encoding = Literal["protobuf", "json"]
Compression = Literal["gzip", "zstd"]

ENCODINGS: dict[str, Encoding] = {
    ".otlp": "protobuf",
    ".pb": "protobuf",
    ".binpb": "protobuf",
    ".protobuf": "protobuf",
    ".proto": "protobuf",
    ".bin": "protobuf",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}
COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
MAGIC: dict[Compression, bytes] = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
CHUNK = 1 << 16
SECTOR = 512  # so many zero bytes are no recording of empty messages, but disk space that was never written


@dataclass(frozen=True, slots=True)
class FileName:
    """What a file's name says."""

    encoding: Encoding
    suffix: str  # of the encoding, such as ".jsonl"
    compression: Compression | None
    signal: Signal | None  # the one that it names, if it names exactly one


@dataclass(frozen=True, slots=True)
class Source:
    """A file's name and its bytes, decompressed."""

    name: FileName
    data: bytes
    compressed_size: int


def open_source(path: str | os.PathLike[str]) -> Source:
    """Read a whole file of telemetry.

    Raises
    ------
    UnknownFormatError, EmptyInputError, CompressionError
        As their names say.
    """
    path = Path(path)
    name = parse_name(path)
    raw = path.read_bytes()
    if not raw:
        msg = f"{path.name} is empty: 0 bytes, where one OTLP message at least was expected"
        raise EmptyInputError(msg)
    if name.compression and not raw.startswith(MAGIC[name.compression]) and not _is_compressed_by_frame(raw):
        msg = f"{path.name} is not {name.compression}, as its name says: it starts with {raw[:4].hex(' ')}"
        raise CompressionError(msg)
    data = decompress(raw)
    if not (data.strip() if name.encoding == "json" else data):
        msg = f"{path.name} holds nothing, where one OTLP message at least was expected"
        raise EmptyInputError(msg)
    if len(data) >= SECTOR and not data.strip(b"\0"):
        msg = f"{path.name} holds nothing but zero bytes: its space was reserved, and never written"
        raise MalformedError(msg)
    return Source(name, data, len(raw))


def _is_compressed_by_frame(raw: bytes) -> bool:
    """Tell whether a length is followed by a compressed message: so the Collector's file exporter writes."""
    return raw[4:8].startswith(tuple(MAGIC.values()))


def parse_name(path: Path) -> FileName:
    """Return what a file's name says of its content, without opening it."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    inner = suffixes[:-1] if compression else suffixes
    if not inner or inner[-1] not in ENCODINGS:
        known = " ".join(ENCODINGS)
        msg = (
            f"{path.name} ends in no known format; expected one of {known}, then nothing, .gz, .zst or .zstd"
        )
        raise UnknownFormatError(msg)
    return FileName(ENCODINGS[inner[-1]], inner[-1], compression, _signal_in(path.name))


def _signal_in(name: str) -> Signal | None:
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    named = [signal for signal in SIGNALS if signal in words]
    return named[0] if len(named) == 1 else None


def decompress(raw: bytes) -> bytes:
    """Undo gzip or zstd, recognised by the first bytes; anything else is returned as it is."""
    if raw.startswith(MAGIC["gzip"]):
        return _gunzip(raw)
    if raw.startswith(MAGIC["zstd"]):
        return _unzstd(raw)
    return raw


def _gunzip(raw: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while raw[at : at + 2] == MAGIC["gzip"]:  # members may follow one another (RFC 1952 section 2.2)
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            chunk = raw[at : at + CHUNK]
            if not chunk:
                msg = "the gzip stream is cut short"
                raise CompressionError(msg, offset=at)
            try:
                parts.append(member.decompress(chunk))
            except zlib.error as error:
                msg = f"the gzip stream is damaged at or after this byte: {error}"
                raise CompressionError(msg, offset=at) from error
            at += len(chunk)
        at -= len(member.unused_data)
    if at < len(raw):
        msg = f"{len(raw) - at} bytes follow the gzip stream"
        raise CompressionError(msg, offset=at)
    return b"".join(parts)


def _unzstd(raw: bytes) -> bytes:
    compressed = pa.BufferReader(raw)
    with pa.CompressedInputStream(compressed, "zstd") as stream:
        try:
            return bytes(stream.read())
        except OSError as error:
            msg = f"the zstd stream is damaged or cut short at or before this byte: {error}"
            raise CompressionError(msg, offset=compressed.tell()) from error
