"""Our servers with every request seen, held at a gate, and every answer open to sabotage."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from asking import DETAILS_KEY, Answer
from building import SERVICES

from workbench.otlp.transport import _compression, _servers

__all__ = ["Gate", "Seen", "Wiretap", "Wrong"]


@dataclass(frozen=True)
class Wrong:
    """A server's sabotage: other options, another request body, another answer."""

    options: dict[str, Any] = field(default_factory=dict)
    body: Callable[[bytes], bytes] = lambda body: body
    answer: Callable[[Any, Answer], Answer] = lambda _request, answer: answer


@dataclass(frozen=True)
class Seen:
    """A request as it came over the wire."""

    over: str
    signal: str
    headers: dict[str, str]
    wire: bytes
    client: object
    at_s: float

    @property
    def body(self):
        return _compression.inflate(self.wire, self.headers.get("content-encoding"), 1 << 30)

    @property
    def message(self):
        request = SERVICES[self.signal].request()
        if self.headers.get("content-type") == "application/json":
            return json.loads(self.body)
        request.ParseFromString(self.body)
        return request

    def span_ids(self):
        return [
            int.from_bytes(span.span_id, "big")
            for resource in self.message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class Wiretap(_servers.Servers):
    """Our servers, with every request seen, held at a gate, and every answer open to sabotage."""

    wrong = Wrong()
    see = staticmethod(lambda _seen: None)
    gate = contextlib.nullcontext

    def http_application(self, aborts):
        inner = super().http_application(aborts)

        async def application(scope, receive, send):
            if scope["type"] != "http":
                return await inner(scope, receive, send)
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            wire = await _whole_body(receive)
            signal = next((name for name, found in SERVICES.items() if found.path == scope["path"]), "")
            seen = Seen("http", signal, headers, wire, scope["client"], 0.0)
            self.see(seen)
            changed = self.wrong.body(wire)
            if changed is not wire:
                scope = scope | {
                    "headers": [pair for pair in scope["headers"] if pair[0] != b"content-length"]
                }
            async with _in_thread(self.gate()):
                return await inner(scope, _replay(changed, receive), _altered(seen, self.wrong, send))

        return application

    def grpc_handler(self):
        inner = super().grpc_handler()

        def unary(service, request, context):
            seen = Seen(
                "grpc", service.signal, dict(context.invocation_metadata()), request, context.peer(), 0.0
            )
            self.see(seen)
            recorded = _Context(context)
            with self.gate():
                try:
                    answer = Answer("grpc", "OK", {}, inner(service, self.wrong.body(request), recorded))
                except _AbortedError:
                    answer = Answer("grpc", recorded.code, {}, b"", recorded.details)
            return _conclude(self.wrong.answer(seen, answer), recorded, context)

        return unary


async def _whole_body(receive):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def _replay(body, receive):
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay():
        return pending.pop() if pending else await receive()

    return replay


def _altered(seen, wrong, send):
    started = {}

    async def altered(message):
        if message["type"] == "http.response.start":
            started.update(message)
            return
        headers = {name.decode(): value.decode() for name, value in started["headers"]}
        answer = wrong.answer(seen, Answer("http", started["status"], headers, message["body"]))
        headers = answer.headers | {"content-length": str(len(answer.body))}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer.body})

    return altered


@contextlib.asynccontextmanager
async def _in_thread(gate):
    await asyncio.to_thread(gate.__enter__)
    try:
        yield
    finally:
        gate.__exit__(None, None, None)


class _AbortedError(Exception):
    pass


class _Context:
    """What our handler says to gRPC, kept until the sabotage has seen it."""

    def __init__(self, context):
        self._context = context
        self.code, self.message, self.details = "OK", "", b""

    def set_trailing_metadata(self, pairs):
        self.details = dict(pairs).get(DETAILS_KEY, b"")

    def set_compression(self, compression):
        self._context.set_compression(compression)

    def abort(self, code, message):
        self.code, self.message = code.name, message
        raise _AbortedError


def _conclude(answer, recorded, context):
    if answer.ok:
        return answer.body
    context.set_trailing_metadata(((DETAILS_KEY, answer.details),))
    return context.abort(getattr(grpc.StatusCode, answer.status), recorded.message)


class Gate:
    """Holds requests until so many are inside at once, or a moment has passed; remembers the most."""

    def __init__(self, wanted, patience_s=0.1):
        self.wanted, self.patience_s = wanted, patience_s
        self.inside = self.most = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def __call__(self):
        with self._changed:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self.wanted, self.patience_s)
        try:
            yield
        finally:
            with self._changed:
                self.inside -= 1
