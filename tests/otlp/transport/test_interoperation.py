"""The official SDK sends to our receiver, and we send to receivers of the official package."""

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module

import grpc
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from peers import SERVICES, logs, metrics, spans

from workbench import otlp

SDK = "opentelemetry.exporter.otlp."
CHECKOUT = Resource.create({"service.name": "checkout", "shard": 7})
BUILDERS = {"traces": spans, "metrics": metrics, "logs": logs}
UNIX_EPOCH_HEX = {"traceId", "spanId", "parentSpanId"}


def sdk_exporters(over, compression, receiver):
    """Return the SDK's exporters of spans, metrics and logs, aimed at a receiver."""
    room = {"http/protobuf": "proto.http", "http/json": "json.http", "grpc": "proto.grpc"}[over]
    names = (
        ("trace_exporter", "OTLPSpanExporter", "traces"),
        ("metric_exporter", "OTLPMetricExporter", "metrics"),
        ("_log_exporter", "OTLPLogExporter", "logs"),
    )
    for module, name, signal in names:
        kind = getattr(import_module(f"{SDK}{room}.{module}"), name)
        if over == "grpc":
            chosen = grpc.Compression.Gzip if compression else grpc.Compression.NoCompression
            yield kind(endpoint=receiver.grpc_endpoint, insecure=True, compression=chosen)
        else:
            found = import_module(
                SDK + ("proto.http" if over == "http/protobuf" else "common.http")
            ).Compression
            chosen = found.Gzip if over == "http/protobuf" else found.GZIP
            unset = found.NoCompression if over == "http/protobuf" else found.NONE
            endpoint = receiver.http_endpoint + SERVICES[signal].path
            yield kind(endpoint=endpoint, compression=chosen if compression else unset)


@pytest.mark.parametrize("compression", [None, "gzip"])
@pytest.mark.parametrize("over", ["http/protobuf", "http/json", "grpc"])
def test_the_sdk_sends_traces_metrics_and_logs_to_our_receiver(over, compression):
    with otlp.Receiver() as receiver:
        to_traces, to_metrics, to_logs = sdk_exporters(over, compression, receiver)
        tracing = TracerProvider(resource=CHECKOUT)
        tracing.add_span_processor(SimpleSpanProcessor(to_traces))
        with tracing.get_tracer("t").start_as_current_span("pay", attributes={"amount": 2.5}) as span:
            span.add_event("charged", {"tries": 2})
        metering = MeterProvider([PeriodicExportingMetricReader(to_metrics)], resource=CHECKOUT)
        metering.get_meter("m").create_counter("orders").add(3, {"shop": "x"})
        logging = LoggerProvider(resource=CHECKOUT)
        logging.add_log_record_processor(SimpleLogRecordProcessor(to_logs))
        logging.get_logger("l").emit(body="paid", severity_number=None, timestamp=5)
        for provider in (tracing, metering, logging):
            provider.shutdown()
        receiver.wait_for(3)
        assert receiver.traces["name"].to_pylist() == ["pay"]
        assert receiver.traces["amount"].to_pylist() == [2.5]
        assert receiver.traces["service.name"].to_pylist() == ["checkout"]
        assert receiver.traces["trace_id"][0].as_py() == span.get_span_context().trace_id.to_bytes(16, "big")
        assert len(receiver.traces.tables["span_events"]) == 1
        assert receiver.metrics.points("orders").to_pydict()["int_value"] == [3]
        assert receiver.logs["body"].to_pylist() == ["paid"]
        assert receiver.logs["shard"].to_pylist() == [7]


def test_the_sdk_comes_back_when_our_receiver_throttles_it():
    with otlp.Receiver(faults=[otlp.Throttle(0.05)]) as receiver:
        to_traces, *_ = sdk_exporters("grpc", None, receiver)
        tracing = TracerProvider(resource=CHECKOUT)
        tracing.add_span_processor(SimpleSpanProcessor(to_traces))
        tracing.get_tracer("t").start_span("pay").end()
        tracing.shutdown()
        assert len(receiver.traces) == 1


class OfficialHttp:
    """A receiver of the standard library's HTTP server and the official messages."""

    def __init__(self):
        self.received = received = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                signal = next(name for name, found in SERVICES.items() if found.path == self.path)
                received.append((signal, _decoded(signal, body, self.headers["content-type"])))
                json = self.headers["content-type"] == "application/json"
                answer = b"{}" if json else SERVICES[signal].response().SerializeToString()
                self.send_response(200)
                self.send_header("content-type", self.headers["content-type"])
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _decoded(signal, body, content_type):
    request = SERVICES[signal].request()
    if content_type == "application/x-protobuf":
        request.ParseFromString(body)
    else:
        json_format.Parse(_ids_as_base64(body), request)
    return request


def _ids_as_base64(body):
    """Return OTLP's JSON as protobuf's: the official package reads ids as base64 only."""
    import base64
    import json

    def change(pairs):
        ids = UNIX_EPOCH_HEX
        return {
            name: base64.b64encode(bytes.fromhex(value)).decode() if name in ids else value
            for name, value in pairs
        }

    return json.dumps(json.loads(body, object_pairs_hook=change))


class OfficialGrpc:
    """A receiver of the official package's generated servicers."""

    def __init__(self):
        self.received = received = []

        def servicer(base, signal):
            class Servicer(base):
                def Export(self, request, context):  # noqa: N802 (gRPC's name)
                    received.append((signal, request))
                    return SERVICES[signal].response()

            return Servicer()

        self._pool = ThreadPoolExecutor(2)
        self._server = grpc.server(self._pool)
        for module, name, signal in (
            (trace_service_pb2_grpc, "TraceService", "traces"),
            (metrics_service_pb2_grpc, "MetricsService", "metrics"),
            (logs_service_pb2_grpc, "LogsService", "logs"),
        ):
            register = getattr(module, f"add_{name}Servicer_to_server")
            register(servicer(getattr(module, f"{name}Servicer"), signal), self._server)
        self.endpoint = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self):
        self._server.stop(None).wait()
        self._pool.shutdown()


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("over", ["http/protobuf", "http/json", "grpc"])
def test_our_exporter_sends_to_a_receiver_of_the_official_package(over, compression):
    official = OfficialGrpc() if over == "grpc" else OfficialHttp()
    try:
        with otlp.Exporter(official.endpoint, protocol=over, compression=compression) as exporter:
            for build in BUILDERS.values():
                exporter.export(build(5))
            assert exporter.flush(10)
        assert exporter.stats.sent == 15
        assert dict(official.received) == {signal: build(5) for signal, build in BUILDERS.items()}
    finally:
        official.close()
