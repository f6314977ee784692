"""The one form in which a notebook is stored, so that recording twice leaves no difference.

Out go what changes from run to run and says nothing: execution times, widget state, addresses in memory,
names of temporary cell files, random ids of tables, and where this machine keeps its libraries. A cell keeps
its id; a cell without one, or with its neighbour's, gets an id made of its position and content.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from workbench.lab._sanitize import normalise

__all__ = ["canonical", "digest", "stored_form"]

_KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_CELL_ID = re.compile(r"^[a-zA-Z0-9-_]{1,64}$")
_LIBRARY = re.compile(r"[~/][^\s\x1b:\"']*/(site-packages|lib/python3\.\d+)/")
_STYLER = re.compile(r"\bT_[0-9a-f]{5}(?![0-9a-z])")


def canonical(content: NotebookNode, written: bytes, root: Path) -> None:
    """Bring a notebook into the form in which it is stored; `written` is the file that it was read from."""
    content.metadata.pop("widgets", None)
    content.metadata["kernelspec"] = dict(_KERNELSPEC)
    content.metadata["language_info"] = {"name": "python"}
    content.nbformat, content.nbformat_minor = 4, max(content.nbformat_minor, 5)
    for cell, identifier in zip(content.cells, _identifiers(content, written), strict=True):
        cell["id"] = identifier
        cell.metadata.pop("execution", None)
        cell.metadata.pop("trusted", None)
    _normalise_texts(content, root)


def stored_form(content: NotebookNode) -> bytes:
    """Return the bytes of a notebook file: what nbformat writes, with the newline that it ends in."""
    nbformat.validate(content)
    text: str = nbformat.writes(content)  # type: ignore[no-untyped-call]
    return (text.rstrip("\n") + "\n").encode("utf-8")


def digest(*parts: str) -> str:
    """Return a short name of `parts`."""
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()[:12]


def _identifiers(content: NotebookNode, written: bytes) -> Iterator[str]:
    stored: list[Any] = [cell.get("id") for cell in json.loads(written).get("cells", ())]
    if len(stored) != len(content.cells):
        stored = [None] * len(content.cells)
    seen: set[str] = set()
    for position, (cell, own) in enumerate(zip(content.cells, stored, strict=True)):
        kept = isinstance(own, str) and _CELL_ID.match(own) and own not in seen
        identifier = str(own) if kept else digest(str(position), cell.cell_type, cell.source)
        seen.add(identifier)
        yield identifier


def _normalise_texts(content: NotebookNode, root: Path) -> None:
    tables: dict[str, str] = {}
    for output in (output for cell in content.cells for output in cell.get("outputs", ())):
        if output.output_type == "stream":
            output.text = normalise(output.text)
        elif output.output_type == "error":
            output.evalue = normalise(output.evalue)
            output.traceback = [_portable(normalise(line), root) for line in output.traceback]
        else:
            _normalise_data(output.data, tables)


def _normalise_data(data: NotebookNode, tables: dict[str, str]) -> None:
    for form, value in data.items():
        if form.startswith("text/") and isinstance(value, str):
            data[form] = normalise(value)
    if isinstance(data.get("text/html"), str):
        data["text/html"] = _STYLER.sub(lambda match: _numbered(match[0], tables), data["text/html"])


def _numbered(name: str, tables: dict[str, str]) -> str:
    """Return the name of a styled table: random at run time, counted when stored."""
    return tables.setdefault(name, f"T_{len(tables):05d}")


def _portable(traceback: str, root: Path) -> str:
    """Return a traceback that names files by project and library; tracebacks are shown, never compared."""
    home = str(Path.home())
    places = [str(root)]
    if str(root).startswith(f"{home}/"):
        places.append("~" + str(root).removeprefix(home))
    shorter = _LIBRARY.sub(r"\1/", traceback)
    for place in places:
        shorter = shorter.replace(f"{place}/", "")
    return shorter
