"""Connections on which an attempt has one deadline, however little a server says at a time.

A timeout of httpcore, as of a socket, is for one read or one write: a server that drips a byte now and then
holds its client for ever. Here each of them is given what is left of the attempt. Only the resolver of names,
which nothing can interrupt, has limits of its own.
"""

import math
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

__all__ = ["DeadlineBackend"]

PIECE_BYTES = 1 << 14  # after so many a write looks at the time again; a record of TLS is as large
SocketOptions = Iterable[Any] | None


class _Deadline(threading.local):
    """When the attempt of this thread ends; httpcore does all of a request's work in the thread that asks."""

    end_s = math.inf

    def left_s(self, late: type[Exception]) -> float | None:
        """Return what is left of the attempt; None where none is under way."""
        left_s = self.end_s - time.monotonic()
        if left_s <= 0:
            msg = "the attempt took longer than it may"
            raise late(msg)
        return left_s if left_s < math.inf else None


class DeadlineBackend(httpcore.NetworkBackend):
    """Makes connections that know the deadline of the attempt in whose thread they are used."""

    def __init__(self) -> None:
        self._deadline = _Deadline()
        self._inner = httpcore.SyncBackend()

    @contextmanager
    def attempt(self, timeout_s: float) -> Iterator[None]:
        """Bound what this thread does on these connections."""
        self._deadline.end_s = time.monotonic() + timeout_s
        try:
            yield
        finally:
            self._deadline.end_s = math.inf

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 (what is left of the attempt is less)
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's addresses that answers; they share the time that is left."""
        addresses = _addresses(host, port)
        for number, address in enumerate(addresses):
            left_s = self._deadline.left_s(httpcore.ConnectTimeout)
            share_s = left_s and left_s / (len(addresses) - number)
            try:
                stream = self._inner.connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number + 1 == len(addresses):
                    raise
            else:
                return _Stream(stream, self._deadline)
        msg = f"no address is known for {host}"
        raise httpcore.ConnectError(msg)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._inner.read(max_bytes, self._deadline.left_s(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        pieces = memoryview(buffer)
        for at in range(0, len(pieces), PIECE_BYTES):
            piece = bytes(pieces[at : at + PIECE_BYTES])
            self._inner.write(piece, self._deadline.left_s(httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        left_s = self._deadline.left_s(httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left_s), self._deadline)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _addresses(host: str, port: int) -> list[str]:
    """Return the host's addresses, in the order in which they are to be tried."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
