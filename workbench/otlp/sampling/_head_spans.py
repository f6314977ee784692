"""The spans of a recording while head samplers decide about them, and what is kept of them then."""

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.otlp.sampling._columns import (
    NONE,
    TraceStates,
    is_root,
    low_words,
    randomness,
    resource_ids,
    with_trace_states,
)
from workbench.otlp.sampling._kernel_sampling import depths
from workbench.otlp.sampling.sampled import Sampled, adjusted_counts, period_s
from workbench.otlp.sampling.tracestate import MAX_ADJUSTED_COUNT

if TYPE_CHECKING:
    from workbench.otlp.sampling.tracestate import OtelTraceState
    from workbench.otlp.traces import Traces

__all__ = ["CERTAIN", "LOW_WORD", "RANDOMNESS", "UNKNOWN", "UNSAMPLED", "Spans", "kept_spans"]

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

HAS_IS_REMOTE, IS_REMOTE = 0x100, 0x200  # of a span's flags
UNSAMPLED = MAX_ADJUSTED_COUNT
CERTAIN, LOW_WORD, RANDOMNESS, UNKNOWN = 0, 1, 2, 3  # what a probability is about


class Spans:
    """The spans of a recording while samplers decide about them, parents first.

    Attributes
    ----------
    sampled : (n,) bool
    threshold : (n,) int64
        The T to write on a sampled span; NONE erases it, KEEP leaves what is there.
    probability : (n,) float64
        With which the span is sampled; NaN where that is unknown.
    source : (n,) int64
        What that probability is about: nothing random, the trace id's last 8 bytes, or R.
    """

    KEEP = -2

    def __init__(self, traces: "Traces") -> None:
        self.traces = traces
        self.parent: Rows = traces.structure.parent
        self.sampled = np.zeros(len(traces), bool)
        self.threshold = np.full(len(traces), self.KEEP, np.int64)
        self.probability = np.ones(len(traces))
        self.source = np.full(len(traces), CERTAIN, np.int64)

    @cached_property
    def states(self) -> TraceStates:
        """The tracestates as recorded."""
        return TraceStates.of(self.traces)

    @cached_property
    def recorded_threshold(self) -> Rows:
        """T as recorded, NONE where there is none."""
        return self.states.threshold

    @cached_property
    def randomness(self) -> Rows:
        """R of each span."""
        return randomness(self.traces, self.states)

    @cached_property
    def low_word(self) -> npt.NDArray[np.uint64]:
        """The last 8 bytes of the trace id."""
        return low_words(self.traces)

    @cached_property
    def has_parent(self) -> Mask:
        """Whether the span names a parent, recorded or not."""
        return ~is_root(self.traces)

    @cached_property
    def is_remote(self) -> Mask:
        """Whether the parent came from another process: by the span's flags, else by its resource."""
        flags = self.traces.spans["flags"].fill_null(0).to_numpy()
        resource = _resource_codes(self.traces)
        elsewhere = (self.parent < 0) | (resource[self.parent] != resource)
        return np.where((flags & HAS_IS_REMOTE) != 0, (flags & IS_REMOTE) != 0, elsewhere)

    def parent_sampled(self, rows: Rows) -> Mask:
        """Tell whether the parents of some spans were sampled; unrecorded ones count as sampled."""
        above = self.parent[rows]
        return (above < 0) | self.sampled[above]

    def decide(self, rows: Rows, sampled: Mask, probability: float, source: int) -> None:
        """Write a decision that leaves the tracestate as the parent handed it down."""
        self.sampled[rows], self.probability[rows], self.source[rows] = sampled, probability, source
        above = self.parent[rows]
        inherited = np.where(above < 0, self.KEEP, self.threshold[above])
        self.threshold[rows] = np.where(inherited == UNSAMPLED, NONE, inherited)

    def levels(self) -> Iterator[Rows]:
        """Yield the rows of each depth, roots first."""
        depth = np.full(len(self.parent), -1, np.int64)
        depths(np.ascontiguousarray(self.parent).copy(), depth)
        order = np.argsort(depth, kind="stable")
        bounds = np.searchsorted(depth[order], np.arange(1, int(depth.max(initial=-1)) + 1))
        yield from np.split(order, bounds)


def _resource_codes(traces: "Traces") -> Rows:
    """Return numbers that are equal where service and instance are; without names, where the resource is."""
    names = [traces[key].cast("string").fill_null("") for key in _IDENTITY if key in traces]
    if not names:
        return resource_ids(traces)
    codes = np.zeros(len(traces), np.int64)
    for column in names:
        encoded = column.combine_chunks().dictionary_encode()
        codes = codes * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy()
    return codes


_IDENTITY = ("service.namespace", "service.name", "service.instance.id")


def kept_spans(spans: Spans) -> Sampled:
    """Return the sampled spans with the thresholds that were decided for them."""
    traces, sampled = spans.traces, spans.sampled
    before = adjusted_counts(traces)[sampled]
    result = traces
    if (spans.threshold[sampled] != Spans.KEEP).any():
        key = np.where(sampled, spans.threshold, Spans.KEEP)
        result = with_trace_states(traces, spans.states, key, _rethresholded)
    written = spans.threshold[sampled]
    counts = np.where(written == Spans.KEEP, before, 1.0) / spans.probability[sampled]
    return Sampled(result.filter(sampled), counts, len(traces), len(traces.structure.root), period_s(traces))


def _rethresholded(state: "OtelTraceState", threshold: int) -> "OtelTraceState":
    if threshold == Spans.KEEP:
        return state
    return state.with_threshold(None if threshold == NONE else threshold)
