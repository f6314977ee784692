"""A server that says a little now and then holds no attempt for longer than `timeout_s`."""

import socket
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from building import spans

from workbench import otlp
from workbench.otlp.transport._clock import SYSTEM_CLOCK
from workbench.otlp.transport._http_client import HttpClient
from workbench.otlp.transport._settings import Options, resolve

PAUSE_S = 0.002
TIMEOUT_S = 0.3
ONCE = otlp.RetryPolicy(max_elapsed_s=0)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n"
HTTP = {
    "its head": (HEAD + b"X: ", b"x"),
    "interim responses": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "its body": (HEAD + b"Content-Length: 1000000\r\n\r\n", b"\0"),
    "the head of a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
}


def frame(kind, flags, stream, payload=b""):
    """Return a frame of HTTP/2 (RFC 9113 section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


SETTINGS = frame(4, 0, 0) + frame(4, 1, 0)  # ours, and the acknowledgement of theirs
CONTENT_TYPE = b"\x5f\x10application/grpc"
GRPC = {
    "its settings": ((0x3FFC).to_bytes(3, "big") + b"\x04", b"\0"),
    "its head": (SETTINGS + (1000).to_bytes(3, "big") + b"\x01\x04\0\0\0\x01", b"\x88"),
    "its message": (
        SETTINGS + frame(1, 4, 1, b"\x88" + CONTENT_TYPE) + frame(0, 0, 1, b"\0\0\0\xff\xff"),
        frame(0, 0, 1, b"\0"),
    ),
}


class Dripping:
    """Listens, reads a request's beginning, and says one piece after the other until its client has gone."""

    def __init__(self, begin, piece):
        self._begin, self._piece = begin, piece
        self._stop = threading.Event()
        self.connections = 0
        self.left = threading.Semaphore(0)  # by clients that have gone
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def _listen(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection):
        with connection:
            try:
                connection.recv(1 << 16)
                connection.sendall(self._begin)
                while not self._stop.wait(PAUSE_S):
                    self._go_on(connection)
            except OSError:
                self.left.release()

    def _go_on(self, connection):
        connection.sendall(self._piece)

    def close(self):
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()


class Sipping(Dripping):
    """Reads a little now and then, and says nothing."""

    def _go_on(self, connection):
        if not connection.recv(512):
            raise ConnectionResetError


@contextmanager
def serving(begin, piece, kind=Dripping):
    server = kind(begin, piece)
    try:
        yield server
    finally:
        server.close()


def outcome(endpoint, telemetry=None, **options):
    """Return what became of three spans that were sent once."""
    with otlp.Exporter(endpoint, timeout_s=TIMEOUT_S, retry=ONCE, schedule_delay_s=0, **options) as exporter:
        exporter.export(telemetry or spans(3))
        assert exporter.flush(20)
        return exporter.stats


@pytest.mark.parametrize("part", HTTP)
def test_an_attempt_over_http_ends_in_time_whatever_part_drips(part):
    with serving(*HTTP[part]) as server:
        stats = outcome(f"http://{server.address}", protocol="http/protobuf")
        assert server.left.acquire(timeout=20)
    assert (dict(stats.errors), dict(stats.dropped), stats.sent) == (
        {"timeout": 1},
        {"retries_exhausted": 3},
        0,
    )
    assert server.connections == 1


@pytest.mark.parametrize("part", GRPC)
def test_a_call_over_grpc_ends_in_time_whatever_part_drips(part):
    """gRPC's core says UNAVAILABLE where its own attempt to connect is the first to be out of time."""
    with serving(*GRPC[part]) as server:
        stats = outcome(server.address, protocol="grpc")
        assert server.left.acquire(timeout=20)
    expected = {"grpc_DEADLINE_EXCEEDED"} | ({"grpc_UNAVAILABLE"} if part == "its settings" else set())
    (reason,) = stats.errors
    assert reason in expected
    assert (stats.errors[reason], dict(stats.dropped), stats.sent) == (1, {"retries_exhausted": 3}, 0)


def test_a_handshake_that_drips_ends_in_time():
    with serving(b"\x16\x03\x03\x40\x00", b"\0") as server:  # a record of 16 KiB begins
        stats = outcome(f"https://{server.address}", protocol="http/protobuf")
        assert server.left.acquire(timeout=20)
    assert dict(stats.errors) == {"timeout": 1}


def test_a_server_that_reads_in_sips_ends_in_time():
    large = spans(1, name="x" * (24 << 20))
    with serving(b"", b"", Sipping) as server:
        stats = outcome(f"http://{server.address}", large, protocol="http/protobuf", max_batch_bytes=60 << 20)
    assert dict(stats.errors) == {"timeout": 1}


def test_a_dripping_server_is_tried_again_and_each_attempt_has_its_own_time():
    twice = otlp.RetryPolicy(initial_s=0.01, jitter=0, max_elapsed_s=1.5 * TIMEOUT_S)
    with (
        serving(*HTTP["its head"]) as server,
        otlp.Exporter(
            f"http://{server.address}",
            protocol="http/protobuf",
            timeout_s=TIMEOUT_S,
            retry=twice,
            schedule_delay_s=0,
        ) as exporter,
    ):
        exporter.export(spans(2))
        assert exporter.flush(20)
        for _ in range(exporter.stats.errors["timeout"]):
            assert server.left.acquire(timeout=20)
    assert server.connections == exporter.stats.errors["timeout"] >= 2


def test_the_deadline_of_one_attempt_is_none_of_the_next():
    """A connection that is kept alive knows the attempt that uses it, not the one that made it."""
    body = spans(1).SerializeToString()
    with otlp.Receiver() as receiver:
        target = resolve(Options(endpoint=receiver.http_endpoint, timeout_s=20), {})["traces"]
        client = HttpClient(target, SYSTEM_CLOCK, 1 << 20, 1)
        assert client.send(body).delivered
        client.target = replace(target, timeout_s=1e-9)
        late = client.send(body)
        client.target = target
        again = client.send(body)
        client.close()
    assert (late.reason, late.retryable, again.delivered) == ("timeout", True, True)
