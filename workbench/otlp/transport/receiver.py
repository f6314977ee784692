"""`Receiver`: OTLP over HTTP and gRPC into this process, for a cell, a test, or a policy that is being tried.

Both servers run in background threads from the moment of construction, and end with `close`, with the
``with`` block, or with the interpreter.
"""

import weakref
from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Self, cast

from workbench import display
from workbench.otlp.logs import Logs
from workbench.otlp.metrics import Metrics
from workbench.otlp.profiles import Profiles
from workbench.otlp.traces import Traces
from workbench.otlp.transport._faults import Fault, FaultScript, fault_script
from workbench.otlp.transport._memory import Memory
from workbench.otlp.transport._payload import prepare
from workbench.otlp.transport._servers import Servers, checked_limits
from workbench.otlp.transport._services import MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES
from workbench.otlp.transport.errors import ReceiverClosedError

__all__ = ["Receiver"]


class Receiver:
    """Receives OTLP over HTTP (protobuf and JSON on one port) and gRPC, and shows what came as telemetry.

    Parameters
    ----------
    host : str
        Where to listen; only this machine reaches the default.
    http_port, grpc_port : int
        0 is any free port; OTLP's own are 4318 and 4317.
    faults : sequence of faults, or function (signal, number) -> fault or None
        What happens to requests instead of a good answer, in order, one a request; see
        `workbench.otlp.transport._faults`. `Faulty` plays them at a rate.
    max_request_bytes : int
        A request may be so large after decompression; more is refused with 413 or RESOURCE_EXHAUSTED.
    max_response_bytes : int
        Responses are kept below this; error messages are shortened for it.
    max_concurrent_requests : int
        Requests beyond so many at once are told to come back later.

    Attributes
    ----------
    http_endpoint : str
        ``http://127.0.0.1:40321``, the base that exporters append ``/v1/traces`` to.
    grpc_endpoint : str
        ``127.0.0.1:40322``

    Raises
    ------
    EndpointError
        When nothing can be bound there.

    Notes
    -----
    gzip is taken over both protocols, zstd over HTTP only: gRPC's core knows no zstd, nor does OTLP.

    Examples
    --------
    >>> from workbench import otlp
    >>> with otlp.Receiver() as receiver, otlp.Exporter(receiver.http_endpoint) as exporter:
    ...     exporter.export(b"", signal="traces")
    ...     receiver.traces
    0
    Traces: 0 spans
    """

    _servers: type[Servers] = Servers

    def __init__(  # noqa: PLR0913 (each has a default that is right for a cell)
        self,
        host: str = "127.0.0.1",
        http_port: int = 0,
        grpc_port: int = 0,
        *,
        faults: Iterable[Fault | None] | FaultScript = (),
        max_request_bytes: int = MAX_REQUEST_BYTES,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        max_concurrent_requests: int = 256,
    ) -> None:
        limits = checked_limits(max_request_bytes, max_response_bytes, max_concurrent_requests)
        prepare()
        self._memory = Memory()
        script = fault_script(faults)
        with ExitStack() as undoing:
            servers = self._servers(self._memory, host, http_port, grpc_port, limits, script)
            undoing.callback(servers.close, 0)
            self.http_endpoint = servers.http_endpoint
            self.grpc_endpoint = servers.grpc_endpoint
            self._close = weakref.finalize(self, servers.close)
            undoing.pop_all()

    @property
    def traces(self) -> Traces:
        """The spans accepted until now, as an immutable snapshot."""
        return cast("Traces", self._memory.telemetry("traces"))

    @property
    def metrics(self) -> Metrics:
        """The metrics accepted until now, as an immutable snapshot."""
        return cast("Metrics", self._memory.telemetry("metrics"))

    @property
    def logs(self) -> Logs:
        """The log records accepted until now, as an immutable snapshot."""
        return cast("Logs", self._memory.telemetry("logs"))

    @property
    def profiles(self) -> Profiles:
        """The profiles accepted until now, as an immutable snapshot."""
        return cast("Profiles", self._memory.telemetry("profiles"))

    def wait_for(self, n: int, timeout_s: float = 5.0) -> Self:
        """Return when at least n records have been accepted since the start or the last `clear`.

        Records are what OTLP counts, over all signals: spans, metric data points, log records and profiles.

        Raises
        ------
        WaitTimeoutError
            When fewer came; it says how many did.
        ReceiverClosedError
            When none can come any more.
        """
        if not self._close.alive and self._records() < n:
            msg = f"the receiver has shut down with {self._records():,} of {n:,} records"
            raise ReceiverClosedError(msg)
        self._memory.wait_for(n, timeout_s)
        return self

    def _records(self) -> int:
        return sum(records for _, records, _ in self._memory.counts().values())

    def clear(self) -> None:
        """Forget what was received; snapshots taken before stay as they are."""
        self._memory.clear()

    def close(self) -> None:
        """Take no more, finish what is under way, and free ports and threads.

        A second time does nothing, or finishes what was interrupted. In a forked process nothing is closed.
        """
        left = self._close.peek()
        if left is not None:
            _, close_servers, arguments, options = left
            close_servers(*arguments, **options)
            self._close.detach()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        counts = self._memory.counts()
        facts = [f"{records:,} {signal}" for signal, (_, records, _) in counts.items() if records]
        state = "" if self._close.alive else ", closed"
        received = ", ".join(facts) or "nothing received"
        return f"Receiver: {self.http_endpoint}, grpc {self.grpc_endpoint}, {received}{state}"

    def _repr_html_(self) -> str:
        rows = [[signal, *numbers] for signal, numbers in self._memory.counts().items()]
        title = f"Receiver: {self.http_endpoint}, grpc {self.grpc_endpoint}"
        columns = ["signal", "requests", "records", "rejected"]
        return display.table(columns, rows, title=title)._repr_html_()
