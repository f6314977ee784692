"""The same telemetry in another form is the same telemetry."""

import json

import naive
import pyarrow.parquet as pq
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from strategies import TRACES_DATA

from workbench import otlp

FORMS = [
    "traces.otlp",
    "traces.pb.gz",
    "traces.json",
    "traces.jsonl.zst",
    "traces.ndjson",
    "traces.binpb.zstd",
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_reads_back_equal(form, shop, tmp_path):
    done = otlp.convert(tmp_path / "traces.binpb", tmp_path / form)
    assert otlp.read(tmp_path / form) == shop
    assert done.signal == "traces"
    assert done.written_bytes == (tmp_path / form).stat().st_size


@given(message=TRACES_DATA)
def test_json_keeps_every_field(message, tmp_path_factory):
    folder = tmp_path_factory.mktemp("json")
    (folder / "traces.otlp").write_bytes(_framed(message.SerializeToString()))
    otlp.convert(folder / "traces.otlp", folder / "traces.json")
    read_back = naive.rebuild(otlp.read(folder / "traces.json"))
    assert MessageToDict(read_back) == MessageToDict(message)  # JSON has one NaN, protobuf has many


def _framed(data):
    return len(data).to_bytes(4, "big") + data


def test_json_is_written_by_the_specification(shop, tmp_path):
    otlp.convert(tmp_path / "traces.binpb", tmp_path / "traces.json")
    document = json.loads((tmp_path / "traces.json").read_bytes())
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert span["traceId"] == "0" * 31 + "1"
    assert span["kind"] == 2
    assert span["startTimeUnixNano"] == "1700000001000000000"


def test_messages_are_cut_between_resources_when_they_grow_too_large(shop, tmp_path):
    whole = otlp.convert(tmp_path / "traces.binpb", tmp_path / "traces.jsonl")
    assert (whole.messages, (tmp_path / "traces.jsonl").read_text().count("\n")) == (1, 1)
    for form in ("cut.traces.jsonl", "cut.traces.otlp"):
        cut = otlp.convert(tmp_path / "traces.binpb", tmp_path / form, message_bytes=1)
        assert cut.messages == len(shop.tables["resources"]) == 3
        assert otlp.read(tmp_path / form) == shop
    assert (tmp_path / "cut.traces.jsonl").read_text().count("\n") == 3


def test_parquet_may_be_one_flat_table(shop, tmp_path):
    otlp.convert(tmp_path / "traces.binpb", tmp_path / "shop.parquet", layout="flat")
    assert pq.read_table(tmp_path / "shop.parquet").equals(shop.to_arrow())
    with pytest.raises(otlp.UnknownFormatError, match="telemetry is a folder of them"):
        otlp.read(tmp_path / "shop.parquet")
    with pytest.raises(otlp.UnknownFormatError, match=r"a flat table is written as \.parquet"):
        otlp.convert(tmp_path / "traces.binpb", tmp_path / "shop.arrow", layout="flat")


def test_conversion_is_deterministic(shop, tmp_path):
    for name in ("one.traces.json.gz", "two.traces.json.gz"):
        otlp.convert(tmp_path / "traces.binpb", tmp_path / name)
    assert (tmp_path / "one.traces.json.gz").read_bytes() == (tmp_path / "two.traces.json.gz").read_bytes()


def test_a_failure_leaves_the_target_as_it_was(shop, tmp_path):
    target = tmp_path / "traces.json"
    target.write_text("before")
    (tmp_path / "bad.traces.pb").write_bytes(b"hello world")
    with pytest.raises(otlp.MalformedError):
        otlp.convert(tmp_path / "bad.traces.pb", target)
    with pytest.raises(otlp.UnknownFormatError):
        otlp.convert(tmp_path / "traces.binpb", tmp_path / "traces.csv")
    assert target.read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} == {"traces.binpb", "bad.traces.pb", "traces.json"}


def test_the_target_is_named_as_it_was_given_and_has_ordinary_rights(shop, tmp_path):
    source = tmp_path / "traces.binpb"
    with pytest.raises(FileNotFoundError, match="nowhere'"):
        otlp.convert(source, tmp_path / "nowhere" / "traces.json")
    (tmp_path / "traces.json").mkdir()
    with pytest.raises(IsADirectoryError, match=r"traces\.json'"):
        otlp.convert(source, tmp_path / "traces.json")
    (tmp_path / "link.traces.pb").symlink_to("real.traces.pb")
    otlp.convert(source, tmp_path / "link.traces.pb")
    assert (tmp_path / "link.traces.pb").is_symlink()
    assert (tmp_path / "real.traces.pb").stat().st_mode & 0o777 == source.stat().st_mode & 0o777
