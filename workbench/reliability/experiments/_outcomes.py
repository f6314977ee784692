"""What became of a live call, by the names that simulations use."""

from typing import Any

from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._outcomes import ERRORS
from workbench.reliability.simulation._outcomes import NAMES as SIMULATED

__all__ = ["NAMES", "NOT_STARTED", "OUTCOME_HEADER", "outcome_of"]

NAMES = (*SIMULATED, "not_started")
NOT_STARTED = len(SIMULATED)
OUTCOME_HEADER = "x-outcome"  # by which a `LoopbackService` says what became of an attempt

BY_TYPE: dict[type, int] = {type(make()): code for code, make in ERRORS.items()}


def outcome_of(error: Exception) -> int:
    """Return the code of what an exception says: by its type, or by the response that it carries."""
    for kind in type(error).__mro__:
        if kind in BY_TYPE:
            return BY_TYPE[kind]
    headers: Any = getattr(getattr(error, "response", None), "headers", None)
    name = headers.get(OUTCOME_HEADER) if hasattr(headers, "get") else None
    return NAMES.index(name) if name in NAMES else codes.FAILED
