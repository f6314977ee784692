"""How much time is left, as text in headers: gRPC's format, and milliseconds.

::

    grpc-timeout: 1500m             at most eight digits and a unit: H, M, S, m (milli), u (micro), n (nano)
    x-request-timeout-ms: 1500      milliseconds

What travels is a duration, as the clocks of two machines do not agree; the time on the way is not counted. It
is rounded down: whoever is asked must not believe to have longer than whoever asks. Over HTTP both headers
are sent. gRPC keeps ``grpc-timeout`` for itself, so its metadata carry the other one only, beside the
``timeout=`` of the call. Envoy's ``x-envoy-expected-rq-timeout-ms`` is read as well.

Source: gRPC over HTTP/2, Requests (Timeout); Envoy, HTTP header manipulation of the router filter.
"""

import math
from collections.abc import Iterable, Mapping

from workbench.errors import WorkbenchError

__all__ = [
    "GRPC_HEADER",
    "HEADER",
    "DeadlineHeaderError",
    "grpc_timeout",
    "header_timeout_s",
    "parse_grpc_timeout",
    "timeout_ms",
]

GRPC_HEADER, HEADER, ENVOY_HEADER = "grpc-timeout", "x-request-timeout-ms", "x-envoy-expected-rq-timeout-ms"
UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "S": 1.0, "M": 60.0, "H": 3600.0}
PER_SECOND = {"n": 1_000_000_000, "u": 1_000_000, "m": 1_000, "S": 1}
MOST = 99_999_999


class DeadlineHeaderError(WorkbenchError, ValueError):
    """Raised for a header that should say how much time is left, and does not."""


def grpc_timeout(left_s: float) -> str:
    """Return seconds as a ``grpc-timeout``, in the finest unit that holds them; never more than there are.

    Examples
    --------
    >>> [grpc_timeout(seconds) for seconds in (0.0015, 1.5, 100_000, 1e9)]
    ['1500000n', '1500000u', '99999999m', '16666666M']
    """
    left_s = max(0.0, left_s)
    for unit, per_second in PER_SECOND.items():
        count = left_s * per_second
        if count <= MOST:
            return f"{math.floor(count)}{unit}"
        if unit == "m" and left_s <= 100_000:
            return f"{MOST}m"
    minutes = math.floor(min(left_s / 60.0, 60.0 * MOST))
    return f"{minutes}M" if minutes <= MOST else f"{min(MOST, minutes // 60)}H"


def parse_grpc_timeout(text: str) -> float:
    """Return the seconds of a ``grpc-timeout``.

    Raises
    ------
    DeadlineHeaderError

    Examples
    --------
    >>> parse_grpc_timeout("1500m")
    1.5
    """
    digits, unit = text[:-1], text[-1:]
    if unit not in UNITS or not digits.isascii() or not digits.isdigit() or len(digits) > 8:
        msg = f"{GRPC_HEADER} is {text!r}, expected one to eight digits and one of {', '.join(UNITS)}"
        raise DeadlineHeaderError(msg)
    per_second = PER_SECOND.get(unit)
    return int(digits) / per_second if per_second else int(digits) * UNITS[unit]


def timeout_ms(left_s: float) -> str:
    """Return seconds as whole milliseconds, rounded down, 0 when no time is left."""
    return str(math.floor(min(max(0.0, left_s), 1e12) * 1e3))


def header_timeout_s(headers: Mapping[str, object] | Iterable[tuple[str, object]]) -> float | None:
    """Return the seconds that headers leave, the least when several say so; None when none does.

    Raises
    ------
    DeadlineHeaderError
        When one of them says what cannot be read.
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    found = [seconds for name, value in pairs if (seconds := _seconds(_text(name), _text(value))) is not None]
    return min(found, default=None)


def _seconds(name: str, value: str) -> float | None:
    name = name.lower()
    if name == GRPC_HEADER:
        return parse_grpc_timeout(value.strip())
    if name not in (HEADER, ENVOY_HEADER):
        return None
    digits = value.strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
        msg = f"{name} is {value!r}, expected whole milliseconds"
        raise DeadlineHeaderError(msg)
    return int(digits) / 1e3


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
