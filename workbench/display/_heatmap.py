"""Counts over two binned axes as a heat map, such as requests over time and latency.

Zero is empty, whatever the page's colour; every count has a colour that shows on light and dark. Cells of
one colour that lie side by side in a row become one rectangle, so a picture of thousands of cells stays
small.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from workbench.display._grid import Floats, Grid, edges_of, matrix_of, runs_in_ratios, window_of
from workbench.display._lines import one_line
from workbench.display._palette import RAMP
from workbench.display._picture import Picture, Tip
from workbench.display._scale import Scale, scale_of
from workbench.display._svg import (
    BOLD,
    TITLE,
    document,
    escape,
    fit,
    number,
    path,
    rectangle,
    text,
    text_width,
)
from workbench.display._units import axis_texts, edge_text, ticks, value_text

__all__ = ["heatmap"]

WIDTH, HEIGHT, LEFT, RIGHT, MARGIN = 860, 300, 74, 16, 14
MARK_ROW, MOST_TIPS, MOST_OWN_TICKS = 17, 400, 12
RULES = [
    *(f"& .k{index}{{fill:{colour}}}" for index, colour in enumerate(RAMP)),
    "& .h{font-size:14px;font-weight:600}",
    "& .d{stroke-dasharray:5 3}",
    "& .q{shape-rendering:crispEdges}",
    "& .w{fill:none;stroke:#fff;stroke-width:2.5;stroke-opacity:.8}",
    "& .o{stroke:#fff;stroke-width:5px;stroke-linejoin:round;paint-order:stroke}",
    "@media(prefers-color-scheme:dark){& .w,& .o{stroke:#111}}",
]
Run = tuple[int, int, int, int]  # row, first column, column after the last, colour


def heatmap(  # noqa: PLR0913 - two axes, and names for them
    counts: ArrayLike,
    *,
    x_edges: ArrayLike,
    y_edges: ArrayLike,
    x_label: str,
    y_label: str,
    title: str = "",
    value_name: str = "count",
    marks: Sequence[tuple[float, float, str]] = (),
    y_scale: Literal["linear", "log"] | None = None,
) -> Picture:
    """Draw counts over two binned axes; zero is empty.

    Parameters
    ----------
    counts : (ny, nx) float or int, not negative
        ``counts[i, j]`` lies between ``y_edges[i]`` and ``y_edges[i + 1]``, ``x_edges[j]`` and ``x_edges[j
        + 1]``.
    x_edges : (nx + 1,) float, ascending
    y_edges : (ny + 1,) float, ascending
    x_label, y_label : str
        What the axes show, with their unit.
    title : str
    value_name : str
        What is counted.
    marks : sequence of (x0, x1, text)
        Windows of the x axis to outline, such as the time of a fault.
    y_scale : {"linear", "log"}, optional
        How the y axis runs; by default logarithmic when the edges grow in ratios rather than in steps.

    Returns
    -------
    Picture

    Raises
    ------
    DisplayError
        If shapes do not fit, edges do not ascend, a count is negative or not finite, a logarithmic axis
        does not begin above zero, or a mark lies outside the x axis.

    Examples
    --------
    >>> heatmap([[3, 0], [1, 2]], x_edges=[0, 1, 2], y_edges=[1, 10, 100],
    ...         x_label="time (s)", y_label="latency (ms)")
    heat map of 2 x 2 cells, 3 not empty, count 6 in all

    """
    grid = Grid(matrix_of(counts), edges_of("x_edges", x_edges), edges_of("y_edges", y_edges))
    log = runs_in_ratios(grid.y_edges, y_scale)
    windows = [window_of(index, mark, grid.x_edges) for index, mark in enumerate(marks)]
    cells = f"{grid.counts.shape[1]} x {grid.counts.shape[0]} cells"
    filled = f"{np.count_nonzero(grid.counts):,} not empty"
    words = one_line(f"heat map of {cells}, {filled}, {value_name} {grid.counts.sum():,.12g} in all")
    names = [one_line(name) for name in (x_label, y_label, title, value_name)]
    sheet = _Sheet(grid, log, windows, *names)
    return Picture(sheet.svg(words), words, tuple(sheet.tips()))


@dataclass(frozen=True)
class _Sheet:
    """One heat map on paper."""

    grid: Grid
    log: bool
    windows: list[tuple[float, float, str]]
    x_label: str
    y_label: str
    title: str
    value_name: str

    def svg(self, words: str) -> str:
        """Return the document."""
        body = [
            *self._heading[0],
            *self._x_axis(),
            *self._y_axis(),
            f'<g class="q">{self._cells()}</g>',
            *self._marks(),
        ]
        return document(body, width=WIDTH, height=self.bottom + 44, title=words, rules=RULES)

    def tips(self) -> Iterator[Tip]:
        """Yield what appears over the runs of cells, when these are not too many."""
        if len(self.runs) <= MOST_TIPS:
            for run in self.runs:
                left, top, right, bottom = self._box(run)
                yield Tip(left, top, right - left, bottom - top, self._tip(run))

    @cached_property
    def scale(self) -> Scale:
        """Return the scale of the counts that are not zero."""
        return scale_of(self.grid.counts[self.grid.counts > 0].tolist())

    @cached_property
    def runs(self) -> list[Run]:
        """Return the cells that are not zero, joined where neighbours in a row have one colour."""
        found = []
        for row, values in enumerate(self.grid.counts.tolist()):
            column = 0
            for colour, cells in groupby(values, key=self._colour):
                end = column + sum(1 for _ in cells)
                if colour is not None:
                    found.append((row, column, end, colour))
                column = end
        return found

    @property
    def top(self) -> float:
        return self._heading[1]

    @property
    def bottom(self) -> float:
        return self.top + HEIGHT

    def _colour(self, value: float) -> int | None:
        return self.scale.colour(self.scale.level(value)) if value else None

    def _x(self, value: float) -> float:
        low, high = self.grid.x_edges[0], self.grid.x_edges[-1]
        return float(LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low))

    def _y(self, value: float) -> float:
        low, high = self.grid.y_edges[0], self.grid.y_edges[-1]
        share = np.log(value / low) / np.log(high / low) if self.log else (value - low) / (high - low)
        return float(self.bottom - HEIGHT * share)

    def _box(self, run: Run) -> tuple[float, float, float, float]:
        row, first, end, _ = run
        xs, ys = self.grid.x_edges, self.grid.y_edges
        return self._x(xs[first]), self._y(ys[row + 1]), self._x(xs[end]), self._y(ys[row])

    def _cells(self) -> str:
        """Draw the runs, each with a tip, or one path for each colour when there are too many."""
        if len(self.runs) <= MOST_TIPS:
            return "".join(
                f"<g><title>{escape(self._tip(run))}</title>{path([self._outline(run)], f'k{run[3]}')}</g>"
                for run in self.runs
            )
        by_colour = sorted(self.runs, key=lambda run: run[3])
        return "".join(
            path(map(self._outline, runs), f"k{colour}")
            for colour, runs in groupby(by_colour, key=lambda run: run[3])
        )

    def _outline(self, run: Run) -> str:
        left, top, right, bottom = self._box(run)
        return f"M{number(left)} {number(top)}H{number(right)}V{number(bottom)}H{number(left)}z"

    def _tip(self, run: Run) -> str:
        row, first, end, _ = run
        values = self.grid.counts[row, first:end]
        low, high = value_text(values.min()), value_text(values.max())
        many = f"{low} to {high} {self.value_name} a cell" if end - first > 1 else f"{high} {self.value_name}"
        xs, ys = self.grid.x_edges, self.grid.y_edges
        across = f"{self.x_label} {edge_text(xs[first])} to {edge_text(xs[end])}"
        up = f"{self.y_label} {edge_text(ys[row])} to {edge_text(ys[row + 1])}"
        return f"{many} · {across} · {up}"

    def _x_axis(self) -> Iterator[str]:
        low, high = map(float, self.grid.x_edges[[0, -1]])
        y, middle = self.bottom, LEFT + (WIDTH - LEFT - RIGHT) / 2
        yield path([f"M{LEFT} {number(y)}H{WIDTH - RIGHT}"], "s")
        places = _own_ticks(self.grid.x_edges, self._x, 40) or ticks(low, high, 8)
        for tick, name in zip(places, axis_texts(places), strict=True):
            x = self._x(tick)
            yield path([f"M{number(x)} {number(y)}v4"], "s")
            yield text(min(x, WIDTH - text_width(name, 11) / 2 - 2), y + 17, name, "m c")
        yield text(middle, y + 35, fit(self.x_label, WIDTH - LEFT - RIGHT), "c")

    def _y_axis(self) -> Iterator[str]:
        places = self._y_ticks()
        lines = list(zip(map(self._y, places), axis_texts(places), strict=True))
        yield path((f"M{LEFT} {number(y)}H{WIDTH - RIGHT}" for y, _ in lines), "g")
        for y, name in lines:
            yield text(LEFT - 7, y + 4, name, "m r")
        x, middle = MARGIN + 6, self.top + HEIGHT / 2
        turn = f"rotate(-90 {x} {number(middle)})"
        name = escape(fit(self.y_label, HEIGHT))
        yield f'<text class="c" x="{x}" y="{number(middle)}" transform="{turn}">{name}</text>'

    def _y_ticks(self) -> list[float]:
        low, high = map(float, self.grid.y_edges[[0, -1]])
        if own := _own_ticks(self.grid.y_edges, self._y, 14):
            return own
        if not self.log:
            return ticks(low, high, 6)
        decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        factors = (1, 2, 5) if high / low < 1e4 else (1,)
        return [f * 10.0**k for k in decades for f in factors if low * 0.999 <= f * 10.0**k <= high * 1.001]

    def _marks(self) -> Iterator[str]:
        places = list(zip(self.windows, self._mark_rows, strict=True))
        for (start, end, _), row in places:
            top = self.top - MARK_ROW * row
            left, wide = self._x(start), max(self._x(end) - self._x(start), 1)
            outline = (
                f"M{number(left)} {number(self.bottom)}V{number(top)}v{number(self.top - top)}h{number(wide)}"
            )
            yield path([outline, f"V{number(self.bottom)}"], "w")
            yield path([outline, f"V{number(self.bottom)}"], "s d")
        for (start, end, name), row in places:
            shown = fit(name, WIDTH - LEFT - RIGHT, BOLD)
            x = _clamp((self._x(start) + self._x(end)) / 2, text_width(shown, BOLD) / 2, LEFT, WIDTH - RIGHT)
            yield text(x, self.top - 6 - MARK_ROW * row, shown, "c b o")

    @cached_property
    def _mark_rows(self) -> list[int]:
        """Return the row above the map in which the text of each mark does not meet another."""
        ends: list[float] = []
        rows = []
        for start, end, name in self.windows:
            half = text_width(fit(name, WIDTH - LEFT - RIGHT, BOLD), BOLD) / 2
            middle = _clamp((self._x(start) + self._x(end)) / 2, half, LEFT, WIDTH - RIGHT)
            row = next((k for k, taken in enumerate(ends) if taken + 8 <= middle - half), len(ends))
            ends[row : row + 1] = [middle + half]
            rows.append(row)
        return rows

    @cached_property
    def _heading(self) -> tuple[list[str], float]:
        """Return title and legend, and where the map begins."""
        parts, y = [], 6.0
        if self.title:
            y += 16
            parts.append(text(MARGIN, y, fit(self.title, WIDTH - 2 * MARGIN, TITLE), "h"))
        y += 20
        parts += self._legend(y)
        return parts, y + 18 + MARK_ROW * (1 + max(self._mark_rows, default=-1))

    def _legend(self, y: float) -> Iterator[str]:
        if not self.grid.counts.any():
            yield text(MARGIN, y, f"no {self.value_name}: every cell is zero", "m")
            return
        name = fit(f"{self.value_name} per cell", 300, 11)
        yield text(MARGIN, y, name, "m")
        x = MARGIN + text_width(name, 11) + 12
        for level in range(len(self.scale.thresholds)):
            name = self.scale.name(level)
            yield rectangle(x, y - 9, 12, 10, f"k{self.scale.colour(level)}")
            yield text(x + 17, y, name, "m")
            x += 17 + text_width(name, 11) + 12


def _own_ticks(edges: Floats, place: Callable[[float], float], apart: float) -> list[float]:
    """Return the edges themselves as ticks where they are few and short and stand far enough apart."""
    near = any(abs(a - b) < apart for a, b in pairwise(map(place, edges)))
    long = any(len(f"{edge:.10g}") > 5 for edge in edges)
    return [] if len(edges) > MOST_OWN_TICKS or near or long else edges.tolist()


def _clamp(middle: float, half: float, low: float, high: float) -> float:
    return min(max(middle, low + half), max(high - half, low + half))
