"""`Logs`: log records and what they belong to."""

from collections.abc import Iterator
from typing import ClassVar, Self

import pyarrow as pa
import pyarrow.compute as pc

from workbench import display
from workbench.otlp._instants import Instant
from workbench.otlp._schema import Signal
from workbench.otlp.telemetry import Telemetry

__all__ = ["Logs"]

SEVERITIES = ("UNSPECIFIED", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")  # every four numbers a name


class Logs(Telemetry):
    """Immutable log records with their attributes, resources and scopes.

    ``logs["body"]``, ``logs["severity_text"]`` and ``logs["service.name"]`` are columns; ``logs.trace(id)``
    and ``logs.between(start, end)`` are Logs again.
    """

    __slots__ = ()
    signal: ClassVar[Signal] = "logs"

    def trace(self, trace_id: str | bytes) -> Self:
        """Return the records written within one trace (32 hexadecimal digits or 16 bytes); maybe none.

        Raises
        ------
        TraceIdError
            When it is not a trace id.
        """
        return self._with_trace_id(trace_id)

    def between(self, start: Instant | None = None, end: Instant | None = None) -> Self:
        """Return the records of ``[start, end)``, by the time of the event, else the time it was observed."""
        return self._between(self._times(), start, end)

    def _times(self) -> pa.ChunkedArray:
        event = self.records["time_unix_nano"]
        unset = pc.equal(event.cast(pa.int64()), 0)
        return pc.if_else(unset, self.records["observed_time_unix_nano"], event)

    def _facts(self) -> Iterator[str]:
        yield display.plural(len(self), "log record")
        for name, count in self._severities():
            yield f"{count:,} {name}"

    def _severities(self) -> list[tuple[str, int]]:
        counts = dict.fromkeys(SEVERITIES, 0)
        for number in self.records["severity_number"].to_pylist():
            counts[SEVERITIES[min((max(number, 0) + 3) // 4, len(SEVERITIES) - 1)]] += 1
        return [(name, count) for name, count in counts.items() if count]

    def _summary(self) -> display.Table:
        return display.table(["severity", "records"], self._severities(), title=repr(self))
