"""What the status codes of three protocols mean: HTTP (RFC 9110), gRPC and SQLSTATE (ISO 9075).

They are public because an answer that is no exception has a status too: a response of 503 that nobody raised.
"""

from workbench.errors import WorkbenchError
from workbench.reliability.errors.taxonomy import ErrorClass

__all__ = ["StatusError", "classify_grpc_code", "classify_http_status", "classify_sqlstate"]

TRANSIENT, PERMANENT, OVERLOAD = ErrorClass.TRANSIENT, ErrorClass.PERMANENT, ErrorClass.OVERLOAD
TIMEOUT, CANCELLED, THROTTLED = ErrorClass.TIMEOUT, ErrorClass.CANCELLED, ErrorClass.THROTTLED

HTTP: dict[int, ErrorClass] = {
    408: TIMEOUT,  # RFC 9110 15.5.9: may be repeated on a new connection
    421: TRANSIENT,  # 15.5.20: may be repeated on another connection
    425: TRANSIENT,  # RFC 8470: too early in the handshake, not later
    429: THROTTLED,  # RFC 6585
    499: CANCELLED,  # nginx: the client went away
    501: PERMANENT,
    503: OVERLOAD,  # RFC 9110 15.6.4: overload or maintenance, likely to be over after some delay
    504: TIMEOUT,
    505: PERMANENT,
    506: PERMANENT,
    507: OVERLOAD,  # RFC 4918: considered to be temporary
    508: PERMANENT,
    509: THROTTLED,  # bandwidth limit, of several hosters
    510: PERMANENT,
    511: PERMANENT,
    522: TIMEOUT,  # of one large proxy: connecting to the origin
    524: TIMEOUT,  # and waiting for its answer
    529: OVERLOAD,  # of several APIs
}
GRPC: dict[str, ErrorClass] = {
    "CANCELLED": CANCELLED,
    "UNKNOWN": TRANSIENT,  # says nothing: what a handler's own exception becomes, as HTTP's 500
    "INVALID_ARGUMENT": PERMANENT,
    "DEADLINE_EXCEEDED": TIMEOUT,
    "NOT_FOUND": PERMANENT,
    "ALREADY_EXISTS": PERMANENT,
    "PERMISSION_DENIED": PERMANENT,
    "RESOURCE_EXHAUSTED": THROTTLED,
    "FAILED_PRECONDITION": PERMANENT,
    "ABORTED": TRANSIENT,
    "OUT_OF_RANGE": PERMANENT,
    "UNIMPLEMENTED": PERMANENT,
    "INTERNAL": PERMANENT,  # "some invariants are broken"
    "UNAVAILABLE": TRANSIENT,
    "DATA_LOSS": PERMANENT,
    "UNAUTHENTICATED": PERMANENT,
}
GRPC_NUMBERS = dict(enumerate(GRPC, start=1))
SQLSTATE: dict[str, ErrorClass] = {  # a code of five characters, or the two of its class
    "08": TRANSIENT,  # connection exception
    "08004": OVERLOAD,  # the server refused the connection: too many
    "08P01": PERMANENT,  # protocol violation
    "25P03": TIMEOUT,  # idle in transaction
    "25P04": TIMEOUT,  # transaction timeout
    "40": TRANSIENT,  # rolled back: serialization failure, deadlock
    "40002": PERMANENT,  # by an integrity constraint
    "53": OVERLOAD,  # insufficient resources
    "55006": TRANSIENT,  # object in use
    "55P03": TRANSIENT,  # lock not available
    "57": TRANSIENT,  # shut down, crashed, starting up
    "57014": CANCELLED,
    "57P04": PERMANENT,  # the database was dropped
    "58000": TRANSIENT,  # outside the database
    "58030": TRANSIENT,  # input/output
    "72000": TRANSIENT,  # snapshot too old
    "HY008": CANCELLED,  # ODBC
    "HYT00": TIMEOUT,
    "HYT01": TIMEOUT,
}


class StatusError(WorkbenchError, ValueError):
    """Raised for a number or name that is no status code of its protocol."""


def classify_http_status(status: int) -> ErrorClass:
    """Return what an HTTP status means to a caller that did not want it.

    A status that is not known means what x00 of its class means (RFC 9110 section 15): 5xx says nothing of
    the next try, so it is TRANSIENT; 1xx to 4xx are PERMANENT.

    Raises
    ------
    StatusError
        When it is not an integer from 100 to 599.

    Examples
    --------
    >>> [classify_http_status(status).value for status in (404, 429, 500, 501, 503, 504)]
    ['permanent', 'throttled', 'transient', 'permanent', 'overload', 'timeout']
    """
    if not isinstance(status, int) or not 100 <= status <= 599:
        msg = f"{status!r} is no HTTP status, expected an integer from 100 to 599"
        raise StatusError(msg)
    return HTTP.get(status, TRANSIENT if status >= 500 else PERMANENT)


def classify_grpc_code(code: str | int) -> ErrorClass:
    """Return what a canonical code of gRPC means, by its name or number.

    Raises
    ------
    StatusError
        When there is no such code, or it is OK.

    Examples
    --------
    >>> classify_grpc_code("UNAVAILABLE"), classify_grpc_code(8)
    (ErrorClass.TRANSIENT, ErrorClass.THROTTLED)
    """
    name = GRPC_NUMBERS.get(code, "") if isinstance(code, int) else code.upper()
    if name not in GRPC:
        msg = f"{code!r} is no status code of a failed call, expected one of {', '.join(GRPC)}, or 1 to 16"
        raise StatusError(msg)
    return GRPC[name]


def classify_sqlstate(code: str) -> ErrorClass:
    """Return what an SQLSTATE means: by its five characters, else by its class, the first two.

    Raises
    ------
    StatusError
        When it has not five characters.

    Examples
    --------
    >>> [classify_sqlstate(code).value for code in ("40P01", "53300", "57P01", "23505")]
    ['transient', 'overload', 'transient', 'permanent']
    """
    if not isinstance(code, str) or len(code) != 5:
        msg = f"{code!r} is no SQLSTATE, expected five characters such as '40001'"
        raise StatusError(msg)
    return SQLSTATE.get(code) or SQLSTATE.get(code[:2], PERMANENT)
