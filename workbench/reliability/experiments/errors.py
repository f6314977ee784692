"""What is wrong with an experiment that was asked for."""

from workbench.errors import WorkbenchError

__all__ = ["ExperimentError"]


class ExperimentError(WorkbenchError, ValueError):
    """Raised for an experiment that cannot be made, and for a service that does not listen."""
