"""What a tail sampler holds in memory while spans arrive, and when each trace is due for its decision.

A trace enters with its first span. With N = max(1, decision_wait) batches and a tick every second, a trace
whose first span arrives in [k, k + 1) s is decided at the tick at k + N + 1 s; its root, arriving in the
second r, may bring that forward to r + R + 1. When a new trace finds `num_traces` in memory, the one that
entered first leaves, decided or not. A decided trace stays, without its spans, until it is pushed out, or
leaves at once where a cache remembers its decision.

Source: OpenTelemetry Collector Contrib, ``processor/tailsamplingprocessor`` (``processor.go``,
``id_batcher.go``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.otlp.sampling import _kernel_memory as kernels

if TYPE_CHECKING:
    from workbench.otlp.sampling.tail import TailSampler

__all__ = ["Arrivals", "Memory"]

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The spans of a recording as they reach the sampler.

    Attributes
    ----------
    trace : (n,) int64
        Number of each span's trace.
    time_ns : (n,) int64
    size_bytes : (n,) int64
    is_root : (n,) bool
        Whether the span names no parent.
    order : (n,) int64
        Rows by time of arrival.
    by_trace : (n,) int64
        Rows by trace, each trace's by time of arrival.
    first : (traces,) int64
        Where each trace begins in `by_trace`.
    """

    trace: Rows
    time_ns: Rows
    size_bytes: Rows
    is_root: Mask
    order: Rows
    by_trace: Rows
    first: Rows

    @classmethod
    def of(cls, trace: Rows, time_ns: Rows, size_bytes: Rows, is_root: Mask) -> "Arrivals":
        """Sort spans by arrival; those that arrive together keep their order."""
        order = np.argsort(time_ns, kind="stable")
        by_trace = order[np.argsort(trace[order], kind="stable")]
        first = np.searchsorted(trace[by_trace], np.arange(int(trace.max(initial=-1)) + 1))
        return cls(trace, time_ns, size_bytes, is_root, order, by_trace, first.astype(np.int64))

    @property
    def origin_ns(self) -> int:
        """When the first span arrives: the sampler's clock starts here."""
        return int(self.time_ns[self.order[0]])


class Memory:
    """The memory of one run: spans go in by `run`, which yields the ticks at which traces are due."""

    def __init__(self, arrivals: Arrivals, sampler: "TailSampler") -> None:
        spans, count = len(arrivals.trace), len(arrivals.first)
        after_root_s = sampler.decision_wait_after_root_received_s
        self.arrivals = arrivals
        self.limits = np.array(
            [
                sampler.num_traces,
                max(1, int(sampler.decision_wait_s)),
                int(after_root_s) if after_root_s > 0 else -1,
                sampler.maximum_trace_size_bytes or 0,
            ],
            np.int64,
        )
        self.capacity = np.array(
            [0, sampler.decision_cache_sampled, sampler.decision_cache_non_sampled], np.int64
        )
        self.traces = np.zeros((count, 7), np.int64)
        self.traces[:, kernels.STATUS] = kernels.ABSENT
        self.traces[:, [kernels.DECISION, kernels.ENTRY]] = -1
        self.traces[:, kernels.FIRST_ROW] = arrivals.first
        self.links = np.full((3, 2, count + 1), count, np.int64)
        self.member, self.sizes = np.zeros((3, count), np.int64), np.zeros(3, np.int64)
        self.counts = np.zeros(5, np.int64)
        self.entries = np.zeros((spans, 3), np.int64)  # trace, batch, the trace's entry before
        self.evictions, self.oversized = np.zeros((spans, 4), np.int64), np.zeros((spans, 4), np.int64)
        self.fate, self.decision = np.zeros(spans, np.int8), np.full(spans, -1, np.int64)
        self.curve: list[tuple[int, int, int]] = []  # tick, traces and bytes in memory after it
        self._decided_entries = 0
        self._stops = sampler.drop_pending_traces_on_shutdown

    def run(self) -> Iterator[tuple[int, Rows]]:
        """Let all spans in, and yield each tick with the undecided traces due at it, until none waits.

        A sampler that stops with its last span yields only the ticks before it.
        """
        arrivals = self.arrivals
        seconds = (arrivals.time_ns[arrivals.order] - arrivals.origin_ns) // SECOND_NS
        at, tick = 0, 0
        while at < len(seconds) or (self._waiting().size and not self._stops):
            pending = self._waiting()
            upcoming = [int(pending.min())] if pending.size else []
            tick = min([*upcoming, *([int(seconds[at])] if at < len(seconds) else [])])
            after = int(np.searchsorted(seconds, tick, side="right"))
            self._arrive(at, after, tick)
            at = after
            if at == len(seconds) and self._stops:
                break
            yield tick, self._due(tick)
            self.curve.append(
                (tick, int(self.counts[kernels.IN_MEMORY]), int(self.counts[kernels.BYTES_HELD]))
            )

    def _arrive(self, first: int, after: int, tick: int) -> None:
        a = self.arrivals
        kernels.arrive(
            first, after, a.order, a.trace, a.time_ns, a.size_bytes, a.is_root, a.by_trace, tick,
            self.limits, self.capacity, self.traces, self.links, self.member, self.sizes, self.counts,
            self.entries, self.evictions, self.oversized, self.fate, self.decision,
        )  # fmt: skip

    def _waiting(self) -> Rows:
        """Return the batches of the entries that no tick has taken yet."""
        batches = self.entries[self._decided_entries : self.counts[kernels.ENTRIES], 1]
        return batches[batches >= 0]

    def _due(self, tick: int) -> Rows:
        """Return the traces that this tick takes and that are in memory, undecided, in order of entry."""
        window = self.entries[self._decided_entries : self.counts[kernels.ENTRIES]]
        taken = window[:, 1] == tick
        traces = window[taken, 0]
        window[taken, 1] = -1
        waiting = np.flatnonzero(window[:, 1] >= 0)
        self._decided_entries += int(waiting[0]) if waiting.size else len(window)
        due = np.unique(traces)
        due = due[self.traces[due, kernels.STATUS] == kernels.UNDECIDED]
        return due[np.argsort(self.traces[due, kernels.ENTRY])]

    def held(self, traces: Rows) -> tuple[Rows, Rows, Rows]:
        """Return where the spans held of some traces begin and end in `by_trace`, and their bytes."""
        found = self.traces[traces]
        begin = found[:, kernels.FIRST_ROW] + found[:, kernels.BEGIN]
        return begin, found[:, kernels.FIRST_ROW] + found[:, kernels.SEEN], found[:, kernels.BYTES].copy()

    def settle(self, traces: Rows, sampled: Mask, number: int) -> None:
        """Carry out decisions; they are numbered from `number`."""
        kernels.settle(
            traces, sampled, self.arrivals.by_trace, number, self.capacity, self.traces, self.links,
            self.member, self.sizes, self.counts, self.fate, self.decision,
        )  # fmt: skip
