"""The scanner that says where a message is broken agrees with the official parser on what is broken."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from strategies import TRACES_DATA

from workbench.otlp.codec._wire import find_fault, find_field


def accepts(data):
    try:
        TracesData.FromString(data)
    except DecodeError:
        return False
    return True


@st.composite
def mutated(draw):
    data = bytearray(draw(TRACES_DATA).SerializeToString())
    for _ in range(draw(st.integers(0, 3))):
        if data:
            at = draw(st.integers(0, len(data) - 1))
            kind = draw(st.sampled_from(["flip", "cut", "insert", "drop"]))
            if kind == "flip":
                data[at] = draw(st.integers(0, 255))
            elif kind == "cut":
                del data[at:]
            elif kind == "insert":
                data[at:at] = draw(st.binary(max_size=4))
            else:
                del data[at]
    return bytes(data)


@pytest.mark.slow
def test_it_finds_a_fault_where_the_official_parser_refuses():
    accepted = []

    @settings(max_examples=250)
    @given(st.one_of(st.binary(max_size=40), mutated()))
    def agree(data):
        fault = find_fault(data, TracesData)
        accepted.append(accepts(data))
        assert (fault is None) == accepted[-1]
        if fault:
            assert 0 <= fault.offset <= len(data)

    agree()
    assert 0.1 < sum(accepted) / len(accepted) < 0.9, "the inputs are neither all good nor all bad"


def test_the_fault_has_its_path():
    message = TracesData()
    spans = message.resource_spans.add().scope_spans.add().spans
    spans.add(name="a")
    spans.add(name="bcd")
    data = message.SerializeToString().replace(b"bcd", b"b\xffd")
    fault = find_fault(data, TracesData)
    assert fault.path == "resource_spans[0].scope_spans[0].spans[1].name"
    assert data[fault.offset] == 0xFF
    assert fault.reason == "a string is not UTF-8"


def test_a_field_is_found_by_its_path():
    message = TracesData()
    message.resource_spans.add().scope_spans.add().spans.add(name="here")
    data = message.SerializeToString()
    at = find_field(data, TracesData, "resource_spans[0].scope_spans[0].spans[0].name")
    assert data[at:].startswith(b"\x04here")
    assert find_field(data, TracesData, "resource_spans[7].schema_url") == 0
