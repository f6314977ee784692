"""What is wrong with a simulation that was asked for."""

from workbench.errors import WorkbenchError

__all__ = ["SimulationError"]


class SimulationError(WorkbenchError, ValueError):
    """Raised for a service, arrivals, faults or a pipeline that cannot be simulated."""
