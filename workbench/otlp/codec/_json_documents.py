"""The documents of a JSON file: one, one a line, or one after another, over as many lines as they like."""

import codecs
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.otlp._schema import SIGNALS, Signal
from workbench.otlp.codec import _json_codes as codes
from workbench.otlp.codec._json_block import Block, Text
from workbench.otlp.codec._json_records import signal_records
from workbench.otlp.codec._kernel_json_documents import find_known_key, split_documents

__all__ = ["documents_so_far", "json_documents", "signal_of_json"]

FIRST_LOOK = 4096  # bytes that most often hold a document's first key
BATCH = 1024
PATIENCE = 8  # times that a damaged file may be looked through


def json_documents(data: Any) -> npt.NDArray[np.int64]:
    r"""Return where the documents of a JSON file are, `(n, 2) int64`: offset and length in bytes.

    Documents are JSON Lines, or simply follow each other, pretty-printed or not; a byte order mark before
    the first is no part of it. What starts like no object or array, or never ends, is a document to the end
    of its line, for the parser to refuse.

    Examples
    --------
    >>> json_documents(b'{"a": 1}\n{"b": [2]} oops\n').tolist()
    [[0, 8], [9, 10], [20, 4]]
    """
    return documents_so_far(data, is_all=True)[0]


def documents_so_far(data: Any, *, is_all: bool) -> tuple[npt.NDArray[np.int64], int]:
    """Return where documents are, and where to go on: at the first that the end of the data cuts.

    Examples
    --------
    >>> found, end = documents_so_far(b'{"a": 1} {"b": ', is_all=False)
    >>> found.tolist(), end
    ([[0, 8]], 9)
    """
    source = np.frombuffer(data, np.uint8)
    start = source.ctypes.data
    at, end, patience = start, start + len(source), PATIENCE * len(source)
    if source[:3].tobytes() == codecs.BOM_UTF8:
        at += 3
    parts = []
    while True:
        found = np.empty((BATCH, 2), np.int64)
        count, at, patience = split_documents(at, end, found.ctypes.data, BATCH, patience, is_all)
        parts.append(found[:count])
        if count < BATCH:
            break
    documents = np.concatenate(parts)
    documents[:, 0] -= start
    return documents, at - start


def signal_of_json(data: Any) -> Signal | None:
    """Return the signal that an OTLP/JSON document's first known key names; None where there is none.

    Examples
    --------
    >>> signal_of_json(b'{"comment": {}, "resourceLogs": []}')
    'logs'
    """
    found, at_end = _first_known(data[:FIRST_LOOK])
    if at_end and len(data) > FIRST_LOOK:
        found, _ = _first_known(data)
    return found if found in SIGNALS else None


def _first_known(data: Any) -> tuple[str | None, bool]:
    """Return the signal, and whether the text ended before one was found."""
    text, records = Text(data), signal_records()
    block = Block(records, text)
    block.point(codes.C_MESSAGES, records.messages)
    block.point(codes.C_NESTING, np.empty(codes.MOST_NESTING + 1, np.uint8))
    scratch = np.empty(text.size + codes.PADDING, np.uint8)
    number = find_known_key(text.start, scratch.ctypes.data, block.address)
    if number > 0:
        return records.names[number], False
    return None, number < 0 and block[codes.C_FAULT_AT] >= text.end
