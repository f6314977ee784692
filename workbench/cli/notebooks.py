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

    from workbench.lab import NotebookProject, NotebookSummary

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
    project = _project()
    rows = [_row(_project_of(path).summarize(path)) for path in _found(project, paths)]
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
    paths = [] if _names_a_path(given) else [str(_from_here(path)) for path in _project().paths]
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

    project = _project()
    with _terminated_as_interrupted():
        found = _found(project, paths)
        columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            outcomes = [
                _record(path, _project_of(path), progress, write=not check, fresh=fresh) for path in found
            ]
    if "failed" in outcomes or (check and "changed" in outcomes):
        raise typer.Exit(1)


def _project() -> "NotebookProject":
    from workbench.lab import NotebookProject

    return NotebookProject.around(Path.cwd())


def _project_of(notebook: Path) -> "NotebookProject":
    """Return the project that a notebook belongs to, whose settings are the ones that count."""
    from workbench.lab import NotebookProject

    return NotebookProject.around(notebook.resolve().parent)


def _found(project: "NotebookProject", paths: list[Path] | None) -> list[Path]:
    return [_from_here(path) for path in project.find(paths or ())]


def _row(notebook: "NotebookSummary") -> dict[str, Any]:
    return {
        "notebook": notebook.path.as_posix(),
        "title": notebook.title,
        "cells": notebook.cells,
        "seconds": notebook.seconds,
        "bytes": notebook.size,
        "findings": [str(finding) for finding in notebook.findings],
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


def _record(path: Path, project: "NotebookProject", progress: "Progress", *, write: bool, fresh: bool) -> str:
    """Record one notebook, say how it went, and return it in a word."""
    from workbench.lab import LabError

    task = progress.add_task(str(path), total=None)

    def advance(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)

    try:
        recorded = project.record(path, write=write, fresh=fresh, on_cell=advance)
    except LabError as error:
        progress.console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return "failed"
    for change in recorded.changes:
        progress.console.print(f"{path}, {change}", markup=False, highlight=False, soft_wrap=True)
    return "changed" if recorded.changes else "unchanged"


def _names_a_path(arguments: list[str]) -> bool:
    """Say whether some argument is a file, a folder, or a test in one: then pytest gets no other paths."""
    return any(Path(argument.partition("::")[0]).exists() for argument in arguments)


def _from_here(path: Path) -> Path:
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
            code = process.wait()
            return code if code >= 0 else 128 - code
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
