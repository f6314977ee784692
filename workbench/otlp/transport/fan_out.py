"""`FanOut`: the same telemetry to several servers, each at its own pace.

Every destination has its own queue, acknowledgements and retries, so that none holds up another; the queues
refer to one immutable request. Source: OTLP specification, "Multi-Destination Exporting".
"""

import threading
from types import TracebackType
from typing import Self

from workbench.otlp.transport._payload import as_requests
from workbench.otlp.transport._services import ServiceName
from workbench.otlp.transport._statistics import ExportStats
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
        """Queue telemetry for each destination; see `Exporter.export`."""
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
        settled = [False] * len(self.exporters)

        def one(at: int) -> None:
            settled[at] = getattr(self.exporters[at], method)(deadline_s)

        threads = [threading.Thread(target=one, args=(at,)) for at in range(len(settled))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
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
