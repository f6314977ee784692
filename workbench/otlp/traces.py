"""`Traces`: spans, what they belong to, and the first questions that one asks of them."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import display
from workbench.otlp._instants import Instant
from workbench.otlp._schema import Signal
from workbench.otlp.analysis._critical_path import critical_path
from workbench.otlp.analysis._latency import draw_latency
from workbench.otlp.analysis._service_map import ServiceMap, map_services, tabulate_services
from workbench.otlp.analysis._structure import SpanStructure
from workbench.otlp.errors import TraceIdError
from workbench.otlp.telemetry import Telemetry

__all__ = ["Traces"]

Rows = npt.NDArray[np.int64]


class Traces(Telemetry):
    """Immutable spans with their events, links, resources and scopes.

    ``traces["http.route"]`` is a column, ``traces.filter(mask)``, ``.trace(id)``, ``.between(start, end)``
    and ``.slowest(n)`` are Traces again, ``.services()`` and ``.service_map()`` summarize, ``.timeline(id)``
    draws.
    """

    __slots__ = ("_structure",)
    signal: ClassVar[Signal] = "traces"

    @property
    def spans(self) -> pa.Table:
        """The table of spans; attributes, events and links are in `tables`."""
        return self.records

    @property
    def structure(self) -> SpanStructure:
        """Parents, entry spans, roots and own times, as arrays aligned with the spans."""
        if not hasattr(self, "_structure"):
            object.__setattr__(self, "_structure", SpanStructure(self))
        found: SpanStructure = self._structure  # type: ignore[attr-defined]
        return found

    def trace(self, trace_id: str | bytes) -> Self:
        """Return the spans of one trace; none, where it was not recorded.

        Parameters
        ----------
        trace_id : 32 hexadecimal digits or 16 bytes

        Raises
        ------
        TraceIdError
            When it is neither.
        """
        return self._with_trace_id(trace_id)

    def between(self, start: Instant | None = None, end: Instant | None = None) -> Self:
        """Return the spans that start in ``[start, end)``; None leaves that side open.

        Times are datetimes, ISO 8601 text or nanoseconds since the epoch; without a zone they are UTC.
        """
        return self._between(self.spans["start_time_unix_nano"], start, end)

    def slowest(self, n: int = 10) -> Self:
        """Return the n traces whose root lasted longest, longest first.

        All their spans are there, each trace's root before the rest. A trace's root is its longest span
        without a parent among these spans; a span without a start lasts no time.
        """
        if n < 0:
            msg = f"n must be zero or more, got {n}"
            raise ValueError(msg)
        structure = self.structure
        longest = np.argsort(-structure.duration[structure.root], kind="stable")[:n]
        rank = np.full(len(structure.root), -1, np.int64)
        rank[longest] = np.arange(len(longest))
        return self._take(_in_order(structure, rank))

    def roots(self) -> Self:
        """Return the root span of each trace, in order of their rows."""
        return self._take(np.sort(self.structure.root))

    def started(self) -> Self:
        """Return the spans that say when they started: those whose start time is not zero, which is unset."""
        is_started = self.structure.is_started
        return self if is_started.all() else self.filter(is_started)

    def services(self) -> pa.Table:
        """Return a table of service, spans and errors (spans with status ERROR); most spans first."""
        return tabulate_services(self.structure)

    def service_map(self) -> ServiceMap:
        """Return which service called which, how often, how slowly and with how many errors."""
        return map_services(self.structure)

    def latency_heatmap(
        self, *, bin_s: float | None = None, marks: Sequence[tuple[float, float, str]] = ()
    ) -> display.Picture:
        """Draw how long these spans lasted (logarithmic) over when they started.

        Parameters
        ----------
        bin_s : float, optional
            Width of a column, seconds; by default the least of 1, 2, 5, 10, ... for 240 columns at most.
        marks : sequence of (from_s, to_s, text)
            Windows to outline, in seconds since the first span.

        Raises
        ------
        BinError
            When bins are not positive, or there would be more than a million.
        """
        return draw_latency(self.started().structure, bin_s, marks)

    def timeline(self, trace_id: str | bytes) -> display.Picture:
        """Draw one trace as a waterfall, errors and the critical path marked.

        A span without a start stands at the trace's beginning, and on no critical path.

        Raises
        ------
        TraceIdError
            When it is no trace id, or no trace of these.
        """
        trace = self.trace(trace_id)
        if not len(trace):
            shown = trace_id if isinstance(trace_id, str) else bytes(trace_id).hex()
            msg = f"no span of trace {shown} among these {len(self):,} spans"
            raise TraceIdError(msg)
        return _draw(trace)

    def _times(self) -> pa.ChunkedArray:
        starts, ends = self["start_time_unix_nano"], self["end_time_unix_nano"]
        return pa.chunked_array([*starts.chunks, *ends.chunks], starts.type)

    def _facts(self) -> Iterator[str]:
        yield display.plural(len(self), "span")
        if len(self):
            structure = self.structure
            yield display.plural(len(structure.root), "trace")
            yield display.plural(len(structure.services), "service")
            yield display.plural(int(structure.error.sum()), "error")
            yield from _period(structure)

    def _summary(self) -> display.Table:
        services = self.services()
        rows = zip(*(services[name].to_pylist() for name in services.column_names), strict=True)
        return display.table(services.column_names, list(rows), title=repr(self))


def _in_order(structure: SpanStructure, rank: Rows) -> Rows:
    """Return the rows of the ranked traces: by rank, the root first, then by start."""
    of_span = rank[structure.trace]
    rows = np.flatnonzero(of_span >= 0)
    is_root = np.isin(rows, structure.root)
    return rows[np.lexsort((structure.start[rows], ~is_root, of_span[rows]))]


def _draw(trace: Traces) -> display.Picture:
    structure = trace.structure
    services = [structure.services[number] for number in structure.service]
    start = _placed(structure)
    return display.timeline(
        start_ns=start,
        duration_ns=np.maximum(structure.duration, 0),
        parent=structure.parent,
        label=trace.spans["name"].to_pylist(),
        group=services,
        error=structure.error,
        critical=critical_path(start, start + structure.duration, structure.parent) & structure.is_started,
        title=f"Trace {trace.spans['trace_id'][0].as_py().hex()}",
    )


def _placed(structure: SpanStructure) -> Rows:
    """Return starts, those that are unset at the first that is not."""
    first = structure.start[structure.is_started].min(initial=np.iinfo(np.int64).max)
    return np.where(structure.is_started, structure.start, first)


def _period(structure: SpanStructure) -> Iterator[str]:
    """Yield how long the spans took and from when, if any says when it started."""
    started = structure.is_started
    if started.any():
        first, duration = structure.start[started].min(), np.maximum(structure.duration[started], 0)
        starts = structure.start[started].astype(np.float64)  # integers would overflow where a clock is wrong
        yield f"{((starts + duration).max() - starts.min()) / 1e9:.1f} s from {_clock(int(first))}"


def _clock(nanoseconds: int) -> str:
    return str(np.datetime64(nanoseconds // 10**9, "s")).replace("T", " ") + " UTC"
