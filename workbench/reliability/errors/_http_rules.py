"""What the exceptions of HTTP clients mean: httpx, httpcore, requests, urllib3, aiohttp, urllib.

A refused connection is asked for its cause: a certificate that does not hold is PERMANENT, a name server
that is busy is TRANSIENT. A time-out while waiting for a connection of one's own pool is OVERLOAD: the
server was not asked.
"""

from typing import Any

from workbench.reliability.errors._rules import Answer, Rule, Rules, under
from workbench.reliability.errors.status import classify_http_status
from workbench.reliability.errors.taxonomy import ErrorClass

__all__ = ["HTTP_RULES", "by_status"]

TRANSIENT, PERMANENT, OVERLOAD = ErrorClass.TRANSIENT, ErrorClass.PERMANENT, ErrorClass.OVERLOAD
TIMEOUT = ErrorClass.TIMEOUT


def by_status(status: object) -> Answer:
    """Return the class of a status, or None for what is none."""
    return classify_http_status(status) if isinstance(status, int) and 100 <= status <= 599 else None


def _response_status(exc: Any) -> Answer:
    return by_status(getattr(getattr(exc, "response", None), "status_code", None))


def _own_status(exc: Any) -> Answer:
    status = getattr(exc, "status", None)
    return by_status(status) if isinstance(status, int) and status >= 400 else PERMANENT


def _code(exc: Any) -> Answer:
    return by_status(getattr(exc, "code", None))


def _inner_or_transient(exc: Any) -> Answer:
    """Ask the cause, or the first argument: httpcore and requests put there the exception that they wrap."""
    inner = exc.__cause__ or (exc.args[0] if exc.args else None)
    return inner if isinstance(inner, BaseException) else TRANSIENT


def _reason_or_transient(exc: Any) -> Answer:
    reason = getattr(exc, "reason", None)
    return reason if isinstance(reason, BaseException) else TRANSIENT


def _inner_or_permanent(exc: Any) -> Answer:
    inner = exc.args[0] if exc.args else None
    return inner if isinstance(inner, BaseException) else PERMANENT


def _os_error(exc: Any) -> Answer:
    inner = getattr(exc, "os_error", None)
    return inner if isinstance(inner, BaseException) else None


def _unless_errno(exc: Any) -> Answer:
    """Leave those that are OSErrors to their errno."""
    return None if getattr(exc, "errno", None) is not None else TRANSIENT


ENCODE: dict[str, Rule] = {  # names that httpx and httpcore share
    "PoolTimeout": OVERLOAD,
    "TimeoutException": TIMEOUT,
    "ConnectTimeout": TIMEOUT,  # derived classes too: a recording is read where no driver is loaded
    "ReadTimeout": TIMEOUT,
    "WriteTimeout": TIMEOUT,
    "ReadError": TRANSIENT,
    "WriteError": TRANSIENT,
    "CloseError": TRANSIENT,
    "ConnectError": _inner_or_transient,
    "ProxyError": TRANSIENT,
    "NetworkError": TRANSIENT,
    "LocalProtocolError": PERMANENT,
    "RemoteProtocolError": TRANSIENT,
    "UnsupportedProtocol": PERMANENT,
}
HTTPX: Rules = {
    **ENCODE,
    "HTTPStatusError": _response_status,
    "DecodingError": PERMANENT,
    "TooManyRedirects": PERMANENT,
    "InvalidURL": PERMANENT,
    "CookieConflict": PERMANENT,
    "StreamError": PERMANENT,
}
REQUESTS: Rules = {
    "HTTPError": _response_status,
    "Timeout": TIMEOUT,
    "ConnectTimeout": TIMEOUT,
    "ReadTimeout": TIMEOUT,
    "SSLError": _inner_or_transient,
    "ProxyError": TRANSIENT,
    "ConnectionError": _inner_or_transient,
    "ChunkedEncodingError": TRANSIENT,
    "ContentDecodingError": PERMANENT,
    "TooManyRedirects": PERMANENT,
    "RetryError": _inner_or_transient,
    "InvalidHeader": PERMANENT,
    "InvalidURL": PERMANENT,
    "InvalidSchema": PERMANENT,
    "MissingSchema": PERMANENT,
    "InvalidJSONError": PERMANENT,
    "StreamConsumedError": PERMANENT,
    "UnrewindableBodyError": PERMANENT,
}
URLLIB3: Rules = {
    "MaxRetryError": _reason_or_transient,
    "TimeoutError": TIMEOUT,
    "NameResolutionError": _inner_or_transient,
    "NewConnectionError": _inner_or_transient,
    "ConnectTimeoutError": TIMEOUT,
    "ReadTimeoutError": TIMEOUT,
    "ProtocolError": TRANSIENT,
    "IncompleteRead": TRANSIENT,
    "ProxyError": TRANSIENT,
    "SSLError": _inner_or_permanent,
    "EmptyPoolError": OVERLOAD,
    "FullPoolError": OVERLOAD,
    "ClosedPoolError": PERMANENT,
    "ResponseError": TRANSIENT,  # too many of the answers that it was told to retry
    "DecodeError": PERMANENT,
    "LocationValueError": PERMANENT,
    "UnrewindableBodyError": PERMANENT,
}
AIOHTTP: Rules = {
    "ClientResponseError": _own_status,
    "ServerTimeoutError": TIMEOUT,
    "ConnectionTimeoutError": TIMEOUT,
    "SocketTimeoutError": TIMEOUT,
    "ServerDisconnectedError": TRANSIENT,
    "ServerFingerprintMismatch": PERMANENT,
    "ServerConnectionError": TRANSIENT,
    "ClientConnectorCertificateError": PERMANENT,
    "ClientConnectorSSLError": _os_error,
    "ClientConnectorError": _os_error,
    "ClientConnectionError": _unless_errno,
    "ClientPayloadError": TRANSIENT,
    "InvalidURL": PERMANENT,
    "NonHttpUrlClientError": PERMANENT,
    "RedirectClientError": PERMANENT,
}
HTTP_RULES: Rules = {
    **under("httpx", HTTPX),
    **under("httpcore", ENCODE),
    **under("requests.exceptions", REQUESTS),
    **under("urllib3.exceptions", URLLIB3),
    **under("aiohttp.client_exceptions", AIOHTTP),
    "urllib.error.HTTPError": _code,
}
