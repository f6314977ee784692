"""Where the transport touches the codec: bodies are checked, counted, cut, and become telemetry.

Requests are looked into by the official protobuf package, whose parser is compiled; tables are the codec's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError, Message

from workbench.otlp._schema import Signal
from workbench.otlp.codec._json_transcode import json_to_protobuf, protobuf_to_json
from workbench.otlp.errors import MalformedError
from workbench.otlp.logs import Logs
from workbench.otlp.metrics import Metrics
from workbench.otlp.profiles import Profiles
from workbench.otlp.storage._pieces import split_message
from workbench.otlp.telemetry import Telemetry
from workbench.otlp.traces import Traces
from workbench.otlp.transport._records import count, drop_last, pieces, screen
from workbench.otlp.transport._services import SERVICES, Encoding, ServiceName
from workbench.otlp.transport.errors import UnsupportedPayloadError

__all__ = [
    "Accepted",
    "accept",
    "as_requests",
    "count_records",
    "prepare",
    "split",
    "to_encoding",
    "to_telemetry",
]

PARSED_BYTES = 16 << 20  # of telemetry at a time: the official parser takes several times as much memory
TELEMETRY: dict[Signal, type[Traces | Metrics | Logs | Profiles]] = {
    "traces": Traces,
    "metrics": Metrics,
    "logs": Logs,
    "profiles": Profiles,
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request as it is kept: protobuf, without the records that were rejected."""

    signal: ServiceName
    body: bytes
    records: int
    rejected: int = 0
    reason: str = ""


def prepare() -> None:
    """Load, or compile, what the first JSON request needs, so that no client waits for it."""
    json_to_protobuf("traces", b"{}")


def accept(signal: ServiceName, body: bytes, encoding: Encoding, *, reject_last: int = 0) -> Accepted:
    """Decode a request, and leave out the records that no reader could use: those with ids of a wrong length.

    Raises
    ------
    MalformedError, TruncatedError
        When it is no request of that service.
    """
    message = _parse(signal, body, encoding)
    rejected, reason = screen(signal, message)
    dropped = drop_last(signal, message, reject_last)
    untouched = encoding == "protobuf" and not rejected and not dropped
    kept = body if untouched else message.SerializeToString()
    return Accepted(signal, kept, count(signal, message), rejected + dropped, reason)


def _parse(signal: ServiceName, body: bytes, encoding: Encoding) -> Message:
    message = SERVICES[signal].request()
    try:
        message.ParseFromString(json_to_protobuf(signal, body) if encoding == "json" else body)
    except DecodeError as error:
        msg = f"this is no protobuf {type(message).__name__}: {error}"
        raise MalformedError(msg) from error
    return message


def count_records(signal: ServiceName, body: bytes) -> int:
    """Return how many spans, data points, log records or profiles a protobuf request carries."""
    return count(signal, _parse(signal, body, "protobuf"))


def to_encoding(signal: ServiceName, body: bytes, encoding: Encoding) -> bytes:
    """Return a protobuf request in an encoding."""
    if encoding == "protobuf":
        return body
    return protobuf_to_json(signal, body)


def to_telemetry(signal: Signal, bodies: Sequence[bytes]) -> Traces | Metrics | Logs | Profiles:
    """Return the records of protobuf requests that were accepted, as tables."""
    return TELEMETRY[signal].from_otlp(bodies)


def as_requests(item: object, signal: ServiceName | None) -> tuple[ServiceName, Iterable[bytes]]:
    """Return what was given for export as protobuf requests: telemetry, an official message, or bytes.

    Raises
    ------
    UnsupportedPayloadError
        When it is none of these, or bytes without a signal.
    """
    if isinstance(item, Telemetry):
        return item.signal, split_message(item.to_otlp(), item.signal, PARSED_BYTES)
    if isinstance(item, Message):
        return _signal_of(item), [item.SerializeToString()]
    if isinstance(item, bytes | bytearray | memoryview):
        if signal not in SERVICES:
            msg = f"bytes need signal=, one of {', '.join(SERVICES)}; got {signal!r}"
            raise UnsupportedPayloadError(msg)
        return signal, [bytes(item)]
    msg = f"expected Traces, Metrics, Logs, an official OTLP message or bytes, got a {type(item).__name__}"
    raise UnsupportedPayloadError(msg)


MESSAGE_SIGNALS: dict[str, ServiceName] = {
    "resource_spans": "traces",
    "resource_metrics": "metrics",
    "resource_logs": "logs",
    "resource_profiles": "profiles",
}


def _signal_of(message: Message) -> ServiceName:
    fields = [field.name for field in message.DESCRIPTOR.fields]
    for name, signal in MESSAGE_SIGNALS.items():
        if name in fields:
            return signal
    msg = f"{type(message).__name__} is no request and no data of OTLP: expected one with {MESSAGE_SIGNALS}"
    raise UnsupportedPayloadError(msg)


def split(signal: ServiceName, body: bytes, max_records: int, max_bytes: int) -> Iterator[tuple[bytes, int]]:
    """Yield protobuf requests within both limits, and their records; together they carry the same.

    A single record over `max_bytes` is yielded alone, for its sender to refuse.
    """
    message = _parse(signal, body, "protobuf")
    records = count(signal, message)
    if (records <= max_records and len(body) <= max_bytes) or records <= 1:
        yield body, records
        return
    number = max(-(-records // max_records), -(-len(body) // max_bytes))
    for piece, carried in pieces(signal, message, -(-records // number)):
        part = piece.SerializeToString()
        if len(part) > max_bytes:
            yield from split(signal, part, max_records, max_bytes)
        else:
            yield part, carried
