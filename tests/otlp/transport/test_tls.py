"""Exporters trust the authority they are given, show their own certificate, and trust nobody else."""

import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import pytest
import trustme
from peers import SERVICES, spans

from workbench import otlp


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def client_files(authority, tmp_path, monkeypatch):
    """Set the variables of a client's own certificate."""
    certificate = authority.issue_cert("client@example.org")
    key, chain = tmp_path / "client.key", tmp_path / "client.pem"
    certificate.private_key_pem.write_to_path(key)
    certificate.cert_chain_pems[0].write_to_path(chain)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", str(key))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", str(chain))


class SecureHttp:
    """An HTTPS server that acknowledges everything, and asks clients for a certificate."""

    def __init__(self, authority, *, ask):
        self.received = received = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                received.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(context)
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED if ask else ssl.CERT_NONE
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.endpoint = f"https://localhost:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class SecureGrpc:
    """A gRPC server over TLS that acknowledges everything, and asks clients for a certificate."""

    def __init__(self, authority, *, ask):
        self.received = received = []

        def export(request, _context):
            received.append(request)
            return b""

        class Handler(grpc.GenericRpcHandler):
            def service(self, _details):
                return grpc.unary_unary_rpc_method_handler(export)

        own = authority.issue_cert("localhost")
        pair = (own.private_key_pem.bytes(), own.cert_chain_pems[0].bytes())
        trusted = authority.cert_pem.bytes() if ask else None
        credentials = grpc.ssl_server_credentials([pair], trusted, require_client_auth=ask)
        self._pool = ThreadPoolExecutor(2)
        self._server = grpc.server(self._pool, handlers=[Handler()])
        self.endpoint = f"https://localhost:{self._server.add_secure_port('localhost:0', credentials)}"
        self._server.start()

    def close(self):
        self._server.stop(None).wait()
        self._pool.shutdown()


SERVERS = {"http/protobuf": SecureHttp, "grpc": SecureGrpc}
ONCE = otlp.RetryPolicy(max_elapsed_s=0)


def exported(authority, protocol, ca_file, *, ask=False):
    """Return what a server received, and what became of it."""
    server = SERVERS[protocol](authority, ask=ask)
    try:
        with otlp.Exporter(server.endpoint, protocol=protocol, certificate=ca_file, retry=ONCE) as exporter:
            exporter.export(spans(2))
            assert exporter.flush(10)
        return server.received, exporter.stats
    finally:
        server.close()


@pytest.mark.parametrize("protocol", SERVERS)
def test_a_server_of_the_given_authority_is_trusted(authority, protocol, ca_file):
    received, stats = exported(authority, protocol, ca_file)
    assert [SERVICES["traces"].request.FromString(body) for body in received] == [spans(2)]
    assert stats.sent == 2


@pytest.mark.parametrize("protocol", SERVERS)
def test_a_server_of_another_authority_is_not(protocol, ca_file):
    received, stats = exported(trustme.CA(), protocol, ca_file)
    assert received == []
    assert dict(stats.dropped) == {"retries_exhausted": 2}


@pytest.mark.parametrize("protocol", SERVERS)
def test_a_client_shows_its_own_certificate(authority, protocol, ca_file, client_files):
    received, _ = exported(authority, protocol, ca_file, ask=True)
    assert len(received) == 1


@pytest.mark.parametrize("protocol", SERVERS)
def test_a_client_without_one_is_not_let_in(authority, protocol, ca_file):
    received, stats = exported(authority, protocol, ca_file, ask=True)
    assert received == []
    assert stats.sent == 0


@pytest.mark.parametrize("protocol", SERVERS)
def test_a_certificate_that_has_gone_drops_and_says_so(protocol, ca_file):
    with otlp.Exporter("https://localhost:9", protocol=protocol, certificate=ca_file) as exporter:
        Path(ca_file).unlink()
        exporter.export(spans(2))
        assert exporter.flush(10)
    assert dict(exporter.stats.dropped) == {"no_client": 2}
