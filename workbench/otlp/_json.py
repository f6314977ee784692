"""OTLP/JSON to the official messages and back: hexadecimal ids, integer enums, 64-bit integers as strings.

Protobuf's own JSON mapping writes bytes as base64; OTLP writes trace and span ids as hexadecimal digits
(OTLP specification, "JSON Protobuf Encoding"). Everything else is the official package's work.
"""

import base64
import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from workbench.otlp._schema import Signal
from workbench.otlp._tally import Tally
from workbench.otlp.errors import MalformedError

__all__ = ["SIGNAL_KEYS", "Document", "document_signal", "documents", "from_json", "to_json"]

SIGNAL_KEYS: dict[str, Signal] = {
    "resourceSpans": "traces",
    "resourceMetrics": "metrics",
    "resourceLogs": "logs",
}
ID_BYTES = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
BLANKS = re.compile(rb"[ \t\r\n]*")
JSON = json.JSONDecoder()

Document = dict[str, Any]


def documents(data: bytes, tally: Tally) -> Iterator[tuple[int, Document]]:
    """Yield each JSON object and its byte offset: one document, or many (JSON Lines, or one after another).

    What is not a JSON object is refused through the tally, and reading goes on at the next line.
    """
    at = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    while True:
        at = _blanks_end(data, at)
        if at == len(data):
            return
        try:
            document, end = _document_at(data, at)
        except MalformedError as error:
            tally.refuse(error)
            at = _next_line(data, at)
            continue
        if isinstance(document, dict):
            yield at, document
        else:
            tally.refuse(_not_an_object(document, at))
        at = end


def _blanks_end(data: bytes, at: int) -> int:
    found = BLANKS.match(data, at)
    return found.end() if found else at


def _next_line(data: bytes, at: int) -> int:
    newline = data.find(b"\n", at)
    return len(data) if newline < 0 else newline + 1


def _document_at(data: bytes, at: int) -> tuple[object, int]:
    """Return the JSON value at a byte offset and where it ends: within its line, else as far as it goes."""
    line_end = _next_line(data, at)
    try:
        return _decode(data, at, line_end)
    except MalformedError as error:
        unfinished = error.offset >= at + len(data[at:line_end].rstrip())
        if line_end == len(data) or not unfinished:
            raise
    return _decode(data, at, len(data))


def _decode(data: bytes, at: int, end: int) -> tuple[object, int]:
    try:
        text = data[at:end].decode()
        value, stop = JSON.raw_decode(text)
    except UnicodeDecodeError as error:
        msg = "this is not UTF-8, as JSON must be"
        raise MalformedError(msg, offset=at + error.start) from error
    except json.JSONDecodeError as error:
        raise _not_json(error.msg, at + len(text[: error.pos].encode())) from error
    except (RecursionError, ValueError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _not_json(reason, at) from error
    return value, at + len(text[:stop].encode())


def _not_json(reason: str, offset: int) -> MalformedError:
    msg = f"this is not JSON: {reason}"
    return MalformedError(msg, offset=offset)


def _not_an_object(value: object, offset: int) -> MalformedError:
    msg = f"expected an object with one of {', '.join(SIGNAL_KEYS)}, got a {type(value).__name__}"
    return MalformedError(msg, offset=offset)


def document_signal(document: Document) -> Signal | None:
    """Return the signal that a document's keys name; None where they name none."""
    return next((signal for key, signal in SIGNAL_KEYS.items() if key in document), None)


def from_json(document: Document, message: Message, offset: int) -> None:
    """Fill an official message from an OTLP/JSON document; unknown fields are ignored, as specified.

    Raises
    ------
    MalformedError
        When a value does not fit its field; `offset` is that of the document.
    """
    try:
        json_format.ParseDict(_ids_to_base64(document, ""), message, ignore_unknown_fields=True)
    except (json_format.ParseError, RecursionError) as error:
        msg = f"this JSON is not OTLP: {error}"
        raise MalformedError(msg, offset=offset) from error
    except _IdError as error:
        raise MalformedError(str(error), offset=offset, path=error.path) from error


class _IdError(ValueError):
    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


def _ids_to_base64(value: Any, path: str) -> Any:
    if isinstance(value, list):
        return [_ids_to_base64(item, f"{path}[{number}]") for number, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: _field_to_base64(key, item, f"{path}.{key}".lstrip(".")) for key, item in value.items()}
    return value


def _field_to_base64(key: str, value: Any, path: str) -> Any:
    if key not in ID_BYTES or value is None:
        return _ids_to_base64(value, path)
    try:
        return base64.b64encode(bytes.fromhex(value)).decode()
    except (TypeError, ValueError) as error:
        msg = f"expected {2 * ID_BYTES[key]} hexadecimal digits, got {value!r}"
        raise _IdError(msg, path) from error


def to_json(message: Message) -> Document:
    """Return an official message as an OTLP/JSON document."""
    document: Document = json_format.MessageToDict(message, use_integers_for_enums=True)
    return _ids_to_hex(document)


def _ids_to_hex(value: Any) -> Any:
    if isinstance(value, list):
        return [_ids_to_hex(item) for item in value]
    if isinstance(value, dict):
        return {
            key: base64.b64decode(item).hex() if key in ID_BYTES else _ids_to_hex(item)
            for key, item in value.items()
        }
    return value
