"""`Exporter`: telemetry to an OTLP server, over HTTP or gRPC, batched, retried, and accounted for.

Records wait in a bounded queue; sending threads take batches from it. Whatever is not delivered is counted
by its reason. Source: OTLP specification; OpenTelemetry specification, "OpenTelemetry Protocol Exporter".
"""

import math
import os
import random
import threading
import weakref
from collections.abc import Mapping
from types import TracebackType
from typing import Literal, Self

from workbench.otlp.transport._clock import SYSTEM_CLOCK, Clock, end_of_wait_s
from workbench.otlp.transport._payload import as_requests, split
from workbench.otlp.transport._queue import Batch, Batching, BoundedQueue
from workbench.otlp.transport._retrying import RetryPolicy
from workbench.otlp.transport._sender import Client, Clients, Sender, Shared
from workbench.otlp.transport._services import (
    MAX_REQUEST_BYTES,
    MAX_RESPONSE_BYTES,
    MOST_BYTES,
    ServiceName,
)
from workbench.otlp.transport._settings import Options, Protocol, Target, resolve, without_secrets
from workbench.otlp.transport._statistics import ExportStats, StatsKeeper
from workbench.otlp.transport.errors import ConfigurationError, ExporterClosedError

__all__ = ["Exporter"]

EXIT_DEADLINE_S = 5.0
OPEN: "weakref.WeakSet[Exporter]" = weakref.WeakSet()


class Exporter:
    """Sends telemetry to an OTLP server.

    Options that are not given are those of the ``OTEL_EXPORTER_OTLP_*`` environment variables, or the
    specification's defaults.

    Parameters
    ----------
    endpoint : str, optional
        Base URL, which ``/v1/traces`` and so on are appended to; for gRPC a URL, ``host:port``, or what else
        its library takes, such as ``dns:///host:port`` and ``unix:/run/otlp.sock``. By default port 4318 of
        this machine, 4317 for gRPC.
    protocol : {"http/protobuf", "http/json", "grpc"}, optional
    headers : mapping of str to str, optional
    compression : {"none", "gzip", "zstd"}, optional
        zstd over HTTP only.
    timeout_s : float, optional
        Of one request; 10 s.
    certificate : path, optional
        Of the authority that signed the server's certificate.
    max_queue, max_queue_bytes : int
        What may wait: records, and bytes of protobuf.
    when_full : {"drop", "wait"}
        What `export` does when the queue is full: drop and count, or wait for room.
    max_batch_records, max_batch_bytes : int
        A request carries no more; larger ones are split. No request is over 64 MiB before compression.
    schedule_delay_s : float
        How long a record may wait for others before they are sent.
    max_concurrent_requests : int
        Requests under way at once, each on a connection of its own.
    retry : RetryPolicy
        Back-off, jitter, and how long it goes on.
    max_response_bytes : int
        Larger responses are discarded.
    rng : random.Random, optional
        For the jitter.
    clock : Clock, optional
        For delays; deadlines of `flush` and `shutdown` are the machine's time.

    Raises
    ------
    EndpointError, ConfigurationError
        When an option, or the variable behind it, has no meaning.

    Notes
    -----
    gRPC endpoints other than URLs are secure, unless they are on this machine or
    ``OTEL_EXPORTER_OTLP_INSECURE`` is true.

    A forked process has an exporter of its own, its queue empty and its counts zero: what waited is sent by
    its parent, once. gRPC's library does not survive a fork; use HTTP there.
    """

    def __init__(  # noqa: PLR0913 (the options of the specification)
        self,
        endpoint: str | None = None,
        *,
        protocol: Protocol | None = None,
        headers: Mapping[str, str] | None = None,
        compression: Literal["none", "gzip", "zstd"] | None = None,
        timeout_s: float | None = None,
        certificate: str | None = None,
        max_queue: int = 100_000,
        max_queue_bytes: int = 4 * MAX_REQUEST_BYTES,
        when_full: Literal["drop", "wait"] = "drop",
        max_batch_records: int = 8192,
        max_batch_bytes: int = MAX_REQUEST_BYTES,
        schedule_delay_s: float = 0.2,
        max_concurrent_requests: int = 1,
        retry: RetryPolicy | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        rng: random.Random | None = None,
        clock: Clock | None = None,
    ) -> None:
        options = Options(endpoint, protocol, headers, compression, timeout_s, certificate)
        self.targets = resolve(options)
        _check_positive(
            max_queue=max_queue,
            max_queue_bytes=max_queue_bytes,
            max_batch_records=max_batch_records,
            max_batch_bytes=max_batch_bytes,
            max_concurrent_requests=max_concurrent_requests,
        )
        _check_positive(MOST_BYTES, max_response_bytes=max_response_bytes)
        if (
            not schedule_delay_s >= 0
            or when_full not in ("drop", "wait")
            or max_batch_bytes > MAX_REQUEST_BYTES
        ):
            msg = (
                f"expected schedule_delay_s >= 0, when_full 'drop' or 'wait', max_batch_bytes up to "
                f"{MAX_REQUEST_BYTES:,}, got {schedule_delay_s}, {when_full!r}, {max_batch_bytes:,}"
            )
            raise ConfigurationError(msg)
        self._waits = when_full == "wait"
        self._batching = Batching(
            max_queue, max_queue_bytes, max_batch_records, max_batch_bytes, schedule_delay_s
        )
        self._clock = clock or SYSTEM_CLOCK
        self._policy = retry or RetryPolicy()
        self._rng = rng or random.Random()  # noqa: S311 (jitter is no secret)
        self._maker = _Maker(self.targets, self._clock, max_response_bytes, max_concurrent_requests)
        self._start(max_concurrent_requests)
        OPEN.add(self)

    def _start(self, senders: int) -> None:
        changed = threading.Condition()
        self._shared = Shared(
            BoundedQueue(self._batching, self._clock, changed),
            StatsKeeper(),
            self._clock,
            self._policy,
            self._rng,
            self._batching.batch_bytes,
            changed,
            Clients(self._maker),
        )
        self._senders = [Sender(self._shared, number) for number in range(senders)]
        self._end = weakref.finalize(self, _shut_down, self._shared, self._senders, EXIT_DEADLINE_S)
        try:
            for sender in self._senders:
                sender.start()
        except BaseException:
            self._end.detach()
            _shut_down(self._shared, [sender for sender in self._senders if sender.is_alive()], 0)
            raise

    def _start_anew(self) -> None:
        """Begin with an empty queue in a forked process, which has none of its parent's threads."""
        if self._end.detach() is not None:
            self._start(len(self._senders))

    def export(self, telemetry: object, *, signal: ServiceName | None = None) -> int:
        """Queue telemetry for sending, and return how many of its records found room.

        Parameters
        ----------
        telemetry : Traces, Metrics, Logs, an official OTLP message, or bytes
            Bytes are an ``Export*ServiceRequest`` in protobuf.
        signal : {"traces", "metrics", "logs", "profiles"}, optional
            What bytes are.

        Raises
        ------
        ExporterClosedError
            After `shutdown`.
        UnsupportedPayloadError
            When it is nothing that can be sent.
        MalformedError
            When bytes are no such request.
        """
        signal, bodies = as_requests(telemetry, signal)
        batching = self._batching
        accepted = 0
        for body in bodies:
            for part, records in split(signal, body, batching.batch_records, batching.batch_bytes):
                if records and self._put(Batch(signal, part, records)):
                    accepted += records
        return accepted

    def _put(self, batch: Batch) -> bool:
        shared = self._shared
        with shared.changed:
            self.check_open()
            while not shared.queue.has_room(batch.records, len(batch.body)):
                if not self._waits or not self._end.alive:
                    most = self._batching.queue_records
                    message = f"the queue holds {shared.queue.records:,} of {most:,} records"
                    shared.stats.given += batch.records
                    shared.stats.drop(batch.records, "queue_full", message)
                    return False
                shared.changed.wait()
            shared.stats.given += batch.records
            shared.queue.put(batch)
            return True

    def check_open(self) -> None:
        """Raise ExporterClosedError after `shutdown`."""
        if not self._end.alive:
            msg = "this exporter has been shut down: make another one"
            raise ExporterClosedError(msg)

    def flush(self, deadline_s: float = 30.0) -> bool:
        """Send what waits without waiting for more, and tell whether all was settled before the deadline.

        Settled is delivered, rejected or dropped: see `stats`.
        """
        shared, end_s = self._shared, end_of_wait_s("deadline_s", deadline_s)
        with shared.changed:
            shared.queue.flushing(+1)
            try:
                return _wait_until_settled(shared, end_s)
            finally:
                shared.queue.flushing(-1)

    def shutdown(self, deadline_s: float = 30.0) -> bool:
        """Take no more, send what waits, and after the deadline drop and count what is left.

        A deadline of zero does not wait. Returns whether all was settled before the deadline; a second call
        does nothing.
        """
        end_of_wait_s("deadline_s", deadline_s)  # refused before anything ends
        ended = self._end.detach()
        return True if ended is None else _shut_down(self._shared, self._senders, deadline_s)

    @property
    def stats(self) -> ExportStats:
        """What became of everything given to this exporter."""
        with self._shared.changed:
            return self._shared.stats.snapshot(self._shared.pending())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown(0.0 if kind is KeyboardInterrupt else EXIT_DEADLINE_S)

    def __repr__(self) -> str:
        target = self.targets["traces"]
        state = "" if self._end.alive else ", shut down"
        return f"Exporter: {target.protocol} to {without_secrets(target.url)}, {self.stats!r}{state}"

    def _repr_html_(self) -> str:
        return self.stats._repr_html_()


def _check_positive(most: float = math.inf, **named: int) -> None:
    for name, value in named.items():
        if not 1 <= value <= most:
            msg = f"{name} must be 1 or more{f', up to {most:,}' if most < math.inf else ''}, got {value:,}"
            raise ConfigurationError(msg)


class _Maker:
    """Makes clients, and imports of their libraries only the one that is needed."""

    def __init__(
        self, targets: Mapping[ServiceName, Target], clock: Clock, response_bytes: int, connections: int
    ) -> None:
        self._targets = targets
        self._clock = clock
        self._response_bytes = response_bytes
        self._connections = connections

    def __call__(self, signal: ServiceName) -> Client:
        target = self._targets[signal]
        if target.protocol == "grpc":
            from workbench.otlp.transport._grpc_client import GrpcClient  # noqa: PLC0415

            return GrpcClient(target, self._response_bytes)
        from workbench.otlp.transport._http_client import HttpClient  # noqa: PLC0415

        return HttpClient(target, self._clock, self._response_bytes, self._connections)


def _wait_until_settled(shared: Shared, end_s: float) -> bool:
    """Wait, holding the condition, until nothing is pending."""
    while shared.pending():
        left_s = end_s - SYSTEM_CLOCK.now_s()
        if left_s <= 0:
            return False
        SYSTEM_CLOCK.wait(shared.changed, left_s)
    return True


def _shut_down(shared: Shared, senders: list[Sender], deadline_s: float) -> bool:
    settled = False
    try:
        with shared.changed:
            shared.queue.close()
            settled = _wait_until_settled(shared, end_of_wait_s("deadline_s", deadline_s))
    finally:  # an interrupt ends it as the deadline does
        if not settled:
            _abandon(shared)
        shared.clients.close()
    for sender in senders:
        if settled:
            sender.join()
    return settled


def _abandon(shared: Shared) -> None:
    message = "the deadline of the shutdown passed before it was acknowledged"
    with shared.changed:
        for batch in shared.queue.drain():
            shared.stats.drop(batch.records, "shutdown", message)
        shared.stats.drop(shared.under_way, "shutdown", message)
        shared.under_way = 0
        shared.abandoned = True
        shared.changed.notify_all()


def _start_anew_after_fork() -> None:
    for exporter in list(OPEN):
        exporter._start_anew()  # noqa: SLF001 (its own module)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew_after_fork)
