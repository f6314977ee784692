"""Head samplers: each span's fate as an SDK decides it when the span starts, applied to a recording.

With w the last 8 bytes of the trace id as a number, R the randomness and T the rejection threshold of 56
bits:

    TraceIdRatioBased(p)      w < round(p 2^64)
    ConsistentProbability(p)  R >= T(p)            writes ``ot=th:T`` and ignores what came before
    ParentThreshold(root)     R >= T of the parent, root's own decision for spans without one
    ParentBased(root, ...)    one of five samplers, by whether the parent is there, remote and sampled

A recording is taken for what an application would do unsampled: every span asks, parents before children, and
a child knows whether its parent was sampled.

Source: OpenTelemetry specification, "Tracing SDK" (Sampling) and "TraceState: Probability Sampling". The
first and the last decide exactly as `opentelemetry.sdk.trace.sampling`.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.otlp.sampling._columns import NONE
from workbench.otlp.sampling._head_spans import (
    CERTAIN,
    LOW_WORD,
    RANDOMNESS,
    UNKNOWN,
    UNSAMPLED,
    Spans,
    kept_spans,
)
from workbench.otlp.sampling.errors import SamplerError
from workbench.otlp.sampling.sampled import Sampled
from workbench.otlp.sampling.tracestate import MAX_ADJUSTED_COUNT, probability_to_threshold

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = [
    "AlwaysOff",
    "AlwaysOn",
    "ConsistentProbability",
    "HeadSampler",
    "ParentBased",
    "ParentThreshold",
    "TraceIdRatioBased",
]

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Share = tuple[float, int]  # e.g. (0.01, LOW_WORD)


@dataclass(frozen=True, slots=True)
class HeadSampler(ABC):
    """A rule that keeps or drops spans when they start; call it with Traces to get the Traces it keeps."""

    @property
    def _share(self) -> Share:
        """The share of all traces that it keeps whatever their parents did, and what decides about it."""
        return math.nan, UNKNOWN

    @abstractmethod
    def _decide(self, spans: Spans, rows: Rows) -> None:
        """Write sampled, threshold, probability and source of some rows; their parents have been decided."""

    def sample(self, traces: "Traces") -> Sampled:
        """Apply the sampler to every span of a recording.

        Returns
        -------
        Sampled
            The spans kept, with their adjusted counts. Where the recording was sampled before and says so
            (``ot=th``), a count of that comes on top.
        """
        spans = Spans(traces)
        for rows in spans.levels() if len(traces) else ():
            self._decide(spans, rows)
        return kept_spans(spans)

    def __call__(self, traces: "Traces") -> "Traces":
        """Return the spans that the sampler keeps."""
        return self.sample(traces).traces


@dataclass(frozen=True, slots=True)
class AlwaysOn(HeadSampler):
    """Keep every span."""

    @property
    def _share(self) -> Share:
        return 1.0, CERTAIN

    def _decide(self, spans: Spans, rows: Rows) -> None:
        spans.decide(rows, np.ones(len(rows), bool), *self._share)


@dataclass(frozen=True, slots=True)
class AlwaysOff(HeadSampler):
    """Keep none."""

    @property
    def _share(self) -> Share:
        return 0.0, CERTAIN

    def _decide(self, spans: Spans, rows: Rows) -> None:
        spans.decide(rows, np.zeros(len(rows), bool), *self._share)


@dataclass(frozen=True, slots=True)
class TraceIdRatioBased(HeadSampler):
    """Keep a share of all traces, by the last 8 bytes of the trace id, as opentelemetry-sdk does.

    It writes no threshold: its decision is not that of the consistent samplers.

    Parameters
    ----------
    ratio : float
        0 to 1.

    Raises
    ------
    SamplerError
        When the ratio is not.
    """

    ratio: float

    def __post_init__(self) -> None:
        _check_ratio(self.ratio)

    @property
    def bound(self) -> int:
        """The number that the last 8 bytes must stay below; 2^64 keeps all."""
        return round(self.ratio * 2**64)

    @property
    def _share(self) -> Share:
        return self.bound / 2**64, LOW_WORD

    def _decide(self, spans: Spans, rows: Rows) -> None:
        below = spans.low_word[rows] <= np.uint64(max(self.bound - 1, 0))
        spans.decide(rows, below & (self.bound > 0), *self._share)


@dataclass(frozen=True, slots=True)
class ConsistentProbability(HeadSampler):
    """Keep a share of all traces, by the randomness that all participants know, and say so in ``ot=th``.

    Of two of these the one of the lower ratio keeps a subset of what the other keeps.

    Parameters
    ----------
    ratio : float
        0 keeps nothing, else 2^-56 to 1.
    precision : int, optional
        Hexadecimal digits of the threshold; see `probability_to_threshold`.

    Raises
    ------
    SamplerError
        When one of them is outside its range.
    """

    ratio: float
    precision: int | None = 4

    def __post_init__(self) -> None:
        _check_ratio(self.ratio)
        if self.ratio > 0:
            probability_to_threshold(self.ratio, self.precision)

    @property
    def threshold(self) -> int:
        """T; 2^56 when the ratio is 0, which no randomness reaches."""
        return probability_to_threshold(self.ratio, self.precision) if self.ratio > 0 else UNSAMPLED

    @property
    def _share(self) -> Share:
        return (MAX_ADJUSTED_COUNT - self.threshold) / MAX_ADJUSTED_COUNT, RANDOMNESS

    def _decide(self, spans: Spans, rows: Rows) -> None:
        spans.decide(rows, spans.randomness[rows] >= self.threshold, *self._share)
        spans.threshold[rows] = self.threshold


@dataclass(frozen=True, slots=True)
class ParentThreshold(HeadSampler):
    """Do what the parent did: its threshold where it has one, else its sampled flag.

    Parameters
    ----------
    root : HeadSampler
        Decides about spans without a parent.
    """

    root: HeadSampler

    def _decide(self, spans: Spans, rows: Rows) -> None:
        child = spans.has_parent[rows]
        if not child.all():
            self.root._decide(spans, rows[~child])  # noqa: SLF001 - a sampler made of samplers
        rows = rows[child]
        above = spans.parent[rows]
        threshold = _parent_threshold(spans, rows, above)
        sampled = np.where(threshold == NONE, spans.parent_sampled(rows), spans.randomness[rows] >= threshold)
        spans.sampled[rows] = sampled
        spans.threshold[rows] = threshold
        spans.probability[rows] = np.where(above < 0, 1.0, spans.probability[above])
        spans.source[rows] = np.where(above < 0, CERTAIN, spans.source[above])


def _parent_threshold(spans: Spans, rows: Rows, above: Rows) -> Rows:
    """Return the parents' thresholds; of a parent that was not recorded the span's own."""
    recorded = spans.recorded_threshold
    decided = spans.threshold[above]
    inherited = np.where(decided == Spans.KEEP, recorded[above], decided)
    return np.where(above < 0, recorded[rows], np.where(inherited == UNSAMPLED, NONE, inherited))


@dataclass(frozen=True, slots=True)
class ParentBased(HeadSampler):
    """Let one of five samplers decide, by the parent.

    A parent is remote where the span's flags say so, or, where they say nothing, when it belongs to another
    service or instance. A parent that was not recorded counts as sampled, else its child would not be here.

    Parameters
    ----------
    root : HeadSampler
        For spans without a parent.
    remote_parent_sampled, remote_parent_not_sampled : HeadSampler
        For spans with a remote parent.
    local_parent_sampled, local_parent_not_sampled : HeadSampler
        For spans with a local one.
    """

    root: HeadSampler
    remote_parent_sampled: HeadSampler = field(default_factory=AlwaysOn)
    remote_parent_not_sampled: HeadSampler = field(default_factory=AlwaysOff)
    local_parent_sampled: HeadSampler = field(default_factory=AlwaysOn)
    local_parent_not_sampled: HeadSampler = field(default_factory=AlwaysOff)

    def _decide(self, spans: Spans, rows: Rows) -> None:
        child, remote = spans.has_parent[rows], spans.is_remote[rows]
        sampled = spans.parent_sampled(rows)
        cases = (
            (self.root, ~child),
            (self.remote_parent_sampled, child & remote & sampled),
            (self.remote_parent_not_sampled, child & remote & ~sampled),
            (self.local_parent_sampled, child & ~remote & sampled),
            (self.local_parent_not_sampled, child & ~remote & ~sampled),
        )
        for sampler, chosen in cases:
            if chosen.any():
                sampler._decide(spans, rows[chosen])  # noqa: SLF001 - a sampler made of samplers
        after = (self.remote_parent_sampled, self.remote_parent_not_sampled)
        _combine(spans, rows[child & remote], *(delegate._share for delegate in after))  # noqa: SLF001
        after = (self.local_parent_sampled, self.local_parent_not_sampled)
        _combine(spans, rows[child & ~remote], *(delegate._share for delegate in after))  # noqa: SLF001


def _combine(spans: Spans, rows: Rows, if_sampled: Share, if_not: Share) -> None:
    """Write the probability of spans whose sampler depends on whether their parent was sampled.

    With one random U behind all decisions, "U below a" for the parent, b for a child of a sampled parent and
    c for one of an unsampled parent, the child is sampled when U is below min(a, b), or from a up to c.
    """
    above = spans.parent[rows]
    a = np.where(above < 0, 1.0, spans.probability[above])
    source = np.where(above < 0, CERTAIN, spans.source[above])
    (b, source_b), (c, source_c) = if_sampled, if_not
    sources = np.column_stack([source, np.full(len(rows), source_b), np.full(len(rows), source_c)])
    one_source = sources.max(axis=1)
    known = ((sources == CERTAIN) | (sources == one_source[:, None])).all(axis=1) & (one_source != UNKNOWN)
    spans.probability[rows] = np.where(known, np.minimum(a, b) + np.maximum(c - a, 0), np.nan)
    in_one_piece = known & ((c <= a) | (b >= a))
    spans.source[rows] = np.where(in_one_piece, one_source, UNKNOWN)


def _check_ratio(ratio: float) -> None:
    if not 0 <= ratio <= 1:
        msg = f"a sampling ratio lies between 0 and 1, got {ratio}"
        raise SamplerError(msg)
