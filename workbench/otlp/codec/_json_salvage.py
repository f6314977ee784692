"""What is left of a JSON document when each record that is not OTLP is left out.

The text is cut where its brackets say so, and the parser judges each record and each envelope by itself: what
it takes is kept as it was spelled. Of text that breaks off, all is kept that was whole before; but records
whose resource or scope was not there yet may have had one, and are left out. Records are tried in runs that
grow while they go well; only those errors are put into words that are remembered.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from workbench.otlp._tally import MOST_ERRORS, Skipped
from workbench.otlp.codec._json_parser import JsonParser
from workbench.otlp.codec._json_structure import Members, Span, Structure
from workbench.otlp.codec._json_transcode import parse_json
from workbench.otlp.codec._official import RECORD_PATHS
from workbench.otlp.codec._salvage import Places, Salvaged, in_place
from workbench.otlp.errors import MalformedError, OtlpError

__all__ = ["NOTHING", "salvage_json"]

NOTHING = b"{}"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SHOWN = 64  # bytes behind a break that its error may need
MOST_AT_ONCE = 1 << 12  # records
UNSAID = OtlpError("more is wrong than is remembered")


def salvage_json(data: bytes, parser: JsonParser, most_errors: int = MOST_ERRORS) -> Salvaged:
    """Return a document with the sound records; `NOTHING` where there is no object at all."""
    salvager = _Salvager(data, parser, most_errors)
    kept = salvager.document()
    return Salvaged(kept or NOTHING, Skipped(salvager.skipped, salvager.errors))


class _Salvager:
    def __init__(self, text: bytes, parser: JsonParser, most_errors: int) -> None:
        self.text, self.parser, self.most_errors = text, parser, most_errors
        self.structure = Structure(text)
        self.path = RECORD_PATHS[parser.signal]
        self.names = [_camel(name) for name in self.path]
        self.skipped = 0
        self.errors: list[OtlpError] = []

    def document(self) -> bytes | None:
        """Return what is sound of the text; None where it is no object."""
        text, size = self.text, len(self.text)
        start = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
        if start:
            self.lose(1, self.fault(text[:start], 0, ()))
        start = self.structure.skip_blanks(start, size)
        if text[start : start + 1] != b"{":
            self.lose(1, self.fault(text[start:], start, ()))
            return None
        kept = self.envelope(start, size, ())
        end = self.structure.end_of(start, size)
        if 0 <= end < size and self.structure.skip_blanks(end, size) < size:
            self.lose(1, self.fault(NOTHING + text[end : end + SHOWN], end - len(NOTHING), ()))
        return kept

    def envelope(self, start: int, stop: int, places: Places) -> bytes | None:
        """Return an object that leads to records, with those that are sound; None where it is not OTLP."""
        depth, before = len(places), self.skipped
        if self.text[start : start + 1] != b"{":
            self.lose(1, self.fault(self.text[start:stop], start, places))
            return None
        found = self.structure.members_of(start, stop, self.names[depth])
        alone = _with_lists(self.text, start, found, [b" " * (end - first - 2) for first, end in found.lists])
        error = self.fault(alone + self.closing(depth), start, places)
        if error is None and found.end < 0 and depth and not found.has_others:
            error = self.break_of(start, stop, found, places)  # its resource or scope may have come behind
        if error is not None:  # without those a record says something else
            self.lose(max(1, self.count(start, stop, depth)), error)
            return None
        kept = [self.children(first, end if end >= 0 else stop, places) for first, end in found.lists]
        if found.end < 0 and self.skipped == before:
            self.lose(1, self.break_of(start, stop, found, places))
        return _with_lists(self.text, start, found, kept)

    def break_of(self, start: int, stop: int, found: Members, places: Places) -> OtlpError | None:
        """Return what is wrong where an object breaks."""
        behind = found.lists[-1][1] if found.lists else start
        rest = self.text[behind:stop] if behind >= 0 else b""
        if behind == start:
            return self.fault(rest, start, places)
        opened = b'{"":[' if behind < 0 else b'{"":[]'
        return self.fault(opened + rest, (stop if behind < 0 else behind) - len(opened), places)

    def children(self, start: int, stop: int, places: Places) -> bytes:
        """Return the sound elements of a list."""
        elements, broken = self.structure.elements_of(start, stop)
        is_last_cut = bool(elements) and elements[-1][1] < 0
        whole = elements[:-1] if is_last_cut else elements
        kept = list(self.sound_runs(whole, places))
        if is_last_cut:
            kept += self.cut_child(elements[-1][0], stop, (*places, len(whole)))
        if broken >= 0:
            behind = whole[-1][1] if whole else start + 1
            opened = NOTHING if whole else b""
            text = opened + self.text[behind : min(stop, broken + SHOWN)]
            self.lose(1, self.fault(text, behind - len(opened), (*places, len(whole))))
        return b",".join(kept)

    def cut_child(self, start: int, stop: int, places: Places) -> list[bytes]:
        """Return what is whole of an element that does not end."""
        if len(places) < len(self.names) and self.text[start : start + 1] == b"{":
            kept = self.envelope(start, stop, places)
            return [] if kept is None else [kept]
        self.lose(1, self.fault(self.text[start:stop], start, places))
        return []

    def sound_runs(self, spans: Sequence[Span], places: Places) -> Iterator[bytes]:
        """Yield runs of sound elements; after one that went well the next is twice as long."""
        opening, closing = self.opening(len(places) + 1), self.closing(len(places) + 1)
        first, most = 0, 1
        while first < len(spans):
            run = spans[first : first + most]
            start, stop = run[0][0], run[-1][1]
            fault = self.parser.fault_in(opening + self.text[start:stop] + closing)
            sound = run
            if fault >= 0:
                sound = run[: _holder(run, start + fault - len(opening))]
            if sound:
                yield self.text[start : sound[-1][1]]
            if fault >= 0:
                yield from self.unsound(run[len(sound)], (*places, first + len(sound)))
            first += len(sound) + (fault >= 0)
            most = max(1, len(sound) // 2) if fault >= 0 else min(2 * most, MOST_AT_ONCE)

    def unsound(self, span: Span, here: Places) -> Iterator[bytes]:
        """Yield what is sound of an element that is not."""
        start, stop = span
        if len(here) == len(self.names):
            piece = self.text[start:stop] + self.closing(len(here))
            self.lose(1, self.fault(piece, start, here) if self.remembers_more else UNSAID)
        elif (kept := self.envelope(start, stop, here)) is not None:
            yield kept

    def opening(self, depth: int) -> bytes:
        return b"".join(b'{"%s":[' % name.encode() for name in self.names[:depth])

    def closing(self, depth: int) -> bytes:
        return b"]}" * depth

    def fault(self, piece: bytes, start: int, places: Places) -> OtlpError | None:
        """Return what is wrong with a piece of text that starts there, at its depth; None if nothing is."""
        opening = self.opening(len(places))
        if self.parser.fault_in(opening + piece) < 0:
            return None
        if not self.remembers_more:
            return UNSAID
        try:
            parse_json(self.parser.signal, opening + piece)
        except OtlpError as error:
            offset = min(max(start + error.offset - len(opening), 0), len(self.text))
            kind = type(error) if offset == len(self.text) else MalformedError
            return kind(error.args[0], offset=offset, path=in_place(error.path, self.path, places))
        return None

    def lose(self, records: int, error: OtlpError | None) -> None:
        """Count records that something wrong costs."""
        self.skipped += records
        if error is not None and self.remembers_more:
            self.errors.append(error)

    @property
    def remembers_more(self) -> bool:
        return len(self.errors) < self.most_errors

    def count(self, start: int, stop: int, depth: int) -> int:
        """Return how many records a value holds, sound or not."""
        if depth == len(self.names) or self.text[start : start + 1] != b"{":
            return 1
        lists = self.structure.members_of(start, stop, self.names[depth]).lists
        return sum(
            self.count(first, end if end >= 0 else stop, depth + 1)
            for begin, behind in lists
            for first, end in self.structure.elements_of(begin, behind if behind >= 0 else stop)[0]
        )


def _holder(spans: Sequence[Span], at: int) -> int:
    """Return the number of the element that holds a byte."""
    return max(0, bisect_right(spans, at, key=lambda span: span[0]) - 1)


def _with_lists(text: bytes, start: int, found: Members, insides: Sequence[bytes]) -> bytes:
    """Return an object with other elements in its lists, closed where it is cut."""
    parts, at = [], start
    for (first, end), inside in zip(found.lists, insides, strict=True):
        parts += [text[at : first + 1], inside]
        at = end - 1
    if at < 0:
        return b"".join([*parts, b"]}"])
    rest = text[at : found.end] if found.end >= 0 else text[at : found.sound_end] + b"}"
    return b"".join([*parts, rest])


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
