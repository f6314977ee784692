"""What a failed notebook leaves behind: the executed notebook, and a page of expected against got.

Both lie in the project's report folder, under the notebook's own path::

    .workbench/notebooks/notebooks/otlp/01_read.executed.ipynb
    .workbench/notebooks/notebooks/otlp/01_read.diff.html

A notebook that passes removes what an earlier run left.
"""

import copy
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from workbench.lab._canonical import stored_form
from workbench.lab._diff_page import FailedCell, diff_page
from workbench.lab._finding import Finding
from workbench.lab._session import CellRun
from workbench.lab._write import make_ignored_folder, write_whole

__all__ = ["FailedCell", "Report"]


@dataclass(frozen=True, slots=True)
class Report:
    """The report of one notebook: where it is, and how it is written and removed."""

    root: Path
    folder: Path
    notebook: Path

    @property
    def page(self) -> Path:
        """The page of expected against got."""
        return self._beside(".diff.html")

    @property
    def executed(self) -> Path:
        """The notebook with the outputs of the run."""
        return self._beside(".executed.ipynb")

    def write(
        self,
        content: NotebookNode,
        runs: Mapping[int, CellRun],
        failed: Sequence[FailedCell],
        findings: Sequence[Finding],
    ) -> None:
        """Leave the report of a failed notebook; `runs` are what its cells left, by number of the cell."""
        make_ignored_folder(self.folder)
        self.page.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.executed, stored_form(_with_outputs(content, runs)))
        page = diff_page(self._name(), failed, findings, executed=self.executed.name)
        write_whole(self.page, page.encode("utf-8"))

    def remove(self) -> None:
        """Remove what an earlier run left, and the folders that this empties."""
        for file in (self.page, self.executed):
            file.unlink(missing_ok=True)
        for folder in self.page.parents:
            if folder == self.folder or self.folder not in folder.parents:
                return
            with suppress(OSError):
                folder.rmdir()

    def _name(self) -> str:
        inside = self.notebook.is_relative_to(self.root)
        return self.notebook.relative_to(self.root).as_posix() if inside else self.notebook.name

    def _beside(self, ending: str) -> Path:
        return (self.folder / self._name()).with_suffix(ending)


def _with_outputs(content: NotebookNode, runs: Mapping[int, CellRun]) -> NotebookNode:
    """Return the notebook as this run executed it; a cell that it did not execute is empty."""
    executed = copy.deepcopy(content)
    for number, cell in enumerate(executed.cells, 1):
        if cell.cell_type == "code":
            run = runs.get(number, CellRun())
            cell.outputs, cell.execution_count = run.outputs, run.execution_count
    return executed
