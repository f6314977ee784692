"""A parser of OTLP/JSON that keeps its tables and its memory, for very many short texts.

`parse_json` sets both up for each text, which costs more than a short text does. Here a text that is refused
has no error either, only the place: who needs the error asks `parse_json` for it.
"""

from typing import Any

import numpy as np

from workbench.kernels import announce_compilation
from workbench.otlp._schema import Signal
from workbench.otlp.codec import _json_codes as codes
from workbench.otlp.codec._json_block import Block, Text
from workbench.otlp.codec._json_records import parser_records
from workbench.otlp.codec._json_transcode import Transcoded, parse_json
from workbench.otlp.codec._kernel_json_parse import parse_message
from workbench.otlp.errors import OtlpError

__all__ = ["JsonParser"]

LEAST_BYTES = 1 << 12
ROOM = 4  # bytes of output for each of the text; where that is too little, `parse_json` finds out how much


class JsonParser:
    """Parses documents of one signal, one after the other; threads have one each."""

    def __init__(self, signal: Signal) -> None:
        announce_compilation(parse_message, "the OTLP/JSON reader (some 15 s)")
        self.signal = signal
        self._grow(LEAST_BYTES)

    def parse(self, text: bytes) -> Transcoded | None:
        """Return a document as canonical protobuf; None where it is not OTLP/JSON."""
        stop = self._run(text)
        if stop >= 0 and not self._block[codes.C_HARD_COUNT]:
            size = stop - self._out_start
            return Transcoded(self._out[:size].tobytes(), self._block[codes.C_UNKNOWN])
        return self._parsed_slowly(text) if self._is_open(stop) else None

    def fault_in(self, text: bytes) -> int:
        """Return where a document stops being OTLP/JSON; -1 where it is."""
        stop = self._run(text)
        if self._is_open(stop):
            return _fault_in(self.signal, text)
        return -1 if stop >= 0 else self._block[codes.C_FAULT_AT] - self._text.start

    def _run(self, text: bytes) -> int:
        size = len(text)
        if size > self._text.size:
            self._grow(2 * size)
        memory, block = self._text.memory, self._block
        memory[:size] = np.frombuffer(text, np.uint8)
        memory[size : size + codes.PADDING] = 0
        block[codes.C_END] = self._text.start + size
        for slot in (codes.C_HARD_COUNT, codes.C_UNKNOWN, codes.C_ESCAPED):
            block[slot] = 0
        return int(parse_message(self._text.start, self._out_start, block.address))

    def _is_open(self, stop: int) -> bool:
        """Tell whether the kernel could not decide: numbers to be read exactly, or too little room."""
        return stop == -codes.ROOM or self._block[codes.C_HARD_COUNT] > 0

    def _grow(self, size: int) -> None:
        self._text = Text(bytes(size))
        self._out = np.empty(ROOM * size + codes.SLACK, np.uint8)
        self._out_start = self._out.ctypes.data
        records = parser_records(self.signal)
        self._block = block = Block(records, self._text)
        block.point(codes.C_MESSAGES, records.messages.copy())
        block.point(codes.C_NESTING, np.empty(codes.MOST_NESTING + 1, np.uint8))
        block.point(codes.C_HARD, np.zeros(1, np.int64))
        block[codes.C_HARD_ROOM] = 1
        block[codes.C_LIMIT] = self._out_start + len(self._out)

    def _parsed_slowly(self, text: bytes) -> Transcoded | None:
        try:
            return parse_json(self.signal, text)
        except OtlpError:
            return None


def _fault_in(signal: Any, text: bytes) -> int:
    try:
        parse_json(signal, text)
    except OtlpError as error:
        return error.offset
    return -1
