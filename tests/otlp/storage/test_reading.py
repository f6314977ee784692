"""Every form of a file gives the same telemetry; every broken one a named error that says where."""

import gzip
import json

import pyarrow as pa
import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.profiles.v1development.profiles_pb2 import ProfilesData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workbench import otlp
from workbench.otlp.storage import _pieces

TRACE_ID = bytes(range(16))
SPAN_ID = bytes(range(8))


def message(name="a", trace_id=TRACE_ID):
    data = TracesData()
    data.resource_spans.add().scope_spans.add().spans.add(trace_id=trace_id, span_id=SPAN_ID, name=name)
    return data.SerializeToString()


def framed(*messages):
    return b"".join(len(data).to_bytes(4, "big") + data for data in messages)


def zstd(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


DOCUMENT = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {"spans": [{"traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex().upper(), "name": "a"}]}
            ]
        }
    ]
}
JSON = json.dumps(DOCUMENT).encode()

FORMS = {
    "traces.binpb": message(),
    "traces.otlp": framed(message()),
    "traces.otlp.gz": gzip.compress(framed(message())),
    "traces.pb.zst": zstd(message()),
    "traces.bin": framed(zstd(message())),  # as the Collector's file exporter compresses
    "traces.json": JSON,
    "traces.jsonl": JSON + b"\n",
    "traces.ndjson.gz": gzip.compress(b"\n" + JSON + b"\r\n\n"),
    "spans.json": json.dumps(DOCUMENT, indent=2).encode("utf-8-sig"),  # the keys say traces
    "my-TRACES-2026.json.zstd": zstd(JSON),
    "collector-traces.json": framed(zstd(JSON)),  # as the Collector's file exporter compresses JSON
    "collector-traces.json.zst": framed(zstd(JSON)),
    "collector-traces.proto.zst": framed(zstd(message())),
    "skippable-traces.pb.zst": b"\x50\x2a\x4d\x18\x04\0\0\0size" + zstd(message()),  # as pzstd writes
    "traces-and-logs.json": JSON,  # the keys settle what the name does not
    "traces.proto": gzip.compress(message()[:10]) + gzip.compress(message()[10:]),  # two gzip members
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read_alike(name, tmp_path):
    (tmp_path / name).write_bytes(FORMS[name])
    (tmp_path / "plain.traces.pb").write_bytes(message())
    assert otlp.read(tmp_path / name) == otlp.read(tmp_path / "plain.traces.pb")
    assert otlp.read(str(tmp_path / name), signal="traces")["name"].to_pylist() == ["a"]


def test_many_messages_are_one_recording(tmp_path):
    path = tmp_path / "traces.otlp"
    path.write_bytes(framed(message("a"), b"", message("b")))
    assert otlp.read(path)["name"].to_pylist() == ["a", "b"]
    lines = tmp_path / "traces.jsonl"
    lines.write_bytes(JSON + b"\n" + JSON)
    assert len(otlp.read(lines)) == 2


def read(tmp_path, name, data, **options):
    (tmp_path / name).write_bytes(data)
    return otlp.read(tmp_path / name, **options)


BAD_ID = message(trace_id=b"short")
NOT_HEX = JSON.replace(b"0001", b"xy01")
LATIN = JSON.replace(b'"a"', b'"\xe4"')
BROKEN = {
    "empty file": ("traces.otlp", b"", otlp.EmptyInputError, 0),
    "empty and nameless": ("data.otlp", b"", otlp.EmptyInputError, 0),
    "empty inside": ("traces.otlp.gz", gzip.compress(b""), otlp.EmptyInputError, 0),
    "unknown ending": ("traces.csv", b"x", otlp.UnknownFormatError, 0),
    "only compression": ("traces.gz", b"x", otlp.UnknownFormatError, 0),
    "no ending": ("traces", b"x", otlp.UnknownFormatError, 0),
    "no signal": ("data.otlp", framed(message()), otlp.AmbiguousSignalError, 0),
    "two signals": ("traces-and-logs.otlp", framed(message()), otlp.AmbiguousSignalError, 0),
    "reserved space": ("traces.otlp", bytes(1000), otlp.MalformedError, 0),
    "blank JSON": ("traces.json", b" \n", otlp.EmptyInputError, 0),
    "huge number": ("traces.json", b'{"a":' + b"1" * 5000 + b"}", otlp.MalformedError, 0),
    "two signals in JSON": ("all.json", JSON + b'\n{"resourceLogs": [1]}', otlp.AmbiguousSignalError, 0),
    "no signal in JSON": ("data.json", b"{}", otlp.AmbiguousSignalError, 0),
    "not gzip": ("traces.otlp.gz", framed(message()), otlp.CompressionError, 0),
    "not zstd": ("traces.otlp.zst", framed(message()), otlp.CompressionError, 0),
    "gzip cut": ("traces.pb.gz", gzip.compress(message())[:-12], otlp.CompressionError, None),
    "gzip damaged": ("traces.pb.gz", gzip.compress(message())[:-8] + bytes(8), otlp.CompressionError, None),
    "gzip and more": ("traces.pb.gz", gzip.compress(message()) + b"more", otlp.CompressionError, None),
    "zstd cut": ("traces.pb.zst", zstd(message())[:-3], otlp.CompressionError, None),
    "frame cut": ("traces.otlp", framed(message(), message())[:-1], otlp.TruncatedError, len(message()) + 4),
    "prefix cut": ("traces.otlp", framed(message()) + b"\x00\x00", otlp.TruncatedError, len(message()) + 4),
    "message cut": ("traces.pb", message()[:-2], otlp.TruncatedError, 2),
    "text": ("traces.pb", b"hello world", otlp.MalformedError, None),
    "unknown fields only": ("traces.pb", b"\x12\x03abc", otlp.MalformedError, 0),
    "frame damaged": ("traces.otlp", framed(b"\x0a\x03\x0f\x0b\x0b"), otlp.MalformedError, 6),
    "short id": ("traces.otlp", framed(message(), BAD_ID), otlp.MalformedError, len(message()) + 4 + 4 + 7),
    "not JSON": ("traces.json", b'{"resourceSpans": [}', otlp.MalformedError, 19),
    "not UTF-8": ("traces.json", LATIN, otlp.MalformedError, LATIN.index(b"\xe4")),
    "second line": ("traces.jsonl", JSON + b"\n{,}", otlp.MalformedError, len(JSON) + 2),
    "not an object": ("traces.json", b"  [1]", otlp.MalformedError, 2),
    "other keys": ("traces.json", b'{"spans": []}', otlp.MalformedError, 0),
    "other signal": ("logs.json", JSON, otlp.MalformedError, 0),
    "wrong type": ("traces.json", b'{"resourceSpans": 5}', otlp.MalformedError, 18),
    "not hexadecimal": ("traces.json", NOT_HEX, otlp.MalformedError, NOT_HEX.index(b"xy01")),
    "too deep": ("traces.json", b'{"resourceSpans":' + b"[" * 100_000, otlp.MalformedError, 18),
    "short id in JSON": ("traces.json", JSON.replace(b"0001", b"01"), otlp.MalformedError, 0),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_input_is_a_named_error_with_its_offset(case, tmp_path):
    name, data, error, offset = BROKEN[case]
    with pytest.raises(error) as caught:
        read(tmp_path, name, data)
    assert type(caught.value) is error
    assert isinstance(caught.value, otlp.OtlpError)
    assert isinstance(caught.value, ValueError)
    if offset is None:
        assert 0 <= caught.value.offset <= len(data)
    else:
        assert caught.value.offset == offset


def test_the_error_names_the_field(tmp_path):
    with pytest.raises(otlp.MalformedError) as caught:
        read(tmp_path, "traces.pb", BAD_ID)
    assert caught.value.path == "resource_spans[0].scope_spans[0].spans[0].trace_id"
    for wrong, message in (
        (b"xy01", "expected hexadecimal digits"),
        (b"01", "16 bytes was expected, got 15"),
    ):
        with pytest.raises(otlp.MalformedError, match=message) as caught:
            read(tmp_path, "traces.json", JSON.replace(b"0001", wrong))
        assert caught.value.path == "resource_spans[0].scope_spans[0].spans[0].trace_id"


@pytest.mark.parametrize(
    ("name", "data", "kept", "skipped"),
    [
        ("traces.otlp", framed(message("a"), b"\x0b", message("b")), ["a", "b"], 1),
        ("traces.otlp", framed(message("a"), message("b"))[:-1], ["a"], 1),
        ("traces.otlp", framed(message("a"), BAD_ID, message("c")), ["a", "c"], 1),
        ("traces.otlp", framed(message("a"), zstd(message("b"))[:-2]), ["a"], 1),
        ("traces.jsonl", JSON + b"\n{,}\n" + JSON + b"\n[]\n", ["a", "a"], 2),
        ("traces.jsonl", b'{"resourceLogs": []}\n' + JSON, ["a"], 1),
        ("traces.jsonl", JSON + b"\n\xff\xfe{}\n" + JSON, ["a", "a"], 1),
        ("traces.pb", b"hello world", [], 1),
    ],
    ids=["message", "cut", "record", "compressed message", "lines", "other signal", "not text", "all of it"],
)
def test_skip_leaves_out_and_counts(name, data, kept, skipped, tmp_path):
    traces = read(tmp_path, name, data, on_error="skip")
    assert traces["name"].to_pylist() == kept
    assert traces.skipped == skipped
    assert f"{skipped} skipped" in repr(traces)


def test_what_was_skipped_is_told_by_its_place_in_the_file(tmp_path):
    first = framed(message("a"))
    traces = read(tmp_path, "traces.otlp", first + framed(BAD_ID, message("c")), on_error="skip")
    (error,) = traces.skipped_errors
    assert error.path == "resource_spans[0].scope_spans[0].spans[0].trace_id"
    assert len(first) + 4 < error.offset < len(first) + 4 + len(BAD_ID)
    lines = JSON + b"\n{,}\n" + JSON.replace(b"0001", b"xy01") + b"\n[]\n"
    traces = read(tmp_path, "traces.jsonl", lines, on_error="skip")
    assert (len(traces), traces.skipped) == (1, 3)
    places = [lines.index(b",}"), lines.index(b"xy01"), lines.index(b"[]")]
    assert [error.offset for error in traces.skipped_errors] == places


@pytest.mark.parametrize("name", ["traces.pb", "traces.binpb.gz", "traces.bin.zst"])
def test_an_empty_bare_message_is_refused_by_the_writer_as_no_recording(name, tmp_path):
    empty = otlp.Traces.from_otlp(b"")
    with pytest.raises(otlp.EmptyMessageError, match=r"there are no traces.*write \.otlp or \.json"):
        otlp.write(empty, tmp_path / name)
    with pytest.raises(otlp.EmptyMessageError):
        otlp.write(iter([empty, empty]), tmp_path / name)
    assert not list(tmp_path.iterdir())
    for other in ("traces.otlp", "traces.json", "traces.jsonl"):
        otlp.write(empty, tmp_path / other)
        assert len(otlp.read(tmp_path / other)) == 0


def test_arguments_are_checked(tmp_path):
    with pytest.raises(ValueError, match="signal must be one of traces, metrics, logs"):
        read(tmp_path, "traces.pb", message(), signal="spans")
    with pytest.raises(ValueError, match="on_error must be"):
        read(tmp_path, "traces.pb", message(), on_error="ignore")
    with pytest.raises(FileNotFoundError):
        otlp.read(tmp_path / "nothing.pb")


def test_metrics_read_as_traces_are_refused_by_their_ids(tmp_path):
    """A Metric's name lies where a Span has its trace id."""
    path = tmp_path / "metrics.pb"
    from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

    data = MetricsData()
    data.resource_metrics.add().scope_metrics.add().metrics.add(name="http.server.request.duration")
    path.write_bytes(data.SerializeToString())
    with pytest.raises(otlp.MalformedError, match="16 bytes was expected, got 28"):
        otlp.read(path, signal="traces")


def test_json_is_read_by_the_specification(tmp_path):
    """64-bit integers are numbers or strings, enums numbers, bytes base64, and unknown fields are ignored."""
    record = {
        "timeUnixNano": "1700000000000000001",
        "observedTimeUnixNano": 1700000000000000002,
        "severityNumber": 9,
        "body": {"kvlistValue": {"values": [{"key": "k", "value": {"bytesValue": "AAEC"}}]}},
        "attributes": [
            {"key": "n", "value": {"intValue": "9007199254740993"}},
            {"key": "x", "value": {"doubleValue": "NaN"}},
        ],
        "traceId": TRACE_ID.hex(),
        "newField": {"traceid": 1},
    }
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    logs = read(tmp_path, "logs.json", json.dumps(document).encode())
    assert logs["n"].to_pylist() == [2**53 + 1]
    assert str(logs["x"][0]) == "nan"
    assert logs["body"].to_pylist() == ['{"k": "000102"}']
    assert logs["time_unix_nano"].cast("int64").to_pylist() == [1700000000000000001]
    assert len(logs.trace(TRACE_ID)) == 1


def test_a_message_of_another_signal_is_empty_or_refused(tmp_path):
    logs = LogsData()
    logs.resource_logs.add()
    assert (
        len(read(tmp_path, "traces.pb", logs.SerializeToString())) == 0
    )  # an empty envelope is the same bytes


def test_the_argument_settles_a_name_with_two_signals(tmp_path):
    assert len(read(tmp_path, "traces-and-logs.otlp", framed(message()), signal="traces")) == 1


def test_a_document_may_be_written_over_many_lines(tmp_path):
    pretty = json.dumps(DOCUMENT, indent=1).encode()
    assert len(read(tmp_path, "traces.json", pretty + b"\n" + pretty)) == 2
    lenient = read(tmp_path, "traces.json", pretty + b"\n{bad\n" + pretty, on_error="skip")
    assert (len(lenient), lenient.skipped) == (2, 1)


@pytest.mark.parametrize("pack", [zstd, gzip.compress])
def test_a_message_that_would_fill_the_memory_is_refused_before_it_does(pack, tmp_path, monkeypatch):
    monkeypatch.setattr(_pieces, "MOST_BYTES", 1 << 21)
    path = tmp_path / "traces.otlp"
    path.write_bytes(framed(message("a"), pack(bytes(1 << 26)), message("b")))
    with pytest.raises(otlp.CompressionError, match="becomes more than 2,097,152") as caught:
        otlp.read(path)
    assert caught.value.offset == len(framed(message("a"))) + 4
    found = otlp.read(path, on_error="skip")
    assert found["name"].to_pylist() == ["a", "b"]
    assert found.skipped == 1


@pytest.mark.parametrize("name", ["profiles.json", "profiles.jsonl", "profiles.otlp", "profiles.json.gz"])
def test_a_dictionary_without_profiles_is_read_back(name, tmp_path):
    data = ProfilesData()
    data.dictionary.string_table.append("")
    data.resource_profiles.add().scope_profiles.add().profiles.add()
    none = otlp.Profiles.from_otlp(data.SerializeToString()).filter([False])
    otlp.write(none, tmp_path / name)
    assert otlp.read(tmp_path / name) == none


def test_buffers_that_are_filled_again_are_read_as_they_were():
    def frames():
        buffer = bytearray(len(message("1")))
        for name in "123":
            buffer[:] = message(name)
            yield memoryview(buffer)

    for found in (otlp.Traces.from_otlp(frames()), otlp.Decoder("traces").decode(frames())):
        assert found["name"].to_pylist() == ["1", "2", "3"]
