"""Notebooks as files: find them, read them, and say what a cell is tagged as.

A cell's outputs are a promise unless a tag, or the same in a comment, says otherwise (the words are
nbval's)::

    raises-exception, nbval-raises-exception    # NBVAL_RAISES_EXCEPTION    the error is what the cell shows
    nbval-ignore-output                         # NBVAL_IGNORE_OUTPUT       a measurement: not compared
    nbval-skip                                  # NBVAL_SKIP                never executed by the harness
"""

import json
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from workbench.lab.errors import NotebookError

__all__ = ["Notebook", "find_notebooks", "is_measured", "is_skipped", "may_raise", "read_notebook"]

# What reading and converting raise, depending on where a file stops looking like a notebook.
_UNREADABLE = (OSError, ValueError, KeyError, AttributeError, TypeError, nbformat.ValidationError)


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook as it was read: where it is, how big, and its content in format 4."""

    path: Path
    size: int
    content: NotebookNode

    def code_cells(self) -> Iterator[tuple[int, NotebookNode]]:
        """Yield ``(number, cell)`` of the code cells that hold code; numbers count all cells, from 1."""
        for number, cell in enumerate(self.content.cells, 1):
            if cell.cell_type == "code" and cell.source.strip():
                yield number, cell


def find_notebooks(paths: Iterable[str | Path]) -> list[Path]:
    """Return the notebooks among `paths`: files as they are, folders searched; sorted, each once.

    Hidden folders, and so JupyterLab's checkpoints, are left out.

    Raises
    ------
    NotebookError
        If a path does not exist, or is a file whose name does not end in ``.ipynb``.
    """
    return sorted({notebook for path in map(Path, paths) for notebook in _below(path)})


def read_notebook(path: Path) -> Notebook:
    """Read a notebook of any format version; raise `NotebookError` if it is none."""
    try:
        text = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nbformat warns of missing cell ids: not this reader's concern
            content = nbformat.reads(text.decode("utf-8"), as_version=4)  # type: ignore[no-untyped-call]
            for cell in content.cells:
                if cell.cell_type == "code":
                    cell.setdefault("outputs", [])
                    cell.setdefault("execution_count", None)
    except _UNREADABLE as error:
        raise NotebookError(_unreadable(path, error)) from error
    return Notebook(path, len(text), content)


def may_raise(cell: NotebookNode) -> bool:
    """Say whether an error is what the cell is meant to show."""
    return _is_marked(cell, "raises-exception", "nbval-raises-exception", comment="NBVAL_RAISES_EXCEPTION")


def is_measured(cell: NotebookNode) -> bool:
    """Say whether the cell's outputs differ from run to run by nature, and are not compared."""
    return _is_marked(cell, "nbval-ignore-output", comment="NBVAL_IGNORE_OUTPUT")


def is_skipped(cell: NotebookNode) -> bool:
    """Say whether the harness never executes the cell."""
    return _is_marked(cell, "nbval-skip", comment="NBVAL_SKIP")


def _is_marked(cell: NotebookNode, *tags: str, comment: str) -> bool:
    if any(tag in cell.metadata.get("tags", ()) for tag in tags):
        return True
    lines = (line.strip() for line in cell.source.splitlines())
    return any(line.startswith("#") and line.lstrip("#").strip() == comment for line in lines)


def _below(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from _walk(path)
    elif path.suffix == ".ipynb" and path.is_file():
        yield path
    else:
        msg = f"{path}: there is no such folder or notebook; give folders, or files that end in .ipynb"
        raise NotebookError(msg)


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in files if name.endswith(".ipynb"))


def _unreadable(path: Path, error: Exception) -> str:
    what: Any = error.strerror if isinstance(error, OSError) else error
    if isinstance(error, json.JSONDecodeError):
        what = f"not JSON (line {error.lineno}, column {error.colno})"
    return f"{path}: this is no notebook that can be read: {str(what).splitlines()[0]}"
