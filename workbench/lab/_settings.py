"""The settings of a project's notebooks: the ``[tool.workbench.notebooks]`` table of its pyproject.toml.

The table is the opt-in. A project without it gets pinning, sanitizing and replay; a project with it, be it
empty, also gets the rules, the time limit, the stop at the first failure and the reports.
"""

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from workbench.lab.errors import SettingsError

__all__ = ["NotebookSettings", "find_root"]


@dataclass(frozen=True, slots=True)
class NotebookSettings:
    """What a project asks of its notebooks.

    Parameters
    ----------
    paths
        Where the notebooks are, relative to the project's root.
    max_seconds
        Time limit of one notebook: the sum over its cells.
    max_bytes
        Size limit of one notebook file.
    stop_at_first_failure
        After a cell failed, skip the rest of its notebook.
    reports
        Folder for executed notebooks and HTML differences, relative to the root; it ignores itself in git.
    cell_seconds
        Time limit of one cell; None leaves it at `max_seconds`.
    """

    paths: tuple[str, ...] = ("notebooks",)
    max_seconds: float = 60.0
    max_bytes: int = 400_000
    stop_at_first_failure: bool = True
    reports: str = ".workbench/notebooks"
    cell_seconds: float | None = None

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant."""
        _expect(_are_texts(self.paths), "paths", self.paths, 'a list of folders or files, as ["notebooks"]')
        _expect(
            _is_positive(self.max_seconds), "max_seconds", self.max_seconds, "a positive number of seconds"
        )
        _expect(_is_positive(self.max_bytes), "max_bytes", self.max_bytes, "a positive number of bytes")
        _expect(isinstance(self.stop_at_first_failure, bool), "stop_at_first_failure",
                self.stop_at_first_failure, "true or false")  # fmt: skip
        _expect(isinstance(self.reports, str) and bool(self.reports), "reports", self.reports, "a folder")
        seconds = self.cell_seconds
        _expect(
            seconds is None or _is_positive(seconds), "cell_seconds", seconds, "a positive number of seconds"
        )

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Self:
        """Return the settings of a TOML table; an unknown key is an error that lists the valid ones."""
        valid = [field.name for field in dataclasses.fields(cls)]
        for key in table:
            if key not in valid:
                raise SettingsError(_unknown(key, valid))
        values: dict[str, Any] = {key: _frozen(value) for key, value in table.items()}
        return cls(**values)

    @classmethod
    def read(cls, root: Path) -> Self | None:
        """Return the settings in ``pyproject.toml`` of the folder `root`, or None if it has no such table."""
        file = root / "pyproject.toml"
        if not file.is_file():
            return None
        try:
            project = tomllib.loads(file.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            msg = f"{file}: {error}"
            raise SettingsError(msg) from error
        ours = project.get("tool", {}).get("workbench", {})
        table = ours.get("notebooks") if isinstance(ours, dict) else None
        return None if table is None else cls._from(file, table)

    @classmethod
    def _from(cls, file: Path, table: Any) -> Self:
        try:
            _expect(isinstance(table, dict), "notebooks", table, "a table")
            return cls.from_table(table)
        except SettingsError as error:
            msg = f"{file}: {error}"
            raise SettingsError(msg) from error


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds a ``pyproject.toml``, else `start` itself."""
    return next(
        (folder for folder in (start, *start.parents) if (folder / "pyproject.toml").is_file()), start
    )


def _unknown(key: str, valid: list[str]) -> str:
    near = difflib.get_close_matches(key, valid, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"[tool.workbench.notebooks] has no setting {key!r}{hint}; valid are {', '.join(valid)}"


def _expect(holds: bool, key: str, value: object, wanted: str) -> None:  # noqa: FBT001  # an assertion with words
    if not holds:
        msg = f"[tool.workbench.notebooks] {key} = {value!r}: expected {wanted}"
        raise SettingsError(msg)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(entry, str) for entry in value)


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
