"""``workbench notebooks``: list the notebooks of a project, test them, and record what they promise."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from workbench.cli._reporting import ReportingGroup

if TYPE_CHECKING:
    from rich.progress import Progress

    from workbench.lab import NotebookSettings

__all__ = ["app"]

app = typer.Typer(
    cls=ReportingGroup, no_args_is_help=True, help="List, test and record the notebooks of a project."
)

_PATHS_HELP = "Notebooks, or folders of notebooks; default: the paths of [tool.workbench.notebooks]."


@app.command("list")
def list_notebooks(
    paths: Annotated[list[Path] | None, typer.Argument(help=_PATHS_HELP)] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show each notebook's title, cells, recorded seconds, size, and the rules that it breaks."""
    root, settings = _project()
    rows = [_row(path, root, settings) for path in _found(paths, root, settings)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print_table(rows)


@app.command("test", context_settings={"ignore_unknown_options": True})
def run_notebooks(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATHS]...", help=f"{_PATHS_HELP} Other options go to pytest."),
    ] = None,
    *,
    expression: Annotated[
        str | None, typer.Option("-k", help="Only cells whose names match, as pytest -k.")
    ] = None,
    bare: Annotated[
        bool, typer.Option("--bare", help="Without the harness: nbval compares html and svg too.")
    ] = False,
) -> None:
    """Execute notebooks and compare what they print with what they store."""
    given = arguments or []
    root, settings = _project()
    paths = [] if _names_a_path(given) else [str(path) for path in _default_paths(root, settings)]
    command = [sys.executable, "-m", "pytest", "--nbval", *(["-p", "no:workbench"] if bare else [])]
    command += ["-k", expression] if expression is not None else []
    raise typer.Exit(_run([*command, *given, *paths]))


@app.command("record")
def record_notebooks(
    paths: Annotated[list[Path] | None, typer.Argument(help=_PATHS_HELP)] = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if anything would change.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure again in cells tagged nbval-ignore-output.")
    ] = False,
) -> None:
    """Execute notebooks in fresh kernels and rewrite their stored outputs; failed ones stay as they are."""
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    root, settings = _project()
    with _terminated_as_interrupted():
        found = _found(paths, root, settings)
        columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            outcomes = [
                _record(path, root, settings, progress, write=not check, fresh=fresh) for path in found
            ]
    if "failed" in outcomes or (check and "changed" in outcomes):
        raise typer.Exit(1)


def _project() -> "tuple[Path, NotebookSettings | None]":
    """Return the root of the project around the current folder, and its settings, if it has any."""
    from workbench.lab import NotebookSettings
    from workbench.lab._settings import find_root

    root = find_root(Path.cwd())
    return root, NotebookSettings.read(root)


def _default_paths(root: Path, settings: "NotebookSettings | None") -> list[Path]:
    from workbench.lab import NotebookSettings

    paths = [root / path for path in (settings or NotebookSettings()).paths]
    return [_relative(path) for path in paths if settings is not None or path.exists()] or [Path()]


def _found(paths: list[Path] | None, root: Path, settings: "NotebookSettings | None") -> list[Path]:
    from workbench.lab import find_notebooks

    return find_notebooks(paths or _default_paths(root, settings))


def _row(path: Path, root: Path, settings: "NotebookSettings | None") -> dict[str, Any]:
    from workbench.lab._notebook import read_notebook
    from workbench.lab._rules import findings_of
    from workbench.lab._sections import title
    from workbench.lab._timings import recorded_seconds

    notebook = read_notebook(path)
    findings = [] if settings is None else findings_of(notebook, settings)
    return {
        "notebook": path.as_posix(),
        "title": title(notebook.content),
        "cells": sum(1 for _ in notebook.code_cells()),
        "seconds": recorded_seconds(path, root, settings),
        "bytes": notebook.size,
        "findings": [str(finding) for finding in findings],
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table("notebook", "title", box=None, pad_edge=False)
    for name in ("cells", "seconds", "kB", "findings"):
        table.add_column(name, justify="right")
    for row in rows:
        seconds = "" if row["seconds"] is None else f"{row['seconds']:.1f}"
        size, broken = f"{row['bytes'] / 1000:.0f}", str(len(row["findings"]) or "")
        table.add_row(row["notebook"], row["title"] or "", str(row["cells"]), seconds, size, broken)
    console = Console()
    console.print(table)
    for finding in (finding for row in rows for finding in row["findings"]):
        console.print(finding, markup=False, highlight=False, soft_wrap=True)


def _record(
    path: Path,
    root: Path,
    settings: "NotebookSettings | None",
    progress: "Progress",
    *,
    write: bool,
    fresh: bool,
) -> str:
    """Record one notebook, say how it went, and return it in a word."""
    from workbench.lab import LabError, record_notebook
    from workbench.lab._timings import remember_seconds

    task = progress.add_task(str(path), total=None)

    def advance(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)

    try:
        recorded = record_notebook(path, settings, write=write, fresh=fresh, on_cell=advance)
    except LabError as error:
        progress.console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return "failed"
    if write:
        remember_seconds(path, root, settings, recorded.seconds)
    for change in recorded.changes:
        progress.console.print(f"{path}, {change}", markup=False, highlight=False, soft_wrap=True)
    return "changed" if recorded.changes else "unchanged"


def _names_a_path(arguments: list[str]) -> bool:
    """Say whether some argument is a file, a folder, or a test in one: then pytest gets no other paths."""
    return any(Path(argument.partition("::")[0]).exists() for argument in arguments)


def _relative(path: Path) -> Path:
    """Return `path` as seen from the current folder, if it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _run(command: list[str]) -> int:
    """Run a program to its end and return its exit code; Ctrl-C is the program's to handle."""
    with subprocess.Popen(command) as process:  # noqa: S603  # this interpreter, with the user's own arguments
        before = {
            signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
            signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: process.terminate()),
        }
        try:
            return process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that kernels are stopped and drafts removed."""

    def leave(*_: object) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
