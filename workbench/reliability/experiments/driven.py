"""`Driven`: what an experiment with real calls has shown; draws itself as a simulation's `Result` does."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.experiments._outcomes import NAMES
from workbench.reliability.experiments.errors import ExperimentError
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.service import Fault

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

__all__ = ["Driven"]

Array = npt.NDArray[Any]
BINS = 600
SERIES = ("arrived", "attempts", "succeeded", "ended")


@dataclass(frozen=True)
class Driven:
    """What an experiment with real calls has shown.

    Attributes
    ----------
    faults : tuple of Fault
    duration_s : float
    log : (calls,) records
        One entry a call that has ended, in the order of their ends.
    due_s : (clients,) float64, seconds
        When each client was due, those under way at the end as well.
    attempted_s : (attempts,) float64, seconds
        When each attempt began.
    """

    faults: tuple[Fault, ...]
    duration_s: float
    log: Array
    due_s: Array
    attempted_s: Array

    @property
    def customers(self) -> int:
        """How many calls have ended."""
        return len(self.log)

    @property
    def under_way(self) -> int:
        """How many calls had not ended at the end; they were cancelled."""
        return len(self.due_s) - len(self.log)

    @property
    def attempts(self) -> float:
        """How often each call tried, on average."""
        return float(self.log["attempts"].mean()) if self.customers else 0.0

    @property
    def goodput(self) -> float:
        """Calls that succeeded, a second."""
        return float((self.log["outcome"] == codes.OK).sum()) / self.duration_s

    @property
    def bin_s(self) -> float:
        """The width of the time series' bins, in seconds."""
        return self.duration_s / BINS

    @cached_property
    def bins(self) -> Array:
        """Counts in equal bins of time, ``(600, 4)`` int64: arrived, attempts, succeeded, ended."""
        good = self.log["finished_s"][self.log["outcome"] == codes.OK]
        each = (self.due_s, self.attempted_s, good, self.log["finished_s"])
        return np.stack([self._counted(at_s) for at_s in each], axis=1)

    def _counted(self, at_s: Array) -> Array:
        places = np.minimum((at_s / self.bin_s).astype(np.int64), BINS - 1)
        return np.bincount(places, minlength=BINS)

    def series(self, name: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return the bins' starts in seconds, and how many a second there were in each.

        Parameters
        ----------
        name : {"arrived", "attempts", "succeeded", "ended"}

        Raises
        ------
        ExperimentError
            For another name.
        """
        if name not in SERIES:
            msg = f"there is no series {name!r}; expected {', '.join(SERIES)}"
            raise ExperimentError(msg)
        starts = np.arange(BINS, dtype=np.float64) * self.bin_s
        return starts, self.bins[:, SERIES.index(name)] / self.bin_s

    def latency_s(self, q: float) -> float:
        """Return a quantile of the seconds from when a call was due to its success; NaN without any."""
        good = self.log[self.log["outcome"] == codes.OK]
        return _quantile(good["finished_s"] - good["arrived_s"], q)

    def lag_s(self, q: float) -> float:
        """Return a quantile of how late clients came, in seconds: large on a machine with too much to do."""
        return _quantile((self.log["started_s"] - self.log["arrived_s"])[self.log["attempts"] > 0], q)

    @cached_property
    def outcomes(self) -> dict[str, int]:
        """How many calls ended how."""
        counts = np.bincount(self.log["outcome"], minlength=len(NAMES))
        return {name: int(count) for name, count in zip(NAMES, counts, strict=True) if count}

    @cached_property
    def calls(self) -> "pa.Table":
        """One row a call that has ended: number, when it was due, began and ended, attempts, outcome."""
        import pyarrow as pa  # noqa: PLC0415 - only for those who ask for tables

        log = self.log
        outcomes = pa.DictionaryArray.from_arrays(pa.array(log["outcome"].astype(np.int8)), pa.array(NAMES))
        return pa.table(
            {
                "call": log["serial"],
                "arrived_s": log["arrived_s"],
                "started_s": log["started_s"],
                "finished_s": log["finished_s"],
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

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw arrivals, attempts and successes a second over time, faults shaded."""
        from workbench.reliability.simulation._plot import plot_rates  # noqa: PLC0415 - only when asked for

        return plot_rates(self, ax)

    def __repr__(self) -> str:
        return (
            f"Driven: {self.customers:,} calls in {self.duration_s:g} s, goodput {self.goodput:.1f}/s, "
            f"{self.attempts:.2f} attempts a call, {self.under_way:,} under way"
        )


def _quantile(values: Array, q: float) -> float:
    if not 0 <= q <= 1:
        msg = f"q must be a share from 0 to 1, got {q!r}"
        raise ExperimentError(msg)
    return float(np.quantile(values, q)) if len(values) else float("nan")
