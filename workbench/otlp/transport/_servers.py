"""An HTTP and a gRPC server in front of one sink, and the limits that both keep."""

import os
from contextlib import ExitStack

from workbench.otlp.transport._faults import FaultScript
from workbench.otlp.transport._grpc_server import GrpcRunner, Unary, unary_of
from workbench.otlp.transport._http_runner import Aborts, HttpRunner, listening_socket
from workbench.otlp.transport._http_server import AsgiApp, http_application
from workbench.otlp.transport._intake import Intake, Limits, Sink
from workbench.otlp.transport._services import MOST_BYTES
from workbench.otlp.transport.errors import ConfigurationError, EndpointError

__all__ = ["GRACE_S", "Servers", "checked_limits"]

GRACE_S = 5.0
MOST_PORT = (1 << 16) - 1


class Servers:
    """An HTTP and a gRPC server in front of one sink."""

    def __init__(  # noqa: PLR0913 (what Receiver and DurableReceiver gathered)
        self, sink: Sink, host: str, http_port: int, grpc_port: int, limits: Limits, faults: FaultScript
    ) -> None:
        _check_ports(http_port=http_port, grpc_port=grpc_port)
        self._process = os.getpid()
        with ExitStack() as undoing:
            bound = listening_socket(host, http_port)
            undoing.callback(bound.close)
            self.intake = Intake(sink, faults, limits)
            undoing.callback(self.intake.close)
            self._grpc = GrpcRunner(self.grpc_handler(), host, grpc_port, limits)
            undoing.callback(self._grpc.close, 0)
            self._http = HttpRunner(self.http_application, bound)
            undoing.callback(self._http.close, 0)
            shown = f"[{host}]" if ":" in host else host
            self.http_endpoint = f"http://{shown}:{self._http.address[1]}"
            self.grpc_endpoint = f"{shown}:{self._grpc.port}"
            undoing.pop_all()

    def http_application(self, aborts: Aborts) -> AsgiApp:
        """Return what answers HTTP."""
        return http_application(self.intake, aborts)

    def grpc_handler(self) -> Unary:
        """Return what answers gRPC."""
        return unary_of(self.intake)

    def close(self, grace_s: float = GRACE_S) -> None:
        """Take no more, finish what is under way, and free ports and threads.

        An interrupt ends only the step it comes in, and a second call finishes what is left. A forked process
        has none of the threads: nothing ends there.
        """
        if os.getpid() != self._process:
            return
        self.intake.closing.set()
        with ExitStack() as ending:
            ending.callback(self.intake.close)
            ending.callback(self._grpc.close, grace_s)
            ending.callback(self._http.close, grace_s)


def checked_limits(request_bytes: int, response_bytes: int, requests_at_once: int) -> Limits:
    """Return the limits, or say which one is none."""
    named = {
        "max_request_bytes": request_bytes,
        "max_response_bytes": response_bytes,
        "max_concurrent_requests": requests_at_once,
    }
    for name, value in named.items():
        if not 1 <= value <= MOST_BYTES:
            msg = f"{name} must be from 1 to {MOST_BYTES:,}, got {value:,}"
            raise ConfigurationError(msg)
    return Limits(request_bytes, response_bytes, requests_at_once)


def _check_ports(**named: int) -> None:
    for name, port in named.items():
        if not 0 <= port <= MOST_PORT:  # the system would take what is left of it in 16 bits
            msg = f"{name} must be from 0 (any free one) to {MOST_PORT}, got {port}"
            raise EndpointError(msg)
