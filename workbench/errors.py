"""The root of every error that workbench raises on purpose.

::

    Exception
    └── WorkbenchError           whatever we raise; carries what was wrong, where, and what would be right
        ├── MissingExtraError    (also an ImportError) a room's optional packages are not installed
        ├── otlp.OtlpError       telemetry that cannot be read
        ├── display.DisplayError data that cannot be drawn
        ├── histories.HistoryError a history that cannot be, or a model that does not know it
        ├── reliability.ReliabilityError a policy, not the callee, ended the call
        └── lab.LabError         notebooks and the laboratory itself

Each room derives its own errors from `WorkbenchError` in its own file, next to the code that raises them.
"""

__all__ = ["MissingExtraError", "WorkbenchError"]


class WorkbenchError(Exception):
    """Raised for bad input and failed checks: the root of all that workbench raises on purpose."""


class MissingExtraError(WorkbenchError, ImportError):
    """Raised when a room's optional packages are missing; names the command that installs them."""
