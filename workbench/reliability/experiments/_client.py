"""A lean HTTP/1.1 client of a `LoopbackService`: many calls at once cost this machine little.

A call that is given up closes its connection, as clients do. `Retry-After` is not followed, as no client of a
simulation does; for what real clients do, use one: httpx, aiohttp.
"""

import asyncio
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from workbench.reliability.experiments.errors import ExperimentError
from workbench.reliability.simulation._outcomes import NAMES, error_of
from workbench.reliability.simulation.errors import ServiceFailedError

__all__ = ["LoopbackClient"]

END = b"\r\n\r\n"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class LoopbackClient:
    """Calls a `LoopbackService`: it is what `drive` calls.

    Examples
    --------
    >>> from workbench.reliability import Constant, Even, LoopbackService, Service, drive
    >>> async def experiment(service: LoopbackService) -> None:
    ...     async with service.client() as call:
    ...         print((await drive(None, call, Even(20), duration_s=0.28)).outcomes)
    >>> with LoopbackService(Service(service_time=Constant(0.001))) as service:
    ...     asyncio.run(experiment(service))
    {'ok': 5}
    """

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self._host, self._port = where.hostname, where.port
        self._request = f"GET / HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode()
        self._idle: list[Connection] = []
        self._is_open = False

    async def __aenter__(self) -> Self:
        """Let it be called."""
        self._is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_open = False
        idle, self._idle = self._idle, []
        for _, writer in idle:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in idle), return_exceptions=True)

    async def __call__(self) -> None:
        """Call once.

        Raises
        ------
        ServiceError
            `ServiceFailedError`, `ServiceFullError` or `ServiceDroppedError`, as the service answers.
        ExperimentError
            Before it is entered, and after.
        """
        if not self._is_open:
            msg = "the client is not open: async with service.client() as call"
            raise ExperimentError(msg)
        connection = self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
        try:
            outcome = await self._answer(connection)
        except BaseException as error:
            connection[1].close()
            if isinstance(error, OSError | EOFError):
                msg = "the service hung up"
                raise ServiceFailedError(msg) from error
            raise
        self._idle.append(connection)
        if outcome != NAMES[0]:
            raise error_of(NAMES.index(outcome)) if outcome in NAMES else ServiceFailedError(outcome)

    async def _answer(self, connection: Connection) -> str:
        """Return the outcome that a service answers."""
        reader, writer = connection
        writer.write(self._request)
        _, *lines = (await reader.readuntil(END)).decode("latin-1").lower().splitlines()
        headers = dict(line.split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers["content-length"]))
        return body.decode()
