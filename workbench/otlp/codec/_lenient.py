"""Messages of which some are broken: what is sound of them, and what was left out."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

from workbench.otlp._schema import Signal
from workbench.otlp._tally import Skipped, Tally
from workbench.otlp.codec._join import join_stars
from workbench.otlp.codec._json_salvage import salvage_json
from workbench.otlp.codec._salvage import Salvaged, salvage
from workbench.otlp.codec._star import Star
from workbench.otlp.codec._star_decoder import GROUP_BYTES, Buffer, Encoding, StarDecoder, Unknown
from workbench.otlp.errors import OtlpError

__all__ = ["decode_messages", "decode_sound_part"]

SALVAGES: dict[Encoding, Callable[[bytes, Signal], Salvaged]] = {"protobuf": salvage, "json": salvage_json}


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
    messages = iter(messages)
    head = list(islice(messages, 2))
    stars: list[Star] = []
    number = 0
    for group in _groups(chain(head, messages), 1 if encoding == "json" else GROUP_BYTES):
        try:
            stars.append(decoder.decode_all(group, encoding=encoding, unknown=unknown))
        except OtlpError:
            for at, message in enumerate(group, start=number):
                star, lost = decode_sound_part(decoder, message, encoding=encoding, unknown=unknown)
                tally.leave_out(_named(lost, at) if len(head) > 1 else lost)
                stars.append(star)
        number += len(group)
    return join_stars(stars) if stars else decoder.decode_all((), encoding=encoding, unknown=unknown)


def decode_sound_part(
    decoder: StarDecoder, message: Buffer, *, encoding: Encoding, unknown: Unknown
) -> tuple[Star, Skipped]:
    """Return the columns of what is sound in a message, and what was left out of it."""
    try:
        return decoder.decode_all((message,), encoding=encoding, unknown=unknown), Skipped()
    except OtlpError as error:
        rest = SALVAGES[encoding](bytes(message), decoder.signal)
        lost = rest.skipped or Skipped(1, (error,))
    return decoder.decode_all((rest.data,), encoding=encoding, unknown=unknown), lost


def _groups(messages: Iterable[Buffer], most_bytes: int) -> Iterator[list[Buffer]]:
    """Yield messages that are tried at once; after a failure one by one."""
    group: list[Buffer] = []
    size = 0
    for message in messages:
        group.append(message)
        size += len(message) + 1
        if size >= most_bytes:
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
