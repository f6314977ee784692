"""Whatever is exported, over whatever protocol, is what the receiver has: every field, every type."""

import naive
import pytest
from google.protobuf import json_format
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from peers import SERVICES
from strategies import MESSAGES

from workbench import otlp
from workbench.otlp.transport._payload import count_records

PATHS = [
    ("http/protobuf", "none"),
    ("http/protobuf", "zstd"),
    ("http/json", "none"),
    ("http/json", "gzip"),
    ("grpc", "none"),
    ("grpc", "gzip"),
]


@pytest.fixture(scope="module")
def receiver():
    with otlp.Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def exporters(receiver):
    """Return an exporter for each path to the receiver."""
    made = {}
    for protocol, compression in PATHS:
        endpoint = receiver.grpc_endpoint if protocol == "grpc" else receiver.http_endpoint
        options = {"protocol": protocol, "compression": compression, "schedule_delay_s": 0}
        made[protocol, compression] = otlp.Exporter(endpoint, **options)
    yield made
    for exporter in made.values():
        exporter.shutdown(0)


def deterministic(message):
    return message.SerializeToString(deterministic=True)


def in_json(message):
    """JSON has one NaN, where binary floats have many."""
    return json_format.MessageToJson(message, sort_keys=True)


@pytest.mark.parametrize("path", PATHS, ids="-".join)
@settings(max_examples=12)
@given(data=st.data())
def test_what_is_exported_is_what_arrives(path, data, receiver, exporters):
    signal = data.draw(st.sampled_from(sorted(MESSAGES)))
    message = data.draw(MESSAGES[signal])
    assume(count_records(signal, message.SerializeToString()))
    receiver.clear()
    exporters[path].export(message)
    assert exporters[path].flush(10)
    found = naive.rebuild(getattr(receiver, signal))
    same = in_json if path[0] == "http/json" else deterministic
    assert same(found) == same(message)


@settings(max_examples=12)
@given(data=st.data())
def test_a_request_cut_into_single_records_arrives_with_all_of_them(data, receiver):
    """Cutting repeats envelopes; the records, in their order, are the same."""
    message = data.draw(MESSAGES["logs"])
    assume(count_records("logs", message.SerializeToString()) > 1)
    receiver.clear()
    with otlp.Exporter(
        receiver.http_endpoint, protocol="http/protobuf", schedule_delay_s=0, max_batch_records=1
    ) as exporter:
        exporter.export(message)
        assert exporter.flush(10)
    sent = [deterministic(record) for record in log_records(message)]
    assert [deterministic(record) for record in log_records(naive.rebuild(receiver.logs))] == sent


def log_records(message):
    return [
        record
        for resource in message.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def test_the_four_services_are_those_of_the_official_package():
    for service in SERVICES.values():
        file = service.request.DESCRIPTOR.file
        (found,) = file.services_by_name.values()
        assert service.method == f"/{found.full_name}/Export"
        assert found.methods_by_name["Export"].input_type is service.request.DESCRIPTOR
        assert found.methods_by_name["Export"].output_type is service.response.DESCRIPTOR
        partial = service.response.DESCRIPTOR.fields_by_name["partial_success"].message_type
        assert service.rejected in partial.fields_by_name


@pytest.mark.parametrize("path", PATHS, ids="-".join)
@settings(max_examples=8)
@given(data=st.data())
def test_telemetry_that_was_received_can_be_exported_again(path, data, receiver, exporters):
    """A relay: what comes out of a snapshot is what went in."""
    signal = data.draw(st.sampled_from(sorted(MESSAGES)))
    message = data.draw(MESSAGES[signal])
    assume(count_records(signal, message.SerializeToString()))
    telemetry = {"traces": otlp.Traces, "metrics": otlp.Metrics, "logs": otlp.Logs}[signal].from_otlp(
        message.SerializeToString()
    )
    receiver.clear()
    exporters[path].export(telemetry)
    assert exporters[path].flush(10)
    same = in_json if path[0] == "http/json" else deterministic
    assert same(naive.rebuild(getattr(receiver, signal))) == same(message)
