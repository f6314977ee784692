"""Pictures of a breaker over recorded calls, and of its operating curve."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.display import new_axes, plain_text
from workbench.reliability.machines.breaker import CLOSED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.reliability.tuning.course import BreakerCourse
    from workbench.reliability.tuning.operating import OperatingCurve

__all__ = ["plot_course", "plot_operating"]

BLUE, VERMILLION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#BBBBBB"
MARKERS = "osD^vP"
LOWEST_MS = 1e-3
SOON_S = 0.1  # delays below are drawn to a linear scale: they may be zero


def plot_course(course: "BreakerCourse", ax: "Axes | None") -> "Axes":
    """Draw a breaker over recorded calls; see `BreakerCourse.plot`."""
    ax = new_axes(ax, (9, 3.2))
    calls = course.calls
    kinds = (
        ("answered", course.allowed & ~calls.failed, BLUE, "o", 6),
        ("failed", course.allowed & calls.failed, VERMILLION, "x", 16),
        ("refused", ~course.allowed, "#777777", "|", 16),
    )
    for label, which, colour, marker, size in kinds:
        took_ms = np.maximum(1e3 * calls.took_s[which], LOWEST_MS)
        ax.scatter(
            calls.at_s[which], took_ms, size, colour, marker=marker, linewidths=0.8, label=label, zorder=3
        )
    for number, fault in enumerate(calls.faults):
        ax.axvspan(
            fault.start_s, fault.end_s, color=GREY, alpha=0.4, label=None if number else "fault", linewidth=0
        )
    _shade_open(course, ax)
    ax.set_yscale("log")
    ax.set_xlim(0, calls.duration_s)
    ax.set_xlabel("time, s")
    ax.set_ylabel("recorded duration, ms")
    ax.set_title(_finding(course))
    ax.legend(ncols=5, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    return ax


def _shade_open(course: "BreakerCourse", ax: "Axes") -> None:
    """Draw a bar along the top wherever the breaker is not closed."""
    states, begins, ends = course.spans
    away = np.flatnonzero((states != CLOSED) & (ends > begins))
    for number, span in enumerate(away):
        ax.axvspan(
            begins[span],
            ends[span],
            0.93,
            1.0,
            color=PURPLE,
            label=None if number else "not closed",
            linewidth=0,
        )


def _finding(course: "BreakerCourse") -> str:
    delays = [
        f"{plain_text(fault.name)} " + (f"after {delay_s:.1f} s" if np.isfinite(delay_s) else "missed")
        for fault, delay_s in zip(course.calls.faults, course.detection_s, strict=True)
    ]
    return ", ".join([*delays, f"false openings: {course.false_openings}"])


def plot_operating(curve: "OperatingCurve", ax: "Axes | None", marks: Sequence[str]) -> "Axes":
    """Draw an operating curve; see `OperatingCurve.plot`."""
    ax = new_axes(ax, (8, 4.4))
    false, delay = curve.false_per_hour.mean(axis=1), curve.detection_s.mean(axis=1)
    ax.scatter(false, delay, 14, GREY, label=f"{len(false):,} settings")
    best = [curve.number(name) for name in curve.frontier]
    ax.step(false[best], delay[best], where="post", color=BLUE, marker=".", linestyle="-", label="the curve")
    for mark, name in enumerate(marks):
        each = curve.number(name)
        spread = np.quantile(curve.detection_s[each], [0.025, 0.975])
        low, high = np.quantile(curve.false_per_hour[each], [0.025, 0.975])
        colour = (VERMILLION, "#009E73", PURPLE, "#222222")[mark % 4]
        marker = MARKERS[mark % len(MARKERS)]
        ax.plot([false[each]] * 2, spread, color=colour, linestyle="-", marker="", linewidth=1)
        ax.plot([low, high], [delay[each]] * 2, color=colour, linestyle="-", marker="", linewidth=1)
        label = plain_text(name)
        ax.plot(false[each], delay[each], color=colour, marker=marker, linestyle="", label=label, zorder=4)
    ax.set_xscale("symlog", linthresh=1.0)
    ax.set_yscale("symlog", linthresh=SOON_S)
    ax.set_xlim(left=-0.1)
    ax.set_ylim(bottom=delay.min() / 2 if delay.min() > SOON_S else 0)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:g}")
    ax.set_xlabel("false openings per healthy hour")
    ax.set_ylabel("time to detection, s")
    ax.set_title("What opens sooner opens falsely more often")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax
