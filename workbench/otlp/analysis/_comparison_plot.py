"""What contributes to a change, and what tells two sides apart, as bars."""

from typing import TYPE_CHECKING

import numpy as np

from workbench.display import new_axes, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.otlp.analysis._explanation import Explanation
    from workbench.otlp.analysis.comparison import Comparison

__all__ = ["draw_contributions", "draw_explanation"]

BLUE, VERMILLION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#BBBBBB"


def draw_contributions(comparison: "Comparison", ax: "Axes | None", most: int) -> "Axes":
    """Draw what the operations contribute to the change of the mean latency, with 95 % intervals."""
    rows = comparison.latency.slice(0, most).to_pylist()
    ax = new_axes(ax, (9, 1.2 + 0.32 * max(len(rows), 1)))
    places = np.arange(len(rows))[::-1]
    middle = np.array([row["contribution_ms"] for row in rows])
    spread = np.array([row["contribution_ms_upper"] for row in rows]) - middle
    certain = [row["q"] is not None and row["q"] <= comparison.alpha for row in rows]
    colours = [
        (VERMILLION if value > 0 else GREEN) if sure else GREY
        for value, sure in zip(middle, certain, strict=True)
    ]
    ax.barh(places, middle, xerr=spread, color=colours, error_kw={"elinewidth": 1, "capsize": 3})
    ax.axvline(0, color="#767676", linewidth=1)
    ax.set_yticks(places, [plain_text(f"{row['service']} {row['name']}") for row in rows])
    ax.set_xlabel("contribution to the mean latency of a trace, ms (grey: not significant)")
    before, after = comparison.mean_latency_ms
    ax.set_title(f"Mean latency {before:.3g} ms before, {after:.3g} ms after")
    return ax


def draw_explanation(explanation: "Explanation", ax: "Axes | None", most: int) -> "Axes":
    """Draw the share of both sides that has each of the values that tell most."""
    rows = explanation.significant().slice(0, most).to_pylist()
    ax = new_axes(ax, (9, 1.2 + 0.42 * max(len(rows), 1)))
    places = np.arange(len(rows))[::-1]
    for shift, name, label, colour in (
        (0.2, "target_share", explanation.target_name, VERMILLION),
        (-0.2, "other_share", explanation.other_name, BLUE),
    ):
        ax.barh(
            places + shift,
            [100 * row[name] for row in rows],
            height=0.38,
            color=colour,
            label=plain_text(label),
        )
    ax.set_yticks(places, [plain_text(f"{row['key']}={row['value']}"[:48]) for row in rows])
    ax.set(xlabel="have it, %", xlim=(0, 100))
    ax.set_title("What tells them apart" if rows else "No attribute tells them apart")
    if rows:
        ax.legend(loc="upper center", bbox_to_anchor=(0.3, -0.45 / len(rows) - 0.12), ncols=2)
    return ax
