"""What was acknowledged becomes tables: all of it, as it was, once, whatever happens meanwhile."""

import random
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peers import send, spans
from wire_fuzz import OFFICIAL, random_message

from workbench import otlp
from workbench.otlp.decoder import TELEMETRY, concat
from workbench.otlp.transport import _compaction, _journal
from workbench.otlp.transport._payload import Accepted, accept
from workbench.otlp.transport._segments import encode_frame, segments_in


def span_ids(folder):
    """Return how often each span is in the files."""
    return Counter(int(digits, 16) for digits in otlp.read(folder).to_pandas()["span_id"])


def leftovers(folder):
    return [path.name for path in folder.glob("journal/*.log")] + list(folder.glob("journal/unfinished/*"))


def compacted(folder, signal, runs, part_bytes=0):
    """Write messages through a journal, a segment for each run of them, and make tables of it."""
    journal = _journal.Journal(folder / "journal")
    for run in runs:
        for body in run:
            journal.append(Accepted(signal, body, 1)).result(10)
        journal.rotate()
    journal.close()
    for segment in segments_in(folder / "journal"):
        _compaction.compact(segment, folder, part_bytes)


@pytest.mark.parametrize("signal", OFFICIAL)
@pytest.mark.parametrize("part_bytes", [0, 1 << 30])
@settings(max_examples=6, deadline=None)
@given(runs=st.lists(st.lists(st.integers(0, 10**6), min_size=1, max_size=2), min_size=1, max_size=3))
def test_what_was_received_is_read_as_it_was(signal, part_bytes, runs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("received")
    runs = [
        [random_message(random.Random(seed), OFFICIAL[signal]).SerializeToString() for seed in run]
        for run in runs
    ]
    compacted(folder, signal, runs, part_bytes)
    whole = concat([TELEMETRY[signal].from_otlp(run) for run in runs])
    if any(map(len, whole.tables.values())):
        assert otlp.read(folder) == whole
        assert concat(otlp.read_batches(folder / signal, signal=signal)) == whole
        assert part_bytes == 0 or len(list(folder.glob(f"{signal}/part=*"))) == 1
    else:
        assert not (folder / signal).exists()


def test_duckdb_reads_all_parts_of_a_table_and_joins_within_a_part(tmp_path):
    request = spans(2, name="GET /")
    for number, span in enumerate(request.resource_spans[0].scope_spans[0].spans):
        span.attributes.add(key="number").value.int_value = number
    compacted(tmp_path, "traces", [[request.SerializeToString()]] * 2)
    query = f"""
        select name, attr.int number, count(distinct part) parts
        from '{tmp_path}/traces/*/spans.parquet' span
        join '{tmp_path}/traces/*/span_attrs.parquet' attr using (part)
        where attr.parent_id = span.id group by all order by number
    """
    with duckdb.connect() as connection:
        found = connection.sql(query).fetchall()
    assert found == [("GET /", 0, 2), ("GET /", 1, 2)]


def test_a_folder_is_read_while_it_is_received_into(tmp_path):
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0, compact_every_s=3600) as receiver:
        for number in range(3):
            assert send(receiver, spans(2, first=2 * number)).ok
            receiver.compact()
            assert len(otlp.read(tmp_path)) == 2 * number + 2


def killed_after(step, tmp_path, monkeypatch):
    """Leave a folder as a compaction leaves it that is killed right before this step."""

    class KilledError(BaseException):
        pass

    def die(*_arguments, **_options):
        raise KilledError

    journal = _journal.Journal(tmp_path / "journal")
    journal.append(accept("traces", spans(4).SerializeToString(), "protobuf")).result(10)
    journal.close()
    (segment,) = segments_in(tmp_path / "journal")
    with monkeypatch.context() as patch:
        patch.setattr(*step, die)
        with pytest.raises(KilledError):
            _compaction.compact(segment, tmp_path)


STEPS = {
    "reading": (_compaction, "read_frames"),
    "writing": (_compaction, "write_tables"),
    "syncing a table": (_compaction.os, "fsync"),
    "syncing a folder": (_compaction, "sync_folder"),
    "renaming": (Path, "rename"),
    "removing the segment": (Path, "unlink"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_compaction_killed_at_any_step_is_finished_once(step, tmp_path, monkeypatch):
    killed_after(STEPS[step], tmp_path, monkeypatch)
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0):
        pass
    assert span_ids(tmp_path) == {1: 1, 2: 1, 3: 1, 4: 1}
    assert leftovers(tmp_path) == []


def test_a_torn_tail_is_cut_kept_aside_and_reported(tmp_path, caplog):
    folder = tmp_path / "journal"
    folder.mkdir()
    whole = encode_frame(spans(2).SerializeToString())
    (folder / "traces-00000001.log").write_bytes(whole + whole[:-3])
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0):
        pass
    assert span_ids(tmp_path) == {1: 1, 2: 1}
    assert (folder / "torn" / "traces-00000001.log").read_bytes() == whole[:-3]
    assert "no whole request" in caplog.text


def test_a_frame_damaged_on_the_disk_does_not_hide_those_behind_it(tmp_path):
    folder = tmp_path / "journal"
    folder.mkdir()
    frames = [encode_frame(spans(1, first=number).SerializeToString()) for number in range(3)]
    frames[1] = frames[1][:-1] + b"?"
    (folder / "traces-00000001.log").write_bytes(b"".join(frames) + frames[0][:5])
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0):
        pass
    assert span_ids(tmp_path) == {1: 1, 3: 1}
    assert (folder / "torn" / "traces-00000001.log").read_bytes() == frames[1] + frames[0][:5]


def test_a_segment_that_cannot_be_written_stays_and_does_not_stop_the_others(tmp_path, caplog):
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / "traces-00000001.log").write_bytes(encode_frame(b"\xff\xff"))
    (folder / "traces-00000002.log").write_bytes(encode_frame(spans(2).SerializeToString()))
    receiver = otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0)
    receiver.close()
    assert span_ids(tmp_path) == {1: 1, 2: 1}
    assert [segment.path.name for segment in receiver.failed] == ["traces-00000001.log"]
    assert "stays in the journal" in caplog.text


def test_a_compaction_that_finds_no_room_leaves_nothing_and_is_tried_again(tmp_path, monkeypatch):
    def no_space(_number):
        raise OSError(28, "No space left on device")

    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0, compact_every_s=3600) as receiver:
        assert send(receiver, spans(2)).ok
        with monkeypatch.context() as patch:
            patch.setattr(_compaction, "_sync_file", no_space)
            assert receiver.compact() == []
        assert [str(error) for error in receiver.failed.values()] == ["[Errno 28] No space left on device"]
        assert not list(tmp_path.glob("journal/unfinished/*"))
        assert [done.records for done in receiver.compact()] == [2]
        assert receiver.failed == {}
    assert span_ids(tmp_path) == {1: 1, 2: 1}
