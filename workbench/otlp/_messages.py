"""A file of OTLP as the official package's messages, whatever its encoding, framing and compression."""

import os
from collections.abc import Iterator

from google.protobuf.message import DecodeError, Message

from workbench.otlp._frames import is_framed, split_frames
from workbench.otlp._json import Document, document_signal, documents, from_json
from workbench.otlp._reference import MESSAGES, Locate
from workbench.otlp._schema import SIGNALS, Signal
from workbench.otlp._source import Source, open_source
from workbench.otlp._tally import OnError, Tally
from workbench.otlp.codec._wire import find_fault, find_field
from workbench.otlp.errors import AmbiguousSignalError, MalformedError, OtlpError, TruncatedError

__all__ = ["messages_of", "read_messages", "signal_of"]


def read_messages(
    path: str | os.PathLike[str], *, signal: Signal | None = None, on_error: OnError = "raise"
) -> tuple[Signal, list[Message], int]:
    """Read a file of OTLP as official messages: the signal, the messages, and how many were skipped."""
    tally = Tally(on_error)
    source = open_source(path)
    signal = signal_of(source, signal)
    messages = [message for message, _ in messages_of(source, signal, tally)]
    return signal, messages, tally.skipped


def signal_of(source: Source, asked: Signal | None) -> Signal:
    """Return what a file holds: as asked, else by its name, else by the keys of its JSON."""
    if asked is not None and asked not in SIGNALS:
        msg = f"signal must be one of {', '.join(SIGNALS)}, got {asked!r}"
        raise ValueError(msg)
    found = asked or source.name.signal or _signal_of_keys(source)
    if found is None:
        msg = "nothing says whether this file holds traces, metrics or logs; pass signal="
        raise AmbiguousSignalError(msg)
    return found


def _signal_of_keys(source: Source) -> Signal | None:
    if source.name.encoding != "json":
        return None
    lenient = Tally("skip")
    parts = _json_parts(source.data, lenient)
    signals = {document_signal(document) for _, document in _documents_of(parts, lenient)} - {None}
    return signals.pop() if len(signals) == 1 else None


def messages_of(source: Source, signal: Signal, tally: Tally) -> Iterator[tuple[Message, Locate]]:
    """Yield each message, and what turns a field's path into its byte offset in the source."""
    if source.name.encoding == "protobuf":
        return _from_protobuf(source.data, signal, tally)
    return _from_documents(_json_parts(source.data, tally), signal, tally)


def _json_parts(data: bytes, tally: Tally) -> Iterator[tuple[int, bytes]]:
    """Yield the JSON text of a file: the whole, or each frame where it is framed, as a zero byte shows."""
    return split_frames(data, tally) if data[0] == 0 else iter([(0, data)])


def _from_documents(
    parts: Iterator[tuple[int, bytes]], signal: Signal, tally: Tally
) -> Iterator[tuple[Message, Locate]]:
    for offset, document in _documents_of(parts, tally):
        message = MESSAGES[signal]()
        try:
            _refuse_other_signal(document, signal, offset)
            from_json(document, message, offset)
        except MalformedError as error:
            tally.refuse(error)
        else:
            yield message, _at(offset)


def _documents_of(parts: Iterator[tuple[int, bytes]], tally: Tally) -> Iterator[tuple[int, Document]]:
    for start, text in parts:
        yield from ((start + offset, document) for offset, document in documents(text, tally))


def _at(offset: int) -> Locate:
    return lambda _path: offset


def _refuse_other_signal(document: Document, expected: Signal, offset: int) -> None:
    found = document_signal(document)
    if document and found != expected:
        msg = f"expected {expected}, found {found or 'a JSON object that is not OTLP'}"
        raise MalformedError(msg, offset=offset)


def _from_protobuf(data: bytes, signal: Signal, tally: Tally) -> Iterator[tuple[Message, Locate]]:
    frames = split_frames(data, tally) if is_framed(data) else [(0, data)]
    for offset, frame in frames:
        try:
            yield _parse(frame, signal, offset), _locator(frame, signal, offset)
        except OtlpError as error:
            tally.refuse(error)


def _locator(frame: bytes, signal: Signal, offset: int) -> Locate:
    return lambda path: offset + find_field(frame, MESSAGES[signal], path)


def _parse(frame: bytes, signal: Signal, offset: int) -> Message:
    message = MESSAGES[signal]()
    try:
        message.ParseFromString(frame)
    except DecodeError as error:
        raise _fault(frame, message, offset, str(error)) from error
    if frame and not message.ListFields():
        msg = f"nothing in this message is known as {signal}: not OTLP"
        raise MalformedError(msg, offset=offset)
    return message


def _fault(frame: bytes, message: Message, offset: int, reason: str) -> OtlpError:
    fault = find_fault(frame, type(message))
    if fault is None:
        return MalformedError(reason, offset=offset)
    kind = TruncatedError if fault.truncated else MalformedError
    return kind(f"this is not OTLP: {fault.reason}", offset=offset + fault.offset, path=fault.path)
