"""OTLP/HTTP as an ASGI application: protobuf and JSON on one port.

An ASGI application is a function of a request, so that it can be tried, wrapped and mounted anywhere.
Source: OTLP specification, "OTLP/HTTP".
"""

import asyncio
import gzip
import re
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any, cast
from urllib.parse import urlsplit

from google.protobuf import json_format
from google.protobuf.message import Message

from workbench.otlp.errors import CompressionError
from workbench.otlp.transport._compression import CODINGS, Coding, OverLimitError, inflate
from workbench.otlp.transport._faults import (
    Fault,
    GzipBomb,
    Oversize,
    Reset,
    Slow,
    Status,
    Throttle,
)
from workbench.otlp.transport._intake import Intake, not_kept, success_of
from workbench.otlp.transport._outcome import (
    Failure,
    Reason,
    ResponseOverLimitError,
    Success,
    response_message,
    status_message,
)
from workbench.otlp.transport._payload import Accepted
from workbench.otlp.transport._services import CONTENT_TYPES, SERVICES, Encoding, Service

__all__ = ["AsgiApp", "HttpReply", "http_application"]

PATHS = {service.path: service for service in SERVICES.values()}
ENCODINGS: dict[str, Encoding] = {content_type: name for name, content_type in CONTENT_TYPES.items()}
ALIASES = {"x-gzip": "gzip"}  # RFC 9110 section 8.4.1.3
WORTH_A_THREAD = 1 << 16  # bytes: decoding more than this would hold up the other connections
WORTH_GZIP = 1 << 10
PAUSE_TICK_S = 0.02
DRAIN_BYTES = 64 << 20
DRAIN_S = 5.0
SILENCE_S = 30.0  # a client that sends nothing for so long in the middle of a body has gone
BODY_S = 120.0  # and one that takes longer than this for all of it holds a place that others wait for

Scope = MutableMapping[str, Any]
AsgiApp = Callable[[Scope, Any, Any], Any]
Aborts = Mapping[tuple[str, int], Callable[[], None]]


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An HTTP response."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Disconnected(Exception):  # noqa: N818 (no error: the client has left)
    pass


def http_application(intake: Intake, aborts: Aborts) -> AsgiApp:
    """Return the ASGI application of an intake; `aborts` breaks the connection of a client's address."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        request = _Request(scope, receive)
        try:
            reply = await _answer(intake, request)
        except _Disconnected:
            aborts.get(scope["client"], _nothing)()
            return
        if reply is None:
            aborts.get(scope["client"], _nothing)()
            await receive()  # returns when the connection is gone
            return
        await _send(request, reply, send)

    return application


def _nothing() -> None:
    pass


class _Request:
    """What was asked, its body not yet read."""

    def __init__(self, scope: Scope, receive: Any) -> None:
        self.method: str = scope["method"]
        path: str = scope["path"]
        self.path = (
            path if path.startswith("/") else urlsplit(path).path
        )  # RFC 9112 section 3.2.2: both forms
        self.headers = _joined(scope["headers"])
        self.content_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.encoding = ENCODINGS.get(self.content_type)
        self.whole = "content-length" not in self.headers and "transfer-encoding" not in self.headers  # read
        self._end_s = time.monotonic() + BODY_S
        self._receive = receive

    async def body(self, limit_bytes: int) -> bytes:
        """Read the body as it came over the wire, up to a limit.

        What is too much is read for a while, and thrown away: a connection that is closed while its client
        still writes is reset, and the client sees no answer, tries again, and again.
        """
        body = bytearray()
        too_much = int(self.headers.get("content-length") or 0) > limit_bytes
        discarded, end_s = 0, time.monotonic() + DRAIN_S
        while not self.whole and not (too_much and (discarded > DRAIN_BYTES or time.monotonic() > end_s)):
            chunk = await self._next()
            too_much = too_much or len(body) + len(chunk) > limit_bytes
            if too_much:
                discarded += len(chunk)
            else:
                body += chunk
        if too_much:
            msg = f"the body is larger than {limit_bytes:,} bytes"
            raise OverLimitError(msg)
        return bytes(body)

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(min(SILENCE_S, self._end_s - time.monotonic())):
                message = await self._receive()
        except TimeoutError as error:
            raise _Disconnected from error
        if message["type"] == "http.disconnect":
            raise _Disconnected
        self.whole = not message.get("more_body")
        chunk: bytes = message.get("body", b"")
        return chunk


def _joined(lines: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by name, those of several lines as one list (RFC 9110 section 5.3)."""
    found: dict[str, str] = {}
    for name, value in lines:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


async def _answer(intake: Intake, request: _Request) -> HttpReply | None:
    """Return the response; None breaks the connection."""
    service = PATHS.get(request.path)
    refused = _refusal(request, service)
    if refused is not None or service is None:
        return _failed(intake, request, refused or Failure(Reason.NOT_FOUND, request.path))
    if not intake.admission.enter():
        return _failed(intake, request, intake.busy())
    try:
        return await _admitted(intake, request, service)
    finally:
        intake.admission.leave()


def _refusal(request: _Request, service: Service | None) -> Failure | None:
    """Return what is wrong with the head of a request."""
    if service is None:
        expected = ", ".join(PATHS)
        return Failure(Reason.NOT_FOUND, f"nothing is at {request.path}; expected one of {expected}")
    if request.method != "POST":
        return Failure(Reason.NOT_POST, f"telemetry is sent by POST, not {request.method}")
    if request.encoding is None:
        given = request.content_type or "none"
        expected = " or ".join(ENCODINGS)
        return Failure(Reason.UNKNOWN_ENCODING, f"Content-Type must be {expected}, got {given}")
    coding = _coding(request)
    if coding and coding not in CODINGS:
        expected = ", ".join(("identity", *CODINGS))
        return Failure(Reason.UNKNOWN_ENCODING, f"Content-Encoding must be {expected}, got {coding}")
    return None


def _coding(request: _Request) -> str | None:
    coding = request.headers.get("content-encoding", "").strip().lower()
    return None if coding in ("", "identity") else ALIASES.get(coding, coding)


async def _admitted(intake: Intake, request: _Request, service: Service) -> HttpReply | None:
    fault = intake.next_fault(service.signal)
    decided = await _decide(intake, request, service, fault)
    if isinstance(fault, Reset) and not (fault.kept and isinstance(decided, Accepted)):
        return None
    if isinstance(decided, Failure):
        return _disguise(_failed(intake, request, decided), fault)
    try:
        await asyncio.wrap_future(intake.keep(decided))
    except OSError as error:
        return _failed(intake, request, not_kept(error))
    if isinstance(fault, Reset):
        return None
    if isinstance(fault, Slow):
        await _pause(intake, fault.seconds)
    return _succeeded(intake, request, service, success_of(decided, fault), fault)


async def _decide(
    intake: Intake, request: _Request, service: Service, fault: Fault | None
) -> Accepted | Failure:
    limit = intake.limits.request_bytes
    try:
        raw = await request.body(limit)
    except OverLimitError as error:
        return Failure(Reason.TOO_LARGE, str(error))

    def decode() -> Accepted | Failure:
        try:
            body = inflate(raw, cast("Coding | None", _coding(request)), limit)
        except OverLimitError as error:
            return Failure(Reason.TOO_LARGE, str(error))
        except CompressionError as error:
            return Failure(Reason.BAD_DATA, str(error))
        return intake.prepare(service.signal, body, cast("Encoding", request.encoding), fault)

    compressed = _coding(request) is not None
    if not compressed and len(raw) <= WORTH_A_THREAD:
        return decode()
    return await asyncio.get_running_loop().run_in_executor(intake.workers, decode)


async def _pause(intake: Intake, seconds: float) -> None:
    """Wait, unless the receiver closes first."""
    end_s = time.monotonic() + seconds
    while not intake.closing.is_set() and time.monotonic() < end_s:  # noqa: ASYNC110 (threads set it too)
        await asyncio.sleep(min(PAUSE_TICK_S, max(0.0, end_s - time.monotonic())))


def _succeeded(
    intake: Intake, request: _Request, service: Service, success: Success, fault: Fault | None
) -> HttpReply:
    limit = intake.limits.response_bytes
    if isinstance(fault, GzipBomb):
        bomb = gzip.compress(b"\0" * fault.inflated_bytes, 1, mtime=0)
        headers = {"content-type": _reply_type(request), "content-encoding": "gzip"}
        return HttpReply(200, headers, bomb)
    if isinstance(fault, Oversize):
        success, limit = Success(0, "x" * fault.size_bytes), 2 * fault.size_bytes
    try:
        encoded = response_message(service, success, limit)
    except ResponseOverLimitError as error:
        return _failed(intake, request, Failure(Reason.RESPONSE_TOO_LARGE, str(error)))
    response = service.response()
    response.ParseFromString(encoded)
    return HttpReply(200, {"content-type": _reply_type(request)}, _encoded(request, response))


def _failed(intake: Intake, request: _Request, failure: Failure) -> HttpReply:
    status = status_message(failure, intake.limits.response_bytes)
    headers = {"content-type": _reply_type(request)}
    if failure.reason is Reason.NOT_POST:
        headers["allow"] = "POST"
    if failure.reason is Reason.UNKNOWN_ENCODING:
        headers["accept-encoding"] = ", ".join(CODINGS)  # RFC 9110 section 12.5.3: what may be sent instead
    if failure.retry_after is not None:
        headers["retry-after"] = failure.retry_after
    return HttpReply(failure.reason.http, headers, _encoded(request, status))


def _disguise(reply: HttpReply, fault: Fault | None) -> HttpReply:
    """Return the reply with the status and the Retry-After that the fault asks for."""
    if isinstance(fault, Status):
        return replace(reply, status=fault.http)
    if not isinstance(fault, Throttle):
        return reply
    headers = dict(reply.headers)
    if fault.as_date and fault.retry_after_s is not None:
        headers["retry-after"] = formatdate(time.time() + fault.retry_after_s, usegmt=True)
    return replace(reply, status=fault.status, headers=headers)


def _reply_type(request: _Request) -> str:
    """Return the request's own content type; JSON for somebody who speaks neither, most often a person."""
    return CONTENT_TYPES[request.encoding or "json"]


def _encoded(request: _Request, message: Message) -> bytes:
    if request.encoding == "protobuf":
        return message.SerializeToString()
    text: str = json_format.MessageToJson(message, indent=None, use_integers_for_enums=True)
    return text.encode()


async def _send(request: _Request, reply: HttpReply, send: Any) -> None:
    body, headers = reply.body, dict(reply.headers)
    if len(body) > WORTH_GZIP and _takes_gzip(request) and "content-encoding" not in headers:
        body = gzip.compress(body, 1, mtime=0)
        headers["content-encoding"] = "gzip"
    headers["content-length"] = str(len(body))
    if not request.whole:
        headers["connection"] = "close"  # the rest of the body will not be read
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": body if request.method != "HEAD" else b""})


def _takes_gzip(request: _Request) -> bool:
    """Tell whether Accept-Encoding names gzip, and not with a weight of zero (RFC 9110 section 12.5.3)."""
    for item in request.headers.get("accept-encoding", "").lower().split(","):
        coding, *parameters = (part.strip() for part in item.split(";"))
        if coding == "gzip":
            return not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
    return False
