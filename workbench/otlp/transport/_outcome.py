"""What the server says to a request, before HTTP or gRPC puts it into words.

A `Failure` names its reason once; both transports read their code off it. Source: OTLP specification,
"Failures" of OTLP/gRPC and OTLP/HTTP, and the size limits of version 1.11.
"""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from workbench.otlp.transport._services import Service

__all__ = ["Failure", "Reason", "ResponseOverLimitError", "Success", "response_message", "status_message"]

NANOS = 10**9


class Reason(Enum):
    """Why a request failed: its HTTP status and its gRPC code (https://grpc.io/docs/guides/status-codes)."""

    BAD_DATA = (400, 3, "INVALID_ARGUMENT")
    NOT_FOUND = (404, 12, "UNIMPLEMENTED")
    NOT_POST = (405, 12, "UNIMPLEMENTED")
    TOO_LARGE = (413, 8, "RESOURCE_EXHAUSTED")
    UNKNOWN_ENCODING = (415, 12, "UNIMPLEMENTED")
    THROTTLED = (429, 14, "UNAVAILABLE")
    UNAVAILABLE = (503, 14, "UNAVAILABLE")
    RESPONSE_TOO_LARGE = (500, 8, "RESOURCE_EXHAUSTED")
    INTERNAL = (500, 13, "INTERNAL")

    def __init__(self, http: int, grpc: int, grpc_name: str) -> None:
        self.http = http
        self.grpc = grpc
        self.grpc_name = grpc_name


@dataclass(frozen=True, slots=True)
class Success:
    """Everything was accepted, or all but `rejected`; a message without rejections is a warning."""

    rejected: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Nothing was accepted."""

    reason: Reason
    message: str
    retry_after_s: float | None = None
    field: str = ""  # of the request, where the data is bad

    @property
    def retry_after(self) -> str | None:
        """The value of the Retry-After header: whole seconds, rounded up."""
        return None if self.retry_after_s is None else str(math.ceil(self.retry_after_s))


def response_message(service: Service, success: Success, limit_bytes: int) -> bytes:
    """Return the service's response, its error message shortened as far as the limit demands.

    Raises
    ------
    ResponseOverLimitError
        When it does not fit even without any error message, or when without one it would say something else.
    """
    response: Any = service.response()
    if success.rejected or success.message:
        setattr(response.partial_success, service.rejected, success.rejected)
        response.partial_success.error_message = success.message
    encoded: bytes = response.SerializeToString()
    if len(encoded) <= limit_bytes:
        return encoded
    return _shortened(response, success, len(encoded) - limit_bytes, limit_bytes)


def _shortened(response: Any, success: Success, excess: int, limit_bytes: int) -> bytes:
    text = success.message.encode()
    kept = text[: max(0, len(text) - excess)].decode(errors="ignore")
    response.partial_success.error_message = kept
    encoded: bytes = response.SerializeToString()
    if len(encoded) > limit_bytes or not (kept or success.rejected):
        msg = f"a response of {len(encoded):,} bytes does not fit into {limit_bytes:,}"
        raise ResponseOverLimitError(msg)
    return encoded


class ResponseOverLimitError(ValueError):
    """Raised when a response cannot be made to fit the limit without changing what it says."""


def status_message(failure: Failure, limit_bytes: int) -> Status:
    """Return the ``google.rpc.Status`` of a failure: BadRequest for bad data, RetryInfo for a retry.

    Where it would be over the limit, the message is shortened and the details are left out.
    """
    status = Status(code=failure.reason.grpc, message=failure.message, details=_details(failure))
    if status.ByteSize() <= limit_bytes:
        return status
    room = max(0, limit_bytes - 16)  # code, tags and the length of the message
    return Status(code=failure.reason.grpc, message=failure.message.encode()[:room].decode(errors="ignore"))


def _details(failure: Failure) -> list[AnyMessage]:
    found: list[Message] = []
    if failure.reason is Reason.BAD_DATA:
        violation = BadRequest.FieldViolation(field=failure.field, description=failure.message)
        found.append(BadRequest(field_violations=[violation]))
    if failure.retry_after_s is not None:
        found.append(RetryInfo(retry_delay=_duration(failure.retry_after_s)))
    return [_packed(detail) for detail in found]


def _duration(seconds: float) -> Duration:
    nanos = round(seconds * NANOS)
    return Duration(seconds=nanos // NANOS, nanos=nanos % NANOS)


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
