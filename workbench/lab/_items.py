"""Notebooks as pytest collects them: nbval's file and cells, with a kernel of ours, rules, and a stop.

A notebook is one `NotebookFile`; its items are ``rules``, if the project has opted in, and one `NotebookCell`
a code cell. A cell that is asked for runs the cells above it first; what each left is kept, so that cells may
be asked for in any order, and each is executed once.
"""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from nbformat.warnings import DuplicateCellId, MissingIDFieldWarning
from nbval.plugin import CURRENT_ENV_KERNEL_NAME, IPyNbCell, IPyNbFile, NbCellError, coalesce_streams

from workbench.lab._budget import Budget
from workbench.lab._failure import failure
from workbench.lab._finding import Finding, cell_label
from workbench.lab._nbval_kernel import NbvalKernel, cover, uncover
from workbench.lab._notebook import read_notebook
from workbench.lab._outputs import plain
from workbench.lab._report import FailedCell, Report
from workbench.lab._rules import check_notebook
from workbench.lab._sanitize import patterns
from workbench.lab._session import THIS_PYTHON, CellRun, Session
from workbench.lab._settings import NotebookSettings, find_root
from workbench.lab.errors import LabError, RefusedError

__all__ = ["SETTINGS", "NotebookCell", "NotebookFile", "NotebookRules"]

SETTINGS = pytest.StashKey[NotebookSettings | None]()

# Text is the contract: these repeat it in a form that moves with versions, or say what is not compared.
_NOT_COMPARED = ("text/html", "image/svg+xml", "application/javascript", "stderr")
_THIS_ENVIRONMENT = frozenset({"python", THIS_PYTHON, CURRENT_ENV_KERNEL_NAME})


class NotebookFile(IPyNbFile):  # type: ignore[misc]
    """A notebook under test: its kernel, what its cells left, and how its items went."""

    @classmethod
    def of(cls, collector: pytest.File) -> Self:
        """Return the notebook that nbval would collect here."""
        return cls.from_parent(collector.parent, path=collector.path)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.root = find_root(self.path.parent)
        self.settings = self._settings()
        self.skip_compare: tuple[str, ...] = (*self.skip_compare, *_NOT_COMPARED)
        self.budget = _budget(self.settings, self.config.option.nbval_cell_timeout)
        self.cells: list[NotebookCell] = []
        self.runs: list[CellRun] = []
        self.failed: list[FailedCell] = []
        self.findings: list[Finding] = []
        self._session: Session | None = None
        self._no_kernel = ""  # why the kernel did not start
        self._unsettled: set[str] = set()  # names of items that have not passed

    def _settings(self) -> NotebookSettings | None:
        """Return the settings of the project that the notebook belongs to, which may not be pytest's root."""
        if self.root == self.config.rootpath:
            return self.config.stash[SETTINGS]
        try:
            return NotebookSettings.read(self.root)
        except LabError as error:
            raise self.CollectError(str(error)) from error

    @property
    def page(self) -> Path | None:
        """Where the failures of this notebook are explained; None for a project that has not opted in."""
        report = self._report()
        return None if report is None else report.page

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the items of the notebook: its rules, if the project has opted in, and its cells."""
        try:
            read_notebook(self.path)
        except LabError as error:
            raise self.CollectError(str(error)) from error
        self.cells = list(self._collect_cells())
        items: list[pytest.Item] = [*self._rules(), *self.cells]
        self._unsettled = {item.name for item in items}
        yield from items

    def shown(self, path: Path) -> str:
        """Return how messages name a file: from the root of the project, as pytest's node ids do."""
        root = self.config.rootpath
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)

    def setup(self) -> None:
        """Prepare the comparison; the kernel starts when the first cell is asked for."""
        self.setup_sanitize_files()

    def setup_sanitize_files(self) -> None:
        """Sanitize with our patterns, then with the user's."""
        self.sanitize_patterns.update(patterns(self.path, self.config.rootpath))
        super().setup_sanitize_files()

    def teardown(self) -> None:
        """Stop the kernel, and leave a report if the notebook failed; a notebook that passed leaves none."""
        try:
            self._stop()
        finally:
            self._leave_report()

    def run_to(self, cell: "NotebookCell") -> CellRun:
        """Return what `cell` left, after executing it and the cells above it that have not been executed."""
        for next_cell in self.cells[len(self.runs) : cell.position + 1]:
            self._start_if_needed()
            reason = self._blocked()
            if reason is not None:
                cell.fail(f"was not executed: {reason}")
            self.runs.append(self._run(next_cell))
            problem = next_cell.problem()
            if problem is not None and next_cell is not cell:
                cell.fail(f"{next_cell.label} above failed while it was replayed for this one: {problem}")
        return self.runs[cell.position]

    def settle(self, item: pytest.Item) -> None:
        """Note that an item passed."""
        self._unsettled.discard(item.name)

    def stops_before(self, cell: "NotebookCell") -> str | None:
        """Return why `cell` is not executed any more, or None."""
        stops = self.settings is not None and self.settings.stop_at_first_failure
        if not (stops and self.failed and cell.position >= len(self.runs)):
            return None
        return f"an earlier cell failed: {self.failed[0].label}"

    def _rules(self) -> "Iterator[NotebookRules]":
        if self.settings is not None:
            yield NotebookRules.from_parent(self, name="rules")

    def _collect_cells(self) -> "Iterator[NotebookCell]":
        number_of = _numbers(read_notebook(self.path).content)
        with warnings.catch_warnings():
            for harmless in (MissingIDFieldWarning, DuplicateCellId):
                warnings.simplefilter("ignore", harmless)
            found = list(super().collect())
        for position, cell in enumerate(found):
            own = NotebookCell.from_parent(
                self, name=cell.name, cell_num=cell.cell_num, cell=cell.cell, options=cell.options
            )
            own.position, own.number = position, number_of[position]
            yield own

    def _blocked(self) -> str | None:
        """Return why no further cell can be executed, or None."""
        if self._session is None:
            return self._no_kernel
        last = self.cells[len(self.runs) - 1].label if self.runs else ""
        if self.budget.is_used_up():
            return f"the notebook's time was used up in {last}"
        if not self._session.is_alive():
            return f"the kernel ended in {last}"
        return None

    def _run(self, cell: "NotebookCell") -> CellRun:
        if self._session is None or cell.options["skip"] or not cell.cell.source.strip():
            return CellRun()
        run = self._session.run(cell.cell.source, self.budget.for_next_cell())
        self.budget.spent += run.seconds
        return run

    def _start_if_needed(self) -> None:
        if self._session is not None or self._no_kernel:
            return
        seconds = self.config.option.nbval_kernel_startup_timeout
        try:
            session = Session(self.path.parent, kernel_name=self._kernel_name(), startup_seconds=seconds)
        except LabError as error:
            self._no_kernel = str(error)
        else:
            self._session, self.kernel = session, NbvalKernel(session)
            cover(self)

    def _kernel_name(self) -> str:
        option = self.config.option
        stored = self.nb.metadata.get("kernelspec", {}).get("name", THIS_PYTHON)
        name: str = option.nbval_kernel_name or stored
        return THIS_PYTHON if option.nbval_current_env or name in _THIS_ENVIRONMENT else name

    def _stop(self) -> None:
        if self._session is not None:
            try:
                uncover(self)
            finally:
                self._session.stop()
                self._session = None

    def _report(self) -> Report | None:
        if self.settings is None:
            return None
        return Report(self.root, self.root / self.settings.reports, self.path)

    def _leave_report(self) -> None:
        report = self._report()
        if report is None:
            return
        if self.failed or self.findings:
            outputs = {cell.number: run for cell, run in zip(self.cells, self.runs, strict=False)}
            report.write(self.nb, outputs, self.failed, self.findings)
        elif not self._unsettled:
            report.remove()


class NotebookCell(IPyNbCell):  # type: ignore[misc]
    """A code cell under test: executed, and its outputs compared with the stored ones."""

    position = 0  # among the code cells, from 0
    number = 1  # among all cells, from 1
    parent: NotebookFile

    @property
    def label(self) -> str:
        """How messages name this cell."""
        return cell_label(self.number, self.cell.execution_count)

    def runtest(self) -> None:
        """Execute the cell, and those above it if they were not, and compare."""
        if self.options["skip"]:
            self.parent.settle(self)
            pytest.skip("tagged nbval-skip")
        reason = self.parent.stops_before(self)
        if reason is not None:
            pytest.skip(reason)
        try:
            self._judge(self._outcome())
        except NbCellError as error:
            self.parent.failed.append(self._failed(str(error), error.inner_traceback))
            raise
        self.parent.settle(self)

    def problem(self) -> str | None:
        """Return what went wrong when the cell ran, or None."""
        return failure(self.cell, self.parent.runs[self.position], self.parent.budget)

    def fail(self, message: str, details: str | None = None) -> None:
        """Fail with a message that nbval shows with the cell's source."""
        self.raise_cell_error(message, details)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return how the item is named in a report."""
        return self.path, None, f"{self.parent.shown(self.path)}, {self.label}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
        """Return what failed where, the source, the difference or traceback, and how to see more."""
        error = excinfo.value
        if not isinstance(error, NbCellError):
            return str(pytest.Item.repr_failure(self, excinfo))
        details = error.inner_traceback or ""
        where = f"{self.parent.shown(self.path)}, {self.label}"
        said = "\n".join([f"{where}: {error}", "", self.cell.source, "", details, *self._ways_on()])
        return said if self.config.get_terminal_writer().hasmarkup else plain(said)

    def _outcome(self) -> CellRun:
        run = self.parent.run_to(self)
        self.test_outputs = coalesce_streams(run.outputs)
        return run

    def _judge(self, run: CellRun) -> None:
        problem = self.problem()
        if problem is not None:
            self.fail(problem, "\n".join(run.error.traceback) if run.error else None)
        if self.cell.execution_count is None:
            self._judge_unrun()
        elif self.options["check"]:
            stored = coalesce_streams(self.cell.outputs)
            if not self.compare_outputs(self.test_outputs, stored):
                self.fail("Cell outputs differ", "\n".join(self.comparison_traceback))

    def _judge_unrun(self) -> None:
        """Refuse what nbval passes: a cell without stored outputs, because nobody ever executed it."""
        if self.cell.outputs:
            self.fail("Unrun reference cell has outputs")
        if self.parent.settings is not None and self.options["check"] and self.cell.source.strip():
            self.fail("was never executed, so there is nothing to compare with [not-executed]")

    def _failed(self, message: str, details: str | None) -> FailedCell:
        return FailedCell(
            number=self.number,
            label=self.label,
            source=self.cell.source,
            message=message,
            details=details or "",
            expected=self.sanitize_outputs(coalesce_streams(self.cell.outputs)),
            got=self.sanitize_outputs(self.test_outputs or []),
            again=self._again(),
        )

    def _ways_on(self) -> list[str]:
        page = self.parent.page
        return [f"again:  {self._again()}", *([] if page is None else [f"report: {self.parent.shown(page)}"])]

    def _again(self) -> str:
        lax = "-lax" if self.config.option.nbval_lax else ""
        return f"pytest --nbval{lax} '{self.nodeid}'"


class NotebookRules(pytest.Item):
    """The rules that a notebook must keep whatever its cells say."""

    parent: NotebookFile

    def runtest(self) -> None:
        """Fail with everything that the notebook breaks."""
        findings = check_notebook(self.path, self.parent.settings)
        if findings:
            shown = Path(self.parent.shown(self.path))
            self.parent.findings = [replace(finding, notebook=shown) for finding in findings]
            raise RefusedError(self.parent.findings)
        self.parent.settle(self)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the findings, one a line."""
        if not isinstance(excinfo.value, LabError):
            return super().repr_failure(excinfo, style)
        page = self.parent.page
        return str(excinfo.value) if page is None else f"{excinfo.value}\nreport: {self.parent.shown(page)}"

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return how the item is named in a report."""
        return self.path, None, f"{self.parent.shown(self.path)}, rules"


def _budget(settings: NotebookSettings | None, cell_seconds: float) -> Budget:
    if settings is None:
        return Budget(cell=cell_seconds)
    return Budget(settings.max_seconds, min(cell_seconds, settings.cell_seconds or cell_seconds))


def _numbers(content: Any) -> list[int]:
    """Return the numbers, counted from 1 over all cells, of the code cells."""
    return [number for number, cell in enumerate(content.cells, 1) if cell.cell_type == "code"]
