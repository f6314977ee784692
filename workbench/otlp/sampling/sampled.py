"""`Sampled`: the spans that a sampler kept, and how many each of them stands for."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench import display
from workbench.otlp.sampling._columns import NONE, TraceStates
from workbench.otlp.sampling.tracestate import MAX_ADJUSTED_COUNT

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from workbench.otlp.traces import Traces

__all__ = ["Sampled", "adjusted_counts"]

NANOSECONDS = 1_000_000_000
Weights = npt.NDArray[np.float64]


def adjusted_counts(traces: "Traces") -> Weights:
    """Return how many spans each span stands for, by the threshold in its tracestate.

    A span without a threshold stands for itself; one whose tracestate is malformed for an unknown number
    (NaN).

    Returns
    -------
    (n,) float64
    """
    states = TraceStates.of(traces)
    threshold = states.threshold
    counts = MAX_ADJUSTED_COUNT / (MAX_ADJUSTED_COUNT - np.where(threshold == NONE, 0, threshold))
    return np.where(states.malformed, np.nan, counts)


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """What a sampler kept of a recording.

    Attributes
    ----------
    traces : Traces
        The spans kept.
    adjusted_count : (n,) float64
        How many spans each of them stands for: the inverse of its probability to be kept, NaN where no
        probability decided.
    offered_spans, offered_traces : int
        How many there were.
    period_s : float
        How long the recording lasted, seconds.
    complete_beyond_ms : float
        Chance missed no span that lasts as long, or longer: a policy kept them all. Infinite where none did.
    complete_errors : bool
        Chance missed no span that failed.
    """

    traces: "Traces"
    adjusted_count: Weights
    offered_spans: int
    offered_traces: int
    period_s: float
    complete_beyond_ms: float = field(default=math.inf, kw_only=True)
    complete_errors: bool = field(default=False, kw_only=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {', '.join(self._facts())}"

    def _facts(self) -> list[str]:
        kept = len(self.traces.structure.root)
        facts = [
            f"{len(self.traces):,} of {self.offered_spans:,} spans",
            f"{kept:,} of {self.offered_traces:,} traces",
        ]
        unknown = int(np.isnan(self.adjusted_count).sum())
        return [*facts, *([f"{unknown:,} spans of unknown adjusted count"] if unknown else [])]

    def _repr_html_(self) -> str:
        known = self.adjusted_count[~np.isnan(self.adjusted_count)]
        counts, spans = np.unique(known, return_counts=True)
        rows = [(f"{count:.4g}", int(n), f"{count * n:.0f}") for count, n in zip(counts, spans, strict=True)]
        columns = ["adjusted count", "spans", "stand for"]
        return display.table(columns, rows, title=repr(self))._repr_html_()

    def to_arrow(self) -> "pa.Table":
        """Return the spans kept, one flat table with a column ``adjusted_count``."""
        import pyarrow as pa  # noqa: PLC0415 - only where it is asked for

        return self.traces.to_arrow().append_column("adjusted_count", pa.array(self.adjusted_count))

    def to_pandas(self) -> "pd.DataFrame":
        """Return the spans kept, as a data frame with a column ``adjusted_count``."""
        return self.traces.to_pandas().assign(adjusted_count=self.adjusted_count)


def period_s(traces: "Traces") -> float:
    """Return the time from the first to the last instant of a recording, seconds."""
    bounds = traces.time_range()
    return 0.0 if bounds is None else (bounds[1].value - bounds[0].value) / NANOSECONDS
