"""What a client writes: types, names, numbers; connections; several destinations; peers of other versions."""

import re
import socket
import threading

import pytest
from conformance import must
from peers import SERVICES, TYPES, logs, spans
from sabotage import Wrapped, body, client, header

from workbench import otlp
from workbench.otlp.transport._queue import Batch
from workbench.otlp.transport._retrying import Outcome

clause = pytest.mark.clause
HTTP, JSON = "http/protobuf", "http/json"


def settle(exporter, *telemetry):
    for one in telemetry:
        exporter.export(one)
        assert exporter.flush(10)
    return exporter.stats


@clause("http-protobuf-1", over=HTTP, wrong=header("content-type", "application/octet-stream"))
def test_protobuf_is_sent_as_protobuf(peer):
    observer = peer.observer()
    settle(peer.exporter(observer), spans())
    given = observer.requests[0].headers["content-type"]
    must(given == TYPES[HTTP], f"Content-Type is {given}")


@clause("http-json-5", over=JSON, wrong=header("content-type", "text/json"))
def test_json_is_sent_as_json(peer):
    observer = peer.observer()
    settle(peer.exporter(observer), spans())
    given = observer.requests[0].headers["content-type"]
    must(given == TYPES[JSON], f"Content-Type is {given}")


def naming(value):
    """Write enum values by their names, as protobuf's own JSON mapping does."""
    if isinstance(value, list):
        return [naming(one) for one in value]
    if not isinstance(value, dict):
        return value
    names = {"kind": "SPAN_KIND_SERVER", "severityNumber": "SEVERITY_NUMBER_INFO"}
    return {key: names.get(key) or naming(one) for key, one in value.items()}


def values_of(document, name):
    if isinstance(document, list):
        return [found for one in document for found in values_of(one, name)]
    if not isinstance(document, dict):
        return []
    here = [document[name]] if name in document else []
    return here + [found for one in document.values() for found in values_of(one, name)]


@clause("http-json-1", over=JSON, wrong=body(naming))
def test_enum_values_are_integers_in_json(peer):
    observer = peer.observer()
    settle(peer.exporter(observer), spans(), logs())
    kinds = [found for seen in observer.requests for found in values_of(seen.message, "kind")]
    severities = [found for seen in observer.requests for found in values_of(seen.message, "severityNumber")]
    must(kinds == [2] and severities == [9], f"kind is {kinds}, severityNumber {severities}")


@clause("http-json-2", over=JSON, wrong=body(naming))
def test_names_of_enum_values_are_not_written_in_json(peer):
    observer = peer.observer()
    settle(peer.exporter(observer), spans(), logs())
    text = b"".join(seen.body for seen in observer.requests)
    found = re.search(rb"SPAN_KIND_\w+|SEVERITY_NUMBER_\w+|STATUS_CODE_\w+", text)
    must(found is None, f"{found} was written")


class Http2Only(Wrapped):
    """A client that speaks HTTP/2 from the first byte, and gives up where that is not understood."""

    def send(self, _body):
        host, _, port = self.inner.target.url.removeprefix("http://").partition("/")[0].partition(":")
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
            connection.recv(1 << 10)
        return Outcome(delivered=False, reason="no_http2")


@clause("http-1", over=HTTP, wrong=client(Http2Only))
def test_a_server_of_http_1_1_only_is_served(peer):
    observer = peer.observer()
    stats = settle(peer.exporter(observer), spans())
    must(stats.sent == 1, f"nothing came through HTTP/1.1: {stats}")


@clause("http-connection-2", over=HTTP, wrong=header("connection", "close"))
def test_connections_are_kept_alive(peer):
    observer = peer.observer()
    settle(peer.exporter(observer), spans(), spans(), spans())
    connections = {seen.client for seen in observer.requests}
    must(len(connections) == 1, f"3 requests took {len(connections)} connections")


def two_destinations(peer):
    """Return two exporters, the first to nobody who answers, and what the second one's server sees."""
    with otlp.Receiver() as gone:
        nobody = gone.http_endpoint
    observer = peer.observer()
    slow = otlp.RetryPolicy(initial_s=600, max_s=600, max_elapsed_s=3600)
    dead = otlp.Exporter(nobody, protocol=HTTP, retry=slow, schedule_delay_s=0)
    return dead, otlp.Exporter(observer.http_endpoint, protocol=HTTP, schedule_delay_s=0), observer


class OneAfterTheOther:
    """Several destinations, one queue: the next is served when the last has acknowledged."""

    def __init__(self, *exporters):
        self.exporters = exporters

    def export(self, telemetry):
        for exporter in self.exporters:
            exporter.export(telemetry)
            if not exporter.flush(0.2):
                return


class Copying(otlp.FanOut):
    """Several destinations, each with a copy of the data."""

    def export(self, telemetry):
        for exporter in self.exporters:
            exporter.export(telemetry)


@clause("multi-destination-1", over=HTTP, wrong=OneAfterTheOther)
def test_a_dead_destination_does_not_hold_up_another(peer):
    dead, alive, observer = two_destinations(peer)
    fan_out = (peer.run.wrong if peer.run.is_wrong else otlp.FanOut)(dead, alive)
    try:
        for number in range(3):
            fan_out.export(spans(1, first=number))
        alive.flush(5)
        seen = sorted(number for one in observer.requests for number in one.span_ids())
        must(seen == [1, 2, 3], f"the living destination saw {seen}")
        assert dead.stats.pending == 3
    finally:
        dead.shutdown(0)
        alive.shutdown(0)


@clause("multi-destination-2", over=HTTP, wrong=Copying)
def test_destinations_share_the_data(peer):
    exporters = [otlp.Exporter("http://127.0.0.1:9", schedule_delay_s=600) for _ in range(2)]
    fan_out = (peer.run.wrong if peer.run.is_wrong else otlp.FanOut)(*exporters)
    try:
        fan_out.export(spans(5))
        first, second = (exporter._shared.queue._lanes["traces"].pieces[0].body for exporter in exporters)
        assert first == second
        must(first is second, "each queue has a copy of its own")
    finally:
        for exporter in exporters:
            exporter.shutdown(0)


def sending_envelopes(exporter):
    def export(telemetry):
        exporter._put(Batch("traces", telemetry.SerializeToString(), 1))

    exporter.export = export


@clause("empty-envelopes-1", over=HTTP, wrong=sending_envelopes)
def test_nothing_is_sent_where_there_is_no_record(peer):
    observer = peer.observer()
    exporter = peer.exporter(observer)
    settle(exporter, SERVICES["traces"].request(), spans(0))
    must(not observer.requests, "an envelope without a record was sent")


def insisting(inner):
    """A client that does not give up zstd."""

    class Insisting(Wrapped):
        def send(self, body):
            self.inner._coding = "zstd"
            return self.inner._attempt(body)

    return Insisting(inner)


@pytest.fixture
def gzip_only(monkeypatch):
    """Let servers know gzip only, as OTLP has it."""
    monkeypatch.setattr("workbench.otlp.transport._http_server.CODINGS", ("gzip",))


@clause("versions-4", over=HTTP, wrong=client(insisting))
def test_a_client_does_without_zstd_where_the_server_lacks_it(peer, gzip_only):
    stats = settle(peer.exporter(peer.observer(), compression="zstd"), spans(20))
    must(stats.sent == 20, f"nothing came to a server without zstd: {stats}")


@clause("versions-2", over=HTTP, wrong=client(insisting))
def test_a_client_finds_out_once_what_the_server_takes(peer, gzip_only):
    observer = peer.observer()
    settle(peer.exporter(observer, compression="zstd"), spans(), spans(), spans())
    codings = [seen.headers["content-encoding"] for seen in observer.requests]
    must(codings == ["zstd", "gzip", "gzip", "gzip"], f"it sent {codings}")


def refusing_newer_answers(inner):
    """A client that takes an acknowledgement with an unknown field for an error."""
    parse = inner._parsed

    def parsed(raw, message):
        return None if raw and b"new" in raw else parse(raw, message)

    class Strict(Wrapped):
        def send(self, body):
            found = self.inner.send(body)
            return (
                Outcome(delivered=False, reason="unknown_field")
                if "cannot be read" in found.message
                else found
            )

    inner._parsed = parsed
    return Strict(inner)


@clause("versions-1", over=HTTP, wrong=client(refusing_newer_answers))
def test_acknowledgements_of_a_newer_version_are_understood(peer):
    answer = b"\x0a\x00\xfa\x3f\x03new"  # partial_success, empty; and field 1023, which no version has yet
    endpoint = _answering(answer)
    stats = settle(peer.exporter(endpoint), spans())
    must(stats.sent == 1, f"the acknowledgement was not understood: {stats}")


def _answering(answer):
    """Return the endpoint of a server of one connection that says this, whatever it is asked."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listening, listening.accept()[0] as connection:
            connection.settimeout(5)
            connection.recv(1 << 16)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {TYPES[HTTP]}\r\nContent-Length: {len(answer)}\r\n\r\n"
            connection.sendall(head.encode() + answer)
            connection.recv(1)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}"
