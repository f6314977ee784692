"""When a client tries again: the tables, back-off with jitter, and what the server asks.

The delay before retry n (n = 1, 2, ...) is ``min(max_s, initial_s * multiplier**(n - 1))``, spread by a
uniform factor from ``1 - jitter`` to ``1 + jitter``; where the server said how long to wait, it is at least
that long.
Source: OTLP specification, "Failures", "Retryable Response Codes", "Throttling"; ``google.rpc.RetryInfo``.
"""

import math
import random
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from workbench.otlp.transport.errors import ConfigurationError

__all__ = [
    "RETRYABLE_GRPC",
    "RETRYABLE_HTTP",
    "UNREADABLE",
    "Outcome",
    "RetryPolicy",
    "grpc_is_retryable",
    "parse_retry_after",
]

RETRYABLE_HTTP = frozenset({429, 502, 503, 504})
RETRYABLE_GRPC = frozenset(
    {"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"}
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt.

    Attributes
    ----------
    delivered : bool
        The server acknowledged.
    reason : str
        Why not: ``http_400``, ``grpc_UNAVAILABLE``, ``connection``, ...; of a delivery, what is wrong with
        its acknowledgement.
    message : str
        The server's own words, or the error's; for a delivery, its warning or why it rejected.
    retryable : bool
    retry_after_s : float or None
        How long the server asks to wait.
    rejected : int
        Records that a partial success rejected.
    """

    delivered: bool
    reason: str = ""
    message: str = ""
    retryable: bool = False
    retry_after_s: float | None = None
    rejected: int = 0


UNREADABLE = Outcome(
    delivered=True,
    reason="unreadable_acknowledgement",
    message="the acknowledgement cannot be read; everything is taken for delivered",
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a client waits before it tries again, and how long it goes on.

    Attributes
    ----------
    initial_s, multiplier, max_s : float
        Of the exponential back-off.
    jitter : float, 0 to 1
        The delay is spread over this part of itself to either side.
    max_elapsed_s : float
        No retry starts later than this after the first attempt.
    """

    initial_s: float = 1.0
    multiplier: float = 1.5
    max_s: float = 30.0
    jitter: float = 0.5
    max_elapsed_s: float = 300.0

    def __post_init__(self) -> None:
        sound = 0 < self.initial_s <= self.max_s and self.multiplier >= 1
        if not (sound and 0 <= self.jitter <= 1 and self.max_elapsed_s >= 0):
            msg = f"expected 0 < initial_s <= max_s, multiplier >= 1, 0 <= jitter <= 1, got {self}"
            raise ConfigurationError(msg)

    def delay_s(self, retry: int, retry_after_s: float | None, rng: random.Random) -> float:
        """Return the wait before retry number `retry`, which counts from 1.

        Examples
        --------
        >>> steady = RetryPolicy(initial_s=1, multiplier=2, jitter=0)
        >>> [steady.delay_s(retry, None, random.Random(0)) for retry in (1, 2, 3, 9)]
        [1.0, 2.0, 4.0, 30.0]
        """
        spread = min(self.max_s, self._grown_s(retry)) * rng.uniform(1 - self.jitter, 1 + self.jitter)
        return max(spread, retry_after_s or 0.0)

    def _grown_s(self, retry: int) -> float:
        try:
            return self.initial_s * self.multiplier ** (retry - 1)
        except OverflowError:
            return math.inf


def grpc_is_retryable(code: str, retry_after_s: float | None) -> bool:
    """Tell whether a gRPC status may be retried; RESOURCE_EXHAUSTED only if the server says when."""
    return code in RETRYABLE_GRPC or (code == "RESOURCE_EXHAUSTED" and retry_after_s is not None)


def parse_retry_after(value: str | None, unix_s: float) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date (RFC 9110 section 10.2.3).

    A date that has passed is zero; what is neither is None, as if it were not there. Dates are UTC, in each
    of the three forms that section 5.6.7 knows, of which one says no zone.

    Examples
    --------
    >>> parse_retry_after("120", 0), parse_retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 50.0)
    (120.0, 10.0)
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - unix_s)
    except (ValueError, TypeError, OverflowError):
        return None
