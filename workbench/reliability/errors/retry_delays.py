"""`retry_after_s`: when the callee said that it wants to be asked again.

======================= =============================================================================
HTTP ``Retry-After``     seconds, or a date (RFC 9110 section 10.2.3)
gRPC ``RetryInfo``       in the trailer ``grpc-status-details-bin`` (google.rpc, AIP-193)
gRPC push-back           the trailer ``grpc-retry-pushback-ms`` (gRFC A6)
our own rejections       the time until a permit, a probe
======================= =============================================================================
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from workbench.reliability.errors.classification import cause_chain, leaves

__all__ = ["retry_after_s"]

DETAILS, PUSH_BACK = "grpc-status-details-bin", "grpc-retry-pushback-ms"


def retry_after_s(source: object, *, clock: Callable[[], float] = time.time) -> float | None:
    """Return the seconds after which the callee wants to be asked again, or None where it did not say.

    Parameters
    ----------
    source : exception or response
        An exception is asked itself, then its response, then its causes; a group says the longest delay of
        its members. A response is anything with ``headers``, or the headers themselves.
    clock : function without arguments
        The time now, seconds since the epoch, against which a date counts.

    Returns
    -------
    float or None
        Never negative: a date that has passed is zero.

    Examples
    --------
    >>> retry_after_s({"Retry-After": "120"})
    120.0
    >>> retry_after_s({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, clock=lambda: 50.0)
    10.0
    """
    if not isinstance(source, BaseException):
        return _of_headers(source if isinstance(source, Mapping) else getattr(source, "headers", None), clock)
    if isinstance(source, BaseExceptionGroup):
        found = [_of_chain(leaf, clock) for leaf in leaves(source)]
        return max((delay for delay in found if delay is not None), default=None)
    return _of_chain(source, clock)


def _of_chain(exc: BaseException, clock: Callable[[], float]) -> float | None:
    delay = _of_exception(exc, clock)
    if delay is not None or exc.__cause__ is None:
        return delay
    delays = (_of_exception(each, clock) for each in cause_chain(exc)[1:])
    return next((delay for delay in delays if delay is not None), None)


def _of_exception(exc: Any, clock: Callable[[], float]) -> float | None:
    """Return what an exception says itself; most have nothing to say, and cost four questions."""
    headers, response = getattr(exc, "headers", None), getattr(exc, "response", None)
    if headers is not None and (delay := _of_headers(headers, clock)) is not None:
        return delay
    if response is not None and (delay := retry_after_s(response, clock=clock)) is not None:
        return delay
    if callable(getattr(exc, "trailing_metadata", None)):
        return _of_trailers(exc.trailing_metadata() or ())
    seconds = getattr(exc, "retry_after_s", None)
    return None if seconds is None else _seconds(seconds)


def _of_headers(headers: Any, clock: Callable[[], float]) -> float | None:
    """Return what Retry-After asks for, in any mapping, whether it folds case or not."""
    if not hasattr(headers, "items"):
        return None
    texts = (value for name, value in headers.items() if _text(name).lower() == "retry-after")
    return next((_parsed(_text(value).strip(), clock) for value in texts), None)


def _parsed(text: str, clock: Callable[[], float]) -> float | None:
    if text.isascii() and text.isdigit():
        return _seconds(float(text))
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    zoned = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, zoned.timestamp() - clock())


def _of_trailers(trailers: Iterable[tuple[str, str | bytes]]) -> float | None:
    known = dict(trailers)
    push_back = _text(known.get(PUSH_BACK, ""))
    if push_back.isascii() and push_back.isdigit():
        return int(push_back) / 1e3
    return _of_details(known[DETAILS]) if DETAILS in known else None


def _of_details(details: Any) -> float | None:
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - only for errors of gRPC
    from google.rpc.error_details_pb2 import RetryInfo  # noqa: PLC0415
    from google.rpc.status_pb2 import Status  # noqa: PLC0415

    try:
        status = Status.FromString(details)
        for detail in status.details:
            info = RetryInfo()
            if detail.Unpack(info):
                return _seconds(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
    except (DecodeError, TypeError):
        return None
    return None


def _seconds(value: object) -> float | None:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return max(0.0, float(value))


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
