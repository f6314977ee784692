"""How long notebooks took when they were last recorded; kept beside the reports, outside git."""

import json
from pathlib import Path

from workbench.lab._settings import NotebookSettings
from workbench.lab._write import make_ignored_folder, write_whole

__all__ = ["recorded_seconds", "remember_seconds"]


def recorded_seconds(path: Path, root: Path, settings: NotebookSettings | None) -> float | None:
    """Return how long the notebook took when it was last recorded on this machine, if it was."""
    return _read(_file(root, settings)).get(_key(path, root))


def remember_seconds(path: Path, root: Path, settings: NotebookSettings | None, seconds: float) -> None:
    """Note how long recording took."""
    file = _file(root, settings)
    make_ignored_folder(file.parent)
    known = _read(file) | {_key(path, root): round(seconds, 3)}
    write_whole(file, json.dumps(known, indent=1, sort_keys=True).encode("utf-8"))


def _file(root: Path, settings: NotebookSettings | None) -> Path:
    return root / (settings or NotebookSettings()).reports / "recorded.json"


def _key(path: Path, root: Path) -> str:
    path = path.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _read(file: Path) -> dict[str, float]:
    try:
        known: dict[str, float] = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known
