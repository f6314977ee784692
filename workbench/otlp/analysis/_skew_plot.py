"""Offsets of clocks with their bounds."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from workbench.display import new_axes, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_skew"]

BLUE, VERMILLION = "#0072B2", "#D55E00"


def draw_skew(pairs: pa.Table, ax: "Axes | None") -> "Axes":
    """Draw the table of `ClockSkew`; pairs without an estimate are left out."""
    rows = [
        row for row in pairs.to_pylist() if None not in (row["offset_ms"], row["lower_ms"], row["upper_ms"])
    ]
    ax = new_axes(ax, (9, 1.3 + 0.32 * max(len(rows), 1)))
    ax.axvline(0, color="#767676", linewidth=1)
    for place, row in enumerate(reversed(rows)):
        colour, marker = (VERMILLION, "D") if row["skewed"] else (BLUE, "o")
        spread = np.maximum([[row["offset_ms"] - row["lower_ms"]], [row["upper_ms"] - row["offset_ms"]]], 0.0)
        ax.errorbar(row["offset_ms"], place, xerr=spread, fmt=marker, color=colour, capsize=4)
    names = [plain_text(f"{row['service']} against {row['reference']}") for row in reversed(rows)]
    ax.set_yticks(np.arange(len(rows)), names)
    ax.set_ylim(-0.6, max(len(rows), 1) - 0.4)
    ax.set_xlabel("offset of the clock with its bounds, ms")
    skewed = sum(pairs["skewed"].to_pylist())
    ax.set_title(f"{skewed} of {len(pairs)} pairs of clocks are apart" if skewed else "No clock is skewed")
    return ax
