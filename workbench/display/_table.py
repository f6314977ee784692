"""A small table: aligned text for terminals and notebook tests, plain HTML for notebooks."""

import numbers
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.display._lines import columns_wide, one_line
from workbench.display._svg import escape
from workbench.display._units import plural
from workbench.display.errors import DisplayError

__all__ = ["Table", "table"]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text cells under column names; shows the first ``max_rows`` of them.

    Attributes
    ----------
    columns : tuple of str
    rows : tuple of tuple of str
        Every row, as text, whether shown or not.
    numeric : tuple of bool
        Which columns hold numbers; they are aligned to the right.
    title : str
    max_rows : int

    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    title: str = ""
    max_rows: int = 20

    def __repr__(self) -> str:
        shown = [self.columns, *self.rows[: self.max_rows]]
        widths = [max(map(columns_wide, cells)) for cells in zip(*shown, strict=True)]
        lines = [self._line(cells, widths) for cells in shown]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join([*filter(None, [self.title]), lines[0], rule, *lines[1:], *self._rest()])

    def _repr_html_(self) -> str:
        head = self._html_row(self.columns, "th")
        body = "".join(self._html_row(row, "td") for row in self.rows[: self.max_rows])
        title = f"<p>{escape(self.title)}</p>" if self.title else ""
        rest = "".join(f"<p>{escape(line)}</p>" for line in self._rest())
        return f"{title}<table><thead>{head}</thead><tbody>{body}</tbody></table>{rest}"

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        padded = [
            " " * (width - columns_wide(cell)) + cell if right else cell + " " * (width - columns_wide(cell))
            for cell, width, right in zip(cells, widths, self.numeric, strict=True)
        ]
        return "  ".join(padded).rstrip()

    def _html_row(self, cells: Sequence[str], tag: str) -> str:
        sides = ["right" if right else "left" for right in self.numeric]
        inside = (
            f'<{tag} style="text-align:{side}">{escape(cell)}</{tag}>'
            for side, cell in zip(sides, cells, strict=True)
        )
        return f"<tr>{''.join(inside)}</tr>"

    def _rest(self) -> list[str]:
        """Say how many rows are not shown, when there are any."""
        hidden = len(self.rows) - self.max_rows
        return [f"... {plural(hidden, 'more row')}, {len(self.rows):,} in all"] if hidden > 0 else []


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", max_rows: int = 20
) -> Table:
    """Return rows as a table that prints aligned and shows as HTML.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns.
    rows : iterable of sequences
        One cell for each column. Floats are written with four significant digits; format them yourself
        where that is not right. None is an empty cell.
    title : str
    max_rows : int
        Rows shown; the number of those not shown is said below them.

    Raises
    ------
    DisplayError
        If there are no columns, a row has another number of cells, or ``max_rows`` is not positive.

    Examples
    --------
    >>> table(["route", "requests", "p99_ms"], [["/cart", 120, 35.25], ["/pay", 7, 410.0]])
    route  requests  p99_ms
    -----  --------  ------
    /cart       120   35.25
    /pay          7     410

    """
    names = tuple(one_line(name) for name in _checked_columns(columns))
    cells = [_checked_row(number, row, len(names)) for number, row in enumerate(rows)]
    if max_rows < 1:
        msg = f"max_rows is {max_rows}, expected at least 1"
        raise DisplayError(msg)
    numeric = tuple(_is_numeric([row[column] for row in cells]) for column in range(len(names)))
    texts = tuple(tuple(map(cell_text, row)) for row in cells)
    return Table(names, texts, numeric, one_line(title), max_rows)


def cell_text(value: object) -> str:
    """Return a cell as one line of text."""
    if value is None:
        return ""
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        return f"{float(value):.4g}"
    return one_line(value)


def _checked_columns(columns: Sequence[str]) -> list[str]:
    if isinstance(columns, str) or len(columns) == 0:
        msg = f"columns is {columns!r}, expected a sequence of at least one column name"
        raise DisplayError(msg)
    return [str(name) for name in columns]


def _checked_row(number: int, row: Sequence[object], width: int) -> list[object]:
    if isinstance(row, str):
        msg = f"row {number} is the string {row[:40]!r}, expected a sequence of {width} cells"
        raise DisplayError(msg)
    cells = list(row)
    if len(cells) != width:
        msg = f"row {number} has {plural(len(cells), 'cell')}, expected {width}, one for each column"
        raise DisplayError(msg)
    return cells


def _is_numeric(values: Sequence[object]) -> bool:
    """Whether a column has numbers and nothing but numbers and gaps, written as numbers or as their text."""
    known = [value for value in values if value is not None and value != ""]
    return bool(known) and all(map(_looks_like_number, known))


def _looks_like_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, numbers.Real):
        return True
    try:
        float(str(value).replace(",", "").removesuffix("%"))
    except ValueError:
        return False
    return True
