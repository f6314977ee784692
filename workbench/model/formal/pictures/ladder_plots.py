"""A ladder as curves: states or memory by size on a logarithmic scale, and the predictions beside them."""

from typing import TYPE_CHECKING

from workbench import display

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.model.formal.ladders import Ladder

__all__ = ["plot_ladder"]


def plot_ladder(ladder: "Ladder", ax: "Axes | None", of: str) -> "Axes":
    """Draw a ladder; see `Ladder.plot`."""
    ax = display.new_axes(ax, (7, 3.6))
    predicted = [rung.predicted for rung in ladder.rungs if rung.predicted is not None]
    sizes = [each.value for each in predicted]
    if of == "states":
        ax.plot(ladder.values, ladder.states, marker="o", label="counted")
        expected: list[float] = [each.states for each in predicted]
        ax.set(ylabel="distinct states", title=_finding(ladder))
    else:
        held = [rung.verdict.memory_bytes / 1e6 for rung in ladder.rungs]
        ax.plot(ladder.values, held, marker="o", label="held")
        expected = [each.memory_bytes / 1e6 for each in predicted]
        ax.set(ylabel="MB", title="Memory doubles when it is full")
    ax.plot(sizes, expected, "x", color="C1", markersize=10, markeredgewidth=2, label="predicted")
    ax.set(xlabel="size", yscale="log", xticks=ladder.values)
    ax.legend()
    return ax


def _finding(ladder: "Ladder") -> str:
    last = ladder.rungs[-1] if ladder.rungs else None
    if last is None or last.error is None:
        return "States by size"
    if last.error == 0:
        return "The last size was predicted to the state"
    return f"The last prediction was off by {abs(last.error):.1%}"
