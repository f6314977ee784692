"""The rules of a notebook that is kept as a test; each is a function from a notebook to findings.

===================  =======================================================================================
``not-executed``     a code cell has no execution count: nbval compares nothing, and passes
``out-of-order``     the counts are not 1, 2, 3, ...: the outputs are not those of "Restart & Run All"
``silenced``         a cell ends in ``;``: JupyterLab shows no value for it, where nbval finds one
``untagged-error``   a cell stores an error, and is not tagged ``raises-exception``
``absolute-path``    a source or a stored text names a path of one machine
``too-slow``         its cells together take longer than ``max_seconds`` (measured when it runs)
``too-large``        the file is larger than ``max_bytes``
``no-title``         the first cell does not open with a level-1 heading
``no-conclusion``    the last section, before exercises and references, does not say what was shown
===================  =======================================================================================
"""

import json
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from tokenize import TokenError, generate_tokens

from nbformat import NotebookNode

from workbench.lab._finding import Finding
from workbench.lab._machine_paths import machine_paths
from workbench.lab._notebook import Notebook, is_measured, is_skipped, may_raise, read_notebook
from workbench.lab._outputs import plain, texts
from workbench.lab._sections import conclusion, title
from workbench.lab._settings import NotebookSettings

__all__ = ["check_notebook", "findings_of", "too_slow"]

_BLANK = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.DEDENT, tokenize.ENDMARKER}


def check_notebook(path: str | Path, settings: NotebookSettings | None = None) -> list[Finding]:
    """Return what the notebook at `path` breaks of the rules that need no execution; empty is good.

    Parameters
    ----------
    path
        The notebook.
    settings
        Limits; default: those of `NotebookSettings`.

    Raises
    ------
    NotebookError
        If the file is missing or is no notebook.
    """
    return findings_of(read_notebook(Path(path)), settings or NotebookSettings())


def findings_of(notebook: Notebook, settings: NotebookSettings) -> list[Finding]:
    """Return what a notebook that was read breaks of the rules, in the order of the table above."""
    return [
        *_not_executed(notebook),
        *_out_of_order(notebook),
        *_silenced(notebook),
        *_untagged_errors(notebook),
        *_absolute_paths(notebook),
        *_too_large(notebook, settings.max_bytes),
        *_no_title(notebook),
        *_no_conclusion(notebook),
    ]


def too_slow(path: Path, number: int, cell: NotebookNode, max_seconds: float) -> Finding:
    """Return the finding about the cell in which a notebook's time was used up."""
    return Finding(
        "too-slow", path, number, cell.execution_count,
        f"the notebook takes over {max_seconds:g} s: its time was used up in this cell",
        "make its input smaller, move the work into a recorded data set, or raise max_seconds",
    )  # fmt: skip


def _not_executed(notebook: Notebook) -> Iterator[Finding]:
    cells = _counted(notebook)
    never = [number for number, cell in cells if cell.execution_count is None]
    if never:
        yield Finding(
            "not-executed", notebook.path, never[0], None,
            f"{len(never)} of {len(cells)} code cells were never executed, so their outputs promise nothing",
            "`workbench notebooks record` executes them all",
        )  # fmt: skip


def _out_of_order(notebook: Notebook) -> Iterator[Finding]:
    everything = [cell.execution_count for _, cell in notebook.code_cells()]
    if everything == list(range(1, len(everything) + 1)):
        return  # as "Restart & Run All" counts, which skips nothing
    cells = [(number, cell) for number, cell in _counted(notebook) if cell.execution_count is not None]
    for expected, (number, cell) in enumerate(cells, 1):
        if cell.execution_count != expected:
            yield Finding(
                "out-of-order", notebook.path, number, cell.execution_count,
                f"executed out of order: In [{expected}] should stand here",
                '"Restart & Run All", or `workbench notebooks record`, counts 1, 2, 3, ...',
            )  # fmt: skip
            return


def _silenced(notebook: Notebook) -> Iterator[Finding]:
    for number, cell in _counted(notebook):
        if _ends_in_semicolon(cell.source) and not is_measured(cell):
            yield Finding(
                "silenced", notebook.path, number, cell.execution_count,
                "ends in ';': its value is hidden in JupyterLab, where nbval compares it",
                "leave the semicolon out; where the value says nothing, give it a name: `_ = ...`",
            )  # fmt: skip


def _untagged_errors(notebook: Notebook) -> Iterator[Finding]:
    for number, cell in notebook.code_cells():
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if errors and not may_raise(cell):
            yield Finding(
                "untagged-error", notebook.path, number, cell.execution_count,
                f"stores {errors[0].ename}: {_short(errors[0].evalue)}",
                "mend the cell, or tag it raises-exception if the error is what it shows",
            )  # fmt: skip


def _absolute_paths(notebook: Notebook) -> Iterator[Finding]:
    for number, cell in enumerate(notebook.content.cells, 1):
        for place, text in _words(cell):
            found = next(machine_paths(text, notebook.path), None)
            if found is not None:
                yield Finding(
                    "absolute-path", notebook.path, number, cell.get("execution_count"),
                    f"{place} names {_short(found)!r}, a path of one machine",
                    "use a path relative to the notebook, and do not print where files are",
                )  # fmt: skip
                break


def _too_large(notebook: Notebook, max_bytes: int) -> Iterator[Finding]:
    if notebook.size <= max_bytes:
        return
    cells = notebook.content.cells
    number = max(range(1, len(cells) + 1), key=lambda number: _size(cells[number - 1]), default=None)
    largest = None if number is None else cells[number - 1]
    share = "" if largest is None else f"; this cell alone is {_size(largest) / 1000:.0f} kB"
    yield Finding(
        "too-large", notebook.path, number, None if largest is None else largest.get("execution_count"),
        f"the file is {notebook.size / 1000:.0f} kB, over {max_bytes / 1000:.0f} kB{share}",
        "draw fewer or coarser pictures, show the head of a table",
    )  # fmt: skip


def _no_title(notebook: Notebook) -> Iterator[Finding]:
    if title(notebook.content) is None:
        yield Finding(
            "no-title", notebook.path, 1 if notebook.content.cells else None, None,
            "has no title",
            "the first cell is Markdown and opens with '# What the notebook is about'",
        )  # fmt: skip


def _no_conclusion(notebook: Notebook) -> Iterator[Finding]:
    if not conclusion(notebook.content):
        cells = len(notebook.content.cells)
        yield Finding(
            "no-conclusion", notebook.path, cells or None, None,
            "has no conclusion",
            "its last section, before exercises and references, is '## What this shows' and says it",
        )  # fmt: skip


def _counted(notebook: Notebook) -> list[tuple[int, NotebookNode]]:
    """Return the cells that a kernel counts when the harness executes the notebook."""
    return [(number, cell) for number, cell in notebook.code_cells() if not is_skipped(cell)]


def _ends_in_semicolon(source: str) -> bool:
    """Say whether the last token is a semicolon, which IPython asks; in a magic it is a part of its text."""
    if source.lstrip().startswith("%%"):
        return False
    try:
        tokens = [token for token in generate_tokens(StringIO(source).readline) if token.type not in _BLANK]
    except (TokenError, SyntaxError):  # a line for the shell may hold anything: judge by the last one
        *above, last = source.strip().splitlines()
        return bool(above) and _ends_in_semicolon(last)
    return bool(tokens) and tokens[-1].string == ";" and not tokens[-1].line.lstrip().startswith(("%", "!"))


def _words(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    yield "the source", cell.source
    for output in cell.get("outputs", ()):
        for text in texts(output):
            yield "a stored output", text


def _size(cell: NotebookNode) -> int:
    return len(json.dumps(cell))


def _short(text: str) -> str:
    line = plain(text).strip().partition("\n")[0]
    return line if len(line) <= 80 else f"{line[:77]}..."
