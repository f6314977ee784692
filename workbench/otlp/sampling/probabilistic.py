"""`ProbabilisticSampler`: the Collector's probabilistic sampling processor, which decides span by span.

With p the configured share, T(p) its threshold, R a span's randomness and T_s the threshold it arrives with:

    equalizing    kept if R >= T(p)                 leaves with max(T_s, T(p))
    proportional  kept if R >= T(p (1 - T_s / M))   leaves with that
    hash_seed     kept if FNV-1a 32(seed, trace id) mod 2^14 < p 2^14; writes ``rv`` and ``th`` of 14 bits

A span whose R is below T_s cannot have come through: its threshold is wrong. It, and one whose tracestate is
malformed or that has no trace id, is dropped when the sampler fails closed, else kept. The attribute
``sampling.priority`` overrules: 0 drops the span, more keeps it.

Source: OpenTelemetry Collector Contrib, ``processor/probabilisticsamplerprocessor``.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from workbench.otlp._schema import ValueType
from workbench.otlp.sampling._columns import (
    NONE,
    TraceStates,
    attribute_values,
    randomness,
    trace_id_bytes,
    with_trace_states,
)
from workbench.otlp.sampling._kernel_sampling import fnv32a
from workbench.otlp.sampling.errors import SamplerError
from workbench.otlp.sampling.sampled import Sampled, adjusted_counts, period_s
from workbench.otlp.sampling.tracestate import (
    MAX_ADJUSTED_COUNT,
    OtelTraceState,
    probability_to_threshold,
)

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = ["ProbabilisticSampler", "SamplerMode"]

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
SamplerMode = Literal["hash_seed", "equalizing", "proportional"]

ALWAYS, NEVER, INCONSISTENT = 0, MAX_ADJUSTED_COUNT, -1
BUCKETS = 1 << 14
FNV32_OFFSET = 2166136261
SMALLEST = 2.0**-56


@dataclass(frozen=True, slots=True)
class ProbabilisticSampler:
    """Keep a percentage of the spans that arrive, as the Collector's probabilistic sampler does.

    Parameters
    ----------
    sampling_percentage : float
        0 or more; 100 and more keep all.
    mode : str
        ``"proportional"``, ``"equalizing"`` or ``"hash_seed"``.
    hash_seed : int
        32 bits, for that mode.
    sampling_precision : int
        Hexadecimal digits of the threshold, 1 to 14.
    fail_closed : bool
        Drop what cannot be decided about.

    Raises
    ------
    SamplerError
        When one of them is outside its range.
    """

    sampling_percentage: float
    mode: SamplerMode = "proportional"
    hash_seed: int = 0
    sampling_precision: int = 4
    fail_closed: bool = True

    def __post_init__(self) -> None:
        checks = (
            ("sampling_percentage", "a number of 0 or more", 0 <= self.sampling_percentage < np.inf),
            ("mode", f"one of {', '.join(get_args(SamplerMode))}", self.mode in get_args(SamplerMode)),
            ("hash_seed", "an integer of 32 bits", 0 <= self.hash_seed < 1 << 32),
            ("sampling_precision", "1 to 14 hexadecimal digits", 1 <= self.sampling_precision <= 14),
        )
        for name, expected, holds in checks:
            if not holds:
                msg = f"{name} is {expected}, got {getattr(self, name)!r}"
                raise SamplerError(msg)

    @property
    def probability(self) -> float:
        """The share of unsampled spans that it keeps; as the Collector, in single precision."""
        share = float(np.float32(min(self.sampling_percentage, 100.0))) / 100
        return max(share, SMALLEST) if share > 0 else 0.0

    def __call__(self, traces: "Traces") -> "Traces":
        """Return the spans that the sampler keeps."""
        return self.sample(traces).traces

    def sample(self, traces: "Traces") -> Sampled:
        """Apply the sampler to every span of a recording, as it arrives at a Collector."""
        states = TraceStates.of(traces)
        sampled, threshold, random = self._decide(traces, states)
        key = np.where(sampled & ~states.malformed, threshold, NEVER)
        key = np.where(sampled & (random < states.threshold), INCONSISTENT, key)
        if self.mode == "hash_seed":
            key = np.where((states.threshold == NONE) & (states.randomness == NONE), key, NEVER)
            marked = _with_hashes(traces, states, key, random)
        else:
            marked = with_trace_states(traces, states, key, _passed)
        kept = marked.filter(sampled)
        counts = adjusted_counts(kept)
        return Sampled(kept, counts, len(traces), len(traces.structure.root), period_s(traces))

    def _decide(self, traces: "Traces", states: TraceStates) -> tuple[Mask, Rows, Rows]:
        hashing = self.mode == "hash_seed"
        random = self._hashes(traces) if hashing else randomness(traces, states)
        arrived = states.threshold
        wrong = states.malformed | ~trace_id_bytes(traces).any(axis=1) | (random < arrived)
        if hashing:
            wrong |= (arrived != NONE) | (states.randomness != NONE)
        threshold = self._thresholds(np.where(arrived == NONE, 0, arrived))
        threshold = np.where(wrong, NEVER if self.fail_closed else ALWAYS, threshold)
        threshold = np.where(_priority(traces), ALWAYS, threshold)
        refused = _priority(traces, refuse=True)
        return (random >= threshold) & ~refused, threshold, random

    def _thresholds(self, arrived: Rows) -> Rows:
        """Return the threshold for each threshold that spans arrive with."""
        distinct, inverse = np.unique(arrived, return_inverse=True)
        return np.array([self._threshold(int(value)) for value in distinct], np.int64)[inverse]

    def _threshold(self, arrived: int) -> int:
        if self.mode == "hash_seed":
            return (BUCKETS - int(np.float32(self.probability * 100) * np.float32(BUCKETS / 100))) << 42
        share = 1 - arrived / MAX_ADJUSTED_COUNT if self.mode == "proportional" else 1.0
        probability = self.probability * share
        return (
            NEVER
            if probability < SMALLEST
            else probability_to_threshold(probability, self.sampling_precision)
        )

    def _hashes(self, traces: "Traces") -> Rows:
        """Return R of 14 bits from a hash of the trace id, in the place of its first 14 bits."""
        seed = np.frombuffer(self.hash_seed.to_bytes(4, "little"), np.uint8).reshape(1, 4)
        start, codes = np.empty(1, np.uint32), np.empty(len(traces), np.uint32)
        fnv32a(seed.copy(), np.uint32(FNV32_OFFSET), start)
        fnv32a(trace_id_bytes(traces).copy(), start[0], codes)
        bucket, spare = (codes & (BUCKETS - 1)).astype(np.int64), (codes >> 18).astype(np.int64)
        return ((BUCKETS - 1 - bucket) << 42) | ((spare ^ (spare << 10)) << 14) | bucket


def _passed(state: OtelTraceState, threshold: int) -> OtelTraceState:
    """Return the state of a span that passed a threshold; an inconsistent one it arrived with is erased."""
    if threshold == INCONSISTENT:
        return state.with_threshold(ALWAYS)
    return state if threshold == NEVER else state.raised_to(threshold)


def _with_hashes(traces: "Traces", states: TraceStates, key: Rows, random: Rows) -> "Traces":
    numbers, inverse = np.unique(np.column_stack([key, random]), axis=0, return_inverse=True)

    def marked(state: OtelTraceState, at: int) -> OtelTraceState:
        threshold, value = numbers[at].tolist()
        return state if threshold == NEVER else replace(state, threshold=threshold, randomness=value)

    return with_trace_states(traces, states, inverse.ravel().astype(np.int64), marked)


def _priority(traces: "Traces", *, refuse: bool = False) -> Mask:
    """Tell which spans ask by attribute to be kept, or to be refused."""
    found = attribute_values(traces, "span_attrs", "sampling.priority")
    values = np.full(len(found.owner), np.nan)
    numbers = {ValueType.INT: "int", ValueType.DOUBLE: "double"}
    for kind, column in numbers.items():
        chosen = found.kind == kind
        values[chosen] = found.values[column].cast("float64").fill_null(0).to_numpy()[chosen]
    texts, code = found.texts()
    parsed = np.array([_number(text) for text in texts], float)
    is_text = found.kind == ValueType.STR
    values[is_text] = parsed[code][is_text]
    asked = np.zeros(len(traces), bool)
    asked[found.owner[values == 0 if refuse else values > 0]] = True
    return asked


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
