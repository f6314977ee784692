"""A long run leaves few files: what comes next is written into the last part, once, whatever happens."""

import contextlib
import random
import threading
from collections import Counter
from pathlib import Path

import pytest
from peers import logs, send, spans

from workbench import otlp
from workbench.otlp.storage import _table_folder
from workbench.otlp.transport import _compaction, _journal, durable
from workbench.otlp.transport._payload import accept
from workbench.otlp.transport._segments import encode_frame, segments_in

WIDE = 1 << 30


def span_ids(folder):
    """Return how often each span is in the files."""
    return Counter(int(digits, 16) for digits in otlp.read(folder, signal="traces").to_pandas()["span_id"])


def each_once(count):
    return dict.fromkeys(range(1, count + 1), 1)


def parts(folder):
    return [path.name for path in sorted(folder.glob("traces/part=*"))]


def leftovers(folder):
    return [path.name for path in folder.glob("journal/*.log")] + list(folder.glob("journal/unfinished/*"))


def body(first, count=1):
    return spans(count, first=first).SerializeToString()


def add_segment(folder, first, count=1):
    """Leave a closed segment of spans in the journal."""
    journal = _journal.Journal(folder / "journal", lambda: _compaction.next_number(folder))
    journal.append(accept("traces", body(first, count), "protobuf")).result(10)
    journal.close()


def compact_all(folder, part_bytes=WIDE):
    segments = segments_in(folder / "journal")
    return [_compaction.compact(segment, folder, part_bytes).records for segment in segments]


def opened(folder, **options):
    return otlp.DurableReceiver(folder, http_port=0, grpc_port=0, **({"compact_every_s": 3600} | options))


def test_a_small_part_is_written_into_and_a_large_one_is_not(tmp_path):
    with opened(tmp_path) as receiver:
        for number in range(5):
            assert send(receiver, spans(1, first=number)).ok
            assert [done.records for done in receiver.compact()] == [1]
    assert (parts(tmp_path), span_ids(tmp_path)) == (["part=00000001"], each_once(5))
    with opened(tmp_path, part_bytes=1) as receiver:
        assert send(receiver, spans(1, first=5)).ok
    assert (parts(tmp_path), span_ids(tmp_path)) == (["part=00000001", "part=00000006"], each_once(6))
    assert leftovers(tmp_path) == []


def test_segments_are_numbered_on_behind_all_that_a_part_holds(tmp_path):
    """Else the first segment of the next run would seem to be in the part, and be thrown away."""
    for number in range(4):
        with opened(tmp_path) as receiver:
            assert send(receiver, spans(1, first=number)).ok
    assert (parts(tmp_path), span_ids(tmp_path)) == (["part=00000001"], each_once(4))
    assert _compaction.next_number(tmp_path) == 5


def test_numbers_are_looked_for_when_nobody_else_writes(tmp_path, monkeypatch):
    """One that ends in that moment would write a part whose number the next one then gives away again."""

    def next_number(folder):
        with pytest.raises(otlp.JournalError, match="another receiver"):
            _journal.Journal(folder / "journal")
        return _compaction.next_number(folder)

    monkeypatch.setattr(durable, "next_number", next_number)
    with opened(tmp_path) as receiver:
        assert send(receiver, spans(1)).ok
    assert span_ids(tmp_path) == each_once(1)


def test_signals_grow_apart(tmp_path):
    for number in range(3):
        with opened(tmp_path) as receiver:
            assert send(receiver, logs(1), signal="logs").ok
            assert send(receiver, spans(1, first=number)).ok
    assert [path.parent.name for path in sorted(tmp_path.glob("*/part=*"))] == ["logs", "traces"]
    assert len(otlp.read(tmp_path, signal="logs")) == 3
    assert span_ids(tmp_path) == each_once(3)


STEPS = {
    "reading the segment": (_compaction, "read_frames"),
    "reading the part": (_compaction, "read"),
    "writing": (_compaction, "write_tables"),
    "syncing a table": (_compaction.os, "fsync"),
    "syncing what was written": (_compaction, "sync_folder"),
    "taking the part's place": (_compaction, "exchange_names"),
    "removing what the part was": (_compaction.shutil, "rmtree"),
    "removing the segment": (Path, "unlink"),
}


class KilledError(BaseException):
    pass


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("step", STEPS)
def test_growing_killed_at_any_step_is_finished_once(step, nth, tmp_path, monkeypatch):
    add_segment(tmp_path, 0, 2)
    compact_all(tmp_path)
    add_segment(tmp_path, 2, 2)
    place, name = STEPS[step]
    calls, real = [], getattr(place, name)

    def die(*arguments, **options):
        calls.append(name)
        if len(calls) == nth:
            raise KilledError
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(place, name, die)
        with contextlib.suppress(KilledError):
            compact_all(tmp_path)
    assert span_ids(tmp_path) in ({1: 1, 2: 1}, each_once(4))
    for _ in range(2):
        with opened(tmp_path):
            pass
    assert (parts(tmp_path), span_ids(tmp_path)) == (["part=00000001"], each_once(4))
    assert leftovers(tmp_path) == []


def test_no_part_grows_over_a_segment_that_is_still_to_come(tmp_path):
    """Else that one would seem to be in it."""
    add_segment(tmp_path, 0)
    compact_all(tmp_path)
    journal = tmp_path / "journal"
    (journal / "traces-00000002.log").write_bytes(encode_frame(b"\xff\xff"))
    (journal / "traces-00000003.log").write_bytes(encode_frame(body(2)))
    (journal / "traces-00000004.log").write_bytes(encode_frame(body(3)))
    with opened(tmp_path) as receiver:
        pass
    assert [segment.number for segment in receiver.failed] == [2]
    assert parts(tmp_path) == ["part=00000001", "part=00000003"]
    (journal / "traces-00000002.log").write_bytes(encode_frame(body(1)))
    with opened(tmp_path):
        pass
    assert parts(tmp_path) == ["part=00000001", "part=00000002", "part=00000003"]
    assert span_ids(tmp_path) == each_once(4)


@pytest.mark.parametrize("size", [0, 100, 1000])
def test_a_part_that_is_damaged_is_left_alone(tmp_path, size):
    add_segment(tmp_path, 0, 50)
    compact_all(tmp_path)
    table = tmp_path / "traces" / "part=00000001" / "spans.parquet"
    whole = table.read_bytes()
    table.write_bytes(whole[:size] + b"?" * (len(whole) - size))
    add_segment(tmp_path, 50)
    assert compact_all(tmp_path) == [1]
    assert parts(tmp_path) == ["part=00000001", "part=00000002"]
    table.write_bytes(whole)
    assert span_ids(tmp_path) == each_once(51)


def test_where_no_folder_can_take_anothers_place_in_one_step_each_has_a_part(tmp_path, monkeypatch):
    monkeypatch.setattr(_compaction, "exchange_names", lambda _first, _second: False)
    for number in range(2):
        add_segment(tmp_path, number)
        compact_all(tmp_path)
    assert (parts(tmp_path), span_ids(tmp_path)) == (["part=00000001", "part=00000002"], each_once(2))
    assert leftovers(tmp_path) == []


def test_whoever_reads_while_a_receiver_starts_does_not_miss_what_it_removes(tmp_path, monkeypatch):
    add_segment(tmp_path, 0)
    compact_all(tmp_path)
    unfinished, list_tables = tmp_path / "journal" / "unfinished", _table_folder.table_paths
    assert unfinished.is_dir()

    def remove_first(folder):
        if folder == unfinished:
            folder.rmdir()
        return list_tables(folder)

    monkeypatch.setattr(_table_folder, "table_paths", remove_first)
    assert span_ids(tmp_path) == each_once(1)
    assert not unfinished.exists()


def test_whoever_reads_while_a_part_grows_sees_each_record_once_and_none_go(tmp_path):
    add_segment(tmp_path, 0)
    compact_all(tmp_path)
    ended = threading.Event()
    wrong, seen = [], [1]

    def read_on():
        while not ended.is_set():
            found = span_ids(tmp_path)
            if found != each_once(len(found)) or len(found) < seen[-1]:
                wrong.append(found)
            seen.append(len(found))

    reader = threading.Thread(target=read_on)
    reader.start()
    rng = random.Random(5)
    try:
        for number in range(1, 31):
            add_segment(tmp_path, number)
            compact_all(tmp_path, part_bytes=rng.choice([WIDE, WIDE, WIDE, 1]))
    finally:
        ended.set()
        reader.join()
    assert wrong == []
    assert span_ids(tmp_path) == each_once(31)
