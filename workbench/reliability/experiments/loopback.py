"""`LoopbackService`: the service of a simulation as a real HTTP service, for clients on this machine.

It speaks HTTP/1.1 on 127.0.0.1, by uvicorn, in a thread with an event loop of its own. Any request of any
path is an attempt. Answers::

    200   served
    400   where deadlines are heeded: the caller's is not understood; the body says why
    500   failed: an error, or an outage
    503   its queue was full (with Retry-After), it had waited too long, or the service ends

The header ``x-outcome`` has the name that simulations use. A client that hangs up is not noticed: its attempt
stays in the queue and is served, which is what keeps a retry storm going.
"""

import asyncio
import math
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from types import TracebackType
from typing import Any, Self

import uvicorn

from workbench.reliability._deadline_headers import DeadlineHeaderError, header_timeout_s
from workbench.reliability.experiments._client import LoopbackClient
from workbench.reliability.experiments._desk import CLOSED, Desk
from workbench.reliability.experiments._outcomes import NAMES, OUTCOME_HEADER
from workbench.reliability.experiments.errors import ExperimentError
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.service import Fault, Service

__all__ = ["LoopbackService"]

HOST = "127.0.0.1"
KEEP_ALIVE_S = (
    600  # longer than experiments: a connection that ends while it is used again looks like a failure
)
TICK_S = 0.2
GRACE_S = 1  # for requests of which only a part has come when the service ends
CLOSING = "closed"
STATUS = {codes.OK: 200, codes.FAILED: 500, codes.SERVICE_FULL: 503, codes.SERVICE_DROPPED: 503, CLOSED: 503}
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class LoopbackService:
    """A real HTTP service on this machine, with the servers, the queue and the faults of a simulated one.

    Parameters
    ----------
    service : Service
        Without `cancels`: it does not notice clients that gave up.
    faults : iterable of Fault
        Outages, errors and slowdowns, by the seconds since `start`. Surges are the clients': see `drive`.
    seed : int
        Decides service times: the n-th request has that of the n-th call in `simulate` with this seed.
    retry_after_s : float
        What attempts are told that find the queue full, in seconds; the header has whole ones.
    heeds_deadlines : bool
        Whether it reads how long the caller waits, as `TimeLimit.to_headers` says it, and drops from its
        queue what comes too late instead of serving it.

    Raises
    ------
    ExperimentError
        For a service that notices clients that gave up.

    Examples
    --------
    >>> from workbench.reliability import Constant, Service
    >>> import httpx
    >>> with LoopbackService(Service(servers=1, service_time=Constant(0.001))) as service:
    ...     httpx.get(service.url).status_code
    200
    """

    def __init__(
        self,
        service: Service,
        *,
        faults: Iterable[Fault] = (),
        seed: int = 0,
        retry_after_s: float = 1.0,
        heeds_deadlines: bool = False,
    ) -> None:
        if service.cancels:
            msg = "a LoopbackService does not notice clients that give up; expected cancels=False"
            raise ExperimentError(msg)
        if not 0 <= retry_after_s < math.inf:
            msg = f"retry_after_s must be a number of seconds from 0 on, got {retry_after_s!r}"
            raise ExperimentError(msg)
        self.service, self.faults, self.seed = service, tuple(faults), seed
        self.retry_after_s, self.heeds_deadlines = retry_after_s, heeds_deadlines
        self._desk = Desk(service, self.faults, seed)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._address: tuple[str, int] | None = None

    def __enter__(self) -> Self:
        """Listen on a free port.

        Raises
        ------
        ExperimentError
            When it was entered before, or does not listen.
        """
        if self._address is not None:
            msg = "a LoopbackService serves once; make another one"
            raise ExperimentError(msg)
        bound = socket.create_server((HOST, 0), backlog=2048)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else bodies wait 40 ms for an ACK
        self._address = bound.getsockname()
        self._server = _Server(self._answer, self._desk)
        self._thread = threading.Thread(
            target=self._server.run, args=([bound],), name="loopback-service", daemon=True
        )
        self._thread.start()
        while not self._server.ready.wait(TICK_S):
            if not self._thread.is_alive():
                bound.close()
                msg = "the service did not start; its thread has said why"
                raise ExperimentError(msg)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join()

    def start(self) -> Self:
        """Let the times of the faults count from now on.

        Raises
        ------
        ExperimentError
            Before it listens.
        """
        if self._server is None:
            msg = "the service starts after it is entered: with LoopbackService(...) as service"
            raise ExperimentError(msg)
        self._desk.begin(self._server.now_s())
        return self

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end.

        Raises
        ------
        ExperimentError
            Before it listens.
        """
        if self._address is None:
            msg = "the service has no address before it is entered: with LoopbackService(...) as service"
            raise ExperimentError(msg)
        host, port = self._address
        return f"http://{host}:{port}"

    def client(self) -> LoopbackClient:
        """Return what calls it, for `drive`: ``async with service.client() as call``."""
        return LoopbackClient(self.url)

    @property
    def queued(self) -> int:
        """How many attempts wait."""
        return len(self._desk.waiting)

    @property
    def busy(self) -> int:
        """How many servers serve."""
        return self._desk.busy

    @property
    def requests(self) -> int:
        """How many attempts have come."""
        return self._desk.requests

    @property
    def outcomes(self) -> dict[str, int]:
        """How many attempts ended how; "closed" are those that were there at the end."""
        return {_name(outcome): count for outcome, count in sorted(dict(self._desk.outcomes).items())}

    def __repr__(self) -> str:
        return (
            f"LoopbackService: {self.requests:,} requests, "
            f"{self.busy} of {self.service.servers} servers busy, {self.queued:,} queued"
        )

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a request (ASGI)."""
        if scope["type"] != "http" or not await _is_whole(receive):
            return
        try:
            left_s = header_timeout_s(scope["headers"]) if self.heeds_deadlines else None
        except DeadlineHeaderError as error:
            await _send_text(send, 400, str(error))
            return
        outcome = await self._desk.serve(math.inf if left_s is None else left_s)
        headers = [(OUTCOME_HEADER, _name(outcome))]
        if outcome == codes.SERVICE_FULL:
            headers.append(("retry-after", str(math.ceil(self.retry_after_s))))
        await _send_text(send, STATUS[outcome], _name(outcome), *headers)


def _name(outcome: int) -> str:
    return CLOSING if outcome == CLOSED else NAMES[outcome]


async def _send_text(send: Send, status: int, text: str, *more: tuple[str, str]) -> None:
    """Answer with a line of text."""
    body = text.encode()
    headers = [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(body))), *more]
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


async def _is_whole(receive: Receive) -> bool:
    """Take a request's body; tell whether all of it came."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        if not message.get("more_body", False):
            return True


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it listens, and answers all that waits when it ends."""

    def __init__(self, application: Any, desk: Desk) -> None:
        config = uvicorn.Config(
            application,
            interface="asgi3",
            http="h11",
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
        )
        super().__init__(config)
        self.ready = threading.Event()
        self.now_s = time.monotonic  # until the loop says what its clock is
        self._desk = desk

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.now_s = asyncio.get_running_loop().time
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._desk.close()
        await super().shutdown(sockets)
        await asyncio.sleep(0)  # transports that were closed let go of their sockets in the next turn
