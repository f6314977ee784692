"""What our own exceptions mean: bad input is PERMANENT; those of policies carry their class themselves."""

from typing import Any

from workbench.reliability.errors._rules import Answer, Rules
from workbench.reliability.errors.taxonomy import ErrorClass

__all__ = ["WORKBENCH_RULES"]


def _bad_input(exc: Any) -> Answer:
    """Leave errors that are also an OSError or a time-out to what those mean."""
    return None if isinstance(exc, OSError) else ErrorClass.PERMANENT


WORKBENCH_RULES: Rules = {"workbench.errors.WorkbenchError": _bad_input}
