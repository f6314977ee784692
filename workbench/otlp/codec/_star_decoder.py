"""`StarDecoder`: any bytes that should be OTLP to columns, or to an error that says what is wrong."""

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias, get_args

from google.protobuf.message import DecodeError

from workbench.otlp._schema import Signal
from workbench.otlp.codec._column_decoder import ColumnDecoder, MalformedMessageError, RewriteNeededError
from workbench.otlp.codec._join import join_stars
from workbench.otlp.codec._json_transcode import parse_json
from workbench.otlp.codec._official import MESSAGES
from workbench.otlp.codec._star import Star
from workbench.otlp.codec._wire import find_fault
from workbench.otlp.errors import MalformedError, OtlpError, TruncatedError

__all__ = ["Buffer", "Encoding", "StarDecoder", "Unknown"]

Encoding: TypeAlias = Literal["protobuf", "json"]
Unknown: TypeAlias = Literal["keep", "count"]
Buffer: TypeAlias = bytes | bytearray | memoryview

ENCODINGS, TREATMENTS = get_args(Encoding), get_args(Unknown)
GROUP_BYTES = 1 << 28  # messages are decoded into the same columns up to this size


class StarDecoder:
    """Decodes messages of one signal, one after the other.

    A message that the compiled decoder cannot take as it stands (said twice, not in its shortest form) is
    rewritten by the official library first; one that it refuses is searched for the fault.
    """

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self._columns: ColumnDecoder | None = None

    def decode_all(self, messages: Iterable[Buffer], *, encoding: Encoding, unknown: Unknown) -> Star:
        """Return the columns of all messages, in their order.

        Raises
        ------
        ValueError
            For an encoding or a treatment of unknown fields that there is not.
        """
        _check_choice("encoding", encoding, ENCODINGS)
        _check_choice("unknown", unknown, TREATMENTS)
        if isinstance(messages, tuple) and len(messages) == 1:
            return self.decode(messages[0], encoding=encoding, unknown=unknown)
        stars: list[Star] = []
        number = 0
        for group in self._groups(messages, encoding):
            stars += self._decode_group(group, number, encoding, unknown)
            number += len(group)
        return join_stars(stars) if stars else self._decode([b""], unknown)

    def _groups(self, messages: Iterable[Buffer], encoding: Encoding) -> Iterator[list[Buffer]]:
        """Yield what is decoded at once: a profiles' dictionary speaks for its own message only."""
        most = 1 if self.signal == "profiles" or encoding == "json" else GROUP_BYTES
        group: list[Buffer] = []
        size = 0
        for message in messages:
            group.append(message)
            size += len(message) + 1
            if size >= most:
                yield group
                group, size = [], 0
        if group:
            yield group

    def _decode_group(
        self, group: list[Buffer], first: int, encoding: Encoding, unknown: Unknown
    ) -> list[Star]:
        if encoding == "protobuf":
            try:
                return [self._decode(group, unknown)]
            except MalformedMessageError:
                pass  # one of them: which one, and what of it is sound, is found one by one
        found = []
        for number, message in enumerate(group, start=first):
            try:
                found.append(self.decode(message, encoding=encoding, unknown=unknown))
            except OtlpError as error:
                if len(group) == 1 and not first:
                    raise
                named = f"message {number}: {error.args[0]}"
                raise type(error)(named, offset=error.offset, path=error.path) from None
        return found

    def decode(self, data: Buffer, *, encoding: Encoding, unknown: Unknown) -> Star:
        """Return the columns of one message.

        Raises
        ------
        MalformedError, TruncatedError
            With the byte and the field; `_lenient` says what of the message is sound.
        """
        if encoding == "json":
            return self._from_json(bytes(data), unknown)
        try:
            return self._decode([data], unknown)
        except MalformedMessageError:
            raise find_error(bytes(data), self.signal) from None

    def _decode(self, parts: list[Buffer], unknown: Unknown) -> Star:
        if self._columns is None:
            self._columns = ColumnDecoder(self.signal)
        keep = unknown == "keep"
        try:
            return self._columns.decode(*parts, keep_unknown=keep)
        except RewriteNeededError as needed:
            rewritten = [self._rewritten(bytes(part), keep_unknown=keep) for part in parts]
            star = self._columns.decode(*rewritten, keep_unknown=keep)
            return star if keep else star._replace(unknown=needed.unknown)

    def _rewritten(self, data: bytes, *, keep_unknown: bool) -> bytes:
        try:
            message = MESSAGES[self.signal].FromString(data)
        except DecodeError:
            raise MalformedMessageError(0) from None
        if not keep_unknown:
            message.DiscardUnknownFields()
        return message.SerializeToString()

    def _from_json(self, data: bytes, unknown: Unknown) -> Star:
        parsed = parse_json(self.signal, data)
        return self._decode([parsed.data], unknown)._replace(unknown=parsed.unknown, size=0)


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        msg = f"{name} must be one of {', '.join(choices)}, got {value!r}"
        raise ValueError(msg)


def find_error(data: bytes, signal: Signal, offset: int = 0) -> OtlpError:
    """Return what is wrong with a message that was refused, by byte and field."""
    fault = find_fault(data, MESSAGES[signal])
    if fault is None:
        return MalformedError("the official parser refuses this message", offset=offset)
    kind = TruncatedError if fault.truncated else MalformedError
    return kind(f"this is not OTLP: {fault.reason}", offset=offset + fault.offset, path=fault.path)
