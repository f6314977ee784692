"""`FanOut`: the same telemetry to several servers, each at its own pace.

Every destination has its own queue, acknowledgements and retries, and the queues refer to one immutable
request. So none holds up another, but where an exporter waits for room (``when_full="wait"``): `export` then
waits for it, and gives the others nothing meanwhile.
Source: OTLP specification, "Multi-Destination Exporting".
"""

from concurrent.futures import wait
from types import TracebackType
from typing import Self

from workbench.otlp.transport._payload import as_requests
from workbench.otlp.transport._services import ServiceName
from workbench.otlp.transport._statistics import ExportStats
from workbench.otlp.transport._workers import DaemonPool
from workbench.otlp.transport.errors import ConfigurationError
from workbench.otlp.transport.exporter import EXIT_DEADLINE_S, Exporter

__all__ = ["FanOut"]


class FanOut:
    """Exporters that are given the same telemetry; it owns them, and shuts them down."""

    def __init__(self, *exporters: Exporter) -> None:
        if not exporters:
            msg = "expected one exporter at least"
            raise ConfigurationError(msg)
        self.exporters = exporters

    def export(self, telemetry: object, *, signal: ServiceName | None = None) -> tuple[int, ...]:
        """Queue telemetry for each destination; see `Exporter.export`.

        An exporter whose queue is full drops by default. One that was made to wait for room instead holds up
        this call, and what the others have not been given yet.

        Raises
        ------
        ExporterClosedError
            When one of them has been shut down; the others have been given nothing then, unless it was in the
            middle of this call.
        """
        for exporter in self.exporters:
            exporter.check_open()
        signal, bodies = as_requests(telemetry, signal)
        accepted = [0] * len(self.exporters)
        for body in bodies:
            for at, exporter in enumerate(self.exporters):
                accepted[at] += exporter.export(body, signal=signal)
        return tuple(accepted)

    def flush(self, deadline_s: float = 30.0) -> bool:
        """Send what waits, everywhere at once, and tell whether all was settled before the deadline."""
        return self._everywhere("flush", deadline_s)

    def shutdown(self, deadline_s: float = 30.0) -> bool:
        """Shut all down at once; see `Exporter.shutdown`."""
        return self._everywhere("shutdown", deadline_s)

    def _everywhere(self, method: str, deadline_s: float) -> bool:
        pool = DaemonPool(len(self.exporters), "otlp-fan-out")
        try:
            asked = [pool.submit(getattr(exporter, method), deadline_s) for exporter in self.exporters]
            wait(asked)
        except BaseException:
            pool.shutdown(wait=False)
            raise
        pool.shutdown()
        settled = [one.result() for one in asked]
        return all(settled)

    @property
    def stats(self) -> tuple[ExportStats, ...]:
        """What became of everything, for each destination."""
        return tuple(exporter.stats for exporter in self.exporters)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown(0.0 if kind is KeyboardInterrupt else EXIT_DEADLINE_S)

    def __repr__(self) -> str:
        return f"FanOut: {list(self.exporters)}"
