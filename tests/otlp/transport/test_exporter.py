"""An exporter batches, bounds, retries, and accounts for every record."""

import logging
import math
import random
import threading
import time
from dataclasses import replace

import pytest
from conformance import WRONG, Run
from hypothesis import given, settings
from hypothesis import strategies as st
from peers import SERVICES, Gate, Observer, Peer, VirtualClock, Wrong, logs, metrics, spans

from workbench import otlp
from workbench.otlp.transport import exporter as exporting
from workbench.otlp.transport._clock import SystemClock

PROTOCOLS = ["http/protobuf", "http/json", "grpc"]
QUICK = otlp.RetryPolicy(initial_s=0.001, max_s=0.01, max_elapsed_s=5)


def observed(*faults, gate=None):
    return Observer(VirtualClock(), gate, faults=faults)


def balance(stats):
    return stats.sent + stats.rejected + sum(stats.dropped.values()) + stats.pending


@pytest.fixture
def observer():
    observer = observed()
    yield observer
    observer.close()


def exporter(observer, **options):
    return otlp.Exporter(observer.http_endpoint, **({"protocol": "http/protobuf", "retry": QUICK} | options))


FAULTS = st.one_of(
    st.none(),
    st.sampled_from(
        [
            otlp.Throttle(0.001),
            otlp.Throttle(0.0, 503, as_date=True),
            otlp.PartialSuccess(1),
            otlp.PartialSuccess(0, "careful"),
            otlp.Reset(),
            otlp.Reset(kept=True),
            otlp.Status(500, "INTERNAL"),
            otlp.Status(400, "INVALID_ARGUMENT"),
            otlp.Status(502, "ABORTED"),
        ]
    ),
)


@settings(max_examples=15)
@given(
    protocol=st.sampled_from(PROTOCOLS),
    faults=st.lists(FAULTS, max_size=12),
    numbers=st.lists(st.integers(0, 12), max_size=6),
    concurrent=st.integers(1, 3),
)
def test_every_record_is_accounted_for_whatever_the_server_does(protocol, faults, numbers, concurrent):
    """given = sent + rejected + dropped; what is acknowledged was kept, what was kept was sent."""
    with otlp.Receiver(faults=faults) as receiver:
        endpoint = receiver.grpc_endpoint if protocol == "grpc" else receiver.http_endpoint
        with otlp.Exporter(
            endpoint,
            protocol=protocol,
            retry=QUICK,
            schedule_delay_s=0,
            max_batch_records=5,
            max_concurrent_requests=concurrent,
        ) as exporter:
            first = 0
            for number in numbers:
                exporter.export(spans(number, first=first))
                first += number
            assert exporter.flush(20)
        stats = exporter.stats
        kept = [int.from_bytes(one, "big") for one in receiver.traces.spans["span_id"].to_pylist()]
    assert stats.given == sum(numbers) == balance(stats)
    assert stats.pending == 0
    assert stats.sent <= len(set(kept)) <= sum(numbers)
    assert set(kept) <= set(range(1, sum(numbers) + 1))


def test_small_pieces_become_one_request(observer):
    with exporter(observer, schedule_delay_s=60) as one:
        for number in range(10):
            one.export(spans(1, first=number))
        assert one.flush(5)
    (seen,) = observer.requests
    assert seen.span_ids() == list(range(1, 11))


def test_a_full_batch_does_not_wait(observer):
    with exporter(observer, schedule_delay_s=60, max_batch_records=3) as one:
        one.export(spans(3))
        observer.receiver.wait_for(3)
        assert one.export(spans(2)) == 2
        assert [len(seen.span_ids()) for seen in observer.requests] == [3]


def test_a_batch_is_full_by_bytes_as_well(observer):
    with exporter(observer, schedule_delay_s=60, max_batch_bytes=1000) as one:
        for number in range(4):
            one.export(spans(1, first=number, name="x" * 600))
        assert one.flush(5)
    assert [len(seen.span_ids()) for seen in observer.requests] == [1, 1, 1, 1]


def test_the_oldest_record_waits_for_the_schedule_delay_at_most(observer):
    with exporter(observer, schedule_delay_s=0.02) as one:
        one.export(spans(1))
        observer.receiver.wait_for(1)
        assert [seen.span_ids() for seen in observer.requests] == [[1]]


def test_signals_have_requests_of_their_own(observer):
    with exporter(observer, schedule_delay_s=60) as one:
        for request in (spans(2), logs(2), metrics(2), spans(1, first=2)):
            one.export(request)
        assert one.flush(5)
    assert sorted(seen.signal for seen in observer.requests) == ["logs", "metrics", "traces"]
    assert len(observer.receiver.traces) == 3


def test_profiles_are_not_joined(observer):
    request = SERVICES["profiles"].request()
    request.resource_profiles.add().scope_profiles.add().profiles.add()
    request.dictionary.string_table.append("")
    with exporter(observer, schedule_delay_s=60) as one:
        one.export(request)
        one.export(request)
        assert one.flush(5)
    assert [seen.message for seen in observer.requests] == [request, request]


def test_a_full_queue_drops_and_says_so_once(observer, caplog):
    with exporter(observer, schedule_delay_s=60, max_queue=10) as one:
        assert one.export(spans(8)) == 8
        with caplog.at_level(logging.WARNING):
            assert one.export(spans(5)) == 0
            assert one.export(spans(5)) == 0
        assert dict(one.stats.dropped) == {"queue_full": 10}
        assert len([record for record in caplog.records if "queue_full" in record.message]) == 1
        assert one.export(spans(2)) == 2


def test_a_queue_is_bounded_by_bytes_as_well(observer):
    with exporter(observer, schedule_delay_s=60, max_queue_bytes=1000) as one:
        one.export(spans(1, name="x" * 700))
        assert one.export(spans(1, name="x" * 700)) == 0


def test_a_full_queue_may_be_waited_for():
    gate = Gate(99, patience_s=0.05)
    observer = observed(gate=gate)
    with exporter(observer, schedule_delay_s=0, max_queue=2, max_batch_records=2, when_full="wait") as one:
        assert one.export(spans(20)) == 20
        assert one.flush(10)
        assert one.stats.sent == 20
    observer.close()


def test_a_flush_that_takes_too_long_says_so():
    observer = observed(otlp.Slow(5))
    with exporter(observer, schedule_delay_s=0) as one:
        one.export(spans(1))
        assert not one.flush(0.05)
        assert one.stats.pending == 1
        one.shutdown(0)
    observer.close()


def test_a_shutdown_past_its_deadline_counts_what_is_left():
    observer = observed(*[otlp.Throttle(60)] * 9)
    one = exporter(observer, schedule_delay_s=0, retry=otlp.RetryPolicy())
    one.export(spans(3))
    one.export(logs(4))
    before = time.monotonic()
    assert not one.shutdown(0.1)
    assert time.monotonic() - before < 3
    assert dict(one.stats.dropped) == {"shutdown": 7}
    assert one.stats.pending == 0
    observer.close()


def interrupt(*_arguments):
    raise KeyboardInterrupt


def test_an_interrupted_wait_for_room_leaves_nothing_uncounted(monkeypatch):
    observer = observed(*[otlp.Throttle(60)] * 9)
    policy = otlp.RetryPolicy(max_elapsed_s=1e9)
    one = exporter(observer, schedule_delay_s=3600, max_queue=2, when_full="wait", retry=policy)
    assert one.export(spans(2)) == 2
    with monkeypatch.context() as patch:
        patch.setattr(one._shared.changed, "wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            one.export(spans(2))
    assert one.stats.given == balance(one.stats) == 2
    one.shutdown(0)
    observer.close()


def test_an_interrupted_shutdown_has_ended_all_the_same(monkeypatch):
    observer = observed(*[otlp.Throttle(60)] * 9)
    one = exporter(observer, schedule_delay_s=0, retry=otlp.RetryPolicy())
    one.export(spans(3))
    with monkeypatch.context() as patch:
        patch.setattr(exporting, "_wait_until_settled", interrupt)
        with pytest.raises(KeyboardInterrupt):
            one.shutdown()
    assert dict(one.stats.dropped) == {"shutdown": 3}
    one._senders[0].join(10)
    assert not one._senders[0].is_alive()
    observer.close()


def test_whoever_waits_for_ever_waits_until_it_is_there(observer):
    with exporter(observer, schedule_delay_s=math.inf, max_batch_records=3) as one:
        one.export(spans(1))
        assert one.flush(math.inf)
        one.export(spans(3))
        observer.receiver.wait_for(4, math.inf)
        assert one.shutdown(math.inf)
    assert one.stats.sent == 4


def test_a_deadline_that_is_no_number_is_refused(observer):
    with exporter(observer) as one:
        for wait in (one.flush, one.shutdown):
            with pytest.raises(otlp.ConfigurationError, match="deadline_s must be a number of seconds"):
                wait(math.nan)
        one.export(spans(1))
    assert one.stats.sent == 1
    with pytest.raises(otlp.ConfigurationError, match="timeout_s must be a number of seconds"):
        observer.receiver.wait_for(2, math.nan)


def test_after_a_shutdown_nothing_is_taken(observer):
    one = exporter(observer)
    assert one.shutdown()
    assert one.shutdown()
    with pytest.raises(otlp.ExporterClosedError, match="make another"):
        one.export(spans(1))
    assert repr(one).endswith("shut down")


def test_leaving_the_block_sends_what_waits(observer):
    with exporter(observer, schedule_delay_s=60) as one:
        one.export(spans(2))
    assert one.stats.sent == 2


def test_an_exporter_that_is_forgotten_sends_what_waits(observer):
    exporter(observer, schedule_delay_s=60).export(spans(2))
    observer.receiver.wait_for(2)
    assert [seen.span_ids() for seen in observer.requests] == [[1, 2]]


def test_retries_end():
    observer = observed(*[otlp.Status(503)] * 99)
    clock = VirtualClock()
    retry = otlp.RetryPolicy(initial_s=1, multiplier=2, jitter=0, max_s=60, max_elapsed_s=20)
    with exporter(observer, clock=clock, retry=retry) as one:
        one.export(spans(2))
        assert one.flush(10)
    assert dict(one.stats.dropped) == {"retries_exhausted": 2}
    assert one.stats.retried == 4  # after 1, 3, 7 and 15 s; the next would be at 31 s
    observer.close()


def test_a_delay_beyond_the_end_of_retries_is_not_waited_for():
    observer = observed(otlp.Throttle(3600))
    clock = VirtualClock()
    with exporter(observer, clock=clock, retry=otlp.RetryPolicy(max_elapsed_s=300)) as one:
        one.export(spans(1))
        assert one.flush(10)
    assert dict(one.stats.dropped) == {"retries_exhausted": 1}
    assert clock.at_s < 1
    observer.close()


def test_a_record_too_large_as_json_is_not_sent_and_its_neighbours_are(observer):
    """A record may be within the bytes as protobuf, and over them as JSON."""
    large = spans(1, name="\x01" * 600)  # six bytes each in JSON
    with exporter(observer, protocol="http/json", schedule_delay_s=0.05, max_batch_bytes=1500) as one:
        one.export(large)
        one.export(spans(3, first=1))
        assert one.flush(5)
    assert dict(one.stats.dropped) == {"too_large": 1}
    assert one.stats.sent == 3
    assert all(len(seen.body) <= 1500 for seen in observer.requests)


def test_what_servers_say_is_kept_and_logged(caplog):
    observer = observed(otlp.PartialSuccess(2, "old schema"), otlp.PartialSuccess(0, "slow down"))
    with exporter(observer, schedule_delay_s=0) as one:
        for number in range(2):
            one.export(spans(5, first=number))
            assert one.flush(5)
    assert (one.stats.sent, one.stats.rejected) == (8, 2)
    assert one.stats.messages == ("old schema", "slow down")
    assert "the server rejected 2 records and says: old schema" in caplog.text
    assert "the server accepted all records and warns: slow down" in caplog.text
    observer.close()


@pytest.mark.parametrize("over", ["http/protobuf", "grpc"])
def test_an_acknowledgement_that_cannot_be_read_is_nothing_the_server_said(caplog, over):
    unreadable = Wrong(answer=lambda _request, answer: replace(answer, body=b"\xff"))
    with Peer(Run("", WRONG, over, unreadable)) as peer:
        server = peer.server()
        endpoint = server.grpc_endpoint if over == "grpc" else server.http_endpoint
        with otlp.Exporter(endpoint, protocol=over) as one:
            for number in range(2):
                one.export(spans(5, first=number))
                assert one.flush(5)
    assert (one.stats.sent, one.stats.messages) == (10, ())
    assert dict(one.stats.errors) == {"unreadable_acknowledgement": 2}
    assert caplog.text.count("the acknowledgement cannot be read") == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_every_protocol_and_compression_delivers(observer, protocol, compression):
    if (protocol, compression) == ("grpc", "zstd"):
        with pytest.raises(otlp.ConfigurationError, match="no zstd"):
            otlp.Exporter(observer.grpc_endpoint, protocol=protocol, compression=compression)
        return
    endpoint = observer.grpc_endpoint if protocol == "grpc" else observer.http_endpoint
    with otlp.Exporter(endpoint, protocol=protocol, compression=compression, headers={"X-Key": "k"}) as one:
        one.export(spans(20))
        assert one.flush(5)
    assert one.stats.sent == 20
    (seen,) = observer.requests
    assert seen.headers["x-key"] == "k"
    assert seen.headers["user-agent"].startswith("OTel-OTLP-Exporter-Python/")


def test_bytes_that_are_no_request_are_refused_at_once(observer):
    with exporter(observer) as one, pytest.raises(otlp.MalformedError):
        one.export(b"\xff\xff", signal="traces")
    assert one.stats.given == 0


def test_threads_may_share_an_exporter(observer):
    with exporter(observer, schedule_delay_s=0.001, max_concurrent_requests=3) as one:

        def work(number):
            for at in range(20):
                one.export(spans(2, first=1000 * number + 2 * at))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert one.flush(20)
    seen = [number for request in observer.requests for number in request.span_ids()]
    assert len(seen) == len(set(seen)) == one.stats.sent == 240


def test_what_goes_wrong_inside_is_counted_and_does_not_end_the_exporter(observer, monkeypatch, caplog):
    def broken(*_):
        raise ZeroDivisionError

    with exporter(observer, schedule_delay_s=0) as one:
        with monkeypatch.context() as patch:
            patch.setattr("workbench.otlp.transport._sender.to_encoding", broken)
            one.export(spans(2))
            assert one.flush(5)
        one.export(spans(3))
        assert one.flush(5)
    assert dict(one.stats.dropped) == {"internal": 2}
    assert one.stats.sent == 3
    assert "ZeroDivisionError" in caplog.text


def test_jitter_comes_from_the_generator_that_was_given():
    def waits(seed):
        observer = observed(*[otlp.Status(503)] * 4)
        clock = VirtualClock()
        with exporter(observer, clock=clock, rng=random.Random(seed), retry=otlp.RetryPolicy()) as one:
            one.export(spans(1))
            assert one.flush(10)
        observer.close()
        return clock.waits

    assert waits(1) == waits(1) != waits(2)


def test_stats_show_themselves(observer):
    with exporter(observer) as one:
        one.export(spans(1500))
        one.flush(5)
    assert repr(one.stats) == (
        "ExportStats: 1,500 given, 1,500 sent, 0 rejected, 0 dropped, 0 pending, 0 requests retried"
    )
    assert "<td" in one._repr_html_()
    assert repr(one).startswith(
        f"Exporter: http/protobuf to {observer.http_endpoint}/v1/traces, ExportStats:"
    )


def test_several_destinations_are_flushed_and_shut_down_together(observer):
    other = observed(otlp.Status(400))
    with otlp.FanOut(exporter(observer), exporter(other)) as both:
        assert both.export(spans(3)) == (3, 3)
        assert both.flush(5)
        assert [stats.sent for stats in both.stats] == [3, 0]
        assert repr(both).startswith("FanOut: [Exporter: ")
    with pytest.raises(otlp.ConfigurationError):
        otlp.FanOut()
    other.close()


def test_where_one_destination_is_closed_the_others_are_given_nothing(observer):
    """A caller that tries again would send twice."""
    closed = exporter(observer)
    closed.shutdown()
    with exporter(observer) as alive:
        with pytest.raises(otlp.ExporterClosedError):
            otlp.FanOut(alive, closed).export(spans(3))
        assert alive.stats.given == 0


@pytest.mark.parametrize("method", ["flush", "shutdown"])
def test_several_destinations_refuse_a_deadline_as_one_does(observer, method):
    with otlp.FanOut(exporter(observer), exporter(observer)) as both:
        with pytest.raises(otlp.ConfigurationError, match="deadline_s must be a number"):
            getattr(both, method)(float("nan"))
        assert both.export(spans()) == (1, 1)


def test_the_systems_clock_waits():
    clock, condition = SystemClock(), threading.Condition()
    before = clock.now_s()
    with condition:
        clock.wait(condition, 0.01)
    assert clock.now_s() - before >= 0.009
    assert abs(clock.unix_s() - time.time()) < 5
