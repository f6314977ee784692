"""What the laboratory raises.

::

    WorkbenchError
    └── LabError              a notebook or the laboratory itself cannot do what was asked
        ├── SettingsError     ``[tool.workbench.notebooks]`` says what nobody can mean
        ├── NotebookError     a file is missing, or is not a notebook
        ├── CellError         a cell failed while its notebook was recorded
        └── RefusedError      a notebook breaks the rules; carries the findings
"""

from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.lab._finding import Finding

__all__ = ["CellError", "LabError", "NotebookError", "RefusedError", "SettingsError"]


class LabError(WorkbenchError):
    """Raised when a notebook or the laboratory itself cannot do what was asked."""


class SettingsError(LabError):
    """Raised when ``[tool.workbench.notebooks]`` has an unknown key or a value of the wrong kind."""


class NotebookError(LabError):
    """Raised when a path is not there, or is not a notebook that can be read."""


class CellError(LabError):
    """Raised by `record_notebook` when a cell failed, ran out of time or killed its kernel.

    Tag the cell ``raises-exception`` if the error is what it shows.
    """


class RefusedError(LabError):
    """Raised by `record_notebook` when the executed notebook breaks the rules; nothing is written."""

    def __init__(self, findings: "Sequence[Finding]") -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = tuple(findings)
