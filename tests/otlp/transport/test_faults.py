"""The faulty peer does what its faults say, in order, at a rate, or by a function."""

import gzip
import math
import threading

import httpx
import pytest
from peers import TYPES, encoded, send, spans

from workbench import otlp

GRPC, HTTP = "grpc", "http/protobuf"
MIB = 1 << 20


def answers(faults, over, number=1, message=None):
    with otlp.Receiver(faults=faults) as receiver:
        found = [send(receiver, message or spans(5), over) for _ in range(number)]
        return found, len(receiver.traces)


def test_faults_come_in_order_and_end():
    found, kept = answers([otlp.Status(500), None, otlp.Throttle()], HTTP, 5)
    assert [answer.status for answer in found] == [500, 200, 429, 200, 200]
    assert kept == 15


def test_faults_may_be_a_function_of_the_signal_and_the_number():
    found, _ = answers(
        lambda signal, number: otlp.Status(501) if number % 2 and signal == "traces" else None, HTTP, 4
    )
    assert [answer.status for answer in found] == [200, 501, 200, 501]


def test_faults_at_a_rate_repeat_with_their_seed():
    runs = [
        answers(otlp.Faulty([otlp.Status(500), otlp.Throttle()], rate=0.5, seed=3), HTTP, 20)[0]
        for _ in range(2)
    ]
    first, second = ([answer.status for answer in run] for run in runs)
    assert first == second
    assert {200, 429, 500} == set(first)


def test_throttling_over_http_is_429_with_seconds_or_a_date():
    found, kept = answers(
        [otlp.Throttle(1.2), otlp.Throttle(30, 503, as_date=True), otlp.Throttle(None)], HTTP, 3
    )
    assert [answer.status for answer in found] == [429, 503, 429]
    assert found[0].headers["retry-after"] == "2"
    assert found[1].headers["retry-after"].endswith("GMT")
    assert "retry-after" not in found[2].headers
    assert kept == 0


def test_throttling_over_grpc_is_unavailable_with_retry_info():
    found, kept = answers([otlp.Throttle(1.25), otlp.Throttle(None)], GRPC, 2)
    assert [answer.status for answer in found] == ["UNAVAILABLE", "UNAVAILABLE"]
    assert [answer.retry_info_s for answer in found] == [1.25, None]
    assert kept == 0


@pytest.mark.parametrize("over", [GRPC, HTTP, "http/json"])
def test_a_partial_success_keeps_the_rest(over):
    (answer,), kept = answers([otlp.PartialSuccess(2, "too many")], over)
    partial = answer.response().partial_success
    assert (partial.rejected_spans, partial.error_message, kept) == (2, "too many", 3)


def test_more_rejections_than_records_reject_all():
    (answer,), kept = answers([otlp.PartialSuccess(99)], HTTP)
    assert (answer.response().partial_success.rejected_spans, kept) == (5, 0)


@pytest.mark.parametrize(("kept", "spans_kept"), [(False, 0), (True, 5)])
def test_a_reset_breaks_the_connection_before_or_after_keeping(kept, spans_kept):
    with otlp.Receiver(faults=[otlp.Reset(kept=kept), otlp.Reset(kept=kept)]) as receiver:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            send(receiver, spans(5), HTTP)
        assert len(receiver.traces) == spans_kept
        assert send(receiver, spans(5), GRPC).status == "UNAVAILABLE"
        assert len(receiver.traces) == 2 * spans_kept


@pytest.mark.parametrize("over", [GRPC, HTTP])
def test_an_oversized_answer_is_as_large_as_asked(over):
    (answer,), kept = answers([otlp.Oversize(5 * MIB)], over)
    assert 5 * MIB <= len(answer.body) < 5 * MIB + 100
    assert kept == 5


def test_a_gzip_bomb_is_small_on_the_wire():
    with otlp.Receiver(faults=[otlp.GzipBomb(8 * MIB)]) as receiver:
        headers = {"content-type": TYPES[HTTP]}
        url = receiver.http_endpoint + "/v1/traces"
        with httpx.stream(
            "POST", url, content=encoded(spans(), HTTP), headers=headers, trust_env=False
        ) as response:
            wire = b"".join(response.iter_raw())
    assert len(wire) < 100_000
    assert gzip.decompress(wire) == bytes(8 * MIB)


def test_a_status_may_say_when_to_come_back():
    fault = otlp.Status(503, "RESOURCE_EXHAUSTED", "full", retry_after_s=7)
    found = [answers([fault], over)[0][0] for over in (HTTP, GRPC)]
    assert [answer.status for answer in found] == [503, "RESOURCE_EXHAUSTED"]
    assert found[0].headers["retry-after"] == "7"
    assert found[1].retry_info_s == 7
    assert [answer.failure().message for answer in found] == ["full", "full"]


@pytest.mark.parametrize("over", [GRPC, HTTP])
def test_bad_data_is_bad_data_whatever_the_fault(over):
    with otlp.Receiver(faults=[otlp.PartialSuccess(1), otlp.Slow(60)]) as receiver:
        for _ in range(2):
            assert send(receiver, None, over, raw=b"\xff").status in (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("options", [{"http": 200}, {"http": 600}, {"grpc": "OK"}, {"grpc": "SOMETHING"}])
def test_a_status_that_is_no_failure_is_refused(options):
    with pytest.raises(otlp.ConfigurationError):
        otlp.Status(**options)


def test_what_is_no_fault_is_refused():
    with pytest.raises(otlp.ConfigurationError, match="expected a fault such as"):
        otlp.Receiver(faults=["reset"])
    with pytest.raises(otlp.ConfigurationError, match="expected faults, or a function"):
        otlp.Receiver(faults=otlp.Reset())
    with pytest.raises(otlp.ConfigurationError, match="rate from 0 to 1"):
        otlp.Faulty([otlp.Reset()], rate=2)


@pytest.mark.parametrize(("over", "status"), [(GRPC, "INTERNAL"), (HTTP, 500)])
def test_a_function_of_faults_that_raises_is_answered_and_logged(over, status, caplog):
    (answer,), kept = answers(lambda _signal, _number: 1 / 0, over)
    assert answer.status == status
    assert "ZeroDivisionError" in answer.failure().message
    assert "the faults raised for request 0" in caplog.text
    assert kept == 0


@pytest.mark.parametrize(("over", "status"), [(GRPC, "INTERNAL"), (HTTP, 500)])
def test_a_fault_of_our_own_is_answered_and_logged(over, status, caplog, monkeypatch):
    monkeypatch.setattr("workbench.otlp.transport._intake.accept", lambda *_, **__: 1 / 0)
    (answer,), _ = answers([], over)
    assert answer.status == status
    assert "ZeroDivisionError" in answer.failure().message
    assert "could not be decoded" in caplog.text


def test_faulty_shows_itself():
    assert (
        repr(otlp.Faulty([otlp.Reset()], rate=0.25, seed=1))
        == "Faulty([Reset(kept=False)], rate=0.25, seed=1)"
    )


@pytest.mark.parametrize(
    ("fault", "options", "message"),
    [
        (otlp.Throttle, {"retry_after_s": -5.0}, "retry_after_s must be from 0"),
        (otlp.Throttle, {"retry_after_s": math.inf}, "retry_after_s must be from 0"),
        (otlp.Throttle, {"retry_after_s": math.nan}, "retry_after_s must be from 0"),
        (otlp.Throttle, {"retry_after_s": 1e30}, "retry_after_s must be from 0"),
        (otlp.Throttle, {"status": 200}, "status must be one of"),
        (otlp.Status, {"retry_after_s": -1}, "retry_after_s must be from 0"),
        (otlp.PartialSuccess, {"rejected": -1}, "rejected must be 0 or more"),
        (otlp.Slow, {"seconds": -1}, "seconds must be 0 or more"),
        (otlp.Slow, {"seconds": math.nan}, "seconds must be 0 or more"),
        (otlp.Oversize, {"size_bytes": -1}, "size_bytes must be from 0"),
        (otlp.GzipBomb, {"inflated_bytes": -1}, "inflated_bytes must be from 0"),
        (otlp.GzipBomb, {"inflated_bytes": 1 << 40}, "inflated_bytes must be from 0"),
    ],
)
def test_a_value_without_a_meaning_is_refused_when_the_fault_is_made(fault, options, message):
    with pytest.raises(otlp.ConfigurationError, match=message):
        fault(**options)


@pytest.mark.parametrize("over", [GRPC, HTTP])
@pytest.mark.parametrize("as_date", [False, True])
def test_the_longest_throttle_can_be_said(over, as_date):
    found, _ = answers([otlp.Throttle(1e9, as_date=as_date)], over)
    assert found[0].status in (429, "UNAVAILABLE")


@pytest.mark.parametrize("over", [GRPC, HTTP])
@pytest.mark.parametrize("seconds", [1e10, math.inf])
def test_an_answer_that_never_comes_comes_when_the_receiver_closes(over, seconds):
    found = []
    with otlp.Receiver(faults=[otlp.Slow(seconds)]) as receiver:
        client = threading.Thread(target=lambda: found.append(send(receiver, spans(), over)))
        client.start()
        receiver.wait_for(1)
    client.join()
    assert found[0].ok
