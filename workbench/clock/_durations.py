"""The checks of what callers hand to a clock."""

import math

from workbench.clock.errors import InvalidDurationError

__all__ = ["checked_deadline_s", "checked_duration_s", "checked_instant_s"]


def checked_duration_s(seconds: float) -> float:
    """Return `seconds` as a float; refuse what is negative, NaN or infinite."""
    if not 0.0 <= seconds < math.inf:
        msg = f"a duration must be finite and at least 0 seconds, not {seconds!r}"
        raise InvalidDurationError(msg)
    return float(seconds)


def checked_instant_s(instant_s: float, name: str) -> float:
    """Return `instant_s` as a float; refuse NaN and infinity."""
    if not math.isfinite(instant_s):
        msg = f"{name} must be a finite number of seconds, not {instant_s!r}"
        raise InvalidDurationError(msg)
    return float(instant_s)


def checked_deadline_s(now_s: float, seconds: float) -> float:
    """Return ``now_s + seconds``; refuse durations that no clock can keep, or that leave the floats."""
    deadline_s = now_s + checked_duration_s(seconds)
    if deadline_s == math.inf:
        msg = f"{seconds!r} seconds after {now_s!r} is beyond the largest float"
        raise InvalidDurationError(msg)
    return deadline_s
