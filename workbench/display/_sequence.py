"""Who did what, and what that changed elsewhere, from top to bottom; see `sequence`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.display._lines import one_line
from workbench.display._picture import Picture
from workbench.display._sequence_sheet import Sheet
from workbench.display._units import plural
from workbench.display.errors import DisplayError

__all__ = ["Arrow", "Box", "Diagram", "sequence"]

GivenBox: TypeAlias = tuple[int, str, str]  # e.g. (0, "server", "starts")
GivenArrow: TypeAlias = tuple[int, str, str, str] | tuple[int, str, str, str, int]


@dataclass(frozen=True, slots=True)
class Box:
    """What happens on one lifeline, in a row."""

    row: int
    lifeline: int
    text: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one lifeline to another, from a row to the same or a later one."""

    row: int
    source: int
    target: int
    text: str
    arrival: int


@dataclass(frozen=True, slots=True)
class Diagram:
    """A sequence diagram with its lifelines numbered."""

    lifelines: list[str]
    rows: list[str]
    boxes: list[Box]
    arrows: list[Arrow]
    loop: int | None
    marked: set[int]
    title: str
    footnote: str


def sequence(  # noqa: PLR0913 - what there is to draw
    *,
    lifelines: Sequence[str],
    rows: Sequence[str],
    boxes: Sequence[GivenBox] = (),
    arrows: Sequence[GivenArrow] = (),
    loop: int | None = None,
    mark: Collection[int] = (),
    title: str = "",
    footnote: str = "",
) -> Picture:
    """Draw a sequence diagram: a line for each participant, time from top to bottom.

    Parameters
    ----------
    lifelines : sequence of str
        The participants, from left to right, each once.
    rows : sequence of str
        What happens in each row, as its name at the left; rows are numbered from 0.
    boxes : sequence of (row, lifeline, text)
        What happens on one lifeline.
    arrows : sequence of (row, source, target, text) or (row, source, target, text, arrival)
        From one lifeline to another; with a later row in which it arrives, it is slanted.
    loop : int, optional
        The row that follows the last one again.
    mark : collection of int
        Rows to mark.
    title, footnote : str

    Raises
    ------
    DisplayError
        If a lifeline is named twice, or a box, an arrow, a mark or the loop names one, or a row, that there
        is not; if an arrow arrives before it starts, or leads to where it comes from.

    Examples
    --------
    >>> sequence(
    ...     lifelines=["client", "server"],
    ...     rows=["ask", "answer"],
    ...     arrows=[(0, "client", "server", "GET /"), (1, "server", "client", "200")],
    ... )
    sequence of 2 rows on 2 lifelines, 2 arrows
    """
    names = [one_line(name) for name in lifelines]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"lifelines names {twice!r} twice; give each a name of its own"
        raise DisplayError(msg)
    place = {name: number for number, name in enumerate(names)}
    count = len(rows)
    diagram = Diagram(
        names,
        [one_line(row) for row in rows],
        [_box(place, count, each) for each in boxes],
        [_arrow(place, count, each) for each in arrows],
        None if loop is None else _row(count, loop, "loop"),
        {_row(count, row, "mark") for row in mark},
        one_line(title),
        one_line(footnote),
    )
    words = _words(diagram)
    sheet = Sheet(diagram)
    return Picture(sheet.svg(words), words, tuple(sheet.tips()))


def _box(place: dict[str, int], rows: int, given: Sequence[Any]) -> Box:
    if len(given) != 3:
        msg = f"a box is (row, lifeline, text), got {given!r:.80}"
        raise DisplayError(msg)
    row, name, text = given
    return Box(_row(rows, row, f"box {text!r}"), _lifeline(place, name, f"box {text!r}"), one_line(text))


def _arrow(place: dict[str, int], rows: int, given: Sequence[Any]) -> Arrow:
    if len(given) not in (4, 5):
        msg = f"an arrow is (row, source, target, text) or has the row of its arrival too, got {given!r:.80}"
        raise DisplayError(msg)
    row, source, target, text = given[:4]
    arrival = given[4] if len(given) == 5 else row
    what = f"arrow {text!r}"
    made = Arrow(
        _row(rows, row, what),
        _lifeline(place, source, what),
        _lifeline(place, target, what),
        one_line(text),
        _row(rows, arrival, what),
    )
    if made.arrival < made.row or made.source == made.target:
        ends = f"from {source} in row {row} to {target} in row {arrival}"
        msg = f"{what} leads {ends}; give a later row, or a box for what stays on one lifeline"
        raise DisplayError(msg)
    return made


def _row(rows: int, row: int, what: str) -> int:
    if not 0 <= row < rows:
        msg = f"{what} names row {row}, expected 0 to {rows - 1}"
        raise DisplayError(msg)
    return int(row)


def _lifeline(place: dict[str, int], name: str, what: str) -> int:
    known = place.get(one_line(name))
    if known is None:
        msg = f"{what} names the lifeline {name!r}; they are {', '.join(place) or 'none'}"
        raise DisplayError(msg)
    return known


def _words(diagram: Diagram) -> str:
    drawn = f"{plural(len(diagram.rows), 'row')} on {plural(len(diagram.lifelines), 'lifeline')}"
    back = "" if diagram.loop is None else f", back to row {diagram.loop}"
    return f"sequence of {drawn}, {plural(len(diagram.arrows), 'arrow')}{back}"
