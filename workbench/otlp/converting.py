"""`convert`: the same telemetry in another of OTLP's forms, or as one flat Parquet table."""

import errno
import gzip
import json
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from google.protobuf.message import Message

from workbench.otlp._frames import frame
from workbench.otlp._json import to_json
from workbench.otlp._messages import read_messages
from workbench.otlp._reference import MESSAGES
from workbench.otlp._schema import Signal
from workbench.otlp._source import COMPRESSIONS, parse_name
from workbench.otlp._tally import OnError
from workbench.otlp.errors import UnknownFormatError
from workbench.otlp.reading import read

__all__ = ["Converted", "convert"]

PathLike = str | os.PathLike[str]
ZSTD_LEVEL = 19


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion wrote."""

    signal: Signal
    messages: int
    skipped: int
    written_bytes: int


def convert(
    source: PathLike, target: PathLike, *, signal: Signal | None = None, on_error: OnError = "raise"
) -> Converted:
    """Write a file of OTLP again in the form that the target's name says.

    ``.otlp`` is length-prefixed protobuf, ``.pb .binpb .protobuf .proto .bin`` one protobuf message,
    ``.jsonl`` and ``.ndjson`` OTLP/JSON a message a line, ``.json`` one OTLP/JSON document; each may end in
    ``.gz``, ``.zst`` or ``.zstd``. ``.parquet`` is one flat table (`Telemetry.to_arrow`). The target appears
    whole or not at all.

    Raises
    ------
    OtlpError
        As `workbench.otlp.read`; UnknownFormatError also when the target's name says nothing.
    """
    target = Path(target)
    if target.suffix == ".parquet":
        telemetry = read(source, signal=signal, on_error=on_error)
        size = _replace(target, lambda part: pq.write_table(telemetry.to_arrow(), part, compression="zstd"))
        return Converted(telemetry.signal, 1, telemetry.skipped, size)
    name = parse_name(target)
    found, messages, skipped = read_messages(source, signal=signal, on_error=on_error)
    content = _compressed(b"".join(WRITERS[name.suffix](messages, found)), name.compression)
    return Converted(found, len(messages), skipped, _replace(target, lambda part: part.write_bytes(content)))


def _replace(target: Path, write: Callable[[Path], object]) -> int:
    """Write beside the target, then put it in its place."""
    target = target.resolve()
    _check_place(target)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        write(part)
        size = part.stat().st_size
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return size


def _check_place(target: Path) -> None:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(target.parent))


def _merged(messages: Iterable[Message], signal: Signal) -> Message:
    whole = MESSAGES[signal]()
    for message in messages:
        whole.MergeFrom(message)
    return whole


def _framed(messages: list[Message], _signal: Signal) -> Iterable[bytes]:
    return (frame(message.SerializeToString(deterministic=True)) for message in messages)


def _single(messages: list[Message], signal: Signal) -> Iterable[bytes]:
    return [_merged(messages, signal).SerializeToString(deterministic=True)]


def _lines(messages: list[Message], _signal: Signal) -> Iterable[bytes]:
    return (_json_bytes(message) for message in messages)


def _document(messages: list[Message], signal: Signal) -> Iterable[bytes]:
    return [_json_bytes(_merged(messages, signal))]


def _json_bytes(message: Message) -> bytes:
    return json.dumps(to_json(message), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


WRITERS: dict[str, Callable[[list[Message], Signal], Iterable[bytes]]] = {
    ".otlp": _framed,
    **dict.fromkeys((".pb", ".binpb", ".protobuf", ".proto", ".bin"), _single),
    ".json": _document,
    **dict.fromkeys((".jsonl", ".ndjson"), _lines),
}


def _compressed(content: bytes, compression: str | None) -> bytes:
    if compression == "gzip":
        return gzip.compress(content, mtime=0)
    if compression == "zstd":
        return bytes(pa.Codec("zstd", compression_level=ZSTD_LEVEL).compress(content, asbytes=True))
    if compression is not None:
        msg = f"cannot write {compression}; expected one of {', '.join(COMPRESSIONS)}"
        raise UnknownFormatError(msg)
    return content
