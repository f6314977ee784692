"""A sequence diagram on paper: where lifelines and rows stand, and their marks.

Lifelines are as near to each other as names, boxes and the labels of arrows allow. A row has one line for its
boxes and one for each of its arrows.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from workbench.display import _palette as palette
from workbench.display._curves import arrow
from workbench.display._picture import Tip
from workbench.display._svg import TITLE, document, fit, number, path, rectangle, text, text_width, titled

if TYPE_CHECKING:
    from workbench.display._sequence import Arrow, Box, Diagram

__all__ = ["Sheet"]

MARGIN, GAP, PAD, HEAD, BOX, LINE, FOOT = 14.0, 26.0, 8.0, 26.0, 22.0, 20.0, 6.0
NAMES_MOST, TEXT_MOST, LEAST_WIDTH, LOOP_WIDTH = 230.0, 170.0, 320.0, 64.0
RULES = [
    "& .h{font-size:14px;font-weight:600}",
    f"& .v{{fill:none;stroke:{palette.GREY};stroke-opacity:.45;stroke-dasharray:3 3}}",
    f"& .p{{fill:{palette.CATEGORIES[0]};fill-opacity:.14;stroke:{palette.CATEGORIES[0]}}}",
    f"& .n{{fill:{palette.VERMILLION};fill-opacity:.14;stroke:{palette.VERMILLION};stroke-width:2}}",
    f"& .k{{fill:{palette.GREY};fill-opacity:.1;stroke:{palette.GREY}}}",
    f"& .a{{color:{palette.CATEGORIES[1]}}}",
    f"& .w{{color:{palette.GREY}}}",
    "& .l{fill:none;stroke:currentColor;stroke-width:1.5}",
    "& .o{fill:#fff}",
    "& .t{font-size:11px}",
    "@media(prefers-color-scheme:dark){& .o{fill:#111}}",
]


class Sheet:
    """One diagram on paper."""

    def __init__(self, diagram: "Diagram") -> None:
        self.diagram = diagram
        self.names = [f"{row}  {name}" for row, name in enumerate(diagram.rows)]
        self.names_width = min(max(map(text_width, self.names), default=0.0), NAMES_MOST)
        self.top = (34.0 if diagram.title else 12.0) + HEAD + 10

    def svg(self, words: str) -> str:
        """Return the document."""
        diagram = self.diagram
        body = [
            *([text(MARGIN, 22, diagram.title, "h")] if diagram.title else []),
            self._bands(),
            *(self._lifeline(place) for place in range(len(diagram.lifelines))),
            *map(self._arrow, range(len(diagram.arrows))),
            *map(self._box, diagram.boxes),
            *self._loop(),
            *([text(MARGIN, self.bottom + 20, diagram.footnote, "m")] if diagram.footnote else []),
        ]
        height = self.bottom + (28 if diagram.footnote else 8)
        return document(body, width=self.width, height=height, title=words, rules=RULES)

    def tips(self) -> Iterator[Tip]:
        """Yield what appears over boxes and arrows."""
        for box in self.diagram.boxes:
            x, y, wide = self._place(box)
            yield Tip(x, y, wide, BOX - 4, self._box_tip(box))
        for place, each in enumerate(self.diagram.arrows):
            (x0, y0), (x1, y1) = self._ends(place)
            yield Tip(min(x0, x1), (y0 + y1) / 2 - 12, abs(x1 - x0), 16, self._arrow_tip(each))

    @cached_property
    def width(self) -> float:
        """How wide the picture is."""
        right = self.x[-1] + self._half[-1] if self.x else MARGIN + self.names_width
        loop = LOOP_WIDTH if self.diagram.loop is not None else 0.0
        heading = max(text_width(self.diagram.title, TITLE), text_width(self.diagram.footnote, 11))
        return max(right + loop + MARGIN, heading + 2 * MARGIN, LEAST_WIDTH)

    @property
    def bottom(self) -> float:
        """Where the lifelines end."""
        return self._rows[-1]

    # Where things stand

    @cached_property
    def _half(self) -> list[float]:
        """Return how far what stands on each lifeline reaches to either side."""
        half = [min(text_width(name), TEXT_MOST) / 2 + PAD for name in self.diagram.lifelines]
        for box in self.diagram.boxes:
            half[box.lifeline] = max(half[box.lifeline], self._box_width(box) / 2)
        return half

    @cached_property
    def x(self) -> list[float]:
        """Where each lifeline stands."""
        half = self._half
        x: list[float] = []
        for place in range(len(half)):
            start = MARGIN + self.names_width + GAP + half[0]
            least = x[-1] + half[place - 1] + half[place] + GAP / 2 if x else start
            for each in self.diagram.arrows:
                low, high = sorted((each.source, each.target))
                if high == place:
                    least = max(least, x[low] + min(text_width(each.text, 11), TEXT_MOST) + GAP)
            x.append(least)
        return x

    @cached_property
    def _rows(self) -> list[float]:
        """Return where each row begins, and where the last one ends."""
        starts = [self.top]
        for row in range(len(self.diagram.rows)):
            lines = len(self._arrows_of(row))
            boxes = 1 if self._has_box(row) or not lines else 0
            starts.append(starts[-1] + boxes * BOX + lines * LINE + FOOT)
        return starts

    def _has_box(self, row: int) -> bool:
        arrives = any(each.arrival == row and each.row < row for each in self.diagram.arrows)
        return arrives or any(box.row == row for box in self.diagram.boxes)

    def _arrows_of(self, row: int) -> list[int]:
        return [place for place, each in enumerate(self.diagram.arrows) if each.row == row]

    def _ends(self, place: int) -> tuple[tuple[float, float], tuple[float, float]]:
        each = self.diagram.arrows[place]
        line = self._arrows_of(each.row).index(place)
        above = BOX if self._has_box(each.row) else 0.0
        y = self._rows[each.row] + above + LINE * line + LINE - 3
        if each.arrival == each.row:
            return (self.x[each.source], y), (self.x[each.target], y)
        side = 1 if self.x[each.source] > self.x[each.target] else -1
        x = self.x[each.target] + side * self._half_at(each.arrival, each.target)
        return (self.x[each.source], y), (x, self._rows[each.arrival] + BOX / 2 + 2)

    def _half_at(self, row: int, lifeline: int) -> float:
        """Return how far the boxes on a lifeline reach in a row."""
        boxes = [each for each in self.diagram.boxes if (each.row, each.lifeline) == (row, lifeline)]
        return max((self._box_width(each) / 2 for each in boxes), default=0.0)

    def _box_width(self, box: "Box") -> float:
        return min(text_width(box.text, 11), TEXT_MOST) + 2 * PAD

    def _place(self, box: "Box") -> tuple[float, float, float]:
        wide = self._box_width(box)
        return self.x[box.lifeline] - wide / 2, self._rows[box.row] + 4, wide

    # Marks

    def _bands(self) -> str:
        across = number(self.width)
        starts = self._rows
        steps = (
            f"M0 {number(starts[row])}h{across}V{number(starts[row + 1])}h-{across}z"
            for row in range(0, len(self.diagram.rows), 2)
        )
        names = "".join(
            text(MARGIN, starts[row] + 17, fit(name, self.names_width + 1), self._name_class(row))
            for row, name in enumerate(self.names)
        )
        return path(steps, "z") + names

    def _name_class(self, row: int) -> str:
        return "x b" if row in self.diagram.marked else ""

    def _lifeline(self, place: int) -> str:
        name, x = self.diagram.lifelines[place], self.x[place]
        wide = min(text_width(name), TEXT_MOST) + 2 * PAD
        top = self.top - HEAD - 6
        head = rectangle(x - wide / 2, top, wide, HEAD - 2, "k", 4)
        label = text(x, top + 16, fit(name, TEXT_MOST + 1), "c")
        line = path([f"M{number(x)} {number(top + HEAD - 2)}V{number(self.bottom)}"], "v")
        return titled(name, line, head, label)

    def _box(self, box: "Box") -> str:
        x, y, wide = self._place(box)
        under = rectangle(x, y, wide, BOX - 4, "o", 3)
        shape = rectangle(x, y, wide, BOX - 4, "n" if box.row in self.diagram.marked else "p", 3)
        label = text(x + wide / 2, y + 13, fit(box.text, TEXT_MOST + 1, 11), "c t")
        return titled(self._box_tip(box), under, shape, label)

    def _box_tip(self, box: "Box") -> str:
        return f"{self.diagram.lifelines[box.lifeline]}: {box.text} · {self.names[box.row]}"

    def _arrow(self, place: int) -> str:
        each = self.diagram.arrows[place]
        (x0, y0), (x1, y1) = self._ends(place)
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        way = ((x1 - x0) / length, (y1 - y0) / length)
        line = path([f"M{number(x0)} {number(y0)}L{number(x1 - 6 * way[0])} {number(y1 - 6 * way[1])}"], "l")
        label = fit(each.text, TEXT_MOST + 1, 11)
        wide = text_width(label, 11)
        x, y = (x0 + x1) / 2, (y0 + y1) / 2 - (4 if y0 == y1 else 2)
        words = rectangle(x - wide / 2, y - 10, wide, 12, "o") + text(x, y, label, "c t") if label else ""
        return titled(self._arrow_tip(each), line, arrow((x1, y1), way, 8), words, classes="a")

    def _arrow_tip(self, each: "Arrow") -> str:
        ends = f"{self.diagram.lifelines[each.source]} → {self.diagram.lifelines[each.target]}"
        return f"{ends}: {each.text} · {self.names[each.row]}"

    def _loop(self) -> list[str]:
        if self.diagram.loop is None:
            return []
        x = (self.x[-1] + self._half[-1] if self.x else MARGIN + self.names_width) + 12
        low, high = self._rows[-1] - FOOT, self._rows[self.diagram.loop] + 8
        line = f"M{number(x)} {number(low)}h12V{number(high)}H{number(x + 6)}"
        head = arrow((x, high), (-1, 0), 8)
        words = text(x + 18, (low + high) / 2 + 4, "again", "t")
        return [titled(f"then row {self.diagram.loop} again", path([line], "l"), head, words, classes="w")]
