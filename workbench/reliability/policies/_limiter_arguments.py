"""Arguments of limiters: rates, bursts and windows in range, or an error that says what would be right."""

import sys
from typing import Any

from workbench.reliability.policy import PolicyError

__all__ = ["UnattainableCostError", "burst_of", "cost_of", "limit_of", "rate_of", "window_of"]


class UnattainableCostError(PolicyError):
    """Raised for a call that costs more than a limiter ever lets through at once: waiting would not help."""


def rate_of(rate_hz: float) -> float:
    """Return a positive rate."""
    return _positive("rate_hz", rate_hz, "a positive number of calls a second")


def burst_of(burst: float) -> float:
    """Return a burst of at least one call."""
    return _at_least_one("burst", burst)


def limit_of(limit: float) -> float:
    """Return a limit of at least one call."""
    return _at_least_one("limit", limit)


def window_of(
    limit: float | None, window_s: float | None, rate_hz: float | None, burst: float | None
) -> tuple[float, float]:
    """Return a limit and a window, which may be given as a burst and a rate."""
    by_window, by_rate = (limit, window_s), (rate_hz, burst)
    if None not in by_window and by_rate == (None, None):
        seconds = _positive("window_s", window_s, "a positive number of seconds")
        return limit_of(limit), seconds  # type: ignore[arg-type]
    if rate_hz is not None and by_window == (None, None):
        calls = burst_of(1 if burst is None else burst)
        return calls, calls / rate_of(rate_hz)
    msg = "a window is given by limit and window_s, or by rate_hz and burst (in burst / rate_hz seconds)"
    raise PolicyError(msg)


def cost_of(cost: float, most: float, *, whole: bool) -> float:
    """Return what a call costs.

    Raises
    ------
    UnattainableCostError
        When it is more than can ever be let through at once.
    PolicyError
        When it is no number from 0 on, or has to be a whole one.
    """
    kinds = int if whole else (int, float)
    if isinstance(cost, bool) or not isinstance(cost, kinds) or not cost >= 0:
        msg = f"cost is {cost!r}, expected {'a whole number' if whole else 'a number'} from 0 on"
        raise PolicyError(msg)
    if cost > most:
        msg = (
            f"cost {cost:g} is more than the {most:g} ever let through at once: split the call, or allow more"
        )
        raise UnattainableCostError(msg)
    return cost


def _at_least_one(name: str, value: Any) -> float:
    number = _positive(name, value, "a number of calls, 1 or more")
    if number < 1:
        msg = f"{name} is {value!r}, expected a number of calls, 1 or more: no call could pass"
        raise PolicyError(msg)
    return number


def _positive(name: str, value: Any, expected: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
        msg = f"{name} is {value!r}, expected {expected}"
        raise PolicyError(msg)
    return float(value)
