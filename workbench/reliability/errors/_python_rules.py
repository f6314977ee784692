"""What the exceptions of Python and its standard library mean.

An `OSError` means what its errno means. Requests to stop (KeyboardInterrupt, SystemExit, GeneratorExit) are
no errors; they are CANCELLED, as nobody wants the answer. Programming errors (TypeError, KeyError, ...) are
PERMANENT: the same call meets the same bug.
"""

import errno
import socket
import ssl
from typing import Any

from workbench.reliability.errors._rules import Answer, Rule, Rules, under
from workbench.reliability.errors.taxonomy import ErrorClass

__all__ = ["PYTHON_RULES", "STOP_REQUESTS"]

TRANSIENT, PERMANENT, OVERLOAD = ErrorClass.TRANSIENT, ErrorClass.PERMANENT, ErrorClass.OVERLOAD
TIMEOUT, CANCELLED = ErrorClass.TIMEOUT, ErrorClass.CANCELLED
STOP_REQUESTS = (KeyboardInterrupt, SystemExit, GeneratorExit)

ERRNO: dict[int, ErrorClass] = {
    **dict.fromkeys(
        (
            errno.ECONNREFUSED,
            errno.ECONNRESET,
            errno.ECONNABORTED,
            errno.EPIPE,
            errno.ENOTCONN,
            errno.ESHUTDOWN,
            errno.ENETDOWN,
            errno.ENETUNREACH,
            errno.ENETRESET,
            errno.EHOSTDOWN,
            errno.EHOSTUNREACH,
            errno.EADDRINUSE,  # until TIME_WAIT is over, or the other process ends
            errno.EAGAIN,
            errno.EINTR,
            errno.EBUSY,
            errno.EINPROGRESS,
            errno.EALREADY,
            errno.ESTALE,  # a file handle that the NFS server has forgotten: open it again
            errno.EDEADLK,
        ),
        TRANSIENT,
    ),
    **dict.fromkeys(
        (
            errno.EMFILE,
            errno.ENFILE,
            errno.ENOBUFS,
            errno.ENOMEM,
            errno.ENOSPC,
            errno.EDQUOT,
            errno.EADDRNOTAVAIL,  # no ephemeral port is left
        ),
        OVERLOAD,
    ),
    errno.ETIMEDOUT: TIMEOUT,
    errno.ECANCELED: CANCELLED,
}
NAME_LOOKUP = {  # gaierror: its errno is a number of getaddrinfo's own
    socket.EAI_AGAIN: TRANSIENT,
    socket.EAI_SYSTEM: TRANSIENT,
    socket.EAI_MEMORY: OVERLOAD,
}
TRY_AGAIN = 2  # h_errno of netdb.h
PASSING_TLS = {ssl.SSL_ERROR_WANT_READ, ssl.SSL_ERROR_WANT_WRITE, ssl.SSL_ERROR_EOF, ssl.SSL_ERROR_SYSCALL}


def _by_errno(exc: Any) -> Answer:
    number = exc.errno
    return None if number is None else ERRNO.get(number, PERMANENT)


def _by_errno_or(default: ErrorClass) -> Rule:
    return lambda exc: ERRNO.get(exc.errno, default)


def _name_lookup(exc: Any) -> Answer:
    return NAME_LOOKUP.get(exc.errno, PERMANENT)


def _host_lookup(exc: Any) -> Answer:
    return TRANSIENT if exc.errno == TRY_AGAIN else PERMANENT


def _tls(exc: Any) -> Answer:
    return TRANSIENT if exc.errno in PASSING_TLS else PERMANENT


def _reason(exc: Any) -> Answer:
    """Ask the reason of urllib's URLError, an exception or text."""
    return exc.reason if isinstance(exc.reason, BaseException) else TRANSIENT


BUILTINS: Rules = {
    "KeyboardInterrupt": CANCELLED,
    "SystemExit": CANCELLED,
    "GeneratorExit": CANCELLED,
    "ConnectionError": _by_errno_or(TRANSIENT),
    "BlockingIOError": TRANSIENT,
    "InterruptedError": TRANSIENT,
    "TimeoutError": TIMEOUT,
    "FileNotFoundError": PERMANENT,
    "FileExistsError": PERMANENT,
    "IsADirectoryError": PERMANENT,
    "NotADirectoryError": PERMANENT,
    "PermissionError": PERMANENT,
    "ProcessLookupError": PERMANENT,
    "ChildProcessError": PERMANENT,
    "OSError": _by_errno,
    "MemoryError": OVERLOAD,
    "ArithmeticError": PERMANENT,
    "AssertionError": PERMANENT,
    "AttributeError": PERMANENT,
    "BufferError": PERMANENT,
    "EOFError": PERMANENT,
    "ImportError": PERMANENT,
    "LookupError": PERMANENT,
    "NameError": PERMANENT,
    "NotImplementedError": PERMANENT,
    "RecursionError": PERMANENT,
    "PythonFinalizationError": PERMANENT,
    "ReferenceError": PERMANENT,
    "StopAsyncIteration": PERMANENT,
    "StopIteration": PERMANENT,
    "SyntaxError": PERMANENT,
    "SystemError": PERMANENT,
    "TypeError": PERMANENT,
    "ValueError": PERMANENT,
    "Warning": PERMANENT,
}

PYTHON_RULES: Rules = {
    **under("builtins", BUILTINS),
    "asyncio.exceptions.CancelledError": CANCELLED,
    "asyncio.exceptions.IncompleteReadError": TRANSIENT,  # the peer went away in the middle
    "asyncio.exceptions.LimitOverrunError": PERMANENT,
    "asyncio.exceptions.InvalidStateError": PERMANENT,
    "asyncio.queues.QueueFull": OVERLOAD,
    "asyncio.queues.QueueEmpty": TRANSIENT,
    "asyncio.queues.QueueShutDown": PERMANENT,
    "queue.ShutDown": PERMANENT,
    "queue.Full": OVERLOAD,
    "_queue.Empty": TRANSIENT,
    "queue.Empty": TRANSIENT,
    "concurrent.futures._base.CancelledError": CANCELLED,
    "concurrent.futures._base.InvalidStateError": PERMANENT,
    "concurrent.futures._base.BrokenExecutor": PERMANENT,  # a broken pool stays broken: make a new one
    "concurrent.futures.thread.BrokenThreadPool": PERMANENT,
    "concurrent.futures.process.BrokenProcessPool": PERMANENT,
    "subprocess.TimeoutExpired": TIMEOUT,
    "subprocess.CalledProcessError": PERMANENT,
    "socket.gaierror": _name_lookup,
    "socket.herror": _host_lookup,
    "ssl.SSLCertVerificationError": PERMANENT,
    "ssl.SSLZeroReturnError": TRANSIENT,
    "ssl.SSLError": _tls,
    "http.client.IncompleteRead": TRANSIENT,
    "http.client.BadStatusLine": TRANSIENT,  # also RemoteDisconnected: the server closed without an answer
    "http.client.ImproperConnectionState": PERMANENT,
    "http.client.InvalidURL": PERMANENT,
    "http.client.UnknownProtocol": PERMANENT,
    "urllib.error.ContentTooShortError": TRANSIENT,
    "urllib.error.URLError": _reason,
    "anyio.BrokenResourceError": TRANSIENT,
    "anyio.ClosedResourceError": PERMANENT,
    "anyio.EndOfStream": TRANSIENT,
    "anyio.IncompleteRead": TRANSIENT,
    "anyio.WouldBlock": OVERLOAD,
    "trio.Cancelled": CANCELLED,
    "trio.TooSlowError": TIMEOUT,
    "trio.BrokenResourceError": TRANSIENT,
    "trio.ClosedResourceError": PERMANENT,
}
