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
