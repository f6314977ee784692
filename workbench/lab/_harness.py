"""The hooks that make nbval a harness; `workbench.lab.pytest_plugin` registers them in runs with notebooks.

nbval finds notebooks and compares outputs; here its notebook files are exchanged for ours (`NotebookFile`),
notebooks are kept whole when xdist distributes a run, and the summary says where the failed notebooks lie.
"""

import signal
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from workbench.lab._items import SETTINGS, NotebookFile
from workbench.lab._settings import NotebookSettings
from workbench.lab.errors import SettingsError

__all__ = ["Harness", "register"]

_PAGE = "workbench_page"  # a property of the report: it travels from xdist's workers, and into JUnit files


def register(config: pytest.Config) -> None:
    """Read the project's settings and let the harness take part in this run."""
    try:
        config.stash[SETTINGS] = NotebookSettings.read(config.rootpath)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(Harness(config), "workbench-notebooks")


class Harness:
    """Hooks of one run."""

    def __init__(self, config: pytest.Config) -> None:
        self._settings = config.stash[SETTINGS]
        self._reports = None if self._settings is None else config.rootpath / self._settings.reports
        self._pages: dict[str, None] = {}
        self._terminates = False

    def pytest_sessionstart(self) -> None:
        """Let SIGTERM end the run as Ctrl-C does, so that kernels and what they started are stopped."""
        here = threading.current_thread() is threading.main_thread()
        if here and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
            self._terminates = True

    def pytest_unconfigure(self) -> None:
        """Give SIGTERM back."""
        if self._terminates:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def pytest_report_header(self) -> str:
        """Say that the harness is awake, and whether the project opted into its rules."""
        rules = "no [tool.workbench.notebooks]" if self._settings is None else "rules of pyproject.toml"
        return f"workbench: notebooks pinned, sanitized, replayed; {rules}"

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(self, file_path: Path) -> Generator[None, list[pytest.File], list[pytest.File]]:
        """Exchange nbval's collector of a notebook for ours; leave out what we ourselves left behind."""
        found = yield
        if self._reports is not None and self._reports in file_path.parents:
            return [collector for collector in found if not _is_nbval(collector)]
        return [NotebookFile.of(collector) if _is_nbval(collector) else collector for collector in found]

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep every notebook on one worker, however the run is distributed."""
        from workbench.lab._schedule import scheduler  # noqa: PLC0415  # xdist is there: it calls this hook

        return scheduler(config, log)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Tell whoever prints the summary, on whatever process, where a failed notebook is explained."""
        report = yield
        if report.failed and isinstance(item.parent, NotebookFile) and item.parent.page is not None:
            report.user_properties.append((_PAGE, item.parent.shown(item.parent.page)))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember the pages to name in the summary."""
        pages = [str(value) for name, value in report.user_properties if name == _PAGE]
        self._pages.update(dict.fromkeys(pages))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name the pages."""
        root = terminalreporter.config.rootpath
        written = [page for page in self._pages if (root / page).is_file()]
        if written:
            terminalreporter.section("notebooks: expected against got")
            terminalreporter.write_line("\n".join(written))


def _is_nbval(collector: pytest.Collector) -> bool:
    """Say whether this is nbval's own collector, and not somebody's variant of it."""
    return f"{type(collector).__module__}.{type(collector).__name__}" == "nbval.plugin.IPyNbFile"
