"""OTLP/JSON to the official messages and back: hexadecimal ids, integer enums, 64-bit integers as strings.

Protobuf's own JSON mapping writes bytes as base64; OTLP writes trace and span ids as hexadecimal digits
(OTLP specification, "JSON Protobuf Encoding"). Everything else is the official package's work.
"""

import base64
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from workbench.otlp.errors import MalformedError

__all__ = ["Document", "from_json", "to_json"]

ID_BYTES = {"traceId": 16, "spanId": 8, "parentSpanId": 8}

Document = dict[str, Any]


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
