"""Messages of which some are broken: what is sound of them, and what was left out."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from workbench.otlp._schema import Signal
from workbench.otlp._tally import MOST_ERRORS, Skipped, Tally
from workbench.otlp.codec._join import join_stars
from workbench.otlp.codec._json_parser import JsonParser
from workbench.otlp.codec._json_salvage import salvage_json
from workbench.otlp.codec._json_transcode import Transcoded, parse_json
from workbench.otlp.codec._salvage import salvage
from workbench.otlp.codec._star import Star
from workbench.otlp.codec._star_decoder import (
    GROUP_BYTES,
    Buffer,
    Encoding,
    StarDecoder,
    Unknown,
)
from workbench.otlp.errors import MalformedError, OtlpError

__all__ = ["decode_messages", "decode_sound_part", "parse_sound_part"]


def decode_messages(
    decoder: StarDecoder, messages: Iterable[Buffer], tally: Tally, *, encoding: Encoding, unknown: Unknown
) -> Star:
    """Return the columns of all messages, in their order.

    Raises
    ------
    MalformedError, TruncatedError
        When the tally is strict; else what cannot be read is left out and counted.
    ValueError
        For an encoding or a treatment of unknown fields that there is not.
    """
    if tally.strict:
        return decoder.decode_all(messages, encoding=encoding, unknown=unknown)
    if encoding == "json":
        return _decode_json(decoder, messages, tally, unknown)
    messages = iter(messages)
    head = list(islice(messages, 2))
    stars: list[Star] = []
    number = 0
    for group in _groups(chain(head, messages)):
        try:
            stars.append(decoder.decode_all(group, encoding=encoding, unknown=unknown))
        except OtlpError:
            for at, message in enumerate(group, start=number):
                star, lost = decode_sound_part(decoder, message, unknown=unknown)
                tally.leave_out(_named(lost, at) if len(head) > 1 else lost)
                stars.append(star)
        number += len(group)
    return join_stars(stars) if stars else decoder.decode_all((), encoding=encoding, unknown=unknown)


def decode_sound_part(decoder: StarDecoder, message: Buffer, *, unknown: Unknown) -> tuple[Star, Skipped]:
    """Return the columns of what is sound in a protobuf message, and what was left out of it."""
    try:
        return decoder.decode_all((message,), encoding="protobuf", unknown=unknown), Skipped()
    except OtlpError as error:
        rest = salvage(bytes(message), decoder.signal)
        lost = rest.skipped or Skipped(1, (error,))
    return decoder.decode_all((rest.data,), encoding="protobuf", unknown=unknown), lost


def parse_sound_part(
    parser: JsonParser, text: bytes, most_errors: int = MOST_ERRORS
) -> tuple[Transcoded, Skipped]:
    """Return what is sound in a JSON document as protobuf, and what was left out of it."""
    parsed = parser.parse(text)
    if parsed is not None:
        return parsed, Skipped()
    rest = salvage_json(text, parser, most_errors)
    lost = rest.skipped or Skipped(1, (_error_in(text, parser.signal),))
    return parser.parse(rest.data) or parse_json(parser.signal, rest.data), lost


def _error_in(text: bytes, signal: Signal) -> OtlpError:
    try:
        parse_json(signal, text)
    except OtlpError as error:
        return error
    return MalformedError("the parser refuses this document")


def _decode_json(decoder: StarDecoder, messages: Iterable[Buffer], tally: Tally, unknown: Unknown) -> Star:
    """Return the columns of JSON documents: each becomes protobuf alone, and many are decoded at once."""
    messages = iter(messages)
    head = list(islice(messages, 2))
    ignored = 0

    def sound() -> Iterator[bytes]:
        nonlocal ignored
        parser = JsonParser(decoder.signal)
        for number, text in enumerate(chain(head, messages)):
            missing = MOST_ERRORS - len(tally.skipped.errors)
            parsed, lost = parse_sound_part(parser, bytes(text), missing)
            if lost:
                tally.leave_out(_named(lost, number) if len(head) > 1 else lost)
            ignored += parsed.unknown
            yield parsed.data

    star = decoder.decode_all(sound(), encoding="protobuf", unknown=unknown)
    return star._replace(unknown=star.unknown + ignored, size=0)


def _groups(messages: Iterable[Buffer]) -> Iterator[list[Buffer]]:
    """Yield messages that are tried at once; after a failure one by one."""
    group: list[Buffer] = []
    size = 0
    for message in messages:
        group.append(message)
        size += len(message) + 1
        if size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _named(lost: Skipped, number: int) -> Skipped:
    """Return what was lost with the number of its message."""
    errors = [
        type(error)(f"message {number}: {error.args[0]}", offset=error.offset, path=error.path)
        for error in lost.errors
    ]
    return Skipped(lost, errors)
