"""A receiver in a cell: endpoints, snapshots, waiting, and an end that leaves nothing behind."""

import contextlib
import gc
import pickle
import secrets
import socket
import subprocess
import sys
import threading
import time

import grpc
import httpx
import psutil
import pytest
from peers import SERVICES, TYPES, encoded, logs, metrics, send, spans

from workbench import otlp

PROTOCOLS = ["http/protobuf", "http/json", "grpc"]


def own_threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("otlp-")]


@pytest.fixture
def receiver():
    with otlp.Receiver() as receiver:
        yield receiver


@pytest.mark.parametrize("over", PROTOCOLS)
def test_every_signal_arrives_over_every_protocol(receiver, over):
    profiles = SERVICES["profiles"].request()
    profiles.resource_profiles.add().scope_profiles.add().profiles.add(time_unix_nano=7)
    for signal, request in (
        ("traces", spans(2)),
        ("metrics", metrics(3)),
        ("logs", logs(4)),
        ("profiles", profiles),
    ):
        assert send(receiver, request, over, signal=signal).ok
    receiver.wait_for(10)
    assert receiver.traces.spans["span_id"].to_pylist() == [b"\0" * 7 + b"\1", b"\0" * 7 + b"\2"]
    assert len(receiver.metrics.points("load")) == 3
    assert receiver.logs["body"].to_pylist() == [f"line {n}" for n in range(4)]
    assert receiver.profiles.to_otlp() == profiles.SerializeToString()


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_compressed_requests_are_taken_over_http(receiver, coding):
    assert send(receiver, spans(50), coding=coding).ok
    assert len(receiver.traces) == 50


def test_a_snapshot_does_not_change_and_is_built_once(receiver):
    send(receiver, spans(1))
    before = receiver.traces
    assert receiver.traces is before
    send(receiver, spans(1, first=1))
    assert (len(before), len(receiver.traces)) == (1, 2)
    receiver.clear()
    assert (len(before), len(receiver.traces)) == (1, 0)


def test_an_empty_receiver_has_empty_snapshots(receiver):
    assert [len(receiver.traces), len(receiver.metrics), len(receiver.logs)] == [0, 0, 0]
    assert len(receiver.profiles) == 0


def test_waiting_ends_when_the_records_are_there(receiver):
    sender = threading.Timer(0.05, send, (receiver, spans(3)))
    sender.start()
    assert receiver.wait_for(3, timeout_s=10) is receiver
    sender.join()


def test_waiting_in_vain_says_how_many_came(receiver):
    send(receiver, spans(2))
    with pytest.raises(otlp.WaitTimeoutError, match=r"2 of 5 records arrived within 0.01 s") as caught:
        receiver.wait_for(5, timeout_s=0.01)
    assert (caught.value.expected, caught.value.arrived) == (5, 2)
    assert isinstance(caught.value, TimeoutError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_closed_receiver_keeps_what_it_has_and_waits_for_nothing():
    with otlp.Receiver() as receiver:
        send(receiver, spans(2))
    assert len(receiver.traces) == 2
    receiver.wait_for(2)
    with pytest.raises(otlp.ReceiverClosedError, match="2 of 3 records"):
        receiver.wait_for(3, timeout_s=60)
    receiver.close()


def test_it_listens_when_it_is_made_and_not_any_more_when_it_is_closed():
    receiver = otlp.Receiver()
    ports = [int(found.rpartition(":")[2]) for found in (receiver.http_endpoint, receiver.grpc_endpoint)]
    for port in ports:
        socket.create_connection(("127.0.0.1", port)).close()
    receiver.close()
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
    assert own_threads() == []


def test_connections_that_come_as_it_ends_are_closed():
    """One that is left open is told of when it is collected, and that is an error here."""
    for _ in range(20):
        receiver = otlp.Receiver()
        address = "127.0.0.1", int(receiver.http_endpoint.rpartition(":")[2])
        clients = [socket.create_connection(address) for _ in range(8)]
        receiver.close()
        for client in clients:
            client.close()
    gc.collect()
    assert own_threads() == []


def fixed_ports(count):
    """Return free ports below those that a system hands out by itself: nobody takes them meanwhile."""
    found = []
    while len(found) < count:
        port = secrets.randbelow(12_000) + 20_000
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            found.append(port)
    return found


def test_a_port_may_be_asked_for_and_taken_once():
    http_port, grpc_port = fixed_ports(2)
    with otlp.Receiver(http_port=http_port, grpc_port=grpc_port) as receiver:
        with pytest.raises(otlp.EndpointError, match=f"cannot listen on 127.0.0.1:{http_port}"):
            otlp.Receiver(http_port=http_port)
        with pytest.raises(otlp.EndpointError, match=f"cannot listen on 127.0.0.1:{grpc_port}"):
            otlp.Receiver(grpc_port=grpc_port)
    with otlp.Receiver(http_port=http_port, grpc_port=grpc_port) as again:
        assert again.http_endpoint == receiver.http_endpoint
    assert own_threads() == []


def test_a_host_that_is_none_is_refused():
    with pytest.raises(otlp.EndpointError, match="no address is known for host"):
        otlp.Receiver("host.invalid")


def test_ipv6_is_served():
    with otlp.Receiver("::1") as receiver:
        assert receiver.http_endpoint.startswith("http://[::1]:")
        assert send(receiver, spans()).ok
        assert send(receiver, spans(), "grpc").ok


def test_it_ends_when_it_is_forgotten():
    receiver = otlp.Receiver()
    del receiver
    gc.collect()
    assert own_threads() == []


def test_it_ends_with_an_exception():
    with pytest.raises(ZeroDivisionError), otlp.Receiver():
        raise ZeroDivisionError
    assert own_threads() == []


def test_neither_files_nor_threads_are_left_behind():
    def cycle():
        with otlp.Receiver() as receiver:
            for over, endpoint in (
                ("http/protobuf", receiver.http_endpoint),
                ("grpc", receiver.grpc_endpoint),
            ):
                with otlp.Exporter(endpoint, protocol=over) as exporter:
                    exporter.export(spans())
            assert len(receiver.traces) == 2

    me = psutil.Process()
    cycle()
    before = me.num_fds(), me.num_threads()
    for _ in range(5):
        cycle()
    assert me.num_fds() <= before[0] + 2
    assert me.num_threads() <= before[1] + 2


@pytest.mark.slow
def test_it_ends_with_the_interpreter():
    script = (
        "import atexit\n"
        "from workbench import otlp\n"
        "atexit.register(lambda: print(len(receiver.traces)))\n"  # runs last
        "receiver = otlp.Receiver()\n"
        "for endpoint, protocol in (receiver.http_endpoint, 'http/json'), (receiver.grpc_endpoint, 'grpc'):\n"
        "    exporter = otlp.Exporter(endpoint, protocol=protocol, schedule_delay_s=60)\n"
        f"    exporter.export({spans().SerializeToString()!r}, signal='traces')\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


def test_a_slow_answer_does_not_hold_up_the_end():
    with otlp.Receiver(faults=[otlp.Slow(60)]) as receiver:
        sender = threading.Thread(target=send, args=(receiver, spans()))
        sender.start()
        receiver.wait_for(1)
        before = time.monotonic()
    sender.join()
    assert time.monotonic() - before < 5


def test_requests_under_way_are_answered_before_the_end():
    answers = []
    with otlp.Receiver(faults=[otlp.Slow(0.05)]) as receiver:
        sender = threading.Thread(target=lambda: answers.append(send(receiver, spans())))
        sender.start()
        receiver.wait_for(1)
    sender.join()
    assert answers[0].ok


def test_connections_are_kept_alive(receiver):
    body, headers = encoded(spans(), "http/protobuf"), {"content-type": TYPES["http/protobuf"]}
    with httpx.Client(trust_env=False, verify=False) as client:
        ports = set()
        for _ in range(3):
            response = client.post(receiver.http_endpoint + "/v1/traces", content=body, headers=headers)
            ports.add(response.extensions["network_stream"].get_extra_info("client_addr"))
    assert len(ports) == 1


def test_other_methods_and_paths_are_answered_by_http(receiver):
    answer = send(receiver, spans(), method="GET")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert send(receiver, spans(), method="HEAD").body == b""
    answer = send(receiver, spans(), path="/v1/spans")
    assert answer.status == 404
    assert "/v1/traces" in answer.failure().message


def test_an_unknown_method_of_grpc_is_unimplemented(receiver):
    with grpc.insecure_channel(receiver.grpc_endpoint) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/opentelemetry.proto.collector.trace.v2.TraceService/Export")(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("given", ["application/json; charset=utf-8", "Application/JSON"])
def test_a_content_type_may_have_parameters_and_capitals(receiver, given):
    assert send(receiver, spans(), "http/json", headers={"content-type": given}).ok


def test_a_body_may_come_in_chunks_of_unknown_number(receiver):
    body = encoded(spans(30), "http/protobuf")
    chunks = (body[at : at + 100] for at in range(0, len(body), 100))
    headers = {"content-type": TYPES["http/protobuf"]}
    response = httpx.post(
        receiver.http_endpoint + "/v1/traces", content=chunks, headers=headers, trust_env=False
    )
    assert response.status_code == 200
    assert len(receiver.traces) == 30


def test_chunks_are_counted_while_they_come():
    def endless():
        while True:
            yield bytes(1 << 12)

    with otlp.Receiver(max_request_bytes=1 << 16) as receiver:
        headers = {"content-type": TYPES["http/protobuf"]}
        url = receiver.http_endpoint + "/v1/traces"
        try:
            status = httpx.post(url, content=endless(), headers=headers, trust_env=False).status_code
        except httpx.WriteError:  # the server has answered and left before all was written
            status = 413
        assert status == 413


def test_a_client_that_writes_too_much_at_once_still_sees_the_answer():
    """A reset in the middle would look like a broken connection, and be retried for ever."""
    with otlp.Receiver(max_request_bytes=1 << 16) as receiver:
        request = spans(1, name="x" * (8 << 20))
        assert send(receiver, request).status == 413
        with otlp.Exporter(receiver.http_endpoint, protocol="http/protobuf") as exporter:
            exporter.export(request)
            assert exporter.flush(10)
    assert (dict(exporter.stats.dropped), exporter.stats.retried) == ({"http_413": 1}, 0)


def test_a_client_that_falls_silent_gives_its_place_back(monkeypatch):
    monkeypatch.setattr("workbench.otlp.transport._http_server.SILENCE_S", 0.05)
    with otlp.Receiver(max_concurrent_requests=1) as receiver:
        port = int(receiver.http_endpoint.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            connection.sendall(head + b"Content-Length: 99\r\n\r\n{")
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        assert send(receiver, spans()).ok


def test_a_client_that_leaves_in_the_middle_is_forgotten(receiver):
    port = int(receiver.http_endpoint.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        connection.sendall(head + b"Content-Length: 99\r\n\r\n{")
    assert send(receiver, spans()).ok
    assert len(receiver.traces) == 1


def test_large_answers_are_compressed_where_the_client_takes_it():
    with otlp.Receiver(faults=[otlp.PartialSuccess(0, "w" * 5000)] * 2) as receiver:
        plain = send(receiver, spans())
        packed = send(receiver, spans(), headers={"accept-encoding": "gzip, br"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < 100
    assert packed.response() == plain.response()


def test_many_clients_at_once_lose_nothing(receiver):
    def work(number):
        for at in range(10):
            over = PROTOCOLS[(number + at) % 3]
            assert send(receiver, spans(5, first=1000 * number + 5 * at), over).ok

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = receiver.wait_for(400).traces.spans["span_id"].to_pylist()
    assert len(found) == len(set(found)) == 400


def test_it_shows_where_it_listens_and_what_came(receiver):
    assert repr(receiver).startswith(f"Receiver: {receiver.http_endpoint}, grpc {receiver.grpc_endpoint}")
    assert repr(receiver).endswith("nothing received")
    send(receiver, spans(3))
    send(receiver, spans(1, trace_id=b"short"))
    assert repr(receiver).endswith("3 traces")
    shown = receiver._repr_html_()
    assert "<td" in shown
    assert "rejected" in shown
    assert receiver.grpc_endpoint in shown
    receiver.close()
    assert repr(receiver).endswith("3 traces, closed")


@pytest.mark.parametrize("name", ["max_request_bytes", "max_response_bytes", "max_concurrent_requests"])
def test_limits_are_positive(name):
    with pytest.raises(otlp.ConfigurationError, match=name):
        otlp.Receiver(**{name: 0})


@pytest.mark.parametrize("name", ["http_port", "grpc_port"])
@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_a_number_that_is_no_port_is_refused(name, port):
    with pytest.raises(otlp.EndpointError, match=f"{name} must be from 0 .* to 65535, got {port}"):
        otlp.Receiver(**{name: port})


@pytest.mark.parametrize("name", ["max_request_bytes", "max_response_bytes", "max_concurrent_requests"])
def test_limits_that_grpc_cannot_count_are_refused(name):
    with pytest.raises(otlp.ConfigurationError, match=f"{name} must be from 1 to 2,147,483,647"):
        otlp.Receiver(**{name: 1 << 31})
    assert own_threads() == []


@pytest.mark.parametrize("text", ["é", "%", "a", "\n", "€"])
def test_a_long_message_over_grpc_hides_no_status(text):
    with otlp.Receiver(faults=[otlp.Status(grpc="UNAVAILABLE", message=text * 9000)]) as receiver:
        answer = send(receiver, spans(), "grpc")
    assert answer.status == "UNAVAILABLE"
    assert set(answer.failure().message) == {text}
    assert answer.failure().code == grpc.StatusCode.UNAVAILABLE.value[0]


@pytest.mark.parametrize(("lines", "status"), [(["gzip", "gzip"], 415), (["identity"], 200)])
def test_a_header_of_several_lines_is_one_list(receiver, lines, status):
    headers = [("content-type", TYPES["http/protobuf"]), *(("content-encoding", line) for line in lines)]
    body = encoded(spans(), "http/protobuf")
    url = receiver.http_endpoint + "/v1/traces"
    assert httpx.post(url, content=body, headers=headers, trust_env=False).status_code == status
