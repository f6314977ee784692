"""An ASGI application on a socket, in a thread with an event loop of its own.

The server is uvicorn: it is the most widely run ASGI server, pure Python with h11, and can be driven from a
thread. Its own loop looks ten times a second whether to end, and waits as long again for connections to
close; ours is told.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, MutableMapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from workbench.otlp.transport._http_server import AsgiApp
from workbench.otlp.transport._workers import Worker
from workbench.otlp.transport.errors import EndpointError

__all__ = ["Aborts", "HttpRunner", "listening_socket"]

KEEP_ALIVE_S = 75
HEAD_S = 30.0  # within which a request's head has to be there once a connection has begun it
TICK_S = 1.0  # how often the Date header is renewed
DRAIN_TICK_S = 0.01
TURNS = 5  # of the loop: a connection is accepted, gets its transport, is made, and is lost when aborted
Address = tuple[str, int]
Aborts = MutableMapping[Address, Callable[[], None]]  # how to break the connection of a client


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens, on any free port for 0.

    Raises
    ------
    EndpointError
        When nothing can be bound there.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        msg = f"no address is known for host {host!r}: {error}"
        raise EndpointError(msg) from error
    bound = socket.socket(family, kind, proto)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(2048)
    except (OSError, OverflowError) as error:
        bound.close()
        msg = f"cannot listen on {host}:{port}: {error}; another port, or 0 for any free one"
        raise EndpointError(msg) from error
    return bound


class HttpRunner:
    """Serves an application until `close`."""

    def __init__(
        self,
        application: Callable[[Aborts], AsgiApp],
        bound: socket.socket,
    ) -> None:
        aborts: dict[Address, Callable[[], None]] = {}
        config = uvicorn.Config(
            application(aborts),
            http=type("Connection", (_Connection,), {"aborts": aborts}),
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        self.address: Address = bound.getsockname()[:2]
        self._server = _Server(config)
        self._thread = Worker(lambda: self._server.run([bound]), "otlp-http-receiver")
        try:
            self._thread.start()
            self._wait_until_ready()
        except BaseException:
            self.close(0)
            raise

    def _wait_until_ready(self) -> None:
        while not self._server.ready.wait(TICK_S):
            if not self._thread.is_alive():
                msg = f"the HTTP server did not start on {self.address[0]}:{self.address[1]}"
                raise EndpointError(msg)

    def close(self, grace_s: float) -> None:
        """Stop listening, let requests under way finish for so long, and end the thread."""
        self._server.end(grace_s)
        self._thread.wait()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._grace_s = 0.0
        self._is_ending = False

    def end(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._is_ending = True
        if self._loop and self._end:
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                self._loop.call_soon_threadsafe(self._end.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._end, self._loop = asyncio.Event(), asyncio.get_running_loop()
        if self._is_ending:
            self._end.set()
        self._loop.set_exception_handler(_ignore_broken_connections)
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        end = self._end
        while end is not None and not end.is_set():
            await self.on_tick(0)
            try:
                await asyncio.wait_for(end.wait(), TICK_S)
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._stop_accepting()
        for server in self.servers:
            server.close()
        for bound in sockets or []:
            bound.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._drain()
        for task in list(self.server_state.tasks):
            task.cancel()
        await self._break_connections()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    async def _stop_accepting(self) -> None:
        """Accept nothing more, and let become known what was accepted: a closed server would lose it."""
        for server in self.servers:
            for listening in server.sockets:
                asyncio.get_running_loop().remove_reader(listening)
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def _break_connections(self) -> None:
        """Abort all connections, also those that were accepted just now: they are known some turns later."""
        for _ in range(TURNS):
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)

    async def _drain(self) -> None:
        state = self.server_state
        left = self._grace_s
        while (state.connections or state.tasks) and left > 0:
            await asyncio.sleep(DRAIN_TICK_S)
            left -= DRAIN_TICK_S


def _ignore_broken_connections(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), ConnectionError):
        loop.default_exception_handler(context)


class _Connection(H11Protocol):
    """uvicorn's protocol, with what it lacks for our clients.

    Connections are known by their client's address; one that sends no whole head is closed after a while; and
    a client that has closed its own side only is answered (RFC 9293 section 3.6).
    """

    aborts: Aborts
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client:
            self.aborts[self.client] = lambda: _reset(transport)
        self._watch_for_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_for_head()

    def _watch_for_head(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_watching()
        elif self._patience is None:
            self._patience = self.loop.call_later(HEAD_S, self.transport.close)

    def _stop_watching(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def eof_received(self) -> bool:  # type: ignore[override]
        is_asked = self.cycle is not None and not (self.cycle.response_complete or self.cycle.more_body)
        if is_asked:
            self.cycle.keep_alive = False
        return is_asked  # whether the connection stays open for what we have to say

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)
        if self.client:
            self.aborts.pop(self.client, None)


def _reset(transport: asyncio.Transport) -> None:
    """Close a connection with a TCP reset: what is in the buffers is thrown away (SO_LINGER of zero)."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
