"""A vulnerability map: darker where more runs collapsed, with the theory's line."""

from typing import TYPE_CHECKING

import numpy as np

from workbench.display import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.reliability.simulation.vulnerability import Map

__all__ = ["plot_map"]


def plot_map(found: "Map", ax: "Axes | None") -> "Axes":
    """Draw a map; see `Map.plot`."""
    ax = new_axes(ax, (7.5, 4))
    picture = ax.imshow(found.collapsed.T, origin="lower", aspect="auto", cmap="Reds", vmin=0, vmax=1)
    for i, j in np.argwhere(found.draining > 0):
        ax.text(i, j, "drains", ha="center", va="center", fontsize=8, color="#0072B2")
    ax.set_xticks(range(len(found.loads)), [f"{load:.2g}" for load in found.loads])
    ax.set_yticks(range(len(found.triggers_s)), [f"{trigger:g}" for trigger in found.triggers_s])
    ax.set_xlabel("load before and after the outage")
    ax.set_ylabel("outage, s")
    if found.critical_load is not None and found.loads[0] < found.critical_load < found.loads[-1]:
        place = float(np.interp(found.critical_load, found.loads, np.arange(len(found.loads))))
        ax.axvline(place, color="#222222", linestyle="--", label=f"load x {found.attempts} attempts = 1")
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18))
    ax.figure.colorbar(picture, ax=ax, label="share of runs that collapsed")
    ax.set_title("Where an outage outlives itself")
    ax.grid(visible=False)
    return ax
