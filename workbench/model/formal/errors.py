"""What can be wrong with a model.

::

    WorkbenchError
    └── FormalError             the root of this room's errors
        ├── ModelError          a model that is not declared as it should be
        ├── DomainError         a value outside the domain of its field
        ├── ActionError         an action that raised instead of changing the state
        ├── NotCompilableError  a model, or a line of it, that the compiled engine cannot take
        ├── NotExportableError  a model, or a line of it, that an export has no words for
        ├── MappingError        a mapping from spans to a model that does not fit it
        ├── CheckpointError     a search that was put aside and cannot be taken up
        └── ReplayError         a step that the model does not have
"""

from workbench.errors import WorkbenchError

__all__ = [
    "ActionError",
    "CheckpointError",
    "DomainError",
    "FormalError",
    "MappingError",
    "ModelError",
    "NotCompilableError",
    "ReplayError",
]


class FormalError(WorkbenchError, ValueError):
    """Raised when a model cannot be read, explored or compiled."""


class ModelError(FormalError):
    """Raised when a model is not declared as it should be: names the class and the member."""


class DomainError(FormalError):
    """Raised when a value is put where its domain does not allow it."""


class ActionError(FormalError):
    """Raised when the model's own code fails: names the action, its arguments and the state before it."""


class NotCompilableError(FormalError):
    """Raised when the compiled engine was asked for and cannot run a model: names the line and the reason."""


class CheckpointError(FormalError):
    """Raised when a search cannot go on from a file: it is damaged, or another model's."""


class NotExportableError(FormalError):
    """Raised when a model has no equal in Promela or TLA+: names the line and the reason."""


class ReplayError(FormalError):
    """Raised when a recorded step cannot be taken again: the model has changed since."""


class MappingError(FormalError):
    """Raised when a mapping from spans to a model names what the model does not have: says where and what."""
