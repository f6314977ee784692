"""How much a client sends, reads, and has under way; and what it says of what it could not send."""

import gzip
import threading
import time

import pytest
from conformance import must
from peers import Gate, spans
from sabotage import always_retrying, client, forgetting_drops, forgetting_errors, header, outcome

from workbench import otlp
from workbench.otlp.transport._compression import OverLimitError

clause = pytest.mark.clause
GRPC, HTTP = "grpc", "http/protobuf"
MIB = 1 << 20


def settle(exporter, *telemetry):
    for one in telemetry:
        exporter.export(one)
    assert exporter.flush(10)
    return exporter.stats


def sizes(peer, request, limit_bytes):
    """Return the sizes before compression of the requests that carry this one."""
    observer = peer.observer()
    settle(peer.exporter(observer, max_batch_bytes=limit_bytes, compression="gzip"), request)
    return [len(seen.body) for seen in observer.requests]


@clause("grpc-request-4", over=GRPC, wrong={"max_batch_bytes": 64 * MIB})
@clause("http-request-5", over=HTTP, wrong={"max_batch_bytes": 64 * MIB})
def test_requests_are_bounded_before_compression(peer):
    found = sizes(peer, spans(100, name="x" * 100), 2000)
    must(max(found) <= 2000, f"a request has {max(found)} bytes where 2000 are the limit")
    assert len(found) > 5


@clause("grpc-request-5", over=GRPC, wrong={"max_batch_bytes": 500})
@clause("http-request-6", over=HTTP, wrong={"max_batch_bytes": 500})
def test_the_limit_of_requests_can_be_set(peer):
    small, large = (sizes(peer, spans(60, name="x" * 100), limit) for limit in (1000, 4000))
    must(max(large) > 1000 >= max(small), f"limits of 1000 and 4000 gave up to {max(small)} and {max(large)}")


def unlimited(exporter):
    exporter._shared.request_bytes = 1 << 40


@clause("grpc-request-6", over=GRPC, wrong=unlimited)
@clause("http-request-7", over=HTTP, wrong=unlimited)
def test_a_request_over_the_limit_is_not_sent(peer):
    observer = peer.observer()
    settle(peer.exporter(observer, max_batch_bytes=1000), spans(1, name="x" * 3000))
    must(not observer.requests, "it was sent")


@clause("grpc-request-7", over=GRPC, wrong=forgetting_drops)
@clause("http-request-8", over=HTTP, wrong=forgetting_drops)
def test_a_request_over_the_limit_is_recorded(peer):
    stats = settle(peer.exporter(peer.observer(), max_batch_bytes=1000), spans(1, name="x" * 3000))
    must(dict(stats.dropped) == {"too_large": 1}, f"recorded: {dict(stats.dropped)}")


def counting_the_wire(inner):
    """A client that bounds what comes, and not what it inflates to."""

    def read(response):
        raw = b"".join(response.iter_raw())
        if len(raw) > inner._limit:
            raise OverLimitError
        return gzip.decompress(raw) if "content-encoding" in response.headers else raw

    inner._read = read
    return inner


@clause("grpc-response-2", over=GRPC, wrong={"max_response_bytes": 1 << 30})
@clause("http-response-5", over=HTTP, wrong=client(counting_the_wire))
def test_responses_are_bounded_after_decompression(peer):
    for fault in (otlp.Oversize(5 * MIB), otlp.GzipBomb(8 * MIB)):
        stats = settle(peer.exporter(peer.observer(fault)), spans())
        must(stats.sent == 0, f"a response over 4 MiB was read: {fault}")


@clause("grpc-response-3", over=GRPC, wrong={"max_response_bytes": 4 * MIB})
@clause("http-response-6", over=HTTP, wrong={"max_response_bytes": 4 * MIB})
def test_the_limit_of_responses_can_be_set(peer):
    warning = otlp.PartialSuccess(0, "w" * 2000)
    for limit, sent in ((4000, 1), (1000, 0)):
        stats = settle(peer.exporter(peer.observer(warning), max_response_bytes=limit), spans())
        must(stats.sent == sent, f"2 kB at a limit of {limit}: {stats}")


def retrying_large_responses(found):
    return found if found.delivered else always_retrying(found)


@clause("grpc-response-4", over=GRPC, wrong=outcome(retrying_large_responses))
@clause("http-response-7", over=HTTP, wrong=outcome(retrying_large_responses))
def test_a_response_over_the_limit_is_no_reason_to_retry(peer):
    observer = peer.observer(otlp.Oversize())
    settle(peer.exporter(observer), spans())
    must(len(observer.requests) == 1, "the request was sent again")


@clause("http-response-8", over=HTTP, wrong=forgetting_errors)
def test_a_discarded_response_is_recorded(peer):
    stats = settle(peer.exporter(peer.observer(otlp.Oversize())), spans())
    must(stats.errors.get("response_too_large") == 1, f"recorded: {dict(stats.errors)}")


@clause("http-request-1", over=HTTP, wrong=header("content-encoding", None))
def test_gzip_is_announced(peer):
    observer = peer.observer()
    settle(peer.exporter(observer, compression="gzip"), spans(50))
    seen = observer.requests[0]
    assert gzip.decompress(seen.wire)
    must(seen.headers.get("content-encoding") == "gzip", "the body is gzip, and no header says so")


def most_at_once(peer, configured, wanted):
    """Return how many requests were inside a server that holds them until so many are."""
    gate = Gate(wanted)
    observer = peer.observer(gate=gate)
    exporter = peer.exporter(observer, max_concurrent_requests=configured, max_batch_records=1)
    settle(exporter, spans(6))
    return gate.most


@clause("grpc-concurrent-1", over=GRPC, wrong={"max_concurrent_requests": 1})
def test_calls_are_concurrent_where_asked(peer):
    most = most_at_once(peer, 4, 4)
    must(most == 4, f"{most} calls at once where 4 were asked for")


@clause("grpc-concurrent-2", over=GRPC, wrong={"max_concurrent_requests": 1})
def test_requests_are_sent_while_earlier_ones_are_unanswered(peer):
    most = most_at_once(peer, 2, 2)
    must(most == 2, "the second request waited for the first answer")


@clause("grpc-concurrent-3", over=GRPC, wrong={"max_concurrent_requests": 3})
@clause("http-concurrent-1", over=HTTP, wrong={"max_concurrent_requests": 3})
def test_the_number_of_requests_at_once_can_be_set(peer):
    found = [most_at_once(peer, number, number + 1) for number in (1, 2)]
    must(found == [1, 2], f"1 and 2 were asked for, {found} came")


def never_waiting(exporter):
    shutdown = exporter.shutdown
    exporter.shutdown = lambda _deadline_s=0.0: shutdown(0.0)


@clause("grpc-concurrent-4", over=GRPC, wrong=never_waiting)
def test_a_shutdown_waits_for_acknowledgements_if_asked(peer):
    patient = peer.exporter(peer.observer(otlp.Slow(0.1)))
    patient.export(spans())
    must(patient.shutdown(5.0) and patient.stats.sent == 1, f"it did not wait: {patient.stats}")
    hasty = peer.exporter(peer.observer(otlp.Slow(5.0)))
    hasty.export(spans())
    before = time.monotonic()
    hasty.shutdown(0.0)
    must(time.monotonic() - before < 2.0, "it waited although it was not asked to")


@clause("grpc-concurrent-5", over=GRPC, wrong=forgetting_drops)
def test_what_could_not_be_delivered_in_time_is_recorded(peer):
    observer = peer.observer(otlp.Slow(5.0))
    exporter = peer.exporter(observer, timeout_s=0.1, retry=otlp.RetryPolicy(max_elapsed_s=0))
    stats = settle(exporter, spans(4))
    must(dict(stats.dropped) == {"retries_exhausted": 4}, f"recorded: {dict(stats.dropped)}")
    assert dict(stats.errors) == {"grpc_DEADLINE_EXCEEDED": 1}


def test_no_thread_is_left_behind():
    with otlp.Receiver() as receiver, otlp.Exporter(receiver.http_endpoint) as exporter:
        exporter.export(spans())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("otlp-")]
