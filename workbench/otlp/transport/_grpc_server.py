"""OTLP/gRPC on the official grpcio, whose core bounds messages while it decompresses them.

Messages pass as bytes, so that one decoder serves both transports. gRPC's core knows gzip and no zstd, as
OTLP does; a peer that insists on zstd is told so by the core. Source: OTLP specification, "OTLP/gRPC".
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NoReturn, cast

import grpc
from google.rpc.status_pb2 import Status as StatusMessage

from workbench.otlp.transport._clock import LONGEST_WAIT_S
from workbench.otlp.transport._faults import CODES, Fault, GzipBomb, Oversize, Reset, Slow, Status
from workbench.otlp.transport._intake import Intake, Limits, not_kept, success_of
from workbench.otlp.transport._outcome import (
    Failure,
    Reason,
    ResponseOverLimitError,
    Success,
    response_message,
    status_message,
)
from workbench.otlp.transport._payload import Accepted
from workbench.otlp.transport._services import SERVICES, Service
from workbench.otlp.transport._workers import DaemonPool
from workbench.otlp.transport.errors import EndpointError

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["GrpcRunner", "Unary", "unary_of"]

SPARE_WORKERS = 4  # they tell requests beyond the limit to come back, instead of letting them queue
BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}
DETAILS_KEY = "grpc-status-details-bin"
MAX_DETAILS_BYTES = 4096
MAX_TRAILER_BYTES = 7 << 10  # message and details as they are encoded; clients bound all headers to 8 KiB
PLAIN = frozenset(range(0x20, 0x7F)) - {ord("%")}  # gRPC over HTTP/2, "Percent-Encoded"
Unary = Callable[[Service, bytes, grpc.ServicerContext], bytes]


class GrpcRunner:
    """Serves the four services until `close`.

    grpcio begins and ends in a thread of ours, where no interrupt comes: it would leave a port behind.
    """

    def __init__(self, unary: Unary, host: str, port: int, limits: Limits) -> None:
        options = [
            ("grpc.max_receive_message_length", limits.request_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ]
        self._stopped: Future[None] | None = None
        with ExitStack() as undoing:
            self._pool = DaemonPool(limits.requests_at_once + SPARE_WORKERS, "otlp-grpc-receiver")
            undoing.callback(self._pool.shutdown)
            self._control = DaemonPool(1, "otlp-grpc-control")
            undoing.callback(self.close, 0)
            pool = cast("ThreadPoolExecutor", self._pool)  # grpcio only submits to it
            self._server = grpc.server(pool, handlers=[_Services(unary)], options=options)
            self.port = self._control.submit(self._begin, host, port).result()
            undoing.pop_all()

    def _begin(self, host: str, port: int) -> int:
        """Listen, and return the port."""
        shown = f"[{host}]" if ":" in host else host
        try:
            bound = self._server.add_insecure_port(f"{shown}:{port}")
        except RuntimeError as error:
            msg = f"cannot listen on {host}:{port}: {error}; another port, or 0 for any free one"
            raise EndpointError(msg) from error
        self._server.start()
        return bound

    def close(self, grace_s: float) -> None:
        """Stop listening, let requests under way finish for so long, and end the threads.

        An interrupt ends only the wait for it.
        """
        if self._stopped is None:
            self._stopped = self._control.submit(self._stop, grace_s)
        self._control.shutdown()
        self._stopped.result()

    def _stop(self, grace_s: float) -> None:
        try:
            self._server.stop(grace_s or None).wait()
        except RuntimeError:  # it listens no more, but gets no thread for the grace: the interpreter ends
            self._server.wait_for_termination(grace_s)
            self._server.stop(None).wait()
        finally:
            self._pool.shutdown()


class _Services(grpc.GenericRpcHandler):
    def __init__(self, unary: Unary) -> None:
        self._handlers = {service.method: _handler(unary, service) for service in SERVICES.values()}

    def service(self, handler_call_details: Any) -> Any:
        return self._handlers.get(handler_call_details.method)


def _handler(unary: Unary, service: Service) -> Any:
    def call(request: bytes, context: grpc.ServicerContext) -> bytes:
        return unary(service, request, context)

    return grpc.unary_unary_rpc_method_handler(call)


def unary_of(intake: Intake) -> Unary:
    """Return the handler of an intake."""

    def unary(service: Service, request: bytes, context: grpc.ServicerContext) -> bytes:
        if not intake.admission.enter():
            _abort(context, intake.busy(), intake)
        try:
            return _admitted(intake, service, request, context)
        finally:
            intake.admission.leave()

    return unary


def _admitted(intake: Intake, service: Service, request: bytes, context: grpc.ServicerContext) -> bytes:
    fault = intake.next_fault(service.signal)
    decided = intake.prepare(service.signal, request, "protobuf", fault)
    if isinstance(fault, Reset) and not (fault.kept and isinstance(decided, Accepted)):
        context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
    if isinstance(decided, Failure):
        _abort(context, decided, intake, CODES[fault.grpc] if isinstance(fault, Status) else None)
    _keep(intake, decided, context)
    if isinstance(fault, Reset):
        context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
    if isinstance(fault, Slow):
        intake.closing.wait(min(fault.seconds, LONGEST_WAIT_S))
    return _succeeded(intake, service, success_of(decided, fault), fault, context)


def _keep(intake: Intake, accepted: Accepted, context: grpc.ServicerContext) -> None:
    try:
        intake.keep(accepted).result()
    except OSError as error:
        _abort(context, not_kept(error), intake)


def _succeeded(
    intake: Intake, service: Service, success: Success, fault: Fault | None, context: grpc.ServicerContext
) -> bytes:
    limit = intake.limits.response_bytes
    if isinstance(fault, GzipBomb):
        context.set_compression(grpc.Compression.Gzip)
        success, limit = Success(0, "\0" * fault.inflated_bytes), 2 * fault.inflated_bytes
    if isinstance(fault, Oversize):
        success, limit = Success(0, "x" * fault.size_bytes), 2 * fault.size_bytes
    try:
        return response_message(service, success, limit)
    except ResponseOverLimitError as error:
        _abort(context, Failure(Reason.RESPONSE_TOO_LARGE, str(error)), intake)


def _abort(
    context: grpc.ServicerContext, failure: Failure, intake: Intake, code: grpc.StatusCode | None = None
) -> NoReturn:
    """End the call with a code; the details travel in the trailer that gRPC reserves for them."""
    code = code or BY_NUMBER[failure.reason.grpc]
    status = _bounded(failure, min(intake.limits.response_bytes, MAX_DETAILS_BYTES))
    status.code = code.value[0]
    context.set_trailing_metadata(((DETAILS_KEY, status.SerializeToString()),))
    context.abort(code, status.message)


def _bounded(failure: Failure, limit_bytes: int) -> StatusMessage:
    """Return a status that a client takes, whatever its message is made of."""
    status = status_message(failure, limit_bytes)
    return status if _trailer_bytes(status) <= MAX_TRAILER_BYTES else _bounded(failure, limit_bytes // 2)


def _trailer_bytes(status: StatusMessage) -> int:
    """Return what a status takes on the wire: its message percent-encoded, and all of it in base64."""
    message = sum(1 if byte in PLAIN else 3 for byte in status.message.encode())
    return message + 4 * -(-status.ByteSize() // 3)
