"""What `histories` raises.

::

    WorkbenchError
    └── HistoryError          a history cannot be what is said of it
        ├── OperationError    (also a ValueError) one operation is malformed, or two overlap in one process
        ├── RecordingError    an operation was recorded in a way that no history can hold
        ├── MappingError      (also a ValueError) spans do not say which operations they were
        └── ModelError        (also a ValueError) a model does not know an operation, or is no pure function
"""

from workbench.errors import WorkbenchError

__all__ = ["HistoryError", "MappingError", "ModelError", "OperationError", "RecordingError"]


class HistoryError(WorkbenchError):
    """Raised for what is wrong with a history, a recording or a model: the root of this room's errors."""


class OperationError(HistoryError, ValueError):
    """Raised when an operation is malformed, or when one process has two at a time; says which."""


class RecordingError(HistoryError):
    """Raised when an operation is finished twice, or recorded after the recording has ended."""


class MappingError(HistoryError, ValueError):
    """Raised when spans do not say which operations they were; names the span and what is missing."""


class ModelError(HistoryError, ValueError):
    """Raised when a model does not know an operation, or answers with what is no verdict and state."""
