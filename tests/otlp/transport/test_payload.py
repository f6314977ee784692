"""Requests are checked, counted and cut without losing a record."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peers import SERVICES, encoded, logs, metrics, spans
from wire_fuzz import OFFICIAL, random_message

from workbench import otlp
from workbench.otlp.transport import _payload
from workbench.otlp.transport._payload import (
    accept,
    as_requests,
    count_records,
    split,
    to_encoding,
    to_telemetry,
)
from workbench.otlp.transport._records import LEVELS

BUILDERS = {"traces": spans, "metrics": metrics, "logs": logs}


def records_of(signal, body):
    """Return every record of a request as bytes, counted by a plain walk."""
    message = SERVICES[signal].request.FromString(body)
    (resources,) = (value for field, value in message.ListFields() if field.name.startswith("resource"))
    scopes = [scope for one in resources for scope in one.ListFields()[-1][1] if hasattr(scope, "scope")]
    found = [record for scope in scopes for record in scope.ListFields()[-1][1]]
    if signal == "metrics":
        return [point.SerializeToString() for metric in found for point in metric.gauge.data_points]
    return [record.SerializeToString() for record in found]


@given(st.sampled_from(sorted(BUILDERS)), st.integers(1, 60), st.integers(1, 20))
def test_the_parts_of_a_request_carry_its_records_in_order(signal, number, most):
    body = BUILDERS[signal](number).SerializeToString()
    parts = list(split(signal, body, most, 1 << 20))
    assert all(records <= most for _, records in parts)
    assert len(parts) == -(-number // most)
    assert [count_records(signal, part) for part, _ in parts] == [records for _, records in parts]
    assert [one for part, _ in parts for one in records_of(signal, part)] == records_of(signal, body)


def leaves(signal, message):
    """Return each record with all its envelopes, as a plain walk finds them; unknown fields included."""
    found = []
    resources, scopes, records = LEVELS[signal]
    for in_resource in getattr(message, resources):
        for in_scope in getattr(in_resource, scopes):
            for record in getattr(in_scope, records):
                if signal != "metrics":
                    found.append((emptied(in_resource, scopes), emptied(in_scope, records), whole(record)))
                    continue
                kind = record.WhichOneof("data")
                for point in getattr(record, kind).data_points if kind else ():
                    shell = type(record)()
                    shell.CopyFrom(record)
                    del getattr(shell, kind).data_points[:]
                    inside = emptied(in_resource, scopes), emptied(in_scope, records), whole(shell)
                    found.append((*inside, whole(point)))
    return found


def emptied(message, field):
    shell = type(message)()
    shell.CopyFrom(message)
    shell.ClearField(field)
    return whole(shell)


def whole(message):
    return message.SerializeToString(deterministic=True)


@pytest.mark.parametrize("signal", OFFICIAL)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), most=st.integers(1, 4), most_bytes=st.sampled_from([200, 1 << 20]))
def test_every_record_keeps_all_its_envelopes(signal, seed, most, most_bytes):
    request = SERVICES[signal].request.FromString(
        random_message(random.Random(seed), OFFICIAL[signal]).SerializeToString()
    )
    parts = list(split(signal, request.SerializeToString(), most, most_bytes))
    messages = [SERVICES[signal].request.FromString(part) for part, _ in parts]
    assert [leaf for part in messages for leaf in leaves(signal, part)] == leaves(signal, request)
    assert all(records <= most for _, records in parts)


@given(st.integers(1, 60), st.integers(100, 2000))
def test_parts_are_within_the_bytes_unless_one_record_is_not(number, most):
    body = spans(number, name="x" * 30).SerializeToString()
    for part, records in split("traces", body, 1000, most):
        assert len(part) <= most or records == 1


def test_a_request_within_the_limits_is_the_same_object():
    body = spans(3).SerializeToString()
    ((part, records),) = split("traces", body, 10, 1000)
    assert part is body
    assert records == 3


def test_parts_keep_their_resource_and_scope():
    request = spans(4)
    request.resource_spans[0].resource.attributes.add(key="service.name").value.string_value = "cart"
    request.resource_spans[0].scope_spans[0].scope.name = "lib"
    for part, _ in split("traces", request.SerializeToString(), 1, 1000):
        inside = SERVICES["traces"].request.FromString(part).resource_spans[0]
        assert inside.resource == request.resource_spans[0].resource
        assert inside.scope_spans[0].scope.name == "lib"


def test_envelopes_left_empty_are_left_out_of_the_parts():
    request = spans(1)
    request.MergeFrom(spans(1, first=1))
    parts = [
        SERVICES["traces"].request.FromString(part)
        for part, _ in split("traces", request.SerializeToString(), 1, 999)
    ]
    assert [len(part.resource_spans) for part in parts] == [1, 1]


def test_profiles_keep_their_dictionary_when_cut():
    request = SERVICES["profiles"].request()
    request.resource_profiles.add().scope_profiles.add().profiles.add()
    request.resource_profiles[0].scope_profiles[0].profiles.add()
    request.dictionary.string_table.extend(["", "main"])
    parts = list(split("profiles", request.SerializeToString(), 1, 1000))
    assert len(parts) == 2
    for part, _ in parts:
        assert SERVICES["profiles"].request.FromString(part).dictionary == request.dictionary


@given(st.sampled_from(["http/protobuf", "http/json"]), st.integers(0, 5), st.integers(0, 5))
def test_records_with_unusable_ids_are_taken_out_and_counted(over, good, bad):
    request = spans(good)
    request.MergeFrom(spans(bad, first=good, trace_id=b"short"))
    found = accept("traces", encoded(request, over), over.removeprefix("http/"))
    assert (found.records, found.rejected) == (good, bad)
    assert bool(found.reason) == bool(bad)
    assert len(to_telemetry("traces", [found.body])) == good


def test_links_and_exemplars_are_looked_at_as_well():
    linked, measured = spans(2), metrics(2)
    linked.resource_spans[0].scope_spans[0].spans[0].links.add(trace_id=b"t" * 16, span_id=b"short")
    measured.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points[0].exemplars.add(span_id=b"x")
    found = accept("traces", linked.SerializeToString(), "protobuf")
    assert (found.records, found.rejected, found.reason) == (1, 1, "span_id must be 8 bytes or absent, got 5")
    found = accept("metrics", measured.SerializeToString(), "protobuf")
    assert (found.records, found.rejected) == (0, 2)


@pytest.mark.parametrize("signal", sorted(BUILDERS))
def test_json_and_protobuf_are_the_same_request(signal):
    request = BUILDERS[signal](3)
    for over in ("http/protobuf", "http/json"):
        found = accept(signal, encoded(request, over), over.removeprefix("http/"))
        assert SERVICES[signal].request.FromString(found.body) == request
    again = accept(signal, to_encoding(signal, found.body, "json"), "json")
    assert again.body == request.SerializeToString()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("protobuf", b"\xff"),
        ("protobuf", b"\x0a\x7f"),
        ("json", b""),
        ("json", b"[]"),
        ("json", b"{"),
        ("json", b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}'),
        ("json", b"[" * 100_000),
    ],
)
def test_what_is_no_request_is_malformed(encoding, body):
    with pytest.raises(otlp.OtlpError):
        accept("traces", body, encoding)


def test_unknown_fields_of_protobuf_are_kept():
    body = spans(1).SerializeToString() + b"\xfa\x3f\x03new"
    assert accept("traces", body, "protobuf").body == body


def test_what_can_be_exported_is_made_a_request():
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    request = spans(2)
    body = request.SerializeToString()
    data = TracesData.FromString(body)
    assert as_requests(request, None) == as_requests(data, None) == ("traces", [body])
    assert as_requests(memoryview(body), "traces") == ("traces", [body])
    with pytest.raises(otlp.UnsupportedPayloadError, match="bytes need signal="):
        as_requests(body, None)
    with pytest.raises(otlp.UnsupportedPayloadError, match="got a str"):
        as_requests("spans", "traces")
    with pytest.raises(otlp.UnsupportedPayloadError, match="AnyValue is no request"):
        as_requests(AnyValue(), None)


@pytest.mark.parametrize("signal", BUILDERS)
def test_telemetry_is_given_out_in_messages_that_are_parsed_one_by_one(signal, monkeypatch):
    monkeypatch.setattr(_payload, "PARSED_BYTES", 200)
    whole = b"".join(BUILDERS[signal](1 + number % 3).SerializeToString() for number in range(40))
    telemetry = to_telemetry(signal, [whole])
    found, bodies = as_requests(telemetry, None)
    given_out = list(bodies)
    assert found == signal
    assert len(given_out) > 5
    assert b"".join(given_out) == telemetry.to_otlp() == whole
    assert [one for body in given_out for one in records_of(signal, body)] == records_of(signal, whole)


def test_profiles_are_given_out_as_one_message(monkeypatch):
    monkeypatch.setattr(_payload, "PARSED_BYTES", 10)
    request = SERVICES["profiles"].request()
    for _ in range(20):
        request.resource_profiles.add().scope_profiles.add().profiles.add()
    request.dictionary.string_table.append("")
    (body,) = as_requests(to_telemetry("profiles", [request.SerializeToString()]), None)[1]
    assert SERVICES["profiles"].request.FromString(body) == request
