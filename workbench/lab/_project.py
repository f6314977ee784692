"""A project and its notebooks: where they are, what they look like, and recording them by its settings."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from workbench.lab._finding import Finding
from workbench.lab._notebook import find_notebooks, read_notebook
from workbench.lab._record import OnCell, Recorded, record_notebook
from workbench.lab._rules import findings_of
from workbench.lab._sections import title
from workbench.lab._settings import NotebookSettings, find_root
from workbench.lab._timings import recorded_seconds, remember_seconds

__all__ = ["NotebookProject", "NotebookSummary"]


@dataclass(frozen=True, slots=True)
class NotebookSummary:
    """A notebook at a glance.

    Parameters
    ----------
    path
        The file.
    title
        Its level-1 heading, if it opens with one.
    cells
        Number of code cells that hold code.
    seconds
        How long it took when it was last recorded here, if it was.
    size
        Bytes of the file.
    findings
        The rules that it breaks; empty for a project that has not opted in.
    """

    path: Path
    title: str | None
    cells: int
    seconds: float | None
    size: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class NotebookProject:
    """The folder of a ``pyproject.toml`` and its notebook settings; None if it has not opted in."""

    root: Path
    settings: NotebookSettings | None

    @classmethod
    def around(cls, folder: Path) -> Self:
        """Return the project that `folder` belongs to; a folder without one is its own."""
        root = find_root(folder.resolve())
        return cls(root, NotebookSettings.read(root))

    @property
    def paths(self) -> list[Path]:
        """Where the notebooks are: the settings' paths, else ``notebooks`` if it is there, or the root."""
        paths = [self.root / path for path in (self.settings or NotebookSettings()).paths]
        return [path for path in paths if self.settings is not None or path.exists()] or [self.root]

    def find(self, paths: Iterable[str | Path] = ()) -> list[Path]:
        """Return the notebooks among `paths`, by default among the project's own."""
        return find_notebooks(list(paths) or self.paths)

    def summarize(self, path: Path) -> NotebookSummary:
        """Return a notebook at a glance."""
        notebook = read_notebook(path)
        return NotebookSummary(
            path=path,
            title=title(notebook.content),
            cells=sum(1 for _ in notebook.code_cells()),
            seconds=recorded_seconds(path, self.root, self.settings),
            size=notebook.size,
            findings=() if self.settings is None else tuple(findings_of(notebook, self.settings)),
        )

    def record(
        self, path: Path, *, write: bool = True, fresh: bool = False, on_cell: OnCell | None = None
    ) -> Recorded:
        """Record a notebook by the project's settings, and remember how long it took."""
        recorded = record_notebook(path, self.settings, write=write, fresh=fresh, on_cell=on_cell)
        if write:
            remember_seconds(path, self.root, self.settings, recorded.seconds)
        return recorded
