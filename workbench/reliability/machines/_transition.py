"""The mark of a transition: a function that is placed into others, and compiled for the simulator."""

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["is_transition", "transition"]

F = TypeVar("F", bound=Callable[..., Any])


def transition(function: F) -> F:
    """Mark a function as a machine's transition."""
    function.__transition__ = True  # type: ignore[attr-defined]
    return function


def is_transition(function: object) -> bool:
    """Tell whether a function is marked."""
    return getattr(function, "__transition__", False) is True
