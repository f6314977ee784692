"""Batches of a file are what reading it at once is; wherever the blocks that are read happen to end."""

import gzip
import json
from functools import partial
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from strategies import MESSAGES

from workbench import otlp
from workbench.otlp.codec._join import join_stars
from workbench.otlp.storage import _message_file
from workbench.otlp.storage._window import Window

FORMS = ["pb", "otlp", "pb.gz", "otlp.zst", "jsonl", "json"]


def small_blocks(size):
    """Let files be read so many bytes at a time."""
    return mock.patch.object(_message_file, "Window", partial(Window, block_bytes=size))


def joined(batches):
    batches = list(batches)
    return type(batches[0])._of(join_stars([batch._columns() for batch in batches]))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("signal", MESSAGES)
@settings(max_examples=8)
@given(data=st.data())
def test_batches_are_what_reading_at_once_is(signal, form, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("batches")
    messages = data.draw(st.lists(MESSAGES[signal], min_size=1, max_size=3))
    kind = otlp.Decoder(signal)
    expected = kind.decode([message.SerializeToString() for message in messages])
    if form.startswith("json"):
        expected = kind.decode(expected.to_otlp("json"), encoding="json")  # which has one NaN
    path = folder / f"{signal}.{form}"
    if form.startswith("pb") and not expected.to_otlp():
        with pytest.raises(otlp.EmptyMessageError, match=f"there are no {signal}"):
            otlp.write(expected, path)
        assert not path.exists()
        return
    otlp.write(expected, path, message_bytes=1)
    assert otlp.read(path) == expected
    with small_blocks(data.draw(st.integers(1, 40))):
        assert otlp.read(path) == expected
        assert joined(otlp.read_batches(path, batch_bytes=data.draw(st.integers(1, 60)))) == expected


def traces(*names, trace_id=b"\x01" * 16):
    message = TracesData()
    for name in names:
        message.resource_spans.add().scope_spans.add().spans.add(name=name, trace_id=trace_id)
    return message.SerializeToString()


def failure(path, **options):
    with pytest.raises(otlp.OtlpError) as caught:
        otlp.read(path, **options)
    return type(caught.value), str(caught.value)


@given(data=st.data())
def test_a_damaged_message_is_refused_alike_wherever_it_is_cut(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("damaged") / "traces.pb"
    damaged = bytearray(traces("first", "second", "third"))
    for _ in range(data.draw(st.integers(1, 2))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    try:
        expected = otlp.read(path)
    except otlp.OtlpError as error:
        expected = (type(error), str(error))
    lenient = otlp.read(path, on_error="skip")
    with small_blocks(data.draw(st.integers(1, 30))):
        if isinstance(expected, tuple):
            assert failure(path)[0] is expected[0]
            assert failure(path)[1].rpartition("(at")[2] == expected[1].rpartition("(at")[2]
            assert otlp.read(path, on_error="skip").skipped > 0
        else:
            assert otlp.read(path) == expected
            assert otlp.read(path, on_error="skip") == lenient


def test_a_field_keeps_its_place_in_the_whole_message(tmp_path):
    path = tmp_path / "traces.pb"
    sound, bad = traces("first", "second"), traces("third", trace_id=b"short")
    path.write_bytes(sound + bad)
    whole = failure(path)
    with small_blocks(8):
        assert failure(path) == whole
    assert "resource_spans[2].scope_spans[0].spans[0].trace_id" in whole[1]
    assert f"byte {len(sound) + 2 + 2 + 2 + 1}" in whole[1]


def test_a_length_that_no_file_can_have_is_not_looked_for_in_memory(tmp_path):
    path = tmp_path / "traces.pb"
    path.write_bytes(traces("sound") + b"\x0a\xff\xff\xff\xff\x7f" + b"rest")
    with pytest.raises(otlp.MalformedError, match="more than protobuf allows") as caught:
        otlp.read(path)
    assert caught.value.path == "resource_spans[1]"
    lenient = otlp.read(path, on_error="skip")
    assert (lenient["name"].to_pylist(), lenient.skipped) == (["sound"], 1)


def test_each_batch_counts_what_it_lost(tmp_path):
    path = tmp_path / "traces.otlp"
    frames = [traces("a"), b"\x0b", traces("b"), b"\x0b", b"\x0b"]
    path.write_bytes(b"".join(len(data).to_bytes(4, "big") + data for data in frames))
    batches = list(otlp.read_batches(path, batch_bytes=len(frames[0]), on_error="skip"))
    assert sum(batch.skipped for batch in batches) == 3
    assert sum(len(batch) for batch in batches) == 2


def test_nothing_sound_is_one_empty_batch(tmp_path):
    (tmp_path / "logs.pb").write_bytes(b"hello world")
    (batch,) = otlp.read_batches(tmp_path / "logs.pb", on_error="skip")
    assert (len(batch), batch.skipped) == (0, 1)


def test_wrong_arguments_are_refused_at_once(tmp_path):
    (tmp_path / "traces.pb").write_bytes(traces("a"))
    with pytest.raises(ValueError, match="batch_bytes must be at least 1"):
        otlp.read_batches(tmp_path / "traces.pb", batch_bytes=0)
    with pytest.raises(ValueError, match="unknown must be"):
        otlp.read_batches(tmp_path / "traces.pb", unknown="drop")


def test_unknown_fields_are_kept_or_counted(tmp_path):
    path = tmp_path / "traces.pb"
    path.write_bytes(traces("a") + b"\xf8\x3f\x01")
    assert otlp.read(path).to_otlp() == path.read_bytes()
    assert otlp.read(path).unknown == 1
    counted = otlp.read(path, unknown="count")
    assert (counted.unknown, counted.to_otlp()) == (1, traces("a"))


def test_a_gzip_of_many_members_is_read_on_through_all(tmp_path):
    data = traces("a", "b", "c")
    path = tmp_path / "traces.pb.gz"
    path.write_bytes(b"".join(gzip.compress(data[at : at + 3]) for at in range(0, len(data), 3)))
    for size in (1, 5, 1000):
        with small_blocks(size):
            assert otlp.read(path)["name"].to_pylist() == ["a", "b", "c"]


SPANS = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "a"}]}]}]})
LOGS = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": "e"}]}]}]})


def test_one_signal_is_picked_from_a_file_of_several(tmp_path):
    path = tmp_path / "all.jsonl"
    path.write_text(f"{SPANS}\n{LOGS}\n{SPANS}\n{{}}\n{LOGS}\n{LOGS}")
    spans, logs = otlp.read(path, signal="traces"), otlp.read(path, signal="logs")
    assert (len(spans), spans.skipped) == (2, 3)
    assert (len(logs), logs.skipped) == (3, 2)
    with pytest.raises(
        otlp.AmbiguousSignalError, match=r"holds traces and, from byte .*, logs; pass signal="
    ):
        otlp.read(path)
    with pytest.raises(otlp.MalformedError, match="other signals only: 3 of logs, 2 of traces"):
        otlp.read(path, signal="metrics")
    path.write_text(f"\n{LOGS}\n{LOGS}\n")
    assert len(otlp.read(path)) == 2
