"""`Result`: what a simulation has shown; draws itself, and becomes telemetry."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._outcomes import NAMES
from workbench.reliability.simulation._world import World
from workbench.reliability.simulation.errors import SimulationError
from workbench.reliability.simulation.service import Fault, Service

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

    from workbench.otlp import Traces

__all__ = ["Result"]

Array = npt.NDArray[Any]
SERIES = {
    "arrived": codes.BIN_ARRIVED,
    "attempts": codes.BIN_ATTEMPTS,
    "succeeded": codes.BIN_SUCCEEDED,
    "ended": codes.BIN_ENDED,
    "queued": codes.BIN_QUEUED,
    "busy": codes.BIN_BUSY,
}


@dataclass(frozen=True)
class Result:
    """What a simulation has shown.

    Attributes
    ----------
    service : Service
    faults : tuple of Fault
    duration_s, warmup_s : float
        Averages are over the time between the two.
    log : (customers,) records
        One entry a call that has ended, in the order of their ends.
    bins : (600, 6) int64
        The time series, counted in equal bins.
    """

    service: Service
    faults: tuple[Fault, ...]
    duration_s: float
    warmup_s: float
    log: Array
    bins: Array
    totals: dict[str, float]

    @classmethod
    def of(  # noqa: PLR0913 - what a simulation consists of
        cls,
        world: World,
        log: Array,
        service: Service,
        *,
        duration_s: float,
        warmup_s: float,
        faults: tuple[Fault, ...],
    ) -> "Result":
        """Return what a world has come to."""
        control = world.control[0]
        totals = {name: float(control[name]) for name in control.dtype.names or ()}
        bins = world.bins.copy()
        bins[-1, codes.BIN_QUEUED], bins[-1, codes.BIN_BUSY] = control["queued"], control["busy"]
        return cls(service, faults, duration_s, warmup_s, log, bins, totals)

    @cached_property
    def counted(self) -> Array:
        """The calls that arrived after the warm-up."""
        return self.log if self.warmup_s == 0 else self.log[self.log["arrived_s"] >= self.warmup_s]

    @property
    def customers(self) -> int:
        """How many calls have ended, of those that came after the warm-up."""
        return len(self.counted)

    @property
    def attempts(self) -> float:
        """How often each call tried, on average."""
        return float(self.counted["attempts"].mean()) if self.customers else 0.0

    @property
    def mean_wait_s(self) -> float:
        """The mean time in the service's queue of the attempts that were served, in seconds."""
        return self.totals["waited_s"] / self.totals["served"] if self.totals["served"] else 0.0

    @property
    def goodput(self) -> float:
        """Calls that succeeded, a second."""
        return float((self.counted["outcome"] == codes.OK).sum()) / (self.duration_s - self.warmup_s)

    @property
    def offered_load(self) -> float:
        """Attempts a second times mean service time over servers: above 1 the service cannot follow."""
        first = int(np.ceil(self.warmup_s / self.bin_s))
        per_second = self.bins[first:, codes.BIN_ATTEMPTS].sum() / (self.duration_s - first * self.bin_s)
        return float(per_second) * self.service.mean_service_s / self.service.servers

    @property
    def mean_queue(self) -> float:
        """How many attempts waited in the service's queue, on average over time."""
        return self.totals["queue_area"] / self.duration_s

    @property
    def utilisation(self) -> float:
        """The share of the servers' time that they were busy."""
        return self.totals["busy_area"] / self.duration_s / self.service.servers

    @property
    def bin_s(self) -> float:
        """The width of the time series' bins, in seconds."""
        return self.duration_s / len(self.bins)

    def latency_s(self, q: float) -> float:
        """Return a quantile of the time from a call's arrival to its success, in seconds; NaN without any."""
        good = self.counted[self.counted["outcome"] == codes.OK]
        if not 0 <= q <= 1:
            msg = f"q must be a share from 0 to 1, got {q!r}"
            raise SimulationError(msg)
        return float(np.quantile(good["finished_s"] - good["arrived_s"], q)) if len(good) else float("nan")

    @cached_property
    def outcomes(self) -> dict[str, int]:
        """How many calls ended how."""
        counts = np.bincount(self.counted["outcome"], minlength=len(NAMES))
        return {name: int(count) for name, count in zip(NAMES, counts, strict=True) if count}

    @cached_property
    def calls(self) -> "pa.Table":
        """One row a call that has ended: number, arrival, end, seconds it queued, attempts, outcome."""
        import pyarrow as pa  # noqa: PLC0415 - only for those who ask for tables

        log = self.log
        outcomes = pa.DictionaryArray.from_arrays(pa.array(log["outcome"].astype(np.int8)), pa.array(NAMES))
        return pa.table(
            {
                "call": log["serial"],
                "arrived_s": log["arrived_s"],
                "finished_s": log["finished_s"],
                "waited_s": log["waited_s"],
                "attempts": log["attempts"],
                "outcome": outcomes,
            }
        )

    def to_arrow(self) -> "pa.Table":
        """Return one row a call: `calls`."""
        return self.calls

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row a call, as `calls`."""
        return self.calls.to_pandas()

    def series(self, name: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return the bins' starts in seconds, and what is asked for in each.

        Parameters
        ----------
        name : {"arrived", "attempts", "succeeded", "ended", "queued", "busy"}
            The first four a second, the last two at the bins' ends.
        """
        if name not in SERIES:
            msg = f"there is no series {name!r}; expected {', '.join(SERIES)}"
            raise SimulationError(msg)
        values = self.bins[:, SERIES[name]].astype(np.float64)
        starts = np.arange(len(self.bins), dtype=np.float64) * self.bin_s
        return starts, values if name in ("queued", "busy") else values / self.bin_s

    def traces(self) -> "Traces":
        """Return one span a call, as telemetry that everything in `otlp` reads."""
        from workbench.reliability.simulation._telemetry import traces_of  # noqa: PLC0415 - only when asked for

        return traces_of(self)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw arrivals, attempts and successes a second over time, faults shaded."""
        from workbench.reliability.simulation._plot import plot_result  # noqa: PLC0415 - only when asked for

        return plot_result(self, ax)

    def _repr_html_(self) -> str:
        from workbench import display  # noqa: PLC0415 - only in notebooks

        rows = [
            ("goodput", f"{self.goodput:,.1f} /s"),
            ("latency, median and p99", f"{self.latency_s(0.5):.4g} s, {self.latency_s(0.99):.4g} s"),
            ("attempts a call", f"{self.attempts:.2f}"),
            ("offered load", f"{self.offered_load:.2f}"),
            ("utilisation of the servers", f"{self.utilisation:.1%}"),
            ("mean wait in the queue", f"{self.mean_wait_s:.4g} s"),
            *((f"calls that ended {name!r}", f"{count:,}") for name, count in self.outcomes.items()),
        ]
        return display.table(("", "figure"), rows, title=repr(self))._repr_html_()

    def __repr__(self) -> str:
        return (
            f"Result: {self.customers:,} calls in {self.duration_s - self.warmup_s:g} s, "
            f"goodput {self.goodput:.1f}/s, {self.attempts:.2f} attempts a call, "
            f"offered load {self.offered_load:.2f}"
        )
