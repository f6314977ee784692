"""A simulation over time: who came, what the service was asked, what came of it."""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.display import new_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from workbench.reliability.simulation.result import Result
    from workbench.reliability.simulation.service import Fault

__all__ = ["plot_rates", "plot_result"]

CURVES = (
    ("attempts", "attempts", "#D55E00"),
    ("arrived", "calls", "#0072B2"),
    ("succeeded", "successes", "#009E73"),
)
POINTS = 150  # the most that can be told apart


class Run(Protocol):
    """What has calls over time."""

    @property
    def bins(self) -> npt.NDArray[Any]:
        """The time series."""

    @property
    def faults(self) -> "Sequence[Fault]":
        """What was wrong, and when."""

    @property
    def duration_s(self) -> float:
        """How long it went on, in seconds."""

    @property
    def goodput(self) -> float:
        """Successes a second."""

    @property
    def attempts(self) -> float:
        """Attempts a call."""

    def series(self, name: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return the bins' starts, and what is in each."""


def plot_result(result: "Result", ax: "Axes | None") -> "Axes":
    """Draw the three rates over time, and what the service can do; see `Result.plot`."""
    return plot_rates(result, ax, result.service.servers / result.service.mean_service_s)


def plot_rates(result: Run, ax: "Axes | None", capacity_hz: float = np.nan) -> "Axes":
    """Draw the three rates over time."""
    ax = new_axes(ax, (9, 3.4))
    together = max(1, len(result.bins) // POINTS)
    for name, label, colour in CURVES:
        starts, values = result.series(name)
        kept = len(values) // together * together
        ax.step(
            starts[:kept:together],
            values[:kept].reshape(-1, together).mean(axis=1),
            where="post",
            color=colour,
            label=label,
            linestyle="-",
        )
    for number, fault in enumerate(result.faults):
        ax.axvspan(
            fault.start_s,
            min(fault.end_s, result.duration_s),
            color="#BBBBBB",
            alpha=0.4,
            label="fault" if number == 0 else None,
        )
    if np.isfinite(capacity_hz) and capacity_hz > 0:
        ax.axhline(capacity_hz, color="#555555", linewidth=1, linestyle=":", label="capacity")
    ax.set_ylim(0)
    ax.set_xlim(0, result.duration_s)
    ax.set_xlabel("time, s")
    ax.set_ylabel("per second")
    ax.set_title(f"Goodput {result.goodput:.1f}/s at {result.attempts:.2f} attempts a call")
    ax.legend(ncols=5, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    return ax
