"""A simulation over time: who came, what the service was asked, what came of it."""

from typing import TYPE_CHECKING

import numpy as np

from workbench.display import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.reliability.simulation.result import Result

__all__ = ["plot_result"]

CURVES = (
    ("attempts", "attempts", "#D55E00"),
    ("arrived", "calls", "#0072B2"),
    ("succeeded", "successes", "#009E73"),
)
POINTS = 150  # the most that can be told apart


def plot_result(result: "Result", ax: "Axes | None") -> "Axes":
    """Draw the three rates over time; see `Result.plot`."""
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
    capacity = result.service.servers / result.service.mean_service_s
    if np.isfinite(capacity) and capacity > 0:
        ax.axhline(capacity, color="#555555", linewidth=1, linestyle=":", label="capacity")
    ax.set_ylim(0)
    ax.set_xlim(0, result.duration_s)
    ax.set_xlabel("time, s")
    ax.set_ylabel("per second")
    ax.set_title(f"Goodput {result.goodput:.1f}/s at {result.attempts:.2f} attempts a call")
    ax.legend(ncols=5, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    return ax
