"""`TailSampled`: what a tail sampler kept, why, what it lost, and what it held in memory meanwhile."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench import display
from workbench.otlp.sampling import _kernel_memory as kernels
from workbench.otlp.sampling._memory import SECOND_NS, Memory
from workbench.otlp.sampling.policies import Latency, StatusCode
from workbench.otlp.sampling.sampled import Sampled, adjusted_counts, period_s

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.otlp.sampling._deciding import Policies
    from workbench.otlp.traces import Traces

__all__ = ["TailSampled"]

Rows = npt.NDArray[np.int64]
DECISIONS = pa.schema(
    {
        "trace_id": pa.binary(16),
        "decision": pa.string(),
        "policy": pa.string(),
        "time_s": pa.float64(),
        "spans": pa.int64(),
        "bytes": pa.int64(),
        "probability": pa.float64(),
    }
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TailSampled(Sampled):
    """The outcome of a tail sampler's run over a recording; times are seconds since the first arrival.

    A span's adjusted count is one where its trace is kept for what it is (slow, failed), the inverse of the
    probability where chance decides, and unknown (NaN) where it is kept because a limiter had room.

    Attributes
    ----------
    decisions : pyarrow.Table
        trace_id, decision ("sampled", "not_sampled", "dropped" or "too_large"), policy (the first that
        said so), time_s, spans and bytes that it was about, and the probability to be kept. A trace that
        came back after it was forgotten has several rows.
    late_spans : pyarrow.Table
        trace_id, time_s, age_s (since the decision; null where it came from a cache without one) and kept, of
        spans that came after their trace's decision.
    dropped_too_early : pyarrow.Table
        trace_id, arrived_s, evicted_s and spans of traces that had to leave memory undecided: their spans
        are lost.
    pending : pyarrow.Table
        trace_id and spans of traces that still waited when the sampler was shut down.
    memory : pyarrow.Table
        time_s, traces and bytes in memory after each tick at which something happened.
    by_policy : pyarrow.Table
        policy, type, wanted (traces that it was for, or, a `Drop`, against) and decided (those of which it
        was the first to say so), and spans decided.
    """

    decisions: pa.Table
    late_spans: pa.Table
    dropped_too_early: pa.Table
    pending: pa.Table
    memory: pa.Table
    by_policy: pa.Table

    def _facts(self) -> list[str]:
        facts = Sampled._facts(self)  # noqa: SLF001 - super() and slots do not agree
        if len(self.late_spans):
            facts.append(f"{len(self.late_spans):,} late spans")
        if len(self.dropped_too_early):
            facts.append(f"{len(self.dropped_too_early):,} traces dropped too early")
        if len(self.pending):
            facts.append(f"{len(self.pending):,} traces pending")
        return [*facts, f"{self.peak_traces:,} traces in memory at most"]

    def __repr__(self) -> str:
        return f"TailSampled: {', '.join(self._facts())}"

    def _repr_html_(self) -> str:
        rows = [tuple(row.values()) for row in self.by_policy.to_pylist()]
        columns = ["policy", "type", "traces wanted", "traces decided", "spans decided"]
        return display.table(columns, rows, title=repr(self))._repr_html_()

    @property
    def peak_traces(self) -> int:
        """The most traces in memory after a tick."""
        return int(pc.max(self.memory["traces"]).as_py() or 0)

    @property
    def peak_bytes(self) -> int:
        """The most bytes of undecided spans in memory after a tick."""
        return int(pc.max(self.memory["bytes"]).as_py() or 0)

    @property
    def split_traces(self) -> int:
        """How many traces were decided about more than once, each time without the spans of before."""
        counts = self.decisions["trace_id"].value_counts()
        return sum(count.as_py() > 1 for count in counts.field("counts"))

    def plot_memory(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the traces and the bytes held in memory over time."""
        ax = display.new_axes(ax, (9, 2.8))
        time = self.memory["time_s"].to_numpy()
        traces = ax.step(time, self.memory["traces"].to_numpy(), where="post", color="C0", label="traces")
        ax.set(xlabel="time since the first arrival, s", ylabel="traces in memory", ylim=(0, None))
        right = ax.twinx()
        megabytes = self.memory["bytes"].to_numpy() / 1e6
        held = right.step(time, megabytes, where="post", color="C1", ls="--", label="undecided spans, MB")
        right.set(ylabel="undecided spans, MB", ylim=(0, None))
        right.grid(visible=False)
        ax.legend(handles=[*traces, *held], loc="upper center", bbox_to_anchor=(0.5, -0.25), ncols=2)
        ax.set_title(f"At most {self.peak_traces:,} traces and {self.peak_bytes / 1e6:.1f} MB wait in memory")
        return ax

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw how many traces each policy kept, dropped or wanted."""
        found = self.by_policy.to_pandas().iloc[::-1]
        ax = display.new_axes(ax, (9, 0.6 + 0.45 * len(found)))
        places = range(len(found))
        ax.barh(places, found.wanted, color="C0", alpha=0.35, label="wanted")
        ax.barh(places, found.decided, color="C0", label="decided")
        ax.set_yticks(places, [display.plain_text(policy) for policy in found.policy])
        ax.set(
            xlabel="traces",
            title=f"{len(self.traces.structure.root):,} of {self.offered_traces:,} traces kept",
        )
        ax.legend()
        return ax


def gather(traces: "Traces", memory: Memory, policies: "Policies", parts: list[pa.Table]) -> TailSampled:
    """Make the result of a run."""
    decided = pa.concat_tables(parts) if parts else pa.table({"trace": pa.array([], pa.int64())})
    fate, decision = memory.fate, memory.decision
    kept = (fate == kernels.KEPT) | (fate == kernels.LATE_KEPT)
    probability = _probabilities(decided)
    before = adjusted_counts(traces)
    counts = before[kept] / probability[decision[kept]]
    beyond_ms, errors = _complete(policies) if _all_decided(memory, before) else (math.inf, False)
    ids = _trace_ids(traces, memory)
    return TailSampled(
        traces.filter(kept),
        counts,
        len(traces),
        len(memory.arrivals.first),
        period_s(traces),
        _decisions(decided, memory, ids),
        _late(decided, memory, ids),
        _evicted(memory, ids),
        _pending(memory, ids),
        _curve(memory),
        _by_policy(decided, policies),
        complete_beyond_ms=beyond_ms,
        complete_errors=errors,
    )


def _all_decided(memory: Memory, before: npt.NDArray[np.float64]) -> bool:
    """Tell whether the policies saw every span there was, each with all of its trace."""
    seen = np.isin(memory.fate, (kernels.KEPT, kernels.REJECTED, kernels.LATE_KEPT))
    return bool(seen.all() and (before == 1).all())


def _complete(policies: "Policies") -> tuple[float, bool]:
    """Return from how many milliseconds on spans are kept for certain, and whether those that failed are."""
    if policies.drops:
        return math.inf, False
    latencies = [one for one in policies.order if isinstance(one, Latency) and not one.upper_threshold_ms]
    beyond_ms = min((float(one.threshold_ms) for one in latencies), default=math.inf)
    codes = [one.status_codes for one in policies.order if isinstance(one, StatusCode)]
    return beyond_ms, any("ERROR" in found for found in codes)


def _probabilities(decided: pa.Table) -> npt.NDArray[np.float64]:
    """Return the probability of each decision, and NaN at the end for where there was none."""
    if "probability" not in decided.column_names:
        return np.array([np.nan])
    return np.append(decided["probability"].fill_null(np.nan).to_numpy(), np.nan)


def _trace_ids(traces: "Traces", memory: Memory) -> pa.Array:
    arrivals = memory.arrivals
    rows = arrivals.by_trace[arrivals.first] if len(arrivals.first) else arrivals.by_trace
    return traces.spans["trace_id"].take(pa.array(rows)).combine_chunks()


def _seconds(memory: Memory, time_ns: Any) -> Any:
    return (time_ns - memory.arrivals.origin_ns) / SECOND_NS if len(time_ns) else time_ns.astype(float)


def _decisions(decided: pa.Table, memory: Memory, ids: pa.Array) -> pa.Table:
    count = int(memory.counts[kernels.OVERSIZED])
    large = memory.oversized[:count]
    given_up = pa.table(
        {
            "trace_id": ids.take(pa.array(large[:, 0])),
            "decision": pa.array(["too_large"] * count, pa.string()),
            "policy": pa.nulls(count, pa.string()),
            "time_s": _seconds(memory, large[:, 3]),
            "spans": large[:, 1],
            "bytes": large[:, 2],
            "probability": pa.nulls(count, pa.float64()),
        },
        schema=DECISIONS,
    )
    if not decided.num_rows:
        return given_up
    named = decided.append_column("trace_id", ids.take(decided["trace"].combine_chunks()))
    both = pa.concat_tables([named.select(DECISIONS.names).cast(DECISIONS), given_up])
    return both.sort_by("time_s")


def _late(decided: pa.Table, memory: Memory, ids: pa.Array) -> pa.Table:
    is_late = np.isin(memory.fate, (kernels.LATE_KEPT, kernels.LATE_REJECTED))
    order = memory.arrivals.order
    rows = order[is_late[order]]
    time_s = _seconds(memory, memory.arrivals.time_ns[rows])
    known = memory.decision[rows] >= 0
    decided_s = np.zeros(len(rows))
    if known.any():
        decided_s[known] = decided["time_s"].to_numpy()[memory.decision[rows][known]]
    return pa.table(
        {
            "trace_id": ids.take(pa.array(memory.arrivals.trace[rows])),
            "time_s": pa.array(time_s, pa.float64()),
            "age_s": pa.array(time_s - decided_s, pa.float64(), mask=~known),
            "kept": memory.fate[rows] == kernels.LATE_KEPT,
        }
    )


def _evicted(memory: Memory, ids: pa.Array) -> pa.Table:
    found = memory.evictions[: memory.counts[kernels.EVICTIONS]]
    return pa.table(
        {
            "trace_id": ids.take(pa.array(found[:, 0])),
            "arrived_s": pa.array(_seconds(memory, found[:, 2]), pa.float64()),
            "evicted_s": pa.array(_seconds(memory, found[:, 3]), pa.float64()),
            "spans": found[:, 1],
        }
    )


def _pending(memory: Memory, ids: pa.Array) -> pa.Table:
    waiting = memory.arrivals.trace[memory.fate == kernels.BUFFERED]
    trace, spans = np.unique(waiting, return_counts=True)
    return pa.table({"trace_id": ids.take(pa.array(trace)), "spans": spans})


def _curve(memory: Memory) -> pa.Table:
    curve = np.array(memory.curve, np.int64).reshape(-1, 3)
    return pa.table({"time_s": curve[:, 0] + 1.0, "traces": curve[:, 1], "bytes": curve[:, 2]})


def _by_policy(decided: pa.Table, policies: "Policies") -> pa.Table:
    labels = [policy.label for policy in policies.order]
    found = decided.to_pydict() if decided.num_rows else {"policy": [], "spans": []}
    traces, spans = dict.fromkeys(labels, 0), dict.fromkeys(labels, 0)
    for label, count in zip(found["policy"], found["spans"], strict=True):
        if label is not None:
            traces[label] += 1
            spans[label] += count
    return pa.table(
        {
            "policy": pa.array(labels, pa.string()),
            "type": pa.array([policy.type for policy in policies.order], pa.string()),
            "wanted": policies.votes,
            "decided": pa.array([traces[label] for label in labels], pa.int64()),
            "spans": pa.array([spans[label] for label in labels], pa.int64()),
        }
    )
