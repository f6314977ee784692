"""`TailSampler`: the Collector's tail sampling processor over a recording, its time and memory simulated.

Spans arrive one after the other, by default when they end; the sampler's clock is theirs. A trace waits
from its first span for `decision_wait_s`; then, at a tick of a second, the policies decide about the spans
that have arrived. ``drop > sample > not``: a trace is kept when some policy wants it and no `Drop` does.
Spans that come later follow the decision while it is remembered; when it is not, they begin a trace of
their own.

After the last span the clock runs on until every waiting trace has been decided.

What is simulated differently: traces due at the same tick are decided in order of their arrival (the
Collector's order is random), spans arrive singly, and a second is exact. The share of memory that Go needs
around the bytes of the spans is not simulated.

Source: OpenTelemetry Collector Contrib, ``processor/tailsamplingprocessor``, 2026 (no inverted decisions).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp.sampling import policies as policies  # noqa: PLC0414 - `workbench.otlp.policies`
from workbench.otlp.sampling._columns import is_root
from workbench.otlp.sampling._deciding import Batch, Policies
from workbench.otlp.sampling._memory import Arrivals, Memory
from workbench.otlp.sampling._sizes import arrival_bytes
from workbench.otlp.sampling.errors import PolicyError, SamplerError
from workbench.otlp.sampling.policies import Drop, Policy, Predicate
from workbench.otlp.sampling.tail_sampled import TailSampled, gather

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = ["TailSampler"]

Rows = npt.NDArray[np.int64]
Arrival = Literal["end", "start"] | npt.ArrayLike


@dataclass(frozen=True, slots=True)
class TailSampler:
    """Decide about whole traces after they have been seen; call it with Traces to get the Traces it keeps.

    Parameters
    ----------
    policies : sequence of Policy
        From `workbench.otlp.policies`.
    decision_wait_s : float
        From the first span of a trace to the decision; whole seconds count, one at least.
    num_traces : int
        Traces in memory. When there are more, the oldest goes, decided or not.
    decision_cache_sampled, decision_cache_non_sampled : int
        How many decisions are remembered after their traces have left; 0 turns a cache off.
    sample_on_first_match : bool
        Ask no further policies once one wants the trace.
    decision_wait_after_root_received_s : float
        Decide so long after the root arrived, when that is sooner; 0 does not.
    maximum_trace_size_bytes : int, optional
        Give up on larger traces at once, and on all of their spans.
    drop_pending_traces_on_shutdown : bool
        Stop with the last span, and lose the traces that wait.

    Raises
    ------
    SamplerError
        When a parameter is outside its range.
    PolicyError
        When there are no policies, two of one name, or a `Drop` inside of another policy.
    """

    policies: tuple[Policy, ...]
    decision_wait_s: float = 30
    num_traces: int = 50_000
    decision_cache_sampled: int = 0
    decision_cache_non_sampled: int = 0
    sample_on_first_match: bool = False
    decision_wait_after_root_received_s: float = 0
    maximum_trace_size_bytes: int | None = None
    drop_pending_traces_on_shutdown: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "policies", tuple(self.policies))
        _check_policies(self.policies)
        least = {
            "decision_wait_s": 0,
            "num_traces": 1,
            "decision_cache_sampled": 0,
            "decision_cache_non_sampled": 0,
            "decision_wait_after_root_received_s": 0,
        }
        if self.maximum_trace_size_bytes is not None:
            least["maximum_trace_size_bytes"] = 1
        for name, minimum in least.items():
            value = getattr(self, name)
            kind = "a number" if name.endswith("_s") else "a whole number"
            if not minimum <= value < 2**53 or (kind == "a whole number" and value != int(value)):
                msg = f"{name} is {kind}, {minimum} or more, got {value}"
                raise SamplerError(msg)

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any] | str | Path,
        *,
        predicates: Mapping[str, Predicate] | None = None,
    ) -> "TailSampler":
        """Make a sampler of the Collector's own configuration.

        Parameters
        ----------
        config : mapping, YAML text or path of a YAML file
            What stands below ``tail_sampling:``, or a configuration with exactly one such processor.
        predicates : mapping of str to callable, optional
            A Python predicate for each policy of type ``ottl_condition``, by its name.

        Raises
        ------
        PolicyError
            When it cannot be understood or simulated; `.path` says where.
        OttlEngineError
            When an OTTL condition has no predicate.
        """
        from workbench.otlp.sampling._tail_config import read_config  # noqa: PLC0415 - it makes us

        return cls(**read_config(config, predicates or {}))

    def __call__(self, traces: "Traces") -> "Traces":
        """Return the spans that the sampler keeps."""
        return self.sample(traces).traces

    def sample(self, traces: "Traces", *, arrival: Arrival = "end") -> TailSampled:
        """Run the sampler over a recording.

        Parameters
        ----------
        traces : Traces
        arrival : "end", "start" or (n,) int64
            When each span reaches the sampler: when it ends or starts, or at these nanoseconds.

        Raises
        ------
        SamplerError
            When there is not one time of arrival a span, or they lie further apart than 292 years: more
            nanoseconds than 64 bits hold.
        """
        arrivals = _arrivals(traces, arrival)
        policies = Policies(traces, arrivals, self.policies, first_match=self.sample_on_first_match)
        memory = Memory(arrivals, self)
        decisions: list[pa.Table] = []
        number = 0
        for tick, due in memory.run() if len(traces) else ():
            batch = Batch(due, *memory.held(due), tick + 1.0)
            kept, dropped, by = policies.decide(batch)
            decisions.append(_rows(batch, kept, dropped, by, policies))
            memory.settle(due, kept, number)
            number += len(due)
        return gather(traces, memory, policies, decisions)


def _check_policies(policies: tuple[Policy, ...]) -> None:
    if not policies:
        msg = "a tail sampler needs at least one policy"
        raise PolicyError(msg)
    labels = [policy.label for policy in policies]
    for at, policy in enumerate(policies):
        if labels.index(policy.label) < at:
            msg = f"two policies are called {policy.label!r}; give each a name of its own"
            raise PolicyError(msg)
        if any(isinstance(part, Drop) for part in list(policy.parts())[1:]):
            msg = f"{policy.label!r} holds a Drop, which can only stand by itself"
            raise PolicyError(msg)


def _arrivals(traces: "Traces", arrival: Arrival) -> Arrivals:
    structure = traces.structure
    if isinstance(arrival, str):
        if arrival not in ("end", "start"):
            msg = f"arrival is 'end', 'start' or a time for each span, got {arrival!r}"
            raise SamplerError(msg)
        times = structure.stop if arrival == "end" else structure.start
    else:
        times = np.asarray(arrival)
        times = times.astype("datetime64[ns]") if times.dtype.kind == "M" else times
        if times.shape != (len(traces),) or times.dtype.kind not in "iuM":
            msg = (
                f"arrival is {len(traces)} times in nanoseconds, one a span, got {times.dtype} {times.shape}"
            )
            raise SamplerError(msg)
    _check_spread(times)
    times = np.ascontiguousarray(times.astype(np.int64))
    order = np.argsort(times, kind="stable")
    size = arrival_bytes(traces, structure.trace, order)
    return Arrivals.of(np.array(structure.trace), times, size, is_root(traces))


def _check_spread(times: npt.NDArray[Any]) -> None:
    """Refuse times that are none, or so far apart that 64 bits do not hold the difference."""
    if times.dtype.kind == "M":
        unknown = np.flatnonzero(np.isnat(times))
        if len(unknown):
            msg = f"arrival is one time a span, got none (NaT) at {unknown[0]}"
            raise SamplerError(msg)
        times = times.astype(np.int64)
    if not len(times):
        return
    first, last = int(times.min()), int(times.max())
    if last >= 2**63 or last - first >= 2**63:
        msg = (
            f"arrival is in nanoseconds, below 2**63 and less than that apart, got {first} to {last}: "
            "leave out spans with such times"
        )
        raise SamplerError(msg)


def _rows(
    batch: Batch, kept: npt.NDArray[np.bool_], dropped: npt.NDArray[np.bool_], by: Rows, policies: Policies
) -> pa.Table:
    labels = pa.array([policy.label for policy in policies.order])
    decided = np.where(dropped, "dropped", np.where(kept, "sampled", "not_sampled"))
    probability = np.full(len(kept), np.nan)
    probability[kept] = policies.probability(batch.take(kept))
    return pa.table(
        {
            "trace": batch.traces,
            "decision": pa.array(decided.tolist(), pa.string()),
            "policy": labels.take(pa.array(by, mask=by < 0)),
            "time_s": np.full(len(kept), batch.now_s),
            "spans": batch.span_count,
            "bytes": batch.bytes_held,
            "probability": pa.array(probability, mask=~kept),
        }
    )
