"""Critical time as bars, and as a flame of the call tree."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.display import new_axes, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.otlp.analysis._call_paths import CallPaths
    from workbench.otlp.analysis._operations import Operations

__all__ = ["draw_flame", "draw_operations"]

BLUE, GREY = "#0072B2", "#BBBBBB"
COLOURS = ("#8FC1E3", "#9ADBC5", "#F0B48A", "#D9A7C7", "#C9C9C9", "#E8D78A", "#A9B8E8")
LETTER = 0.0095  # of the width of the axes, about, at the size of labels


def draw_operations(table: pa.Table, traces: int, ax: "Axes | None", most: int) -> "Axes":
    """Draw the table of `CriticalPaths` as bars."""
    rows = table.slice(0, most).to_pylist()
    ax = new_axes(ax, (9, 1.2 + 0.3 * max(len(rows), 1)))
    places = np.arange(len(rows))[::-1]
    critical = np.array([row["critical_ms_per_trace"] for row in rows])
    shadow = np.array([row["self_ms"] for row in rows]) / max(traces, 1) - critical
    ax.barh(places, critical, color=BLUE, label="on the critical path")
    ax.barh(
        places, np.maximum(shadow, 0), left=critical, color=GREY, label="self time in the shadow of others"
    )
    names = [plain_text(f"{row['service']} {row['name']}") for row in rows]
    ax.set_yticks(places, names)
    ax.set_xlabel(f"ms a trace, mean of {traces:,} traces")
    if rows:
        ax.set_title(f"{names[0]} holds {rows[0]['critical_share']:.0%} of the waiting")
        ax.legend(loc="lower right")
    return ax


def draw_flame(
    paths: "CallPaths",
    operations: "Operations",
    amounts: npt.NDArray[np.float64],
    ax: "Axes | None",
    min_share: float,
) -> "Axes":
    """Draw the call tree, its root on top; `amounts` are those of each path alone, ms a trace."""
    whole = paths.with_below(amounts)
    total = float(whole[paths.above < 0].sum())
    left, depth = _places(paths, whole)
    shown = np.flatnonzero(whole >= max(min_share * total, 1e-12))
    rows = int(depth[shown].max(initial=0)) + 1
    ax = new_axes(ax, (9, 0.8 + 0.36 * rows))
    services = sorted(set(operations.service))
    for path in shown.tolist():
        service, name = (getattr(operations, part)[paths.operation[path]] for part in ("service", "name"))
        colour = COLOURS[services.index(service) % len(COLOURS)]
        ax.barh(
            depth[path], whole[path], left=left[path], height=1, align="edge", color=colour, edgecolor="white"
        )
        room = int(whole[path] / total / LETTER)
        text = f"{service} {name}"
        if room > 3:
            cut = text if len(text) <= room else text[: room - 1] + "…"
            corner = left[path] + total * 0.003, depth[path] + 0.5
            ax.text(*corner, plain_text(cut), va="center", fontsize=8, color="#111111")
    ax.set(xlim=(0, total or 1), ylim=(rows, 0), xlabel="critical time, ms a trace")
    ax.set_yticks([])
    ax.grid(visible=False)
    drawn = {operations.service[paths.operation[path]] for path in shown.tolist()}
    for place, service in enumerate(services):
        if service in drawn:
            ax.barh(0, 0, color=COLOURS[place % len(COLOURS)], label=plain_text(service))
    if drawn:
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    ax.set_title(f"What {total:.1f} ms of a mean trace are spent in, by call path")
    return ax


def _places(
    paths: "CallPaths", whole: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return left edge and depth of each path: the widest first below the path above."""
    left, depth = np.zeros(len(paths)), np.zeros(len(paths), np.int64)
    reached: dict[int, float] = {}
    levels = np.zeros(len(paths), np.int64)
    for path in range(len(paths)):
        above = int(paths.above[path])
        levels[path] = levels[above] + 1 if above >= 0 else 0
    for path in np.lexsort((-whole, levels)).tolist():
        above = int(paths.above[path])
        parent = above if above >= 0 else -1
        begin = left[parent] if parent >= 0 else 0.0
        left[path] = reached.get(parent, begin)
        depth[path] = levels[path]
        reached[parent] = left[path] + whole[path]
    return left, depth
