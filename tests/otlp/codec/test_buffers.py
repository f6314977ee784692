"""Bytes in whatever holds them, in and out."""

import mmap

import numpy as np
import pyarrow as pa
import pytest
from wire_fuzz import OFFICIAL

from workbench import otlp

MESSAGE = OFFICIAL["traces"]()
MESSAGE.resource_spans.add().scope_spans.add().spans.add(name="abc", trace_state="k=v")
DATA = MESSAGE.SerializeToString()  # an even number of bytes
WORDS = np.frombuffer(DATA, np.uint16)


@pytest.mark.parametrize(
    "buffer",
    [
        bytearray(DATA),
        memoryview(DATA),
        memoryview(bytes(np.repeat(np.frombuffer(DATA, np.uint8), 2)))[::2],
        memoryview(WORDS),
        np.frombuffer(DATA, np.uint8).reshape(-1, 1),
        pa.py_buffer(DATA),
    ],
    ids=["bytearray", "memoryview", "strided", "words", "two dimensions", "Arrow"],
)
def test_any_buffer_is_one_message(buffer):
    assert otlp.Traces.from_otlp(buffer).to_otlp() == DATA
    assert otlp.Decoder("traces").decode(buffer).to_otlp() == DATA
    assert otlp.Traces.from_otlp([buffer, buffer], on_error="skip").to_otlp() == DATA * 2


def test_a_mapped_file_is_one_message_and_is_let_go(tmp_path):
    (tmp_path / "traces.pb").write_bytes(DATA)
    with (tmp_path / "traces.pb").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        traces = otlp.Traces.from_otlp(mapped)
        mapped.close()
    assert traces.to_otlp() == DATA


@pytest.mark.parametrize("data", ["text", None, 3, MESSAGE, [MESSAGE], [3]])
def test_what_is_no_buffer_is_named(data):
    with pytest.raises(TypeError, match="expected OTLP as bytes, got"):
        otlp.Traces.from_otlp(data)


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_only_a_bytearray_is_written_into(encoding):
    traces = otlp.Traces.from_otlp(DATA)
    for target in (bytes(100_000), memoryview(bytes(100_000)), []):
        with pytest.raises(TypeError, match="expected a bytearray to write into"):
            traces.to_otlp(encoding, into=target)
    grown = bytearray(5)
    assert traces.to_otlp(encoding, into=grown) == traces.to_otlp(encoding)


def test_an_encoding_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="encoding must be one of protobuf, json, got 'xml'"):
        otlp.Traces.from_otlp(DATA).to_otlp("xml")
