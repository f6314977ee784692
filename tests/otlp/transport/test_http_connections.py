"""Connections that no well-behaved client would make: each is answered, or closed, and the others go on."""

import gzip
import socket

import pytest
from building import spans

from workbench import otlp
from workbench.otlp.transport import _http_runner, _http_server

BODY = spans(3).SerializeToString()


@pytest.fixture
def receiver():
    with otlp.Receiver() as receiver:
        yield receiver


def head(target="/v1/traces", **headers):
    given = {"Host": "x", "Content-Type": "application/x-protobuf", "Content-Length": len(BODY)}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def everything(connection):
    """Return all that a server says until it closes the connection."""
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def connected(receiver):
    port = int(receiver.http_endpoint.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def answer(receiver, request):
    with connected(receiver) as connection:
        connection.sendall(request)
        return connection.recv(1 << 16)


def test_a_client_that_closes_its_own_side_is_answered(receiver):
    with connected(receiver) as connection:
        connection.sendall(head() + BODY)
        connection.shutdown(socket.SHUT_WR)
        assert everything(connection).startswith(b"HTTP/1.1 200 ")
    assert len(receiver.traces) == 3


def test_a_client_that_closes_in_the_middle_is_let_go(receiver):
    for sent in (b"", head()[:20], head() + BODY[:5]):
        with connected(receiver) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            assert everything(connection) == b""
    assert len(receiver.traces) == 0


def test_a_head_that_never_comes_to_its_end_is_not_waited_for(receiver, monkeypatch):
    monkeypatch.setattr(_http_runner, "HEAD_S", 0.05)
    for sent in (b"", head()[:20]):
        with connected(receiver) as connection:
            connection.sendall(sent)
            assert everything(connection) == b""
    with connected(receiver) as connection:
        connection.sendall(head() + BODY)
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        connection.sendall(head()[:20])
        assert everything(connection) == b""


def test_a_body_that_comes_a_byte_at_a_time_gives_its_place_back(receiver, monkeypatch):
    monkeypatch.setattr(_http_server, "BODY_S", 0.05)
    with connected(receiver) as connection:
        connection.sendall(head() + BODY[:5])
        with pytest.raises(ConnectionResetError):
            everything(connection)
    assert receiver.traces == otlp.Traces.from_otlp(b"")


def test_a_target_may_be_a_whole_url(receiver):
    assert answer(receiver, head("http://x/v1/traces") + BODY).startswith(b"HTTP/1.1 200 ")


def test_x_gzip_is_gzip(receiver):
    packed = gzip.compress(BODY)
    request = head(Content_Encoding="x-gzip", Content_Length=len(packed)) + packed
    assert answer(receiver, request).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("accepted", "is_packed"), [("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False)]
)
def test_gzip_is_answered_only_to_those_who_take_it(accepted, is_packed, receiver):
    found = answer(receiver, head("/" + 2000 * "x", Accept_Encoding=accepted) + BODY)
    assert (b"content-encoding: gzip" in found) == is_packed
