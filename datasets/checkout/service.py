"""Runs one of the four services. Started by `record.py`, not by people.

The listening socket is inherited, so that no port is guessed. Lines on standard input switch the fault; its
end, which also comes when the recorder dies however it dies, stops the service.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cart
import gateway
import inventory
import payment
import telemetry
import uvicorn
from database import Database
from fault import Fault
from opentelemetry.instrumentation.starlette import StarletteInstrumentor
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.applications import Starlette

HEALTH_PATH = "/health"  # asked by the recorder until it is answered; not traced

_BEHIND = {"cart": cart, "inventory": inventory, "payment": payment}


def main(argv: Sequence[str]) -> None:
    """Serve until told to stop, then send the last telemetry."""
    arguments = _parse(argv)
    stop_telemetry = telemetry.install(arguments.name, arguments.otlp)
    try:
        asyncio.run(_serve(arguments))
    finally:
        stop_telemetry()


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=["gateway", *_BEHIND])
    parser.add_argument("--socket", type=int, required=True, help="file descriptor of the listening socket")
    parser.add_argument("--otlp", required=True, help="address to send telemetry to")
    parser.add_argument("--addresses", type=json.loads, required=True, help="JSON object: service -> address")
    parser.add_argument("--folder", type=Path, required=True, help="where the database may live")
    parser.add_argument("--seed", type=int, required=True)
    return parser.parse_args(argv)


async def _serve(arguments: argparse.Namespace) -> None:
    fault = Fault(random.Random(f"{arguments.seed}-{arguments.name}-fault"))
    app = _instrumented(_application(arguments, fault))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, log_level="warning", timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    obeying = asyncio.create_task(_obey(fault, server))
    await server.serve(sockets=[socket.socket(fileno=arguments.socket)])
    obeying.cancel()


def _application(arguments: argparse.Namespace, fault: Fault) -> Starlette:
    if arguments.name == "gateway":
        return gateway.build(arguments.addresses, arguments.seed)
    database = Database(arguments.folder / f"{arguments.name}.db")
    return _BEHIND[arguments.name].build(database, fault, arguments.seed)


def _instrumented(app: Starlette) -> Starlette:
    async def health(_request: object) -> Response:
        return Response(status_code=204)

    app.add_route(HEALTH_PATH, health)
    StarletteInstrumentor.instrument_app(app)
    app.user_middleware[0].kwargs["exclude_spans"] = [
        "receive",
        "send",
    ]  # the instrumentor does not pass it on
    return app


async def _obey(fault: Fault, server: uvicorn.Server) -> None:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        fault.switch(line.decode().strip())
    server.should_exit = True


if __name__ == "__main__":
    main(sys.argv[1:])
