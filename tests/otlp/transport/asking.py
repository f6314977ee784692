"""One request to a server, by a plain client, and what the server says."""

from dataclasses import dataclass

import grpc
import httpx
from building import SERVICES, TYPES, encoded
from conformance import must
from google.protobuf import json_format
from google.protobuf.unknown_fields import UnknownFieldSet
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from workbench.otlp.transport import _compression

__all__ = ["DETAILS_KEY", "Answer", "send"]

DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True)
class Answer:
    """What a server said: an HTTP status or the name of a gRPC code, headers or trailers, a body."""

    over: str
    status: int | str
    headers: dict[str, str]
    body: bytes
    details: bytes = b""  # google.rpc.Status, of gRPC

    @property
    def ok(self):
        return self.status in (200, "OK")

    def response(self, signal="traces"):
        """Return the service's response message; that it is none breaks a clause."""
        return self._parsed(SERVICES[signal].response())

    def failure(self):
        """Return the google.rpc.Status of a failure."""
        if self.over == "grpc":
            return Status.FromString(self.details)
        return self._parsed(Status())

    def _parsed(self, message):
        name = type(message).__name__
        try:
            if self.headers.get("content-type") == "application/json":
                json_format.Parse(self.body, message)
            else:
                message.ParseFromString(self.body)
        except Exception as error:  # noqa: BLE001 (protobuf has many)
            must(False, f"the body is no {name}: {error}")
        must(not len(UnknownFieldSet(message)), f"the body is no {name}: it has other fields")
        return message

    def detail(self, kind):
        """Return a detail of the failure, or None."""
        for packed in self.failure().details:
            found = kind()
            if packed.Unpack(found):
                return found
        return None

    @property
    def retry_info_s(self):
        info = self.detail(RetryInfo)
        return None if info is None else info.retry_delay.seconds + info.retry_delay.nanos / 1e9

    @property
    def bad_request(self):
        return self.detail(BadRequest)


def send(server, message, over="http/protobuf", *, signal="traces", coding=None, raw=None, **http):
    """Send one request as a plain client of the official packages does, and return the answer."""
    body = encoded(message, over) if raw is None else raw
    if over == "grpc":
        return _send_grpc(server.grpc_endpoint, SERVICES[signal].method, body, coding)
    headers = {"content-type": TYPES[over], "accept-encoding": "identity"} | http.pop("headers", {})
    if coding:
        body, headers["content-encoding"] = _compression.deflate(body, coding), coding
    url = server.http_endpoint + http.pop("path", SERVICES[signal].path)
    with httpx.Client(trust_env=False, verify=False, timeout=10) as client:
        response = client.request(http.pop("method", "POST"), url, content=body, headers=headers)
    return Answer(over, response.status_code, dict(response.headers), response.content)


def _send_grpc(endpoint, method, body, coding):
    compression = grpc.Compression.Gzip if coding else grpc.Compression.NoCompression
    options = [("grpc.max_receive_message_length", -1), ("grpc.enable_retries", 0)]
    with grpc.insecure_channel(endpoint, options, compression) as channel:
        try:
            return Answer("grpc", "OK", {}, channel.unary_unary(method)(body, timeout=10))
        except grpc.RpcError as error:
            trailers = dict(error.trailing_metadata() or ())
            return Answer("grpc", error.code().name, trailers, b"", trailers.get(DETAILS_KEY, b""))
