"""Real failures of real clients, on the loopback: what they raise is classified by what happened."""

import contextlib
import http.client
import socket
import sqlite3
import ssl
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import httpcore
import httpx
import pytest
import requests
import trustme
import urllib3
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from workbench.reliability import ErrorClass, classify, retry_after_s

T, P, O = ErrorClass.TRANSIENT, ErrorClass.PERMANENT, ErrorClass.OVERLOAD  # noqa: E741
TIMEOUT, THROTTLED, CANCELLED = ErrorClass.TIMEOUT, ErrorClass.THROTTLED, ErrorClass.CANCELLED
STATUSES = {404: P, 408: TIMEOUT, 429: THROTTLED, 500: T, 501: P, 502: T, 503: O, 504: TIMEOUT}


class Answering(BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    def do_GET(self):
        self.send_response(int(self.path.strip("/")))
        self.send_header("Retry-After", "7")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def answering():
    """The URL of a server that answers with any status."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def refusing():
    """A port where nobody listens: bound, so that nobody else takes it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def silent():
    """A port that accepts connections, in the kernel, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def closing_after(sent):
    """A port that reads a request, sends some bytes and closes."""

    def serve(server):
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(sent)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            thread.join()


def httpx_get(url, timeout=5.0):
    with httpx.Client(timeout=timeout, trust_env=False) as client:
        client.get(url).raise_for_status()


def requests_get(url, timeout=5.0):
    with requests.Session() as session:
        session.trust_env = False
        session.get(url, timeout=timeout).raise_for_status()


def urllib_get(url, timeout=5.0):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=timeout):
        pass


def urllib3_get(url, timeout=5.0):
    with urllib3.PoolManager(retries=urllib3.Retry(0)) as pool:
        pool.request("GET", url, timeout=timeout)


def httpcore_get(url, timeout=5.0):
    with httpcore.ConnectionPool() as pool:
        pool.request(
            "GET", url, extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout)}
        )


GETTERS = [httpx_get, requests_get, urllib_get, urllib3_get, httpcore_get]
RAISING = [httpx_get, requests_get, urllib_get]


def failure(call, *arguments):
    """What a call raises; its connections and responses closed."""
    with pytest.raises(Exception) as caught:
        call(*arguments)
    if isinstance(caught.value, urllib.error.HTTPError):
        caught.value.close()
    return caught.value


@pytest.mark.parametrize("get", RAISING)
@pytest.mark.parametrize(("status", "expected"), STATUSES.items())
def test_a_status_means_what_rfc_9110_says_and_its_delay_is_found(get, status, expected, answering):
    error = failure(get, f"{answering}/{status}")
    assert classify(error) is expected
    assert retry_after_s(error) == 7.0


@pytest.mark.parametrize("get", GETTERS)
def test_a_refused_connection_is_transient(get, refusing):
    assert classify(failure(get, f"http://127.0.0.1:{refusing}/")) is T


@pytest.mark.parametrize("get", GETTERS)
def test_a_server_that_does_not_answer_is_a_timeout(get, silent):
    assert classify(failure(get, f"http://127.0.0.1:{silent}/", 0.05)) is TIMEOUT


@pytest.mark.parametrize("get", GETTERS)
@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"], ids=["all", "half"]
)
def test_a_server_that_hangs_up_is_transient(get, sent):
    if sent and get is urllib_get:
        get = urllib_read
    with closing_after(sent) as port:
        assert classify(failure(get, f"http://127.0.0.1:{port}/")) is T


def urllib_read(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as response:
        response.read()


@pytest.mark.parametrize("get", GETTERS)
def test_a_name_that_does_not_exist_is_permanent(get, monkeypatch):
    def unknown(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert classify(failure(get, "http://no-such-host.invalid/")) is P


@pytest.mark.parametrize("get", GETTERS)
def test_a_name_server_that_is_busy_is_transient(get, monkeypatch):
    def busy(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", busy)
    assert classify(failure(get, "http://no-such-host.invalid/")) is T


@pytest.mark.parametrize("get", GETTERS)
def test_a_certificate_that_nobody_vouches_for_is_permanent(get):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    def shake_hands(server):
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
            pass

    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        shaken = pool.submit(shake_hands, server)
        error = failure(get, f"https://127.0.0.1:{server.getsockname()[1]}/")
        shaken.result()
    assert classify(error) is P


@pytest.mark.parametrize("get", [httpx_get, requests_get, httpcore_get])
def test_an_address_that_is_none_is_permanent(get):
    assert classify(failure(get, "gopher://127.0.0.1/")) is P


def test_an_exhausted_pool_of_our_own_is_overload(silent):
    limits = httpx.Limits(max_connections=1)
    timeout = httpx.Timeout(30.0, pool=0.05)
    sent = threading.Event()

    def held_open():
        yield b"half a request"
        sent.set()
        refused.wait()

    refused = threading.Event()
    with (
        httpx.Client(limits=limits, timeout=timeout, trust_env=False) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        url = f"http://127.0.0.1:{silent}/"
        first = pool.submit(client.post, url, content=held_open(), timeout=httpx.Timeout(0.1))
        sent.wait()
        assert classify(failure(client.get, url)) is O
        refused.set()
        assert classify(first.exception()) is TIMEOUT


def test_the_standard_librarys_client_without_an_answer_is_transient():
    with (
        closing_after(b"") as port,
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as client,
    ):
        client.request("GET", "/")
        assert classify(failure(client.getresponse)) is T


# gRPC


class Failing(grpc.GenericRpcHandler):
    """Ends every call with the status that its method names; waits until the deadline in ``/wait/wait``."""

    def service(self, details):
        name = details.method.rpartition("/")[2]
        return grpc.unary_unary_rpc_method_handler(lambda _request, context: self.end(name, context))

    def end(self, name, context):
        if name == "wait":
            threading.Event().wait(max(0.0, context.time_remaining()) + 0.05)
        elif name == "bug":
            raise RuntimeError
        else:
            if name == "RESOURCE_EXHAUSTED":
                detail = Any()
                detail.Pack(RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000)))
                status = Status(code=8, details=[detail])
                context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
            if name == "UNAVAILABLE":
                context.set_trailing_metadata([("grpc-retry-pushback-ms", "250")])
            context.abort(grpc.StatusCode[name], "on purpose")
        return b""


@pytest.fixture(scope="module")
def failing():
    """A channel to a server on which every call fails."""
    server = grpc.server(ThreadPoolExecutor(2), handlers=[Failing()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.enable_retries", 0)]) as channel:
        yield channel
    server.stop(None).wait()


def call(channel, method, timeout=10.0):
    return failure(lambda: channel.unary_unary(f"/x/{method}")(b"", timeout=timeout))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("UNAVAILABLE", T),
        ("ABORTED", T),
        ("RESOURCE_EXHAUSTED", THROTTLED),
        ("INVALID_ARGUMENT", P),
        ("UNAUTHENTICATED", P),
        ("INTERNAL", P),
        ("CANCELLED", CANCELLED),
        ("bug", T),
    ],
)
def test_a_call_of_grpc_means_what_its_code_says(failing, name, expected):
    assert classify(call(failing, name)) is expected


def test_a_deadline_of_grpc_is_a_timeout(failing):
    assert classify(call(failing, "wait", 0.05)) is TIMEOUT


def test_grpc_without_a_server_is_transient(refusing):
    with grpc.insecure_channel(f"127.0.0.1:{refusing}") as channel:
        assert classify(call(channel, "any")) is T


def test_the_delays_that_grpc_servers_ask_for_are_found(failing):
    assert retry_after_s(call(failing, "RESOURCE_EXHAUSTED")) == 1.5
    assert retry_after_s(call(failing, "UNAVAILABLE")) == 0.25
    assert retry_after_s(call(failing, "ABORTED")) is None


async def asyncio_call(port):
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await channel.unary_unary("/x/any")(b"", timeout=10)


def test_grpc_of_asyncio_is_the_same(refusing):
    import asyncio

    error = failure(lambda: asyncio.run(asyncio_call(refusing)))
    assert type(error) is grpc.aio.AioRpcError
    assert classify(error) is T


# SQLite


@pytest.fixture
def database(tmp_path):
    """The path of a database, and a connection to it."""
    path = tmp_path / "shop.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        connection.execute("create table orders (id integer primary key)")
        yield path, connection


def test_a_database_that_another_connection_writes_to_is_transient(database):
    path, connection = database
    connection.execute("begin immediate")
    with contextlib.closing(sqlite3.connect(path, timeout=0)) as other:
        error = failure(other.execute, "insert into orders values (1)")
    assert str(error) == "database is locked"
    assert classify(error) is T


@pytest.mark.parametrize(
    "statement", ["insert into orders values (1), (1)", "selekt 1", "select * from nothing", "select ?"]
)
def test_a_statement_that_is_wrong_is_permanent(database, statement):
    assert classify(failure(database[1].execute, statement)) is P


def test_an_interrupted_statement_is_cancelled(database):
    _, connection = database
    connection.set_progress_handler(lambda: 1, 1)
    assert classify(failure(connection.execute, "select count(*) from orders")) is CANCELLED


def test_a_full_database_is_overload(database):
    _, connection = database
    connection.execute("pragma max_page_count = 3")
    connection.execute("create table big (data blob)")
    assert classify(failure(connection.execute, "insert into big values (zeroblob(100000))")) is O


def test_a_closed_connection_is_permanent(database):
    database[1].close()
    assert classify(failure(database[1].execute, "select 1")) is P
