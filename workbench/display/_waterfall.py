"""A trace as a waterfall: one row a span, names as a tree on the left, time on the right.

::

    title
    18 spans in 3 groups, 12.3 ms, 2 errors
    ■ frontend  ■ cart  x error  ▭ critical path
    name                          duration | 0      5 ms     10 ms
    ▎GET /checkout                 12.3 ms | ▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬
      ▎cart.get  x4, +3 spans below 2.1 ms |   ▬▬  ▬ ▬▬  ▬
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from workbench.display._lines import one_line
from workbench.display._palette import CATEGORIES, GREY
from workbench.display._picture import Tip
from workbench.display._svg import (
    TITLE,
    document,
    escape,
    fit,
    number,
    path,
    rectangle,
    text,
    text_width,
    titled,
)
from workbench.display._trace import Outline, Row, Trace
from workbench.display._units import duration_text, plural, time_ticks

__all__ = ["Waterfall", "blank_waterfall"]

ROW, BAR, INDENT, GUTTER, MARGIN, DURATION = 20, 9, 14, 18, 12, 78
TIMES = "\N{MULTIPLICATION SIGN}"
RULES = [
    *(f"& .c{index}{{fill:{colour}}}" for index, colour in enumerate((*CATEGORIES, GREY))),
    "& .h{font-size:14px;font-weight:600}",
]


def blank_waterfall(title: str, words: str, width: int) -> str:
    """Return the document of a trace without spans."""
    head = [text(MARGIN, 20, fit(title, width - 2 * MARGIN, TITLE), "h")] if title else []
    y = 44 if title else 24
    body = [*head, text(MARGIN, y, "no spans", "m")]
    return document(body, width=width, height=y + 14, title=words, rules=RULES)


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of the outline at its place on the sheet."""

    row: Row
    y: float
    name_x: float


class Waterfall:
    """One trace on paper: where things stand, and their marks."""

    def __init__(self, trace: Trace, folded: Outline, width: int, title: str, summary: str) -> None:
        self.trace, self.outline, self.width = trace, folded, width
        self.title, self.summary = title, summary
        self.colour = _colours(trace)
        self.name_width = self._name_width()
        self.time_x = GUTTER + self.name_width + DURATION + 16
        self.time_width = width - MARGIN - self.time_x
        self.begin, self.span = trace.begin, max(trace.end - trace.begin, 1)
        self.head, self.top = self._heading()
        self.lines = [
            _Line(row, self.top + index * ROW, GUTTER + self.indent * row.depth)
            for index, row in enumerate(folded.rows)
        ]

    @property
    def indent(self) -> float:
        """Return the indentation of a level, less where the tree is deep."""
        deepest = max((row.depth for row in self.outline.rows), default=0)
        return min(INDENT, 0.15 * self.width / max(deepest, 1))

    @property
    def bottom(self) -> float:
        return self.top + ROW * len(self.outline.rows)

    def svg(self, words: str) -> str:
        """Return the document."""
        rest = [text(GUTTER, self.bottom + 18, self._rootless_note(), "m")] if self.outline.rootless else []
        body = [*self.head, self._bands(), self._grid(), self._guides(), *map(self._line, self.lines), *rest]
        height = self.bottom + (30 if rest else 10)
        return document(body, width=self.width, height=height, title=words, rules=RULES)

    def tips(self) -> Iterator[Tip]:
        """Yield what appears over each row."""
        for line in self.lines:
            yield Tip(0, line.y, self.width, ROW, self._tip(line.row))

    def x(self, time_ns: int) -> float:
        """Return the place of a time."""
        return self.time_x + self.time_width * (time_ns - self.begin) / self.span

    def _name_width(self) -> float:
        wanted = max(
            self.indent * row.depth
            + 20
            + text_width(_name(self.trace, row))
            + text_width(self._badge(row), 11)
            + 8
            for row in self.outline.rows
        )
        return min(max(wanted, 140), 0.42 * self.width)

    def _heading(self) -> tuple[list[str], float]:
        """Return title, summary, legend and axis, and where the rows begin."""
        parts, y = [], 4.0
        for line, classes, step, size in self._headlines():
            y += step
            parts.append(text(MARGIN, y, fit(line, self.width - 2 * MARGIN, size), classes))
        legend, y = _legend(self.trace, self.colour, y + 20, self.width)
        return [*parts, *legend, *self._axis(y + 26)], y + 34

    def _headlines(self) -> Iterator[tuple[str, str, float, float]]:
        if self.title:
            yield self.title, "h", 16, TITLE
        yield self.summary, "", 18 if self.title else 14, 12
        if len(self.outline.rows) < len(self.trace):
            yield self._folding_note(), "m", 17, 11

    def _folding_note(self) -> str:
        shown = f"{plural(len(self.trace), 'span')}, {plural(len(self.outline.rows), 'row')} shown"
        repeats = f"; siblings of one name are one row {TIMES}N" if self.outline.repeats else ""
        folded = "; what is folded below a row is counted as +N spans below" if self.outline.folded else ""
        return shown + repeats + folded

    def _rootless_note(self) -> str:
        return f"+{plural(self.outline.rootless, 'span')} in roots not shown"

    def _ticks(self) -> list[tuple[float, str]]:
        count = max(2, int(self.time_width // 85))
        return [(self.x(self.begin + offset), name) for offset, name in time_ticks(self.span, count)]

    def _axis(self, y: float) -> list[str]:
        room = self.width - MARGIN
        names = [
            text(x, y, name, "m" if x + text_width(name, 11) < room else "m r") for x, name in self._ticks()
        ]
        return [*names, text(self.time_x - 16, y, "duration", "m r")]

    def _grid(self) -> str:
        top, height = number(self.top - 2), number(self.bottom - self.top + 4)
        return path((f"M{number(x)} {top}v{height}" for x, _ in self._ticks()), "g")

    def _bands(self) -> str:
        span = f"h{number(self.width)}v{ROW}h-{number(self.width)}z"
        return path((f"M0 {number(line.y)}{span}" for line in self.lines[1::2]), "z")

    def _guides(self) -> str:
        """Draw the lines of the tree: across to each child, and up to its elder sibling or parent."""
        steps: list[str] = []
        above: dict[int, float] = {}  # depth -> where the line under the last row of that depth has got to
        for line in self.lines:
            depth, middle = line.row.depth, line.y + ROW / 2 + 0.5
            if depth - 1 in above:
                x, y = line.name_x - self.indent + 1.5, above[depth - 1]
                steps.append(f"M{number(x)} {number(y)}V{number(middle)}h{number(self.indent - 3)}")
                above[depth - 1] = middle
            above[depth] = line.y + ROW - 3
        return path(steps, "g")

    def _line(self, line: _Line) -> str:
        first = line.row.first
        marks = [self._label(line), self._bar(line)]
        if self.trace.critical[first]:
            marks.append(self._ring(line))
        if self.trace.error[first]:
            marks.append(_cross(8, line.y + ROW / 2))
        return titled(self._tip(line.row), *marks)

    def _label(self, line: _Line) -> str:
        trace, row = self.trace, line.row
        x, y = line.name_x, line.y + 14
        room = GUTTER + self.name_width - line.name_x - 8
        name = _name(trace, row)
        badge = fit(self._badge(row), max(0.6 * room, room - text_width(name) - 8), 11)
        name = fit(name, room - text_width(badge, 11) - 8)
        chip = rectangle(x, line.y + 4, 3, 12, self._class(row.first), 1)
        red = ' class="x"' if trace.error[row.first] else ""
        label = f'<text{red} x="{number(x + 8)}" y="{number(y)}">{escape(name)}'
        more = f'<tspan class="m" dx="6">{escape(badge)}</tspan>' if badge else ""
        return f"{chip}{label}{more}</text>" + text(self.time_x - 16, y, self._duration(row), "r")

    def _badge(self, row: Row) -> str:
        """Return what stands after a name: what the row stands for, and a group that has no colour."""
        group = self.trace.group[row.first]
        times = f"{TIMES}{len(row.members):,}" if len(row.members) > 1 else ""
        grey = one_line(group) if self.colour[group] == len(CATEGORIES) else ""
        return ", ".join(filter(None, [times, _badge_below(row), grey]))

    def _duration(self, row: Row) -> str:
        total = sum(self.trace.duration[member] for member in row.members)
        return f"{'Σ ' if len(row.members) > 1 else ''}{duration_text(total)}"

    def _bar(self, line: _Line) -> str:
        y, first = line.y + (ROW - BAR) / 2, line.row.first
        classes = "x" if self.trace.error[first] else self._class(first)
        extents = self._extents(line.row)
        if len(extents) == 1:
            ((left, right),) = extents
            return rectangle(left, y, right - left, BAR, classes, 2)
        steps = (f"M{number(a)} {number(y)}h{number(b - a)}v{BAR}h-{number(b - a)}z" for a, b in extents)
        return path(steps, classes)

    def _ring(self, line: _Line) -> str:
        ((left, right),) = self._extents(line.row)
        y = line.y + (ROW - BAR) / 2
        return rectangle(left - 2.5, y - 2.5, right - left + 5, BAR + 5, "s", 3.5)

    def _extents(self, row: Row) -> list[tuple[float, float]]:
        """Return the stretches that spans cover, at least two pixels each, joined where they touch."""
        starts = sorted((self.trace.start[member], self.trace.duration[member]) for member in row.members)
        joined: list[tuple[float, float]] = []
        for start, duration in starts:
            left = min(self.x(start), self.time_x + self.time_width - 2)
            right = max(self.x(start + duration), left + 2)
            if joined and left <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(right, joined[-1][1]))
            else:
                joined.append((left, right))
        return joined

    def _class(self, row: int) -> str:
        return f"c{self.colour[self.trace.group[row]]}"

    def _tip(self, row: Row) -> str:
        trace, first = self.trace, row.first
        start = min(trace.start[member] for member in row.members) - self.begin
        times = len(row.members)
        longest = max(trace.duration[member] for member in row.members)
        parts = [
            f"{trace.label[first]} {TIMES}{times:,}" if times > 1 else trace.label[first],
            trace.group[first],
            f"{self._duration(row)} from {duration_text(start)}",
            f"longest {duration_text(longest)}" if times > 1 else "",
            "error" if trace.error[first] else "",
            "on the critical path" if trace.critical[first] else "",
            _badge_below(row),
        ]
        return " · ".join(filter(None, parts))


def _name(trace: Trace, row: Row) -> str:
    return one_line(trace.label[row.first]) or "(no name)"


def _badge_below(row: Row) -> str:
    if not row.below:
        return ""
    errors = f" ({plural(row.errors_below, 'error')})" if row.errors_below else ""
    return f"+{plural(row.below, 'span')} below{errors}"


def _colours(trace: Trace) -> dict[str, int]:
    """Return a colour for each group: the largest groups have their own, the rest share grey."""
    sizes = Counter(trace.group)
    ranked = sorted(sizes, key=lambda group: (-sizes[group], group))
    own = len(CATEGORIES)
    return {group: min(rank, own) for rank, group in enumerate(ranked)}


def _cross(x: float, y: float) -> str:
    return f'<path class="e" d="M{number(x - 3.5)} {number(y - 3.5)}l7 7m0-7l-7 7"/>'


def _legend(trace: Trace, colour: dict[str, int], y: float, width: float) -> tuple[list[str], float]:
    """Return the legend in as many lines as it needs, and the baseline of the last."""
    parts, x = [], float(MARGIN)
    for draw, name in _legend_entries(trace, colour):
        shown = fit(name, 180, 11)
        wide = 18 + text_width(shown, 11) + 16
        if x + wide > width - MARGIN and x > MARGIN:
            x, y = float(MARGIN), y + 18
        parts += [draw(x, y), text(x + 18, y, shown, "m")]
        x += wide
    return parts, y


def _legend_entries(
    trace: Trace, colour: dict[str, int]
) -> Iterator[tuple[Callable[[float, float], str], str]]:
    own = [group for group, index in colour.items() if index < len(CATEGORIES)]
    for index, group in enumerate(own):
        yield _swatch(index), one_line(group) or "(no group)"
    if len(colour) > len(own):
        yield _swatch(len(CATEGORIES)), plural(len(colour) - len(own), "smaller group")
    if any(trace.error):
        yield (lambda x, y: _cross(x + 6, y - 4)), "error"
    if any(trace.critical):
        yield (lambda x, y: rectangle(x, y - 9, 13, 10, "s", 3)), "critical path"


def _swatch(index: int) -> Callable[[float, float], str]:
    return lambda x, y: rectangle(x, y - 9, 12, 10, f"c{index}", 2)
