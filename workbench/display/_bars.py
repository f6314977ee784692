"""Counts by name as horizontal bars, in proportion; see `bars`."""

import math
from collections.abc import Sequence

from workbench.display import _palette as palette
from workbench.display._lines import one_line
from workbench.display._picture import Picture, Tip
from workbench.display._svg import TITLE, document, fit, rectangle, text, text_width, titled
from workbench.display._units import plural, value_text
from workbench.display.errors import DisplayError

__all__ = ["bars"]

MARGIN, GAP = 8, 10
LINE, THICK = 22, 12
LABELS_MOST, BAR_MOST = 460.0, 240.0
LEAST_BAR = 1.5  # what is not zero is seen
RULES = ["& .h{font-size:14px;font-weight:600}", f"& .v{{fill:{palette.CATEGORIES[0]}}}"]


def bars(
    labels: Sequence[str], values: Sequence[float], *, title: str = "", highlight: Sequence[bool] = ()
) -> Picture:
    """Draw one bar a label, from the top in the order given, all on one scale from zero.

    Parameters
    ----------
    labels : n strings
        Those too long for their column are cut; the whole is in the tip over the row.
    values : (n,) float, not negative
    title : str
    highlight : n booleans, optional
        Bars to mark.

    Raises
    ------
    DisplayError
        If the lengths differ, or a value is negative or not finite.

    Examples
    --------
    >>> bars(["timeout", "refused"], [12, 3], title="Errors")
    2 bars, timeout first with 12
    """
    marks = list(highlight) or [False] * len(labels)
    _check(len(labels), values, len(marks))
    names = [one_line(label) for label in labels]
    return _Sheet(names, [float(value) for value in values], marks, one_line(title)).picture()


def _check(labels: int, values: Sequence[float], marks: int) -> None:
    if not labels == len(values) == marks:
        counts = f"{plural(labels, 'label')}, {plural(len(values), 'value')}, {plural(marks, 'mark')}"
        msg = f"{counts}: expected as many of each"
        raise DisplayError(msg)
    for row, value in enumerate(values):
        if not 0 <= value < math.inf:
            msg = f"value {row} is {value}, expected zero or more"
            raise DisplayError(msg)


class _Sheet:
    """Rows of label, bar and number."""

    def __init__(self, names: list[str], values: list[float], marks: list[bool], title: str) -> None:
        self.names, self.values, self.marks, self.title = names, values, marks, title
        self.numbers = [value_text(value) for value in values]
        self.label_width = min(max(map(text_width, names), default=0.0), LABELS_MOST)
        number_width = max(map(text_width, self.numbers), default=0.0)
        self.bar_left = MARGIN + self.label_width + GAP
        self.width = max(
            self.bar_left + BAR_MOST + GAP + number_width + MARGIN, 2 * MARGIN + text_width(title, TITLE)
        )
        self.top = MARGIN + (26 if title else 0)
        self.height = self.top + LINE * len(names) + MARGIN

    def picture(self) -> Picture:
        words = plural(len(self.names), "bar")
        if self.names:
            words += f", {self.names[0]} first with {self.numbers[0]}"
        heading = [text(MARGIN, MARGIN + 14, self.title, "h")]
        rows = [self._row(row) for row in range(len(self.names))]
        body = [*(heading if self.title else []), *rows]
        svg = document(body, width=self.width, height=self.height, title=words, rules=RULES)
        return Picture(svg, words, tuple(self._tip(row) for row in range(len(self.names))))

    def _row(self, row: int) -> str:
        top = self.top + LINE * row
        middle = top + LINE / 2
        length = self._length(self.values[row])
        return titled(
            self._words(row),
            text(MARGIN, middle + 4, fit(self.names[row], self.label_width + 0.5)),
            rectangle(self.bar_left, middle - THICK / 2, length, THICK, "x" if self.marks[row] else "v", 1.5),
            text(self.bar_left + length + GAP / 2, middle + 4, self.numbers[row]),
        )

    def _length(self, value: float) -> float:
        return max(BAR_MOST * value / max(self.values), LEAST_BAR) if value else 0.0

    def _tip(self, row: int) -> Tip:
        return Tip(0, self.top + LINE * row, self.width, LINE, self._words(row))

    def _words(self, row: int) -> str:
        return f"{self.names[row]}: {self.values[row]:,g}"
