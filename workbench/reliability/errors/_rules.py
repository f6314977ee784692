"""All rules that come with the room: qualified names of exception classes, and what they mean.

A rule is an `ErrorClass`; or a function of the exception that returns one, or another exception that
decides in its place, or None when it cannot tell. Classes are found by name, so no driver is ever imported.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from workbench.reliability.errors.taxonomy import ErrorClass

__all__ = ["Answer", "Rule", "Rules", "under"]

Answer: TypeAlias = "ErrorClass | BaseException | None"
Rule: TypeAlias = ErrorClass | Callable[[Any], Answer]
Rules: TypeAlias = Mapping[str, Rule]


def under(module: str, rules: Mapping[str, Rule]) -> dict[str, Rule]:
    """Return rules whose names are those of one module."""
    return {f"{module}.{name}": rule for name, rule in rules.items()}
