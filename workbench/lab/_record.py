"""Record a notebook: execute it in a fresh kernel, and rewrite the outputs that tests compare with.

The file is replaced in one step and only if all went well: no cell failed that may not, and the executed
notebook breaks no rule. Recording twice writes the same bytes. A cell that measures (``nbval-ignore-output``)
would not: it is executed, but keeps its stored outputs as long as its code, and the code above it, is the
code that they were measured with; `fresh` measures again.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from workbench.lab._budget import Budget
from workbench.lab._canonical import canonical, digest, stored_form
from workbench.lab._failure import failure
from workbench.lab._finding import cell_label
from workbench.lab._notebook import Notebook, is_measured, is_skipped, read_notebook
from workbench.lab._rules import findings_of
from workbench.lab._session import CellRun, Session
from workbench.lab._settings import NotebookSettings, find_root
from workbench.lab._write import write_whole
from workbench.lab.errors import CellError, NotebookError, RefusedError

__all__ = ["Recorded", "record_notebook"]

OnCell = Callable[[int, int], None]  # (code cells done, code cells in all)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What recording one notebook did.

    Parameters
    ----------
    path
        The notebook.
    cells
        Number of code cells that were executed.
    seconds
        Time that they took together.
    changes
        What differs from the file as it was, cell by cell; empty if recording changed nothing.
    """

    path: Path
    cells: int
    seconds: float
    changes: tuple[str, ...]


def record_notebook(
    path: str | Path,
    settings: NotebookSettings | None = None,
    *,
    write: bool = True,
    fresh: bool = False,
    on_cell: OnCell | None = None,
) -> Recorded:
    """Execute a notebook in a fresh kernel and rewrite its stored outputs.

    Parameters
    ----------
    path
        The notebook.
    settings
        Limits, and the opt-in to the rules; None applies neither.
    write
        False executes and compares, and leaves the file as it is.
    fresh
        Measure again in cells tagged ``nbval-ignore-output``.
    on_cell
        Called after each code cell with how many are done and how many there are.

    Raises
    ------
    CellError
        If a cell raised without being tagged, ran out of time or lost its kernel; the file is untouched.
    RefusedError
        If the executed notebook breaks the rules; the file is untouched.
    NotebookError
        If the file is missing or is no Python notebook.
    """
    path = Path(path)
    before, written = read_notebook(path), path.read_bytes()
    _refuse_other_languages(before)
    after = Notebook(path, before.size, copy.deepcopy(before.content))
    budget = _budget(settings)
    cells = _execute(after, budget, fresh=fresh, on_cell=on_cell)
    canonical(after.content, written, find_root(path.resolve().parent))
    data = stored_form(after.content)
    if settings is not None:
        _refuse_findings(Notebook(path, len(data), after.content), settings)
    if write and data != written:
        write_whole(path, data)
    return Recorded(
        path, cells, budget.spent, _changes(before.content, after.content) if data != written else ()
    )


def _budget(settings: NotebookSettings | None) -> Budget:
    return Budget() if settings is None else Budget(settings.max_seconds, settings.cell_seconds)


def _execute(notebook: Notebook, budget: Budget, *, fresh: bool, on_cell: OnCell | None) -> int:
    """Execute the code cells in order, put their outputs in place, and return how many there are."""
    for cell in notebook.content.cells:
        _clear_if_idle(cell)
    cells = [(number, cell) for number, cell in notebook.code_cells() if not is_skipped(cell)]
    with Session(notebook.path.resolve().parent) as session:
        for done, (number, cell) in enumerate(cells, 1):
            run = session.run(cell.source, budget.for_next_cell())
            budget.spent += run.seconds
            run.execution_count = run.execution_count or done  # a kernel that died may not have told
            _refuse_failure(notebook.path, number, cell, run, budget)
            _take(cell, run, digest(*(above.source for _, above in cells[:done])), fresh=fresh)
            if on_cell is not None:
                on_cell(done, len(cells))
    return len(cells)


def _refuse_other_languages(notebook: Notebook) -> None:
    language = notebook.content.metadata.get("kernelspec", {}).get("language", "python")
    if language.lower() != "python":
        msg = f"{notebook.path}: a {language} notebook; only Python notebooks can be recorded"
        raise NotebookError(msg)


def _clear_if_idle(cell: NotebookNode) -> None:
    """Empty what an empty cell stores, and the count of a cell that is never executed."""
    if cell.cell_type != "code":
        return
    if not cell.source.strip():
        cell.outputs, cell.execution_count = [], None
    elif is_skipped(cell):
        cell.execution_count = None


def _refuse_failure(path: Path, number: int, cell: NotebookNode, run: CellRun, budget: Budget) -> None:
    problem = failure(cell, run, budget)
    if problem is not None:
        msg = f"{path}, {cell_label(number, run.execution_count)}: {problem}; the notebook is left as it was"
        raise CellError(msg)


def _refuse_findings(notebook: Notebook, settings: NotebookSettings) -> None:
    findings = findings_of(notebook, settings)
    if findings:
        raise RefusedError(findings)


def _take(cell: NotebookNode, run: CellRun, code: str, *, fresh: bool) -> None:
    """Store what the cell left, unless it measures and has a measurement of this very code."""
    own = cell.metadata.pop("workbench", {})
    kept = (
        is_measured(cell) and not fresh and own.get("measured") == code and _alike(cell.outputs, run.outputs)
    )
    if is_measured(cell):
        cell.metadata["workbench"] = {"measured": code}
    cell.execution_count = run.execution_count
    if not kept:
        cell.outputs = run.outputs


def _alike(stored: list[NotebookNode], got: list[NotebookNode]) -> bool:
    return [output.output_type for output in stored] == [output.output_type for output in got]


def _changes(before: NotebookNode, after: NotebookNode) -> tuple[str, ...]:
    """Return what recording changed, in words."""
    cells = [
        f"{cell_label(number, new.get('execution_count'))}: {', '.join(parts)}"
        for number, (old, new) in enumerate(zip(before.cells, after.cells, strict=True), 1)
        if (parts := list(_changed_parts(old, new)))
    ]
    return tuple(cells) or ("metadata or layout of the file",)


def _changed_parts(old: NotebookNode, new: NotebookNode) -> Iterator[str]:
    for key, name in (
        ("outputs", "outputs"),
        ("execution_count", "count"),
        ("id", "id"),
        ("metadata", "metadata"),
    ):
        if old.get(key) != new.get(key):
            yield name
