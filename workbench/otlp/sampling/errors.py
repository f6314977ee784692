"""What can be wrong with sampling.

::

    WorkbenchError
    ├── SamplerError             (also a ValueError) a sampler's own parameter cannot be
    │   └── PolicyError          a tail sampler's policy or configuration; `.path` says which
    │       └── OttlEngineError  an OTTL condition, and no engine that could evaluate it
    ├── TraceStateError          (also a ValueError) text that is no tracestate, threshold or randomness
    └── EstimateError            (also a ValueError) nothing can be estimated from these spans
"""

from workbench.errors import WorkbenchError

__all__ = ["EstimateError", "OttlEngineError", "PolicyError", "SamplerError", "TraceStateError"]


class SamplerError(WorkbenchError, ValueError):
    """Raised when a sampler is given a parameter that it cannot work with."""


class PolicyError(SamplerError):
    """Raised when a tail sampler's policy or its configuration is wrong.

    Attributes
    ----------
    path : str
        Where it is wrong, such as ``policies[3].and.and_sub_policy[0].latency.threshold_ms``; empty for a
        policy that was made in Python.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.args[0]}" if self.path else str(self.args[0])

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args[0], self.path)


def _rebuild(kind: type[PolicyError], message: str, path: str) -> PolicyError:
    return kind(message, path=path)


class OttlEngineError(PolicyError):
    """Raised for OTTL conditions given as text: give ``ottl_condition`` a Python predicate instead."""


class TraceStateError(WorkbenchError, ValueError):
    """Raised for text that is not the tracestate, threshold or randomness that it should be."""


class EstimateError(WorkbenchError, ValueError):
    """Raised when spans do not say how many others they stand for, or the question has no sense."""
