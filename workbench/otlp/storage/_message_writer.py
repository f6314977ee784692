"""Telemetry as a file of OTLP messages: behind their lengths, bare, one a line, or one document."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.otlp._schema import Signal
from workbench.otlp.codec._json_transcode import protobuf_to_json
from workbench.otlp.storage._names import FileName
from workbench.otlp.storage._pieces import frame, split_message
from workbench.otlp.storage.errors import EmptyMessageError
from workbench.otlp.telemetry import Telemetry

__all__ = ["MESSAGE_BYTES", "write_messages"]

MESSAGE_BYTES = 1 << 20
GZIP_LEVEL = 6
Write = Callable[[bytes], object]


def write_messages(
    batches: Iterable[Telemetry], signal: Signal, path: Path, name: FileName, message_bytes: int
) -> int:
    """Write batches, and return how many messages they became."""
    with _opened(path, name) as write:
        return WRITERS[name.suffix](batches, signal, write, message_bytes)


@contextmanager
def _opened(path: Path, name: FileName) -> Iterator[Write]:
    with ExitStack() as stack:
        file: Any = stack.enter_context(path.open("wb"))
        if name.compression == "gzip":
            packed = gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0)
            yield stack.enter_context(packed).write
        elif name.compression == "zstd":
            yield stack.enter_context(pa.CompressedOutputStream(pa.PythonFile(file, "w"), "zstd")).write
        else:
            yield file.write


def _messages(batches: Iterable[Telemetry], signal: Signal, most_bytes: int) -> Iterator[bytes]:
    for batch in batches:
        yield from split_message(batch.to_otlp(), signal, most_bytes)


def _framed(batches: Iterable[Telemetry], signal: Signal, write: Write, most_bytes: int) -> int:
    count = 0
    for message in _messages(batches, signal, most_bytes):
        write(frame(message))
        count += 1
    return count


def _bare(batches: Iterable[Telemetry], signal: Signal, write: Write, _most_bytes: int) -> int:
    size = 0
    for batch in batches:
        message = batch.to_otlp()
        size += len(message)
        write(message)
    if not size:
        msg = f"there are no {signal}, and an empty message is no bytes: write .otlp or .json instead"
        raise EmptyMessageError(msg)
    return 1


def _lines(batches: Iterable[Telemetry], signal: Signal, write: Write, most_bytes: int) -> int:
    count = 0
    for message in _messages(batches, signal, most_bytes):
        write(protobuf_to_json(signal, message) + b"\n")
        count += 1
    return count


def _document(batches: Iterable[Telemetry], signal: Signal, write: Write, most_bytes: int) -> int:
    """Write one document without holding it: the inside of each message's list, one after the other."""
    if signal == "profiles":
        _lines(batches, signal, write, most_bytes)
        return 1
    opening, closing = OPENINGS[signal], b"]}"
    is_first = True
    for message in _messages(batches, signal, most_bytes):
        text = protobuf_to_json(signal, message)
        if text.startswith(opening) and text != opening + closing:
            write((opening if is_first else b",") + text[len(opening) : -len(closing)])
            is_first = False
    write(b"{}\n" if is_first else closing + b"\n")
    return 1


OPENINGS: dict[Signal, bytes] = {
    "traces": b'{"resourceSpans":[',
    "metrics": b'{"resourceMetrics":[',
    "logs": b'{"resourceLogs":[',
}
WRITERS: dict[str, Callable[[Iterable[Telemetry], Signal, Write, int], int]] = {
    ".otlp": _framed,
    **dict.fromkeys((".pb", ".binpb", ".protobuf", ".proto", ".bin"), _bare),
    ".json": _document,
    **dict.fromkeys((".jsonl", ".ndjson"), _lines),
}
