"""What is wrong with a simulation that was asked for, and how a simulated service fails."""

from workbench.errors import WorkbenchError

__all__ = ["ServiceDroppedError", "ServiceError", "ServiceFailedError", "ServiceFullError", "SimulationError"]


class SimulationError(WorkbenchError, ValueError):
    """Raised for a service, arrivals, faults or a pipeline that cannot be simulated."""


class ServiceError(WorkbenchError, ConnectionError):
    """The failures of a simulated service; as `ConnectionError`, they are worth another try."""


class ServiceFailedError(ServiceError):
    """Raised where the simulated service answers with an error."""


class ServiceFullError(ServiceError):
    """Raised where the simulated service's queue has no room."""


class ServiceDroppedError(ServiceError):
    """Raised where the simulated service takes a call out of its queue, because it has waited too long."""
