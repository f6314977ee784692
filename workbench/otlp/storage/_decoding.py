"""Pieces of a file to columns, a batch at a time; what is wrong with a piece, by its place in the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from workbench.otlp._tally import Skipped
from workbench.otlp.codec._join import join_stars
from workbench.otlp.codec._json_parser import JsonParser
from workbench.otlp.codec._json_salvage import NOTHING, salvage_json
from workbench.otlp.codec._json_transcode import Transcoded, parse_json
from workbench.otlp.codec._lenient import decode_sound_part
from workbench.otlp.codec._star import Star
from workbench.otlp.codec._star_decoder import StarDecoder
from workbench.otlp.errors import MalformedError, OtlpError, TruncatedError
from workbench.otlp.storage._documents import document_signal, is_empty_document
from workbench.otlp.storage._ids import find_bad_id, moved, records_with_bad_ids, without_records
from workbench.otlp.storage._job import Job
from workbench.otlp.storage._pieces import KNOWN_TAGS, Piece, names_something

__all__ = ["PieceDecoder"]


@dataclass(frozen=True, slots=True)
class _Message:
    """A piece as protobuf, and how many unknown fields its JSON had."""

    piece: Piece
    data: bytes | bytearray | memoryview
    unknown: int = 0


class PieceDecoder:
    """Decodes the pieces of one signal's files."""

    def __init__(self, job: Job, *, is_json: bool) -> None:
        self.signal, self.tally, self.unknown = job.signal, job.tally, job.unknown
        self.batch_bytes, self.is_json = job.batch_bytes, is_json
        self.decoder = StarDecoder(job.signal)

    @cached_property
    def _parser(self) -> JsonParser:
        return JsonParser(self.signal)

    def batches(self, pieces: Iterator[Piece]) -> Iterator[Star]:
        """Yield the columns of so many bytes at a time; of nothing, one empty batch."""
        group: list[_Message] = []
        size = yielded = 0
        for piece in pieces:
            message = self._message(piece)
            if message is None:
                continue
            group.append(message)
            size += len(piece.data)
            if size >= self.batch_bytes:
                yield self._decode(group)
                group, size, yielded = [], 0, yielded + 1
        if group or not yielded:
            yield self._decode(group)

    def _message(self, piece: Piece) -> _Message | None:
        if not self.is_json:
            return _Message(piece, piece.data)
        parsed = self._parsed(bytes(piece.data), piece)
        return None if parsed is None else _Message(piece, parsed.data, parsed.unknown)

    def _parsed(self, text: bytes, piece: Piece) -> Transcoded | None:
        """Return a document's message, or that of what is sound in it; None where nothing is."""
        try:
            parsed = parse_json(self.signal, text, offset=piece.offset)
        except OtlpError as error:
            self._raise_if_strict(error)
            rest = salvage_json(text, self._parser)
            self.tally.leave_out(_all_in_file(rest.skipped, piece) or Skipped(1, (error,)))
            return None if rest.data == NOTHING else parse_json(self.signal, rest.data)
        if document_signal(text) is None and not is_empty_document(text):
            msg = f"expected {self.signal}, found a JSON object that is not OTLP"
            self.tally.refuse(MalformedError(msg, offset=piece.offset))
            return None
        return parsed

    def _decode(self, group: list[_Message]) -> Star:
        star = self._decoded_at_once(group)
        if star is None:
            star = self._joined([found for message in group if (found := self._decoded(message)) is not None])
        ignored = sum(message.unknown for message in group)
        return star._replace(unknown=star.unknown + ignored) if ignored else star

    def _decoded_at_once(self, group: list[_Message]) -> Star | None:
        """Return the columns of sound messages; None where one of them is not."""
        if any(self._says_nothing_known(message) for message in group):
            return None
        try:
            star = self._strict(*(message.data for message in group))
        except OtlpError:
            return None
        return star if not len(records_with_bad_ids(star, self.signal)) else None

    def _strict(self, *messages: bytes | bytearray | memoryview) -> Star:
        return self.decoder.decode_all(messages, encoding="protobuf", unknown=self.unknown)

    def _says_nothing_known(self, message: _Message) -> bool:
        if self.is_json or not message.piece.is_first or not message.data:
            return False
        return message.data[0] not in KNOWN_TAGS[self.signal] and not names_something(
            message.data, self.signal
        )

    def _decoded(self, message: _Message) -> Star | None:
        """Return the columns of one message, or of what is sound in it; None where nothing is."""
        piece = message.piece
        try:
            star = self._strict(message.data)
        except OtlpError as error:
            self._raise_if_strict(_in_file(error, piece))
            star, lost = decode_sound_part(self.decoder, message.data, unknown=self.unknown)
            self.tally.leave_out(_all_in_file(lost, piece))
            return star
        if self._says_nothing_known(message):
            msg = f"nothing in this message is known as {self.signal}: not OTLP"
            self.tally.refuse(MalformedError(msg, offset=piece.offset))
            return None
        return self._with_sound_ids(star, message)

    def _with_sound_ids(self, star: Star, message: _Message) -> Star:
        rows = records_with_bad_ids(star, self.signal)
        if not len(rows):
            return star
        if self.tally.strict or self.tally.remembers_more:
            self.tally.refuse(self._bad_id(message), records=len(rows))
        else:
            self.tally.leave_out(Skipped(len(rows)))
        return without_records(star, rows, self.signal)

    def _bad_id(self, message: _Message) -> OtlpError:
        piece = message.piece
        found = find_bad_id(bytes(message.data), self.signal, piece.offset, piece.earlier)
        if found is None:
            return MalformedError("an id has an unusual length", offset=piece.offset)
        if not self.is_json:
            return found
        return MalformedError(found.args[0], offset=piece.offset, path=found.path)

    def _raise_if_strict(self, error: OtlpError) -> None:
        if self.tally.strict:
            raise error

    def _joined(self, stars: list[Star]) -> Star:
        return join_stars(stars) if stars else self._strict()


def _all_in_file(lost: Skipped, piece: Piece) -> Skipped:
    return Skipped(lost, (_in_file(error, piece) for error in lost.errors))


def _in_file(error: OtlpError, piece: Piece) -> OtlpError:
    """Return an error of a piece as one of the file."""
    kind = type(error)
    if kind is TruncatedError and not piece.is_last:
        kind = MalformedError  # the piece ends here, but the file does not
    return kind(error.args[0], offset=piece.offset + error.offset, path=moved(error.path, piece.earlier))
