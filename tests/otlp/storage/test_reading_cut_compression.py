"""A compressed file that is cut short or damaged: what comes before is read, and what is lost is said."""

import gzip
import zlib
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workbench import otlp

STEP = 1 << 14  # bytes that zstd decompresses at once
GRAIN = 64  # and here


def message(name):
    data = TracesData()
    span = data.resource_spans.add().scope_spans.add().spans.add()
    span.name, span.trace_id, span.span_id = name, bytes(15) + b"1", bytes(7) + b"1"
    return data.SerializeToString()


def framed(message):
    return len(message).to_bytes(4, "big") + message


RANDOM = Random(1)
NAMES = [RANDOM.randbytes(150).hex() for _ in range(3000)]  # several blocks of zstd, each of 128 KiB at most
FRAMES = [framed(message(name)) for name in NAMES]
WHOLE = b"".join(FRAMES)
COMPRESSED = {"gz": gzip.compress(WHOLE), "zst": pa.compress(WHOLE, "zstd", asbytes=True)}


def frames_within(size):
    """Count the frames that so many bytes hold."""
    count = 0
    while size > 0 and count < len(FRAMES):
        size -= len(FRAMES[count])
        count += size >= 0
    return count


def decompressed(ending, data):
    """Return what the reference makes of the beginning of a stream."""
    if ending == "gz":
        return zlib.decompressobj(wbits=31).decompress(data)
    stream, parts = pa.CompressedInputStream(pa.BufferReader(data), "zstd"), []
    try:
        while part := stream.read(GRAIN):
            parts.append(part)
    except OSError:
        pass
    return b"".join(parts)


@pytest.mark.parametrize("ending", ["gz", "zst"])
@given(data=st.data())
def test_all_messages_before_a_cut_are_kept(ending, data, tmp_path_factory):
    whole = COMPRESSED[ending]
    cut = whole[: data.draw(st.integers(20, len(whole) - 1), label="cut")]
    path = tmp_path_factory.mktemp("cut") / f"traces.otlp.{ending}"
    path.write_bytes(cut)
    with pytest.raises(otlp.CompressionError):
        otlp.read(path)
    sound = len(decompressed(ending, cut))
    least = frames_within(sound if ending == "gz" else sound - STEP)
    try:
        kept = otlp.read(path, on_error="skip")
    except otlp.CompressionError:
        assert least == 0, "nothing was read, although something could have been"
        return
    assert least <= len(kept) <= frames_within(sound + GRAIN)
    assert kept["name"].to_pylist() == NAMES[: len(kept)]
    assert 1 <= kept.skipped <= 2, "the rest of the file, and the message that it cuts"
    assert isinstance(kept.skipped_errors[0], otlp.CompressionError)


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_what_comes_before_damage_is_kept(ending, tmp_path):
    """A byte after the stream's end is damage as well."""
    path = tmp_path / f"traces.otlp.{ending}"
    path.write_bytes(COMPRESSED[ending] + b"x")
    with pytest.raises(otlp.CompressionError):
        otlp.read(path)
    kept = otlp.read(path, on_error="skip")
    assert kept["name"].to_pylist() == NAMES[: len(kept)]
    assert len(kept) >= frames_within(len(WHOLE) - (STEP if ending == "zst" else 0))
    assert isinstance(kept.skipped_errors[0], otlp.CompressionError)


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_batches_before_a_cut_come_too(ending, tmp_path):
    path = tmp_path / f"traces.otlp.{ending}"
    path.write_bytes(COMPRESSED[ending][:-9])
    batches = list(otlp.read_batches(path, on_error="skip", batch_bytes=10_000))
    names = [name for batch in batches for name in batch["name"].to_pylist()]
    assert names == NAMES[: len(names)]
    assert len(names) >= len(NAMES) - (128 << 10) // 300
    assert sum(batch.skipped for batch in batches) in (1, 2)


def test_a_file_without_a_sound_byte_is_an_error_also_where_records_may_be_skipped(tmp_path):
    path = tmp_path / "traces.otlp.gz"
    path.write_bytes(COMPRESSED["gz"][:12])
    for on_error in ("raise", "skip"):
        with pytest.raises(otlp.CompressionError, match="cut short"):
            otlp.read(path, on_error=on_error)


def test_the_signal_of_json_is_found_before_a_cut_or_the_cut_is_named(tmp_path):
    traces = otlp.Traces.from_otlp(FRAMES[0][4:])
    lines = gzip.compress(b"\n".join([traces.to_otlp(encoding="json")] * 2000))
    path = tmp_path / "recording.jsonl.gz"
    path.write_bytes(lines[:-20])
    kept = otlp.read(path, on_error="skip")
    assert isinstance(kept, otlp.Traces)
    assert 1900 < len(kept) < 2000
    path.write_bytes(gzip.compress(b'{"resourceSp')[:-9])
    with pytest.raises(otlp.CompressionError):
        otlp.read(path)


def damaged_crc():
    data = bytearray(COMPRESSED["gz"])
    data[-6] ^= 1
    return bytes(data)


def test_a_wrong_checksum_costs_no_record(tmp_path):
    path = tmp_path / "traces.otlp.gz"
    path.write_bytes(damaged_crc())
    with pytest.raises(otlp.CompressionError, match="incorrect data check"):
        otlp.read(path)
    kept = otlp.read(path, on_error="skip")
    assert kept["name"].to_pylist() == NAMES
    assert kept.skipped == 1


@given(data=st.data())
def test_a_flipped_bit_costs_what_comes_after_it_at_most(data, tmp_path_factory):
    whole = bytearray(COMPRESSED["gz"])
    at = data.draw(st.integers(2000, len(whole) - 1), label="at")
    whole[at] ^= 1 << data.draw(st.integers(0, 7), label="bit")
    path = tmp_path_factory.mktemp("flipped") / "traces.otlp.gz"
    path.write_bytes(whole)
    before = frames_within(len(zlib.decompressobj(wbits=31).decompress(COMPRESSED["gz"][:at])))
    kept = otlp.read(path, on_error="skip")
    assert kept["name"].to_pylist()[:before] == NAMES[:before]
    assert kept.skipped >= 1


@pytest.mark.parametrize("executor", [None, True])
def test_of_several_files_those_are_read_that_can_be(executor, tmp_path):
    files = {
        "a": COMPRESSED["gz"],
        "b": b"",
        "c": b"no gzip",
        "d": COMPRESSED["gz"][:12],
        "e": damaged_crc(),
        "f": COMPRESSED["gz"],
    }
    for name, data in files.items():
        (tmp_path / f"{name}.traces.otlp.gz").write_bytes(data)
    kept = otlp.read(tmp_path / "*.gz", on_error="skip", executor=executor)
    assert kept["name"].to_pylist() == NAMES * 3
    assert kept.skipped == 4
    named = [str(error)[:16] for error in kept.skipped_errors[:3]]
    assert named == ["b.traces.otlp.gz", "c.traces.otlp.gz", "d.traces.otlp.gz"]
    with pytest.raises(otlp.EmptyInputError):
        otlp.read(tmp_path / "*.gz", executor=executor)


def test_files_of_which_none_can_be_read_are_no_records_and_all_counted(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.logs.otlp.gz").write_bytes(b"no gzip")
    kept = otlp.read(tmp_path / "*.gz", on_error="skip")
    assert isinstance(kept, otlp.Logs)
    assert (len(kept), kept.skipped) == (0, 2)
    batches = list(otlp.read_batches(tmp_path / "*.gz", on_error="skip"))
    assert [(len(batch), batch.skipped) for batch in batches] == [(0, 1), (0, 1)]
