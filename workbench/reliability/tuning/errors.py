"""What is wrong with recorded calls, or with settings that are to be judged by them."""

from workbench.errors import WorkbenchError

__all__ = ["TuningError"]


class TuningError(WorkbenchError, ValueError):
    """Raised for recorded calls, faults and settings that cannot be judged."""
