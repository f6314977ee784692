"""Time as the exporter sees it, so that a test can run a day of back-off in no time."""

import threading
import time
from typing import Protocol

__all__ = ["SYSTEM_CLOCK", "Clock", "SystemClock"]


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
        condition.wait(timeout_s)


SYSTEM_CLOCK = SystemClock()
