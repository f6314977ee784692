"""A file of OTLP/JSON in pieces: its documents, one, one a line, or one after another; and their signals.

All-in-one files hold documents of several signals: asked for one of them, the others are passed over, and
counted. A single document has to fit in memory.
"""

import re
from collections import Counter
from collections.abc import Generator, Iterator
from enum import Enum

from workbench.otlp._schema import Signal
from workbench.otlp._tally import Tally
from workbench.otlp.codec._json_documents import documents_so_far, signal_of_json
from workbench.otlp.codec._star_decoder import Buffer
from workbench.otlp.errors import AmbiguousSignalError, MalformedError
from workbench.otlp.storage._pieces import Piece, read_frames
from workbench.otlp.storage._window import Window

__all__ = ["Choice", "document_signal", "first_signal", "is_empty_document", "of_signal", "read_documents"]

BOM = b"\xef\xbb\xbf"
KEYS: dict[bytes, Signal] = {
    b"resourceSpans": "traces",
    b"resourceMetrics": "metrics",
    b"resourceLogs": "logs",
    b"resourceProfiles": "profiles",
}
FIRST_KEY = re.compile(rb'\s*\{\s*"(resource(?:Spans|Metrics|Logs|Profiles))"')
ONLY_DICTIONARY = re.compile(rb'\s*\{\s*"dictionary"\s*:')  # of profiles, where there are none
EMPTY = re.compile(rb"\s*\{\s*\}\s*")


def read_documents(window: Window, tally: Tally) -> Iterator[Piece]:
    """Yield each document of a file, and of each frame where it is framed, as a zero byte shows."""
    if window.have(1) and window.block[window.at] == 0:
        for framed in read_frames(window, tally):
            for start, size in documents_so_far(framed.data, is_all=True)[0].tolist() if framed.data else ():
                yield Piece(framed.data[start : start + size], framed.offset + start)
        return
    if window.have(len(BOM)) and window.block.startswith(BOM):
        window.take(len(BOM))
    more = window.have(1)
    while more:
        end = yield from _documents(window, is_all=False)
        window.take(end)
        more = window.grow()
    yield from _documents(window, is_all=True)


def _documents(window: Window, *, is_all: bool) -> Generator[Piece, None, int]:
    """Yield the documents that are ready, and return how far they go."""
    if not window.ready:
        return 0
    view, start = memoryview(window.block)[window.at :], window.offset
    found, end = documents_so_far(view, is_all=is_all)
    for at, size in found.tolist():
        yield Piece(view[at : at + size], start + at)
    return end


def document_signal(text: Buffer) -> Signal | None:
    """Return the signal that a document's first known key names; None where none does, or it is broken."""
    found = FIRST_KEY.match(text)
    signal = KEYS[found[1]] if found else signal_of_json(text)
    return "profiles" if signal is None and ONLY_DICTIONARY.match(text) else signal


def is_empty_document(text: Buffer) -> bool:
    """Tell whether a document is ``{}``: a message of any signal, with nothing in it."""
    return EMPTY.fullmatch(text) is not None


def first_signal(pieces: Iterator[Piece]) -> Signal | None:
    """Return the signal of the first document that says one."""
    return next((found for piece in pieces if (found := document_signal(piece.data))), None)


class Choice(Enum):
    """Who said which signal a file holds: what becomes of other documents depends on it."""

    ASKED = "asked"
    NAMED = "named"
    FOUND = "found"


def of_signal(pieces: Iterator[Piece], signal: Signal, choice: Choice, tally: Tally) -> Iterator[Piece]:
    """Yield the documents of one signal, and those that say none, for the parser to judge.

    Raises
    ------
    AmbiguousSignalError
        When nobody said which signal to take, and there are several.
    MalformedError
        When the file's name says another signal than a document, or there is none of the one asked for.
    """
    others: Counter[str] = Counter()
    is_there = False
    for piece in pieces:
        found = document_signal(piece.data)
        if found in (signal, None):
            is_there |= found == signal
            yield piece
        elif choice is Choice.ASKED:
            others[str(found)] += 1
            tally.skipped += 1
        else:
            _refuse_other(signal, str(found), choice, piece.offset, tally)
    if others and not is_there and tally.strict:
        counts = ", ".join(f"{count:,} of {name}" for name, count in sorted(others.items()))
        msg = f"expected {signal}, found documents of other signals only: {counts}"
        raise MalformedError(msg)


def _refuse_other(signal: Signal, found: str, choice: Choice, offset: int, tally: Tally) -> None:
    if choice is Choice.FOUND:
        msg = f"this file holds {signal} and, from byte {offset:,} on, {found}; pass signal= to pick one"
        raise AmbiguousSignalError(msg)
    tally.refuse(MalformedError(f"expected {signal}, found {found}", offset=offset))
