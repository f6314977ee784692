"""OTLP/JSON to protobuf bytes and back, by compiled transcoders.

JSON is read strictly by RFC 8259, and by OTLP's own rules on top: names in lowerCamelCase only, ids as
hexadecimal digits (those of profiles as well, as the Collector writes them), enums as integers only, 64-bit
integers as strings or numbers, unknown fields passed over. A field twice in one object, or two of one oneof,
is an error. The protobuf side is canonical: fields by number, shortest numbers, packed lists, no zeros.

Source: OpenTelemetry Protocol specification, "JSON Protobuf Encoding"; protobuf's "ProtoJSON format".
"""

import importlib
import json
import re
import string
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError, Message

from workbench.kernels import announce_compilation
from workbench.otlp.codec import _json_codes as codes
from workbench.otlp.codec._json_block import Block, Text
from workbench.otlp.codec._json_errors import json_error, wire_error
from workbench.otlp.codec._json_records import parser_records, printer_records
from workbench.otlp.codec._kernel_json_parse import parse_message
from workbench.otlp.codec._kernel_json_print import print_message
from workbench.otlp.errors import MalformedError

__all__ = ["Transcoded", "json_to_protobuf", "parse_json", "print_json", "protobuf_to_json"]

LEAST_ROOM = 1 << 16
BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
DIGITS = np.frombuffer((string.hexdigits[:16] + BASE64).encode(), np.uint8)
PAIRS = np.frombuffer("".join(f"{number:02}" for number in range(100)).encode(), np.uint8)
OFFICIAL = {
    "traces": ("trace.v1.trace_pb2", "TracesData"),
    "metrics": ("metrics.v1.metrics_pb2", "MetricsData"),
    "logs": ("logs.v1.logs_pb2", "LogsData"),
    "profiles": ("profiles.v1development.profiles_pb2", "ProfilesData"),
}
NUMBER = re.compile(rb'[0-9.eE+-]+|"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Transcoded:
    """A message in its other format, and how many fields were unknown and left out."""

    data: bytes
    unknown: int


def json_to_protobuf(signal: str, data: Any, *, offset: int = 0) -> bytes:
    """Return an OTLP/JSON document as canonical protobuf.

    Raises
    ------
    MalformedError, TruncatedError
        Where the text is not OTLP/JSON: with its byte, counted from `offset`, and the field's path.
    """
    return parse_json(signal, data, offset=offset).data


def parse_json(signal: str, data: Any, *, offset: int = 0) -> Transcoded:
    """Return an OTLP/JSON document as canonical protobuf, and how many fields were ignored."""
    announce_compilation(parse_message, "the OTLP/JSON reader (some 15 s)")
    text = Text(data)
    room = text.size + (text.size >> 1) + LEAST_ROOM
    solved = np.zeros(0, np.int64)
    hard_room = 1
    while True:
        block = _parser_block(signal, text)
        hard = np.zeros(hard_room, np.int64)
        block.point(codes.C_HARD, hard)
        block[codes.C_HARD_ROOM] = hard_room
        if len(solved):
            block.point(codes.C_SOLVED, solved)
        out = np.empty(room, np.uint8)
        start = out.ctypes.data
        block[codes.C_LIMIT] = start + room
        stop = parse_message(text.start, start, block.address)
        count = block[codes.C_HARD_COUNT]
        if stop == -codes.ROOM:
            room *= 4
        elif stop < 0:
            raise json_error(-stop, data, block.fault(), offset)
        elif count > hard_room:
            hard_room = count
        elif count and not len(solved):
            solved = _solve(text, hard)
        else:
            return Transcoded(out[: stop - start].tobytes(), block[codes.C_UNKNOWN])


def _parser_block(signal: str, text: Text) -> Block:
    records = parser_records(signal)
    block = Block(records, text)
    block.point(codes.C_MESSAGES, records.messages.copy())
    block.point(codes.C_NESTING, np.empty(codes.MOST_NESTING + 1, np.uint8))
    return block


def _solve(text: Text, places: Any) -> Any:
    """Return the bits of the numbers at these addresses, read exactly."""
    values = [float(_number_at(text, int(place) - text.start)) for place in places]
    return np.array(values, np.float64).view(np.int64)


def _number_at(text: Text, start: int) -> str:
    found = NUMBER.match(text.memory.data, start)
    written = found[0].decode() if found else ""
    return str(json.loads(written)) if written.startswith('"') else written


def protobuf_to_json(signal: str, data: Any, *, offset: int = 0) -> bytes:
    """Return a protobuf message as OTLP/JSON: one line, without blanks, fields by number.

    Raises
    ------
    MalformedError
        Where the bytes are no message of this signal: with the byte, counted from `offset`, and the path.
    """
    return print_json(signal, data, offset=offset).data


def print_json(signal: str, data: Any, *, offset: int = 0) -> Transcoded:
    """Return a protobuf message as OTLP/JSON, and how many unknown fields JSON cannot have."""
    announce_compilation(print_message, "the OTLP/JSON writer (some 7 s)")
    given = text = Text(data)
    room = 4 * text.size + LEAST_ROOM
    while True:
        block = _printer_block(signal, text)
        out = np.empty(room, np.uint8)
        start = out.ctypes.data
        block[codes.C_LIMIT] = start + room
        stop = print_message(text.start, start, block.address)
        if stop == -codes.ROOM:
            room *= 4
        elif stop == -codes.NOT_CANONICAL and text is given:
            text = Text(_canonical(signal, data, offset))
        elif stop < 0:
            raise wire_error(-stop, block.fault(), offset)
        else:
            return Transcoded(out[: stop - start].tobytes(), block[codes.C_UNKNOWN])


def _printer_block(signal: str, text: Text) -> Block:
    records = printer_records(signal)
    block = Block(records, text)
    block.point(codes.C_DISPATCH, records.dispatch)
    block.point(codes.C_PAIRS, PAIRS)
    block.point(codes.C_HEX, DIGITS)
    return block


def _canonical(signal: str, data: Any, offset: int) -> bytes:
    """Return a message with its fields in order, each once, as the official library writes it."""
    message = _official(signal)
    try:
        message.ParseFromString(bytes(data))
    except DecodeError as error:
        raise MalformedError(str(error), offset=offset) from error
    return message.SerializeToString()


def _official(signal: str) -> Message:
    module, name = OFFICIAL[signal]
    message: Message = getattr(importlib.import_module(f"opentelemetry.proto.{module}"), name)()
    return message
