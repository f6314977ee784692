"""Time as the exporter sees it, so that a test can run a day of back-off in no time."""

import math
import threading
import time
from typing import Protocol

from workbench.otlp.transport.errors import ConfigurationError

__all__ = ["LONGEST_WAIT_S", "SYSTEM_CLOCK", "Clock", "SystemClock", "end_of_wait_s"]

LONGEST_WAIT_S = 1e6  # in one piece: what the system can count is little more for a socket


class Clock(Protocol):
    """What an exporter asks of time."""

    def now_s(self) -> float:
        """Return seconds that never go back."""

    def unix_s(self) -> float:
        """Return seconds since the epoch."""

    def wait(self, condition: threading.Condition, timeout_s: float | None) -> None:
        """Wait, holding the condition, until it is notified or so many seconds have passed."""


class SystemClock:
    """The machine's time."""

    def now_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def unix_s(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def wait(self, condition: threading.Condition, timeout_s: float | None) -> None:
        """Wait, holding the condition, until it is notified or so many seconds have passed."""
        condition.wait(None if timeout_s is None else min(timeout_s, LONGEST_WAIT_S))


SYSTEM_CLOCK = SystemClock()


def end_of_wait_s(name: str, seconds: float) -> float:
    """Return when a wait from now ends, in the machine's time; one of infinity never does.

    Raises
    ------
    ConfigurationError
        When it is no number.
    """
    if math.isnan(seconds):
        msg = f"{name} must be a number of seconds, got nan"
        raise ConfigurationError(msg)
    return SYSTEM_CLOCK.now_s() + seconds
