"""What a server says when it accepts: all, a part, or all with a warning."""

import pytest
from conformance import must
from peers import TYPES, Wrong, encoded, spans
from sabotage import answering, refusing, saying, with_header, without_header

from workbench import otlp

clause = pytest.mark.clause
GRPC, HTTP = "grpc", "http/protobuf"


def is_gzip(request):
    return request.headers.get("content-encoding") == "gzip"


def is_empty(request):
    return not request.span_ids()


@clause("general-1", wrong=refusing(415, when=is_gzip))
def test_plain_and_gzip_requests_are_taken(peer):
    server = peer.server()
    for over in (HTTP, "http/json", GRPC):
        for coding in (None, "gzip"):
            answer = peer.send(server, spans(20), over=over, coding=coding)
            must(answer.ok, f"{over} with {coding} was answered {answer.status}")
    must(len(server.traces) == 120, "all spans are kept")


@clause("grpc-full-success-1", over=GRPC, wrong=refusing("INVALID_ARGUMENT", when=is_empty))
@clause("http-full-success-1", over=HTTP, wrong=refusing(400, when=is_empty))
def test_an_empty_request_succeeds(peer):
    server = peer.server()
    for raw in (b"", spans(0).SerializeToString()):
        answer = peer.send(server, None, raw=raw)
        must(answer.ok, f"an empty request was answered {answer.status}")


@clause("http-full-success-2", over=HTTP, wrong=answering(status=202))
def test_success_is_200(peer):
    must(peer.send(peer.server(), spans()).status == 200, "success is 200")


NOT_A_RESPONSE = b"\x08\x01\x1a\x02ok"  # fields 1 (a number) and 3: another message


@clause("grpc-full-success-2", over=GRPC, wrong=answering(body=NOT_A_RESPONSE))
@clause("http-full-success-3", over=HTTP, wrong=answering(body=NOT_A_RESPONSE))
@clause("grpc-response-1", over=GRPC, wrong=answering(body=NOT_A_RESPONSE))
@clause("http-response-1", over=HTTP, wrong=answering(body=NOT_A_RESPONSE))
def test_success_carries_the_response_of_the_service(peer):
    answer = peer.send(peer.server(), spans())
    must(answer.ok, "a sound request succeeds")
    answer.response("traces")


@clause(
    "grpc-full-success-3", over=GRPC, wrong=saying(lambda response: response.partial_success.SetInParent())
)
@clause(
    "http-full-success-4", over=HTTP, wrong=saying(lambda response: response.partial_success.SetInParent())
)
def test_full_success_leaves_partial_success_unset(peer):
    response = peer.send(peer.server(), spans()).response()
    must(not response.HasField("partial_success"), "partial_success is set although everything was accepted")


def partly_sound():
    """Two spans, one of them with half a trace id."""
    request = spans(2)
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = b"short"
    return request


@clause("http-partial-success-1", over=HTTP, wrong=answering(status=207))
def test_partial_success_is_200(peer):
    must(peer.send(peer.server(), partly_sound()).status == 200, "partial success is 200")


@clause("grpc-partial-success-1", over=GRPC, wrong=answering(body=NOT_A_RESPONSE))
@clause("http-partial-success-2", over=HTTP, wrong=answering(body=NOT_A_RESPONSE))
def test_partial_success_carries_the_response_of_the_service(peer):
    answer = peer.send(peer.server(), partly_sound())
    must(answer.ok, "a request with one sound record succeeds in part")
    answer.response("traces")


@clause("grpc-partial-success-2", over=GRPC, wrong=saying(lambda response: response.Clear()))
@clause("http-partial-success-3", over=HTTP, wrong=saying(lambda response: response.Clear()))
def test_partial_success_is_set_when_a_record_is_rejected(peer):
    response = peer.send(peer.server(), partly_sound()).response()
    must(response.HasField("partial_success"), "a record was rejected and nothing says so")


def claiming(number):
    def change(response):
        response.partial_success.rejected_spans = number

    return saying(change)


def mute(response):
    response.partial_success.error_message = ""
    response.partial_success.SetInParent()


@clause("grpc-partial-success-3", over=GRPC, wrong=claiming(0))
@clause("http-partial-success-4", over=HTTP, wrong=claiming(0))
def test_partial_success_counts_the_rejected_records(peer):
    server = peer.server()
    partial = peer.send(server, partly_sound()).response().partial_success
    must(partial.rejected_spans == 1, f"1 span was rejected, {partial.rejected_spans} is said")
    assert len(server.traces) == 1


@clause("grpc-partial-success-4", over=GRPC, wrong=saying(mute))
@clause("http-partial-success-5", over=HTTP, wrong=saying(mute))
def test_partial_success_says_why(peer):
    partial = peer.send(peer.server(), partly_sound()).response().partial_success
    must("trace_id" in partial.error_message, f"the reason is not told: {partial.error_message!r}")


@clause("grpc-partial-success-5", over=GRPC, wrong=claiming(3))
@clause("http-partial-success-6", over=HTTP, wrong=claiming(3))
def test_a_warning_rejects_nothing(peer):
    server = peer.server(faults=[otlp.PartialSuccess(0, "old schema")])
    response = peer.send(server, spans(3)).response()
    must(response.partial_success.rejected_spans == 0, "a warning rejects nothing")
    assert len(server.traces) == 3


@clause("grpc-partial-success-6", over=GRPC, wrong=saying(mute))
@clause("http-partial-success-7", over=HTTP, wrong=saying(mute))
def test_a_warning_says_something(peer):
    server = peer.server(faults=[otlp.PartialSuccess(0, "old schema")])
    response = peer.send(server, spans()).response()
    must(response.partial_success.error_message == "old schema", "a warning has a text")


@clause("http-protobuf-1", wrong=with_header("content-type", "application/octet-stream"))
@clause("http-response-2", wrong=without_header("content-type"))
def test_protobuf_is_answered_as_protobuf(peer):
    server = peer.server()
    for message in (spans(), partly_sound()):
        given = peer.send(server, message, over=HTTP).headers.get("content-type")
        must(given == TYPES[HTTP], f"Content-Type is {given}")


@clause("http-json-5", wrong=with_header("content-type", "text/json"))
@clause("http-response-3", wrong=without_header("content-type"))
def test_json_is_answered_as_json(peer):
    server = peer.server()
    for message in (spans(), partly_sound()):
        given = peer.send(server, message, over="http/json").headers.get("content-type")
        must(given == TYPES["http/json"], f"Content-Type is {given}")


@clause("http-response-4", wrong=with_header("content-type", TYPES["http/json"]))
def test_the_answer_has_the_type_of_the_question(peer):
    server = peer.server(faults=[None, None, otlp.Throttle(), otlp.Throttle()])
    for _ in ("success", "failure"):
        for over in (HTTP, "http/json"):
            given = peer.send(server, spans(), over=over).headers.get("content-type")
            must(given == TYPES[over], f"{over} was answered as {given}")


def without_json(request):
    return request.headers.get("content-type") == TYPES["http/json"]


@clause("http-connection-3", wrong=refusing(415, when=without_json))
def test_one_port_takes_protobuf_and_json(peer):
    server = peer.server()
    for over in (HTTP, "http/json"):
        must(peer.send(server, spans(), over=over).ok, f"{over} is not taken")
    assert len(server.traces) == 2


UNKNOWN = b'{"futureField": {"a": [1]}, "resourceSpans": [{"novelty": 1, "scopeSpans": [{"spans": [%s]}]}]}'
SPAN = b'{"name": "a", "surprise": {"x": null}, "kind": 2}'


@clause("http-json-3", wrong=refusing(400, when=lambda request: b"futureField" in request.wire))
def test_unknown_json_fields_are_no_error(peer):
    answer = peer.send(peer.server(), None, over="http/json", raw=UNKNOWN % SPAN)
    must(answer.ok, f"unknown fields were answered {answer.status}")


@clause("http-json-4", wrong=Wrong(body=lambda body: b"{}" if b"futureField" in body else body))
def test_what_stands_beside_unknown_json_fields_is_read(peer):
    odd, plain = peer.server(), peer.server()
    peer.send(odd, None, over="http/json", raw=UNKNOWN % SPAN)
    peer.send(
        plain,
        None,
        over="http/json",
        raw=b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "a", "kind": 2}]}]}]}',
    )
    must(odd.traces == plain.traces, "unknown fields changed what was read")


NEWER = b"\xfa\x3f\x03new"  # field 1023, which no version has yet


@clause(
    "versions-1", over=GRPC, wrong=refusing("INVALID_ARGUMENT", when=lambda request: NEWER in request.wire)
)
def test_requests_of_a_newer_version_are_taken(peer):
    server = peer.server()
    for over in (GRPC, HTTP):
        answer = peer.send(server, None, over=over, raw=encoded(spans(2), over) + NEWER)
        must(answer.ok, f"a newer request over {over} was answered {answer.status}")
    must(len(server.traces) == 4, "what is known of a newer request is kept")
