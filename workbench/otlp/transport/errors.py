"""What can go wrong between two peers.

::

    WorkbenchError
    ├── EndpointError           (also a ValueError) no address that a peer can be reached at
    ├── ConfigurationError      (also a ValueError) an option or environment variable has no meaning
    ├── WaitTimeoutError        (also a TimeoutError) fewer records came than were waited for
    ├── ExporterClosedError     (also a RuntimeError) something was exported after the shutdown
    ├── ReceiverClosedError     (also a RuntimeError) the receiver has shut down
    ├── UnsupportedPayloadError (also a TypeError) what was given cannot be written as OTLP
    └── JournalError            (also an OSError) the log of what was acknowledged cannot be used
"""

from workbench.errors import WorkbenchError

__all__ = [
    "ConfigurationError",
    "EndpointError",
    "ExporterClosedError",
    "JournalError",
    "ReceiverClosedError",
    "UnsupportedPayloadError",
    "WaitTimeoutError",
]


class EndpointError(WorkbenchError, ValueError):
    """Raised for an endpoint that is no URL, or where nothing can be bound."""


class ConfigurationError(WorkbenchError, ValueError):
    """Raised when an option, or the environment variable behind it, has a value without a meaning."""


class WaitTimeoutError(WorkbenchError, TimeoutError):
    """Raised when fewer records came than were waited for.

    Attributes
    ----------
    expected, arrived : int
        Records over all signals.
    """

    def __init__(self, expected: int, arrived: int, timeout_s: float) -> None:
        super().__init__(f"{arrived:,} of {expected:,} records arrived within {timeout_s:g} s")
        self.expected = expected
        self.arrived = arrived
        self.timeout_s = timeout_s

    def __reduce__(self) -> tuple[type["WaitTimeoutError"], tuple[int, int, float]]:
        return type(self), (self.expected, self.arrived, self.timeout_s)


class ExporterClosedError(WorkbenchError, RuntimeError):
    """Raised when something is exported after the shutdown; make another `Exporter`."""


class ReceiverClosedError(WorkbenchError, RuntimeError):
    """Raised when a receiver that has shut down is asked to wait; what it received stays readable."""


class UnsupportedPayloadError(WorkbenchError, TypeError):
    """Raised when what was given is neither telemetry, nor an official message, nor bytes with a signal."""


class JournalError(WorkbenchError, OSError):
    """Raised when the log of what was acknowledged cannot be used: it is held by another, or closed."""
