"""One attempt over gRPC: a message out, a bounded message in, what its status means.

The client is the official grpcio, whose channel reconnects by itself and enforces the response limit in its
core. Source: OTLP specification, "OTLP/gRPC".
"""

from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from workbench.otlp.transport._retrying import UNREADABLE, Outcome, grpc_is_retryable
from workbench.otlp.transport._services import SERVICES, Encoding
from workbench.otlp.transport._settings import USER_AGENT, Target

__all__ = ["GrpcClient"]

DETAILS_KEY = "grpc-status-details-bin"
RECONNECT_MS = (100, 100, 5000)  # least, first and longest pause of the channel itself; ours come on top


class GrpcClient:
    """Sends the requests of one signal to one place; threads may share it."""

    encoding: Encoding = "protobuf"

    def __init__(self, target: Target, response_bytes: int) -> None:
        self.target = target
        self._service = SERVICES[target.signal]
        least, first, longest = RECONNECT_MS
        options = [
            ("grpc.max_receive_message_length", response_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.primary_user_agent", USER_AGENT),
            ("grpc.enable_retries", 0),
            ("grpc.enable_http_proxy", 0 if target.is_local else 1),
            ("grpc.min_reconnect_backoff_ms", least),
            ("grpc.initial_reconnect_backoff_ms", first),
            ("grpc.max_reconnect_backoff_ms", longest),
        ]
        gzip = grpc.Compression.Gzip if target.compression == "gzip" else grpc.Compression.NoCompression
        self._channel = _channel(target, options, gzip)
        self._export = self._channel.unary_unary(self._service.method)

    def send(self, body: bytes) -> Outcome:
        """Send one request."""
        try:
            raw = self._export(body, timeout=self.target.timeout_s, metadata=self.target.headers)
        except grpc.RpcError as error:
            return _failed(error)
        return self._acknowledged(raw)

    def close(self) -> None:
        """Close the channel; calls under way end as cancelled."""
        self._channel.close()

    def _acknowledged(self, raw: bytes) -> Outcome:
        response: Any = self._service.response()
        try:
            response.ParseFromString(raw)
        except DecodeError:
            return UNREADABLE
        partial = response.partial_success
        return Outcome(
            delivered=True, message=partial.error_message, rejected=getattr(partial, self._service.rejected)
        )


def _failed(error: Any) -> Outcome:
    code = error.code().name
    asked = _retry_delay_s(error)
    retryable = grpc_is_retryable(code, asked)
    return Outcome(
        delivered=False,
        reason=f"grpc_{code}",
        message=error.details() or "",
        retryable=retryable,
        retry_after_s=asked if retryable else None,
    )


def _retry_delay_s(error: Any) -> float | None:
    """Return the delay of a RetryInfo among the status details, if there is one."""
    trailers = dict(error.trailing_metadata() or ())
    try:
        status = Status.FromString(trailers.get(DETAILS_KEY, b""))
    except (DecodeError, TypeError):
        return None
    for detail in status.details:
        info = RetryInfo()
        if detail.Is(RetryInfo.DESCRIPTOR) and detail.Unpack(info):
            return float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
    return None


def _channel(target: Target, options: Any, compression: Any) -> Any:
    if not target.secure:
        return grpc.insecure_channel(target.url, options, compression)
    credentials = grpc.ssl_channel_credentials(
        _content(target.certificate), _content(target.client_key), _content(target.client_certificate)
    )
    return grpc.secure_channel(target.url, credentials, options, compression)


def _content(path: str | None) -> bytes | None:
    return Path(path).read_bytes() if path else None
