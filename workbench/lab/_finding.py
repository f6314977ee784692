"""A finding: one rule that one notebook breaks, said so that the reader can act on it."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Finding", "cell_label"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule of one notebook.

    Parameters
    ----------
    rule
        Name of the rule, as ``absolute-path``.
    notebook
        The file.
    cell
        Number of the cell, counted from 1 over all cells; None if the finding is about the whole file.
    execution_count
        The ``In [...]`` of that cell, if it has one.
    message
        What is wrong.
    remedy
        What would be right.
    """

    rule: str
    notebook: Path
    cell: int | None
    execution_count: int | None
    message: str
    remedy: str

    def __str__(self) -> str:
        where = "" if self.cell is None else f", {cell_label(self.cell, self.execution_count)}"
        return f"{self.notebook}{where}: {self.message} [{self.rule}]; {self.remedy}"


def cell_label(number: int, execution_count: int | None) -> str:
    """Return how a message names a cell.

    Examples
    --------
    >>> cell_label(5, 3), cell_label(5, None)
    ('cell 5 (In [3])', 'cell 5')
    """
    return f"cell {number}" + ("" if execution_count is None else f" (In [{execution_count}])")
