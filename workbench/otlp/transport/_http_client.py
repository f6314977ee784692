"""One attempt over HTTP: a request out, a bounded response in, what it means.

The client is httpx: it keeps connections alive in a pool that threads share, streams responses so that their
size can be bounded, and is already how this project speaks HTTP. Its connections are ours, for the sake of
one deadline an attempt. Source: OTLP specification, "OTLP/HTTP".
"""

import ssl
from typing import Any

import httpcore
import httpx
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status

from workbench.otlp.errors import CompressionError
from workbench.otlp.transport._clock import Clock
from workbench.otlp.transport._compression import CODINGS, OverLimitError, deflate, inflate
from workbench.otlp.transport._http_transport import DeadlineTransport
from workbench.otlp.transport._retrying import RETRYABLE_HTTP, UNREADABLE, Outcome, parse_retry_after
from workbench.otlp.transport._services import CONTENT_TYPES, SERVICES, Encoding
from workbench.otlp.transport._settings import USER_AGENT, Target

__all__ = ["HttpClient"]

NO_ANSWER = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


class HttpClient:
    """Sends the requests of one signal to one place; threads may share it."""

    def __init__(self, target: Target, clock: Clock, response_bytes: int, connections: int) -> None:
        self.target = target
        self.encoding: Encoding = "json" if target.protocol == "http/json" else "protobuf"
        self._coding = target.compression
        self._clock = clock
        self._limit = response_bytes
        self._transport = DeadlineTransport(target, _verification(target), connections)
        self._client = httpx.Client(
            transport=self._transport,
            timeout=target.timeout_s,
            headers={"user-agent": USER_AGENT},
            trust_env=False,
        )

    def send(self, body: bytes) -> Outcome:
        """Send one encoded request; where the server does not know zstd, by gzip from then on.

        zstd is no part of OTLP. A server refuses it with 415, and may name what it takes in Accept-Encoding
        (RFC 9110 section 15.5.16).
        """
        outcome = self._attempt(body)
        if outcome.reason == "http_415" and self._coding == "zstd":
            self._coding = "gzip"
            outcome = self._attempt(body)
        return outcome

    def _attempt(self, body: bytes) -> Outcome:
        content, headers = self._request(body)
        try:
            with (
                self._transport.attempt(self.target.timeout_s),
                self._client.stream("POST", self.target.url, content=content, headers=headers) as response,
            ):
                raw = self._read(response)
        except OverLimitError as error:
            return Outcome(delivered=False, reason="response_too_large", message=str(error))
        except httpcore.TimeoutException as error:
            return _lost("timeout", error)
        except NO_ANSWER as error:
            return _lost("connection", error)
        return self._meaning(response, raw)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _request(self, body: bytes) -> tuple[bytes, list[tuple[str, str]]]:
        headers = [
            *self.target.headers,
            ("content-type", CONTENT_TYPES[self.encoding]),
            ("accept-encoding", "gzip"),
        ]
        if self._coding:
            headers.append(("content-encoding", self._coding))
        return deflate(body, self._coding), headers

    def _read(self, response: httpx.Response) -> bytes | None:
        """Return the body, bounded on the wire and inflated; None where its compression is damaged."""
        raw = bytearray()
        for chunk in response.iter_raw():
            raw += chunk
            if len(raw) > self._limit:
                msg = f"the response is larger than {self._limit:,} bytes"
                raise OverLimitError(msg)
        coding = response.headers.get("content-encoding", "identity").lower()
        try:
            return inflate(bytes(raw), coding, self._limit) if coding in CODINGS else bytes(raw)
        except CompressionError:
            return None

    def _meaning(self, response: httpx.Response, raw: bytes | None) -> Outcome:
        if response.is_success:
            return self._acknowledged(raw)
        code = response.status_code
        retryable = code in RETRYABLE_HTTP
        asked = parse_retry_after(response.headers.get("retry-after"), self._clock.unix_s())
        status: Any = self._parsed(raw, Status())
        message = status.message if status is not None else ""
        return Outcome(
            delivered=False,
            reason=f"http_{code}",
            message=message or response.reason_phrase,
            retryable=retryable,
            retry_after_s=asked if retryable else None,
        )

    def _acknowledged(self, raw: bytes | None) -> Outcome:
        service = SERVICES[self.target.signal]
        response: Any = self._parsed(raw, service.response())
        if response is None:
            return UNREADABLE
        partial = response.partial_success
        return Outcome(
            delivered=True, message=partial.error_message, rejected=getattr(partial, service.rejected)
        )

    def _parsed(self, raw: bytes | None, message: Message) -> Message | None:
        if raw is None:
            return None
        try:
            if self.encoding == "json":
                json_format.Parse(raw or b"{}", message, ignore_unknown_fields=True)
            else:
                message.ParseFromString(raw)
        except (DecodeError, json_format.ParseError, UnicodeDecodeError, ValueError):
            return None
        return message


def _lost(reason: str, error: Exception) -> Outcome:
    """Return the outcome of an attempt without an answer: the server may have the data, or not."""
    return Outcome(delivered=False, reason=reason, message=str(error) or reason, retryable=True)


def _verification(target: Target) -> ssl.SSLContext | None:
    if not target.secure:
        return None  # nothing to verify, and the system's certificates take long to load
    context = ssl.create_default_context(cafile=target.certificate)
    if target.client_certificate:
        context.load_cert_chain(target.client_certificate, target.client_key)
    return context
