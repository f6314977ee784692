"""Starts the four services as processes on loopback, and leaves nothing behind.

Each listening socket is opened here, on a free port, and inherited; each service stops when its standard
input ends, so none outlives the recorder. Standard output brings the times at which a fault was switched.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("cart", "inventory", "payment", "gateway")
START_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0

_SCRIPT = Path(__file__).with_name("service.py")
_SETTINGS = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "5",  # seconds: how long a service outlives a recorder that was killed
    "OTEL_PYTHON_STARLETTE_EXCLUDED_URLS": "/health",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class ServiceError(Exception):
    """Raised when a service does not start, or ended before it was told to."""


@dataclass
class Services:
    """The running services, and what the culprit said about its fault: (kind, time in ns since 1970)."""

    addresses: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    switched: list[tuple[str, int]] = field(default_factory=list)

    def switch(self, service: str, fault: str) -> None:
        """Tell a service to have this fault from now on."""
        pipe = self.processes[service].stdin
        pipe.write(f"{fault}\n".encode())
        pipe.flush()

    def check(self) -> None:
        """Raise if one of the services has ended."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                msg = f"{name} ended with exit code {process.returncode}; its messages are above"
                raise ServiceError(msg)


@contextmanager
def running(folder: Path, otlp: str, seed: int) -> Iterator[Services]:
    """Run the services for the time of the block; all telemetry is sent before it ends."""
    with ExitStack() as stack:  # ends the gateway first, so that it is still answered while it drains
        sockets = {name: stack.enter_context(_listening_socket()) for name in NAMES}
        services = Services(
            {name: f"http://127.0.0.1:{sock.getsockname()[1]}" for name, sock in sockets.items()}
        )
        addresses = json.dumps(services.addresses)
        options = {"--addresses": addresses, "--folder": folder, "--otlp": otlp, "--seed": seed}
        for name, sock in sockets.items():
            services.processes[name] = process = _start(name, sock, options)
            stack.callback(_end, process, services.switched)
            sock.close()
        _await_health(services)
        yield services
        services.check()


def _listening_socket() -> socket.socket:
    sock = socket.create_server(("127.0.0.1", 0), backlog=512)
    sock.set_inheritable(True)
    return sock


def _start(name: str, sock: socket.socket, options: dict[str, object]) -> subprocess.Popen[bytes]:
    options = options | {"--socket": sock.fileno()}
    command = [sys.executable, _SCRIPT, name, *(str(word) for option in options.items() for word in option)]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[sock.fileno()],
        env=_environment(),
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    proxies = {name for name in inherited if name.lower().endswith("_proxy")}
    return {name: value for name, value in inherited.items() if name not in proxies} | _SETTINGS


def _await_health(services: Services) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    waiting = set(services.addresses)
    with httpx.Client(timeout=1.0, trust_env=False) as client:
        while waiting:
            services.check()
            if time.monotonic() > deadline:
                msg = f"{', '.join(sorted(waiting))} did not answer within {START_WITHIN_S:.0f} s"
                raise ServiceError(msg)
            waiting = {name for name in waiting if not _is_healthy(client, services.addresses[name])}
            time.sleep(0.05)


def _is_healthy(client: httpx.Client, address: str) -> bool:
    with suppress(httpx.TransportError):
        return client.get(f"{address}/health").status_code == 204
    return False


def _end(process: subprocess.Popen[bytes], switched: list[tuple[str, int]]) -> None:
    """Stop one service, kill it if it does not stop, and keep what it said about its fault."""
    try:
        said, _ = process.communicate(timeout=STOP_WITHIN_S)  # closes standard input, which ends the service
    except BaseException as problem:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if not isinstance(problem, subprocess.TimeoutExpired):
            raise
        msg = (
            f"a service did not stop within {STOP_WITHIN_S:.0f} s and was killed: its last telemetry is lost"
        )
        raise ServiceError(msg) from problem
    lines = [json.loads(line) for line in said.splitlines()]
    switched.extend((line["fault"], line["at_unix_ns"]) for line in lines)
