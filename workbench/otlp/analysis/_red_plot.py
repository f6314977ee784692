"""RED metrics as curves over time, or as one line for each group."""

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.display import new_axes, plain_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.otlp.analysis.red import Red

__all__ = ["draw_red"]

COLUMNS = {"rate": "rate_per_s", "errors": "error_ratio", "duration": "p99_s"}
LABELS = {"rate": "spans per second", "errors": "share of errors", "duration": "duration, s"}
BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"


def draw_red(red: "Red", ax: "Axes | None", measure: str, most: int) -> "Axes":
    """Draw RED metrics; see `Red.plot`."""
    if measure not in COLUMNS:
        msg = f"measure must be one of {', '.join(COLUMNS)}, got {measure!r}"
        raise ValueError(msg)
    ax = new_axes(ax, (9, 3.6))
    frame, groups = _grouped(red)
    kept = frame[frame["group"] < most]
    if red.window_s is None:
        _side_by_side(ax, kept, measure)
    elif len(kept):
        _over_time(ax, kept, measure, red.window_s)
    ax.set_title(_title(red, measure, groups, most))
    return ax


def _grouped(red: "Red") -> "tuple[pd.DataFrame, int]":
    """Return the table with the number of each row's group and its label, and how many groups there are."""
    rows = red.table.select(red.by).to_pylist() if red.by else [{}] * len(red)
    numbers: dict[tuple[object, ...], int] = {}
    frame = red.to_pandas()
    frame["group"] = np.array([numbers.setdefault((*row.values(),), len(numbers)) for row in rows], np.int64)
    frame["label"] = [plain_text(_label([*row.values()])) for row in rows]
    return frame, len(numbers)


def _label(values: list[object]) -> str:
    return " ".join("-" if value is None else str(value) for value in values) or "all"


def _title(red: "Red", measure: str, groups: int, most: int) -> str:
    what = {"rate": "Rate", "errors": "Errors", "duration": "Duration"}[measure]
    shown = f"the {most} of most spans out of {groups:,} groups" if groups > most else f"{groups:,} groups"
    return f"{what} by {plain_text(', '.join(red.by)) or 'nothing'}: {shown}"


def _side_by_side(ax: "Axes", frame: "pd.DataFrame", measure: str) -> None:
    places = np.arange(len(frame))[::-1]
    if measure == "duration":
        lowest = float(frame.loc[frame["p50_s"] > 0, "p50_s"].min()) if (frame["p50_s"] > 0).any() else 1.0
        ax.hlines(
            places, frame["p50_s"].clip(lowest), frame["p99_s"].clip(lowest), color="#BBBBBB", linewidth=3
        )
        for name, colour, marker in (("p50", BLUE, "o"), ("p90", GREEN, "s"), ("p99", RED, "D")):
            values = frame[f"{name}_s"]
            spread = np.array([values - frame[f"{name}_lower_s"], frame[f"{name}_upper_s"] - values])
            ax.errorbar(
                values.clip(lowest), places, xerr=spread, fmt=marker, color=colour, capsize=3, label=name
            )
        ax.set_xscale("log")
        ax.legend()
    else:
        ax.barh(places, frame[COLUMNS[measure]], color=BLUE if measure == "rate" else RED)
    ax.set_yticks(places, frame["label"])
    ax.set_ylim(-0.6, len(frame) - 0.4)
    ax.set_xlabel(LABELS[measure])


def _over_time(ax: "Axes", frame: "pd.DataFrame", measure: str, window_s: float) -> None:
    window = np.timedelta64(round(window_s * 1e9), "ns")
    begins = frame["window_start"].dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    grid = begins.min() + window * np.arange((begins.max() - begins.min()) // window + 1)
    for group in frame["group"].unique():
        rows = (frame["group"] == group).to_numpy()
        values = _on_grid(
            grid, begins[rows], frame.loc[rows, COLUMNS[measure]], empty=0 if measure == "rate" else np.nan
        )
        (line,) = ax.plot(
            grid,
            values,
            linestyle="-",
            label=frame["label"][rows].iloc[0],
            marker="." if len(grid) < 60 else "",
        )
        if measure == "duration":
            median = _on_grid(grid, begins[rows], frame.loc[rows, "p50_s"], empty=np.nan)
            ax.plot(grid, median, linestyle=":", color=line.get_color(), linewidth=1.2)
    if measure == "duration" and (frame["p99_s"] > 0).any():
        ax.set_yscale("log")
    else:
        ax.set_ylim(0)
    label = f"{LABELS[measure]} (p99; dotted: median)" if measure == "duration" else LABELS[measure]
    ax.set(xlabel=f"time, UTC, in windows of {window_s:g} s", ylabel=label)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def _on_grid(grid: Any, times: Any, values: Any, empty: float) -> Any:
    """Return the values at every time of a grid: windows without spans have no row."""
    found = np.full(len(grid), empty)
    found[np.searchsorted(grid, times)] = values
    return found
