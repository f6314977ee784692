"""Two sets of traces side by side: one numbering of operations, call paths and traces for both.

The trace is the unit of comparison: spans of one trace depend on each other, traces much less.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.kernels import find_rows
from workbench.otlp.analysis._call_paths import CallPaths, call_paths
from workbench.otlp.analysis._critical_path import critical_walk, self_time
from workbench.otlp.analysis._identity import has_parent_id, id_words
from workbench.otlp.analysis._operations import Operations, number_operations

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = ["PerTrace", "Pooled"]

Rows = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
MS = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class PerTrace:
    """The spans of one group (operation, call path) in one trace, a row each; in order of group and trace.

    Attributes
    ----------
    group, trace, spans : (m,) int64
        Number of the group, of the trace, and how many spans.
    of_span : (n,) int64
        Row of each span.
    """

    group: Rows
    trace: Rows
    spans: Rows
    of_span: Rows
    traces: int

    @classmethod
    def of(cls, group: Rows, trace: Rows, traces: int) -> "PerTrace":
        """Bring the spans together."""
        present, of_span, spans = np.unique(
            group * max(traces, 1) + trace, return_inverse=True, return_counts=True
        )
        return cls(present // max(traces, 1), present % max(traces, 1), spans, of_span, traces)

    def sum(self, amounts: npt.NDArray[np.generic]) -> Floats:
        """Return the sum of an amount of each span by row, `(m,) float64`."""
        return np.bincount(self.of_span, amounts, len(self.group)).astype(np.float64, copy=False)

    def find(self, group: Rows, trace: Rows) -> Rows:
        """Return the rows of pairs that are there."""
        keys = self.group * max(self.traces, 1) + self.trace
        return np.searchsorted(keys, group * max(self.traces, 1) + trace)


class Pooled:
    """The spans of two sets of traces, those before first; arrays as in `SpanStructure`."""

    def __init__(self, before: "Traces", after: "Traces") -> None:
        self.sets = (before, after)
        first, second = before.structure, after.structure
        self.spans = (len(before), len(after))
        self.count = (len(first.root), len(second.root))  # traces
        self.start = np.concatenate([first.start, second.start])
        self.duration = np.maximum(np.concatenate([first.duration, second.duration]), 0)
        self.parent = np.concatenate(
            [first.parent, np.where(second.parent >= 0, second.parent + len(before), -1)]
        )
        self.trace = np.concatenate([first.trace, second.trace + self.count[0]])
        self.root = np.concatenate([first.root, second.root + len(before)])
        self.error = np.concatenate([first.error, second.error])
        self.late_trace = np.arange(sum(self.count)) >= self.count[0]
        self.operations: Operations = number_operations([before, after])

    @cached_property
    def late(self) -> Marks:
        """Whether each span belongs to the traces after."""
        return np.arange(len(self.parent)) >= self.spans[0]

    @cached_property
    def self_ms(self) -> Floats:
        """Self time of each span."""
        return self_time(self.start, self.start + self.duration, self.parent) / MS

    @cached_property
    def critical_ms(self) -> Floats:
        """Critical time of each span."""
        walk = critical_walk(self.start, self.start + self.duration, self.parent, self.root)
        return walk.time / MS

    @cached_property
    def own_error(self) -> Marks:
        """Whether each span failed, and none of its children did: the error started here."""
        passed_on = np.zeros(len(self.error), np.bool_)
        passed_on[self.parent[self.error & (self.parent >= 0)]] = True
        return self.error & ~passed_on

    @cached_property
    def orphan(self) -> Marks:
        """Whether each span names a parent that is not there."""
        named = np.concatenate([has_parent_id(traces) for traces in self.sets])
        return named & (self.parent < 0)

    @cached_property
    def paths(self) -> CallPaths:
        """The call tree of both sets."""
        return call_paths(self.parent, self.operations.of_span, self.orphan)

    @cached_property
    def by_operation(self) -> PerTrace:
        """The spans of each operation in each trace."""
        return PerTrace.of(self.operations.of_span, self.trace, sum(self.count))

    @cached_property
    def by_path(self) -> PerTrace:
        """The spans of each call path in each trace."""
        return PerTrace.of(self.paths.of_span, self.trace, sum(self.count))

    @cached_property
    def latency_ms(self) -> Floats:
        """Duration of each trace's root."""
        return self.duration[self.root] / MS

    @cached_property
    def shared(self) -> int:
        """How many traces, by id, are in both sets."""
        first, second = (id_words(traces, "trace_id")[traces.structure.root] for traces in self.sets)
        return int((find_rows(first, second) >= 0).sum())

    def split(
        self, amounts: npt.NDArray[np.generic], group: Rows, late: Marks, size: int
    ) -> tuple[Floats, Floats]:
        """Return the sums of an amount by group, before and after."""
        both = np.bincount(group + size * late, amounts, 2 * size).astype(np.float64, copy=False)
        return both[:size], both[size:]

    def counts(self, group: Rows, late: Marks, size: int) -> tuple[Rows, Rows]:
        """Return how many rows each group has, before and after."""
        both = np.bincount(group + size * late, minlength=2 * size)
        return both[:size], both[size:]
