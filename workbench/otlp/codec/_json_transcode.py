"""OTLP/JSON to protobuf bytes and back, by compiled transcoders.

JSON is read strictly by RFC 8259, and by OTLP's own rules on top: names in lowerCamelCase only, ids as
hexadecimal digits (those of profiles as well, as the Collector writes them), enums as integers only, 64-bit
integers as strings or numbers, unknown fields passed over. A field twice in one object, or two of one oneof,
is an error. The protobuf side is canonical: fields by number, shortest numbers, packed lists, no zeros.

Source: OpenTelemetry Protocol specification, "JSON Protobuf Encoding"; protobuf's "ProtoJSON format".
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.otlp.codec import _json_codes as codes
from workbench.otlp.codec._json_block import Block, Text
from workbench.otlp.codec._json_errors import json_error
from workbench.otlp.codec._json_records import parser_records
from workbench.otlp.codec._kernel_json_parse import parse_message

__all__ = ["Transcoded", "json_to_protobuf", "parse_json"]

LEAST_ROOM = 1 << 16
NUMBER = re.compile(rb"-?[0-9.eE+-]+")


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
    memory = text.memory.data
    starts = (int(place) - text.start for place in places)
    found = (NUMBER.match(memory, start) for start in starts)
    return np.array([float(match[0]) if match else 0.0 for match in found]).view(np.int64)
