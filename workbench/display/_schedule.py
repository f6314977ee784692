"""Operations that overlap in time as bars in lanes, and an order of them; see `schedule`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.display import _palette as palette
from workbench.display._lines import one_line
from workbench.display._picture import Picture, Tip
from workbench.display._schedule_layout import Layout, lay_out
from workbench.display._svg import (
    TITLE,
    document,
    fit,
    number,
    path,
    rectangle,
    text,
    text_width,
    titled,
)
from workbench.display._units import plural
from workbench.display.errors import DisplayError

__all__ = ["schedule"]

LANE, BAR, MARGIN, LABELS_MOST, RADIUS = 34.0, 20.0, 12.0, 170.0, 3.0
LEAST_WIDTH = 320.0
NOTES_NAME = "state after"
PLACED, PLAIN, BLOCKED = "p", "u", "n"
RULES = [
    "& .h{font-size:14px;font-weight:600}",
    f"& .p{{fill:{palette.CATEGORIES[0]};fill-opacity:.16;stroke:{palette.CATEGORIES[0]}}}",
    f"& .u{{fill:{palette.GREY};fill-opacity:.12;stroke:{palette.GREY}}}",
    f"& .n{{fill:{palette.VERMILLION};fill-opacity:.16;stroke:{palette.VERMILLION};stroke-width:2}}",
    f"& .o{{fill:none;stroke:{palette.CATEGORIES[0]};stroke-opacity:.55;stroke-width:1.5}}",
    f"& .d{{fill:{palette.CATEGORIES[0]}}}",
    "& .t{font-size:11px}",
]


@dataclass(frozen=True, slots=True)
class _Bars:
    lane: list[str]
    start: list[float]
    end: list[float]
    label: list[str]
    tip: list[str]


def schedule(  # noqa: PLR0913 - columns of a schedule
    *,
    lane: Sequence[str],
    start: Sequence[float],
    end: Sequence[float],
    label: Sequence[str],
    order: Sequence[int] = (),
    notes: Sequence[str] = (),
    blocked: int | None = None,
    tip: Sequence[str] = (),
    title: str = "",
    footnote: str = "",
) -> Picture:
    """Draw operations that overlap in time, and an order of them as points that a line joins.

    Times are not to scale: each call and return has a place of its own, in the order of times.

    Parameters
    ----------
    lane : n strings
        Who did each operation; lanes stand in the order of their first starts.
    start, end : (n,) float
        On any clock; an end of infinity or NaN is none, and its bar stays open.
    label : n strings
    order : rows, optional
        An order of some operations, that keeps the order of times.
    notes : strings, optional
        What there is to say after each operation of the order, as the state of an object; what stays the
        same is said once.
    blocked : row, optional
        An operation that has no place in the order.
    tip : n strings, optional
        What appears over each bar; otherwise its label.
    title, footnote : str

    Raises
    ------
    DisplayError
        If columns differ in length, an end lies before its start, or a row of the order is none, or is there
        twice.

    Examples
    --------
    >>> schedule(lane=["A", "B"], start=[0, 1], end=[3, 2], label=["write(1)", "read() -> 1"], order=[0, 1])
    schedule of 2 operations in 2 lanes, 2 of them in order
    """
    endless = [math.inf if math.isnan(time) else float(time) for time in end]
    drawn = _Bars(
        [one_line(name) for name in lane],
        [float(time) for time in start],
        endless,
        [one_line(name) for name in label],
        [one_line(words) for words in (tip or label)],
    )
    _check(drawn, order, notes, blocked)
    return _Sheet(drawn, list(order), [one_line(note) for note in notes], blocked, title, footnote).picture()


def _check(bars: _Bars, order: Sequence[int], notes: Sequence[str], blocked: int | None) -> None:
    columns: dict[str, Sequence[object]] = {
        "lane": bars.lane,
        "start": bars.start,
        "end": bars.end,
        "label": bars.label,
        "tip": bars.tip,
    }
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) > 1:
        msg = f"columns of different lengths: {sizes}; expected one value for each bar"
        raise DisplayError(msg)
    for row, (start, end) in enumerate(zip(bars.start, bars.end, strict=True)):
        if not -math.inf < start <= end or start == math.inf:
            msg = f"bar {row} lies from {start} to {end}; expected a finite start, and an end not before it"
            raise DisplayError(msg)
    rows = range(len(bars.start))
    named = [*order, *([] if blocked is None else [blocked])]
    if len(set(named)) < len(named) or not set(named) <= set(rows):
        msg = f"order {list(order)} and blocked {blocked} must name different rows of {len(rows)}"
        raise DisplayError(msg)
    if len(notes) > len(order):
        msg = f"{plural(len(notes), 'note')} for an order of {len(order)}; expected at most one for each"
        raise DisplayError(msg)


class _Sheet:
    """Lanes on paper."""

    def __init__(  # noqa: PLR0913 - what there is to draw
        self, bars: _Bars, order: list[int], notes: list[str], blocked: int | None, title: str, footnote: str
    ) -> None:
        self.bars, self.order, self.notes, self.blocked = bars, order, notes, blocked
        self.title, self.footnote = one_line(title), one_line(footnote)
        by_start = sorted(range(len(bars.start)), key=bars.start.__getitem__)
        self.lanes = {
            name: place for place, name in enumerate(dict.fromkeys(bars.lane[row] for row in by_start))
        }
        names = [*map(text_width, self.lanes), text_width(NOTES_NAME, 11) if notes else 0.0]
        self.names_width = min(max(names), LABELS_MOST)
        self.left = MARGIN + self.names_width + 16
        self.layout: Layout = lay_out(bars.lane, bars.start, bars.end, bars.label, order, notes)
        heading = max(text_width(self.title, TITLE), text_width(self.footnote, 11), LEAST_WIDTH)
        self.width = max(self.left + self.layout.width + MARGIN + 14, heading + 2 * MARGIN)
        self.top = 34.0 if self.title else 12.0

    @property
    def bottom(self) -> float:
        """Where the lanes end."""
        return self.top + LANE * len(self.lanes)

    def picture(self) -> Picture:
        """Return the picture."""
        words = self._words()
        head = [text(MARGIN, 22, self.title, "h")] if self.title else []
        below, height = self._below()
        body = [*head, self._bands(), *map(self._bar, range(len(self.bars.start))), *self._line(), *below]
        svg = document(body, width=self.width, height=height, title=words, rules=RULES)
        return Picture(svg, words, tuple(map(self._tip, range(len(self.bars.start)))))

    def _words(self) -> str:
        drawn = f"{plural(len(self.bars.start), 'operation')} in {plural(len(self.lanes), 'lane')}"
        ordered = f", {len(self.order)} of them in order" if self.order else ""
        without = "" if self.blocked is None else f", no place for {self.bars.label[self.blocked]}"
        return f"schedule of {drawn}{ordered}{without}"

    def _bands(self) -> str:
        names = "".join(
            text(MARGIN, self._y(place) + BAR / 2 + 4, fit(name, self.names_width + 1))
            for name, place in self.lanes.items()
        )
        across = f"h{number(self.width)}v{number(LANE)}h-{number(self.width)}z"
        bands = path(
            (f"M0 {number(self.top + LANE * place)}{across}" for place in range(0, len(self.lanes), 2)), "z"
        )
        return bands + names

    def _y(self, lane: int) -> float:
        return self.top + LANE * lane + (LANE - BAR) / 2

    def _extent(self, row: int) -> tuple[float, float]:
        left, right = self.layout.starts[row], self.layout.ends[row]
        return self.left + left, self.left + min(right, self.layout.width)

    def _class(self, row: int) -> str:
        if row == self.blocked:
            return BLOCKED
        return PLACED if row in self.layout.points or not (self.order or self.blocked is not None) else PLAIN

    def _bar(self, row: int) -> str:
        left, right = self._extent(row)
        y = self._y(self.lanes[self.bars.lane[row]])
        if math.isinf(self.layout.ends[row]):
            steps = f"M{number(right + 10)} {number(y)}H{number(left)}v{number(BAR)}H{number(right + 10)}"
            shape = f'<path class="{self._class(row)}" stroke-dasharray="4 3" d="{steps}"/>'
        else:
            shape = rectangle(left, y, right - left, BAR, self._class(row), RADIUS)
        label = text(left + 6, y + 14, fit(self.bars.label[row], right - left - 4))
        return titled(self.bars.tip[row], shape, label)

    def _tip(self, row: int) -> Tip:
        left, right = self._extent(row)
        y = self._y(self.lanes[self.bars.lane[row]])
        return Tip(left, y, max(right - left, 4), BAR, self.bars.tip[row])

    def _line(self) -> list[str]:
        """Draw the points of the order, and the line that joins them."""
        places = [
            (self.left + self.layout.points[row], self._y(self.lanes[self.bars.lane[row]]) + BAR + 1)
            for row in self.order
        ]
        steps = [f"{'L' if k else 'M'}{number(x)} {number(y)}" for k, (x, y) in enumerate(places)]
        dots = [f'<circle class="d" cx="{number(x)}" cy="{number(y)}" r="3.5"/>' for x, y in places]
        return [path(steps, "o"), *dots]

    def _below(self) -> tuple[list[str], float]:
        """Return notes, legend and footnote, and where the picture ends."""
        y = self.bottom
        parts: list[str] = []
        if self.notes:
            parts += self._notes(y + 16)
            y += 22
        legend = self._legend(y + 20)
        y += 24 if legend else 6
        parts += legend
        if self.footnote:
            parts.append(text(MARGIN, y + 14, self.footnote, "m"))
            y += 20
        return parts, y + 6

    def _notes(self, y: float) -> list[str]:
        found = [text(MARGIN, y, NOTES_NAME, "m")]
        for k, note in enumerate(self.notes):
            if k == 0 or note != self.notes[k - 1]:
                x = self.left + self.layout.points[self.order[k]]
                found += [text(x - 3, y, fit(note, 90, 11), "t"), self._tick(x, y)]
        return found

    def _tick(self, x: float, y: float) -> str:
        return path([f"M{number(x)} {number(self.bottom + 1)}V{number(y - 11)}"], "g")

    def _legend(self, y: float) -> list[str]:
        parts, x = [], MARGIN
        for mark, words in self._legend_entries():
            parts += [mark.format(x=number(x), cx=number(x + 7), y=number(y - 9), cy=number(y - 4))]
            parts.append(text(x + 20, y, words, "m"))
            x += 20 + text_width(words, 11) + 18
        self_width = x + MARGIN
        self.width = max(self.width, self_width)
        return parts

    def _legend_entries(self) -> list[tuple[str, str]]:
        entries = []
        box = '<rect class="{}" x="{{x}}" y="{{y}}" width="14" height="10" rx="2"/>'
        if self.order:
            entries.append(('<circle class="d" cx="{cx}" cy="{cy}" r="3.5"/>', "takes effect, in this order"))
        if self.blocked is not None:
            entries.append((box.format(BLOCKED), "cannot be placed"))
        classes = {self._class(row) for row in range(len(self.bars.start))}
        if PLAIN in classes:
            entries.append((box.format(PLAIN), "not placed"))
        if any(map(math.isinf, self.bars.end)):
            dashed = box.format(f'{PLACED}" stroke-dasharray="4 3')
            entries.append((dashed, "never returned"))
        return entries
