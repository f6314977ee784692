"""What a server says when it does not accept: bad data, too much, not now."""

import pytest
from conformance import must
from google.rpc.status_pb2 import Status
from peers import DETAILS_KEY, Wrong, spans
from sabotage import altering, altering_failure, answering, refusing, retry_delay, without_header

from workbench import otlp

clause = pytest.mark.clause
GRPC, HTTP = "grpc", "http/protobuf"
NO_LIMIT = Wrong({"max_request_bytes": 1 << 30})
BOUNDED_ON_THE_WIRE = Wrong(NO_LIMIT.options, answer=refusing(413, lambda seen: len(seen.wire) > 2000).answer)
NO_RESPONSE_LIMIT = Wrong({"max_response_bytes": 1 << 30})
RETRYABLE_HTTP = (429, 502, 503, 504)
GARBAGE = b"\xff\xff\xff"


def failing_to_store(peer):
    """Return a server whose disk is full for the moment."""
    server = peer.server()

    def append(_accepted):
        raise OSError(28, "No space left on device")

    server._memory.append = append
    return server


def overloaded(peer):
    """Return a server, and let it work on as many requests as it can."""
    server = peer.server(max_concurrent_requests=1)
    servers = server._close.peek()[1].__self__
    servers.intake.admission.enter()
    return server


@clause("grpc-request-1", over=GRPC, wrong=NO_LIMIT)
@clause("http-request-2", over=HTTP, wrong=BOUNDED_ON_THE_WIRE)
def test_requests_are_bounded_after_decompression(peer):
    server = peer.server(max_request_bytes=2000)
    large = spans(1, name="x" * 50_000)  # some 200 bytes of gzip
    for coding in (None, "gzip"):
        answer = peer.send(server, large, coding=coding)
        must(not answer.ok, f"50 kB with {coding} were taken where 2 kB are the limit")
    must(len(server.traces) == 0, "nothing of it is kept")


TOO_LARGE = Wrong(
    {"max_request_bytes": 1 << 30},
    answer=lambda request, answer: refusing("OUT_OF_RANGE", lambda one: len(one.wire) > 2000).answer(
        request, answer
    ),
)


@clause("grpc-request-2", over=GRPC, wrong=TOO_LARGE)
def test_a_request_over_the_limit_is_resource_exhausted(peer):
    server = peer.server(max_request_bytes=2000)
    for coding in (None, "gzip"):
        answer = peer.send(server, spans(1, name="x" * 50_000), coding=coding)
        must(answer.status == "RESOURCE_EXHAUSTED", f"it was answered {answer.status}")


@clause("http-request-4", over=HTTP, wrong=altering(413, status=400))
def test_a_body_over_the_limit_is_413(peer):
    server = peer.server(max_request_bytes=2000)
    for coding in (None, "gzip", "zstd"):
        answer = peer.send(server, spans(1, name="x" * 50_000), coding=coding)
        must(answer.status == 413, f"it was answered {answer.status}")


@clause("grpc-request-3", over=GRPC, wrong=NO_LIMIT)
@clause("http-request-3", over=HTTP, wrong=NO_LIMIT)
def test_the_limit_of_requests_can_be_set(peer):
    request = spans(1, name="x" * 5000)
    must(peer.send(peer.server(max_request_bytes=6000), request).ok, "5 kB pass a limit of 6000 bytes")
    must(not peer.send(peer.server(max_request_bytes=4000), request).ok, "5 kB pass a limit of 4000 bytes")


LONG = otlp.PartialSuccess(1, "m" * 9000)


@clause("grpc-response-5", over=GRPC, wrong=NO_RESPONSE_LIMIT)
@clause("http-response-9", over=HTTP, wrong=NO_RESPONSE_LIMIT)
def test_responses_are_bounded(peer):
    server = peer.server(max_response_bytes=1000, faults=[LONG, otlp.Status(message="m" * 9000)])
    for _ in ("partial success", "failure"):
        answer = peer.send(server, spans(2))
        size = len(answer.body) + len(answer.details)
        must(size <= 1000, f"{size} bytes were sent where 1000 are the limit")


@clause("grpc-response-6", over=GRPC, wrong=NO_RESPONSE_LIMIT)
@clause("http-response-10", over=HTTP, wrong=NO_RESPONSE_LIMIT)
def test_the_limit_of_responses_can_be_set(peer):
    for limit in (500, 3000):
        answer = peer.send(peer.server(max_response_bytes=limit, faults=[LONG]), spans(2))
        must(limit - 10 <= len(answer.body) <= limit, f"{len(answer.body)} bytes at a limit of {limit}")


@clause("grpc-response-7", over=GRPC, wrong=refusing("RESOURCE_EXHAUSTED"))
@clause("http-response-11", over=HTTP, wrong=refusing(500))
def test_a_long_partial_success_is_shortened_and_says_the_same(peer):
    answer = peer.send(peer.server(max_response_bytes=1000, faults=[LONG]), spans(2))
    must(answer.ok, f"it was answered {answer.status}")
    must(answer.response().partial_success.rejected_spans == 1, "it says another thing")


@clause("grpc-response-8", over=GRPC, wrong=NO_RESPONSE_LIMIT)
def test_a_response_that_cannot_fit_is_resource_exhausted(peer):
    answer = peer.send(peer.server(max_response_bytes=2, faults=[LONG]), spans(2))
    must(answer.status == "RESOURCE_EXHAUSTED", f"it was answered {answer.status}")
    must(answer.retry_info_s is None, "it is said to be retryable")


@clause("http-response-12", over=HTTP, wrong=NO_RESPONSE_LIMIT)
def test_a_response_that_cannot_fit_is_500(peer):
    answer = peer.send(peer.server(max_response_bytes=2, faults=[LONG]), spans(2))
    must(answer.status == 500, f"it was answered {answer.status}")


@clause("grpc-failures-5", over=GRPC, wrong=altering("UNAVAILABLE", status="INTERNAL"))
def test_a_failure_that_a_retry_mends_is_unavailable(peer):
    answer = peer.send(failing_to_store(peer), spans())
    must(answer.status == "UNAVAILABLE", f"it was answered {answer.status}")


@clause("http-failures-4", over=HTTP, wrong=altering(503, status=500))
def test_the_status_tells_whether_a_retry_may_help(peer):
    later = peer.send(failing_to_store(peer), spans())
    must(later.status in RETRYABLE_HTTP, f"a full disk was answered {later.status}")
    never = peer.send(peer.server(), None, raw=GARBAGE)
    must(not never.ok and never.status not in RETRYABLE_HTTP, f"garbage was answered {never.status}")


@clause("http-failures-1", over=HTTP, wrong=answering(status=200))
def test_failures_are_4xx_or_5xx(peer):
    bad = peer.send(peer.server(), None, raw=GARBAGE)
    must(400 <= bad.status < 500, f"garbage was answered {bad.status}")
    full = peer.send(failing_to_store(peer), spans())
    must(500 <= full.status < 600, f"a full disk was answered {full.status}")


def failures(peer):
    """Yield an answer of every kind of failure."""
    server = peer.server(max_request_bytes=2000)
    yield peer.send(server, None, raw=GARBAGE)
    yield peer.send(server, spans(), path="/v1/nothing")
    yield peer.send(server, spans(), method="GET")
    yield peer.send(server, spans(1, name="x" * 5000))
    yield peer.send(server, spans(), headers={"content-type": "text/plain"})
    yield peer.send(server, spans(), headers={"content-encoding": "br"})
    yield peer.send(server, None, raw=b"not gzip", headers={"content-encoding": "gzip"})
    yield peer.send(failing_to_store(peer), spans())
    yield peer.send(overloaded(peer), spans())


EXPECTED = [400, 404, 405, 413, 415, 415, 400, 503, 503]


@clause("http-failures-2", over=HTTP, wrong=answering(body=b"Something went wrong"))
def test_every_failure_carries_a_status_message(peer):
    found = []
    for answer in failures(peer):
        answer.failure()
        found.append(answer.status)
    assert found == EXPECTED


@clause("http-failures-3", over=HTTP, wrong=altering_failure(lambda status: status.ClearField("message")))
def test_every_failure_says_what_went_wrong(peer):
    for answer in failures(peer):
        must(answer.failure().message, f"{answer.status} says nothing")


@clause("http-bad-data-1", over=HTTP, wrong=altering(400, status=422))
def test_what_cannot_be_decoded_is_400(peer):
    server = peer.server()
    for over, raw in (
        (HTTP, GARBAGE),
        ("http/json", b"{"),
        ("http/json", b"[]"),
        ("http/json", b'{"resourceSpans": 1}'),
    ):
        answer = peer.send(server, None, over=over, raw=raw)
        must(answer.status == 400, f"{raw} was answered {answer.status}")


@clause("http-bad-data-2", over=HTTP, wrong=altering_failure(lambda status: status.ClearField("details")))
def test_bad_data_is_described(peer):
    found = peer.send(peer.server(), None, raw=GARBAGE).bad_request
    must(found is not None and found.field_violations[0].description, "there is no BadRequest")


@clause("grpc-throttling-1", over=GRPC, wrong=answering(status="OK"))
def test_a_server_that_cannot_keep_up_says_so(peer):
    must(not peer.send(overloaded(peer), spans()).ok, "it accepts what it has no room for")


@clause("grpc-throttling-3", over=GRPC, wrong=altering("UNAVAILABLE", status="ABORTED"))
def test_overload_is_unavailable(peer):
    answer = peer.send(overloaded(peer), spans())
    must(answer.status == "UNAVAILABLE", f"it was answered {answer.status}")


@clause("grpc-throttling-5", over=GRPC, wrong=altering_failure(retry_delay(86_400)))
def test_overload_asks_for_a_sensible_delay(peer):
    delay = peer.send(overloaded(peer), spans()).retry_info_s
    must(delay is not None and 0.1 <= delay <= 60, f"the delay is {delay} s")


@clause("http-throttling-1", over=HTTP, wrong=altering(503, status=500))
def test_overload_is_429_or_503(peer):
    answer = peer.send(overloaded(peer), spans())
    must(answer.status in (429, 503), f"it was answered {answer.status}")


@clause("versions-3", over=HTTP, wrong=without_header("accept-encoding"))
def test_a_server_names_the_codings_that_may_be_used_instead(peer):
    """Our only extension is zstd; its written mechanism is RFC 9110 section 15.5.16: 415, Accept-Encoding."""
    answer = peer.send(peer.server(), spans(), headers={"content-encoding": "br"})
    named = answer.headers.get("accept-encoding", "")
    must(answer.status == 415 and "gzip" in named and "zstd" in named, f"415 names {named!r}")


def test_the_details_of_grpc_failures_travel_in_the_trailer_that_grpc_reserves(peer_free_server):
    from peers import send

    answer = send(peer_free_server, None, "grpc", raw=GARBAGE)
    assert answer.status == "INVALID_ARGUMENT"
    assert Status.FromString(answer.headers[DETAILS_KEY]).code == 3


@pytest.fixture
def peer_free_server():
    with otlp.Receiver() as server:
        yield server
