"""Arguments of policies: in range, or a `PolicyError` that says what would be right."""

import math
import numbers
from collections.abc import Mapping

from workbench.reliability.policy import PolicyError

__all__ = ["check_count", "check_factor", "check_function", "check_mapping", "check_seconds", "check_share"]


def check_count(name: str, value: object, *, least: int = 1) -> int:
    """Return a whole number that is large enough."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        msg = f"{name} is {value!r}, expected a whole number of at least {least}"
        raise PolicyError(msg)
    return int(value)


def check_seconds(name: str, value: float, *, zero: bool = False, endless: bool = False) -> float:
    """Return a number of seconds; zero or infinitely many only where that is meant."""
    seconds = _number(name, value)
    fits = seconds > 0 or (zero and seconds == 0)
    if not fits or (seconds == math.inf and not endless):
        msg = f"{name} is {value!r}, expected {'zero or more' if zero else 'a positive number of'} seconds"
        raise PolicyError(msg)
    return seconds


def check_share(name: str, value: float, *, zero: bool = False) -> float:
    """Return a share, from 0 (or above it) to 1."""
    share = _number(name, value)
    if not ((0 < share <= 1) or (zero and share == 0)):
        msg = f"{name} is {value!r}, expected a share {'from' if zero else 'above'} 0 to 1"
        raise PolicyError(msg)
    return share


def check_factor(name: str, value: float, *, least: float = 1.0, endless: bool = False) -> float:
    """Return a number that is large enough; an infinite one only where that is meant."""
    factor = _number(name, value)
    if not factor >= least or (factor == math.inf and not endless):
        msg = f"{name} is {value!r}, expected a number of at least {least:g}"
        raise PolicyError(msg)
    return factor


def check_mapping(name: str, value: object, meaning: str) -> None:
    """Raise for what is no mapping."""
    if not isinstance(value, Mapping):
        msg = f"{name} is {value!r:.80}, expected a mapping {meaning}"
        raise PolicyError(msg)


def check_function(name: str, value: object, meaning: str) -> None:
    """Raise for what cannot be called."""
    if not callable(value):
        msg = f"{name} is {value!r}, expected a function {meaning}"
        raise PolicyError(msg)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        msg = f"{name} is {value!r}, expected a number"
        raise PolicyError(msg)
    try:
        return float(value)
    except OverflowError as error:
        msg = f"{name} is {str(value)[:20]}..., expected a number that a float can hold"
        raise PolicyError(msg) from error
