"""When a client tries again, how long it waits, and what it never sends twice."""

from dataclasses import replace
from itertools import pairwise

import pytest
from conformance import must
from peers import logs, spans
from sabotage import (
    Wrapped,
    always_retrying,
    client,
    forgetting_drops,
    forgetting_errors,
    impatient,
    never_retrying,
    outcome,
)

from workbench import otlp

clause = pytest.mark.clause
GRPC, HTTP = "grpc", "http/protobuf"
CONSTANT = {"retry": otlp.RetryPolicy(multiplier=1, jitter=0)}
RETRYABLE_CODES = {"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"}
FINAL_CODES = {
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "UNIMPLEMENTED",
    "INTERNAL",
}
RETRYABLE_STATUSES = {429, 502, 503, 504}
FINAL_STATUSES = {400, 401, 403, 404, 405, 408, 413, 415, 422, 500, 501, 505, 511}
FINAL = otlp.Status(400, "INVALID_ARGUMENT")
LATER = otlp.Status(503, "UNAVAILABLE")


def settle(exporter, *telemetry):
    """Export, one request each, and wait until it is known what became of it."""
    for one in telemetry:
        exporter.export(one)
        assert exporter.flush(10)
    return exporter.stats


def attempts(peer, fault, **options):
    """Return how often a request is sent to a server that answers this first and well after."""
    observer = peer.observer(fault)
    settle(peer.exporter(observer, **options), spans())
    return len(observer.requests)


def retrying_partial_success(found):
    return always_retrying(found) if found.rejected else found


@clause("grpc-partial-success-7", over=GRPC, wrong=outcome(retrying_partial_success))
@clause("http-partial-success-8", over=HTTP, wrong=outcome(retrying_partial_success))
def test_partial_success_is_not_retried(peer):
    must(attempts(peer, otlp.PartialSuccess(1)) == 1, "a partial success was sent again")


def retrying_failures(found):
    return found if found.delivered else always_retrying(found)


@clause("grpc-failures-2", over=GRPC, wrong=outcome(retrying_failures))
@clause("http-bad-data-3", over=HTTP, wrong=outcome(retrying_failures))
def test_bad_data_is_not_sent_again(peer):
    must(attempts(peer, FINAL) == 1, "bad data was sent again")


class Hoarding(Wrapped):
    """A client that sends what was refused again with whatever comes next."""

    kept = b""

    def send(self, body):
        found = self.inner.send(self.kept + body)
        self.kept = b"" if found.delivered else body
        return found


@clause("grpc-failures-3", over=GRPC, wrong=client(Hoarding))
def test_data_of_a_final_error_is_dropped(peer):
    observer = peer.observer(FINAL)
    stats = settle(peer.exporter(observer), spans(1, first=0), spans(1, first=1))
    sent = [number for seen in observer.requests for number in seen.span_ids()]
    must(sent == [1, 2], f"the spans on the wire were {sent}")
    assert stats.pending == 0


@clause("grpc-failures-4", over=GRPC, wrong=forgetting_drops)
def test_dropped_data_is_counted(peer):
    stats = settle(peer.exporter(peer.observer(FINAL)), spans(3))
    must(dict(stats.dropped) == {"grpc_INVALID_ARGUMENT": 3}, f"counted as dropped: {dict(stats.dropped)}")


@clause("grpc-failures-1", over=GRPC, wrong=forgetting_errors)
def test_a_retryable_error_is_recorded(peer):
    stats = settle(peer.exporter(peer.observer(LATER)), spans())
    must(stats.errors.get("grpc_UNAVAILABLE") == 1, f"recorded: {dict(stats.errors)}")
    assert (stats.sent, stats.retried) == (1, 1)


def retrying_unknown(found):
    return replace(found, retryable=found.retryable or found.reason == "grpc_UNKNOWN")


@clause("grpc-failures-6", over=GRPC, wrong=outcome(retrying_unknown))
def test_grpc_codes_are_read_as_the_table_does(peer):
    for code in sorted(RETRYABLE_CODES | FINAL_CODES):
        wanted = 2 if code in RETRYABLE_CODES else 1
        found = attempts(peer, otlp.Status(grpc=code))
        must(found == wanted, f"{code} was sent {found} times")


def refusing_exhaustion(found):
    return replace(found, retryable=found.retryable and found.reason != "grpc_RESOURCE_EXHAUSTED")


@clause("grpc-failures-8", over=GRPC, wrong=outcome(refusing_exhaustion))
def test_resource_exhausted_with_retry_info_is_retried(peer):
    found = attempts(peer, otlp.Status(grpc="RESOURCE_EXHAUSTED", retry_after_s=2.0))
    must(found == 2, f"it was sent {found} times")
    must(2.0 in peer.clock.waits, f"it waited {peer.clock.waits}")


@clause("grpc-failures-9", over=GRPC, wrong=outcome(retrying_failures))
def test_resource_exhausted_without_retry_info_is_final(peer):
    must(attempts(peer, otlp.Status(grpc="RESOURCE_EXHAUSTED")) == 1, "it was sent again")


def waits_after(peer, *faults, **options):
    """Return the waits of a client that meets these faults, one after the other."""
    settle(peer.exporter(peer.observer(*faults), **options), spans())
    return [wait for wait in peer.clock.waits if wait > 0]


def grows(waits, factor):
    return all(later == pytest.approx(factor * before) for before, later in pairwise(waits))


@clause("grpc-failures-7", over=GRPC, wrong=CONSTANT)
@clause("http-throttling-3", over=HTTP, wrong=CONSTANT)
def test_back_off_is_exponential(peer):
    waits = waits_after(peer, *[LATER] * 5)
    must(len(waits) == 5 and grows(waits, 1.5), f"the waits were {waits}")


@clause("http-other-1", over=HTTP, wrong=outcome(never_retrying))
def test_a_disconnection_without_an_answer_is_retried(peer):
    must(attempts(peer, otlp.Reset()) == 2, "it was not sent again")


@clause("http-other-2", over=HTTP, wrong=CONSTANT)
def test_back_off_after_disconnections_is_exponential(peer):
    waits = waits_after(peer, *[otlp.Reset()] * 4)
    must(len(waits) == 4 and grows(waits, 1.5), f"the waits were {waits}")


def two_signals_at_once(peer, delay_s):
    """Return the times at which requests came, when the first is throttled and others are waiting."""
    observer = peer.observer(otlp.Throttle(delay_s))
    exporter = peer.exporter(observer)
    exporter.export(spans())
    exporter.export(logs())
    assert exporter.flush(10)
    return [seen.at_s for seen in observer.requests]


@clause("grpc-throttling-2", over=GRPC, wrong=impatient)
def test_a_throttled_client_sends_nothing_until_it_may(peer):
    times = two_signals_at_once(peer, 20.0)
    must(len(times) == 3, f"{len(times)} requests came")
    must(all(at >= 20.0 for at in times[1:]), f"requests came at {times} s")


def not_listening(found):
    return replace(found, retry_after_s=None)


@clause("grpc-throttling-4", over=GRPC, wrong=outcome(not_listening))
def test_retry_info_is_followed_and_back_off_grows_beyond_it(peer):
    waits = waits_after(peer, *[otlp.Throttle(2.0)] * 4)
    must(all(wait >= 2.0 for wait in waits), f"the waits were {waits}")
    must(waits[-1] > waits[0], f"the waits did not grow: {waits}")


@clause("http-throttling-2", over=HTTP, wrong=outcome(not_listening))
def test_retry_after_is_followed_as_seconds_and_as_a_date(peer):
    for fault in (otlp.Throttle(20), otlp.Throttle(20, status=503)):
        waits = waits_after(peer, fault)
        must(waits[-1] == 20.0, f"the wait was {waits}")
    waits = waits_after(peer, otlp.Throttle(20, as_date=True))
    must(18.0 <= waits[-1] <= 20.0, f"the wait was {waits}")


@clause("http-retryable-1", over=HTTP, wrong=outcome(never_retrying))
def test_429_502_503_and_504_are_retried(peer):
    for status in sorted(RETRYABLE_STATUSES):
        must(attempts(peer, otlp.Status(status)) == 2, f"{status} was not retried")


def retrying_server_errors(found):
    return replace(found, retryable=found.retryable or found.reason.startswith("http_5"))


@clause("http-retryable-2", over=HTTP, wrong=outcome(retrying_server_errors))
def test_no_other_status_is_retried(peer):
    for status in sorted(FINAL_STATUSES):
        must(attempts(peer, otlp.Status(status)) == 1, f"{status} was retried")


@clause("http-failures-5", over=HTTP, wrong=outcome(retrying_failures))
def test_the_status_decides_whether_a_request_is_sent_again(peer):
    must(attempts(peer, otlp.Status(503)) == 2, "503 was taken as final")
    must(attempts(peer, otlp.Status(501)) == 1, "501 was taken as temporary")


@clause("http-connection-1", over=HTTP, wrong=outcome(never_retrying))
def test_connecting_is_tried_again_with_growing_jittered_waits(peer):
    with otlp.Receiver() as gone:
        nobody = gone.http_endpoint
    stats = settle(peer.exporter(nobody, retry=otlp.RetryPolicy(jitter=0.2, max_elapsed_s=60)), spans())
    waits = [wait for wait in peer.clock.waits if wait > 0]
    must(stats.retried >= 5, f"it was retried {stats.retried} times")
    must(waits[4] > 2 * waits[0], f"the waits did not grow: {waits}")
    exact = [1.5**number for number in range(5)]
    must(waits[:5] != pytest.approx(exact), f"the waits have no jitter: {waits}")
    assert dict(stats.dropped) == {"retries_exhausted": 1}
