"""Exceptions that spans recorded, read back from traces."""

import sys
import traceback
from types import ModuleType

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from systems import System, attribute

from workbench import otlp
from workbench.reliability import CallSite, Cause, ErrorClass, ErrorReport
from workbench.reliability.errors._stack_text import root_of, site_in

JAVA = """java.lang.IllegalStateException: no order
\tat com.shop.Orders.read(Orders.java:42)
\tat com.shop.Main.main(Main.java:7)
Caused by: java.net.ConnectException: refused 10.0.0.7:5432
\tat java.base/sun.nio.ch.Net.connect(Net.java:579)
\tat com.shop.Database.open(Database.java:12)
\t... 2 more
"""
JAVASCRIPT = """TypeError: Cannot read properties of undefined
    at node:internal/process:95:5
    at getOrder (/app/src/orders.js:17:22)
    at async /app/src/server.js:8:3
"""


def recorded(span, type_name, message="", stack="", name="exception"):
    event = span.events.add(name=name, time_unix_nano=5)
    for key, value in (("type", type_name), ("message", message), ("stacktrace", stack)):
        event.attributes.append(attribute(f"exception.{key}", value))


def fail():
    try:
        connect("10.0.0.7")
    except ConnectionResetError as error:
        message = "order 4711\nlost"
        raise RuntimeError(message) from error


def connect(peer):
    message = f"peer {peer} reset"
    raise ConnectionResetError(message)


def python_stack():
    with pytest.raises(RuntimeError) as caught:
        fail()
    return "".join(traceback.format_exception(caught.value))


def test_exceptions_of_spans_are_counted_and_other_events_are_not(tmp_path):
    system = System()
    for k in range(3):
        recorded(system.span("web", 1, k + 1), "ValueError", f"order {k}")
    recorded(system.span("web", 1, 9), "ValueError", "x", name="retry")
    recorded(system.span("db", 2, 10), "TimeoutError", "slow")
    report = ErrorReport.from_traces(system.traces(tmp_path))
    assert report.by_class() == {ErrorClass.PERMANENT: 3, ErrorClass.TIMEOUT: 1}
    assert report.by_cause() == {Cause("ValueError", "order <num>"): 3, Cause("TimeoutError", "slow"): 1}


def test_the_root_cause_and_the_place_are_read_from_the_stack_trace(tmp_path):
    system = System()
    recorded(system.span("web", 1, 1), "RuntimeError", "order 4711\nlost", python_stack())
    (entry,) = ErrorReport.from_traces(system.traces(tmp_path)).entries()
    assert entry.cause == Cause("ConnectionResetError", "peer <ip> reset")
    assert entry.site == CallSite(__file__, connect.__code__.co_firstlineno + 2, "connect")
    assert entry.error_class is ErrorClass.TRANSIENT


def test_a_recorded_error_is_reported_as_the_same_error_live(tmp_path):
    with pytest.raises(RuntimeError) as caught:
        fail()
    system = System()
    recorded(system.span("web", 1, 1), "RuntimeError", str(caught.value), python_stack())
    live, read = ErrorReport.of([caught.value]), ErrorReport.from_traces(system.traces(tmp_path))
    assert live == read


@pytest.mark.parametrize(
    ("type_name", "attributes", "expected"),
    [
        ("httpx.ConnectTimeout", {}, ErrorClass.TIMEOUT),
        ("httpx.HTTPStatusError", {"http__response__status_code": 429}, ErrorClass.THROTTLED),
        ("com.shop.ShopException", {"http__response__status_code": 503}, ErrorClass.OVERLOAD),
        ("com.shop.ShopException", {"http__response__status_code": 200}, ErrorClass.TRANSIENT),
        ("grpc._channel._InactiveRpcError", {"rpc__grpc__status_code": 8}, ErrorClass.THROTTLED),
        ("grpc._channel._InactiveRpcError", {"rpc__grpc__status_code": 0}, ErrorClass.TRANSIENT),
        (
            "grpc._channel._InactiveRpcError",
            {"rpc__response__status_code": "UNAVAILABLE"},
            ErrorClass.TRANSIENT,
        ),
        ("com.shop.ShopException", {"rpc__grpc__status_code": 99}, ErrorClass.TRANSIENT),
        ("psycopg_pool.errors.PoolTimeout", {}, ErrorClass.OVERLOAD),
        ("workbench.reliability.errors.rejections.CircuitOpenError", {}, ErrorClass.OPEN),
        ("KeyError", {}, ErrorClass.PERMANENT),
        ("json.decoder.JSONDecodeError", {}, ErrorClass.PERMANENT),
        ("os.path", {}, ErrorClass.TRANSIENT),
        ("", {}, ErrorClass.TRANSIENT),
    ],
)
def test_a_recorded_exception_is_classified_by_name_then_by_the_status_of_its_span(
    type_name, attributes, expected, tmp_path
):
    system = System()
    recorded(system.span("web", 1, 1, **attributes), type_name)
    assert list(ErrorReport.from_traces(system.traces(tmp_path)).by_class()) == [expected]


def test_the_class_of_a_recorded_name_does_not_need_its_driver(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "httpx", raising=False)
    system = System()
    for k, name in enumerate(["httpx.ConnectTimeout", "psycopg.errors.DeadlockDetected", "httpx.ReadError"]):
        recorded(system.span("web", 1, k + 1), name)
    report = ErrorReport.from_traces(system.traces(tmp_path))
    assert report.by_class() == {ErrorClass.TRANSIENT: 2, ErrorClass.TIMEOUT: 1}


def test_a_java_stack_names_the_last_cause_and_the_first_line_of_its_users():
    assert root_of(JAVA) == ("java.net.ConnectException", "refused 10.0.0.7:5432")
    assert site_in(JAVA) == CallSite("Database.java", 12, "com.shop.Database.open")


def test_a_javascript_stack_names_its_first_line_outside_node():
    assert root_of(JAVASCRIPT) is None
    assert site_in(JAVASCRIPT) == CallSite("/app/src/orders.js", 17, "getOrder")


@pytest.mark.parametrize("stack", ["", "no stack at all", 'File "', "Caused by: ", "at (:)", "\x00" * 100])
def test_what_is_no_stack_trace_says_nothing(stack):
    assert site_in(stack) == CallSite("", 0, "")
    assert root_of(stack) is None


def test_of_filtered_traces_only_their_own_exceptions_count(tmp_path):
    system = System()
    for k in range(4):
        recorded(system.span("web", 1, k + 1, ms=k + 1), "ValueError" if k % 2 else "TimeoutError", "x")
    traces = system.traces(tmp_path)
    odd = traces.filter([False, True, False, True])
    assert ErrorReport.from_traces(odd).by_cause() == {Cause("ValueError", "x"): 2}


def test_a_recorded_name_makes_no_lazy_module_import(tmp_path, monkeypatch):
    lazy = ModuleType("lazy")
    asked = []
    lazy.__getattr__ = asked.append
    monkeypatch.setitem(sys.modules, "lazy", lazy)
    system = System()
    recorded(system.span("web", 1, 1), "lazy.ShopError")
    assert len(ErrorReport.from_traces(system.traces(tmp_path))) == 1
    assert asked == []


def test_traces_without_events_give_an_empty_report(tmp_path):
    system = System()
    system.span("web", 1, 1)
    assert len(ErrorReport.from_traces(system.traces(tmp_path))) == 0


def test_what_the_official_sdk_records_is_read(tmp_path):
    with otlp.Receiver(http_port=0) as receiver:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider = TracerProvider()
        provider.add_span_processor(
            SimpleSpanProcessor(OTLPSpanExporter(f"{receiver.http_endpoint}/v1/traces"))
        )
        with pytest.raises(RuntimeError), provider.get_tracer("test").start_as_current_span("work"):
            fail()
        provider.shutdown()
        (entry,) = ErrorReport.from_traces(receiver.traces).entries()
    assert entry.cause == Cause("ConnectionResetError", "peer <ip> reset")
    assert entry.site.function == "connect"


def test_the_recording_of_the_shop_is_read():
    report = ErrorReport.from_traces(otlp.read("datasets/checkout/traces.otlp.zst"))
    assert report.by_class() == {ErrorClass.TIMEOUT: 70}
    assert report.by_call_site() == {CallSite("httpcore/_exceptions.py", 14, "map_exceptions"): 70}
    assert ErrorReport.from_traces(otlp.read("datasets/checkout/traces.otlp.zst")) == report
