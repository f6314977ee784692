"""The durable receiver: what was acknowledged is in the files, whatever happened."""

import contextlib
import json
import math
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import Future
from subprocess import PIPE

import httpx
import pytest
from peers import SERVICES, logs, metrics, send, spans

from workbench import otlp
from workbench.otlp.transport import _journal
from workbench.otlp.transport._payload import accept
from workbench.otlp.transport._segments import encode_frame, read_frames, segments_in

COMMAND = [sys.executable, "-c", "from workbench.cli import app; app()"]
END_S = 90  # kernels that are not compiled yet are compiled by the last compaction
PROTOBUF = {"content-type": "application/x-protobuf"}


def parts(folder, signal_name="traces"):
    return sorted(folder.glob(f"{signal_name}/part=*"))


def span_ids(folder):
    """Return how often each span is in the files."""
    return Counter(int(digits, 16) for digits in otlp.read(folder).to_pandas()["span_id"])


def leftovers(folder):
    return [path.name for path in folder.glob("journal/*.log")] + list(folder.glob("journal/unfinished/*"))


@pytest.fixture
def receiver(tmp_path):
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0, compact_every_s=3600) as receiver:
        yield receiver


def test_every_signal_becomes_parquet(receiver, tmp_path):
    profiles = SERVICES["profiles"].request()
    profiles.resource_profiles.add().scope_profiles.add().profiles.add()
    for over in ("http/protobuf", "http/json", "grpc"):
        for name, request in (("traces", spans(2)), ("metrics", metrics(3)), ("logs", logs(4))):
            assert send(receiver, request, over, signal=name).ok
        assert send(receiver, profiles, over, signal="profiles").ok
    assert receiver.records == {"traces": 6, "metrics": 9, "logs": 12, "profiles": 3}
    receiver.close()
    rows = {name: len(otlp.read(tmp_path, signal=name)) for name in SERVICES}
    assert rows == {"traces": 6, "metrics": 3, "logs": 12, "profiles": 3}
    assert leftovers(tmp_path) == []


def test_what_is_acknowledged_is_in_the_log_already(receiver, tmp_path):
    assert send(receiver, spans(5)).ok
    (segment,) = segments_in(tmp_path / "journal")
    bodies, torn = read_frames(segment.path.read_bytes())
    assert (bodies, torn) == ([spans(5).SerializeToString()], b"")


def test_requests_that_arrive_during_a_sync_share_the_next(tmp_path, monkeypatch):
    """Group commit: ten requests, two syncs of the segment."""
    syncing, go = threading.Event(), threading.Event()
    synced = []

    def slow_sync(number):
        synced.append(os.fstat(number).st_size)
        syncing.set()
        assert go.wait(10)

    journal = _journal.Journal(tmp_path / "journal")
    monkeypatch.setattr(_journal.os, "fsync", slow_sync)
    monkeypatch.setattr(_journal, "sync_folder", lambda _folder: None)
    one = accept("traces", spans().SerializeToString(), "protobuf")
    futures = [journal.append(one)]
    assert syncing.wait(10)
    futures += [journal.append(one) for _ in range(9)]
    assert not any(future.done() for future in futures)
    go.set()
    for future in futures:
        future.result(10)
    frame = len(encode_frame(one.body))
    assert synced == [frame, 10 * frame]
    journal.close()


def test_nothing_is_acknowledged_that_could_not_be_synced(receiver, tmp_path, monkeypatch):
    def no_space(_number):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(_journal.os, "fsync", no_space)
        for over, status in (("http/protobuf", 503), ("grpc", "UNAVAILABLE")):
            answer = send(receiver, spans(1, first=1), over)
            assert answer.status == status
            assert "No space left" in answer.failure().message
    assert send(receiver, spans(1, first=2)).ok
    receiver.close()
    assert span_ids(tmp_path)[3] == 1


def test_a_failed_write_leaves_a_segment_that_can_be_read(tmp_path, monkeypatch):
    journal = _journal.Journal(tmp_path / "journal")
    first = accept("traces", spans().SerializeToString(), "protobuf")
    journal.append(first).result(10)
    with monkeypatch.context() as patch:
        patch.setattr(_journal.os, "fsync", lambda _number: (_ for _ in ()).throw(OSError(5, "I/O error")))
        assert isinstance(journal.append(first).exception(10), OSError)
    journal.append(first).result(10)
    journal.close()
    contents = [read_frames(segment.path.read_bytes()) for segment in segments_in(tmp_path / "journal")]
    assert contents == [([first.body], b""), ([first.body], b"")]


def test_what_was_refused_for_want_of_room_is_not_written_when_there_is_room_again(tmp_path, monkeypatch):
    """Its sender sends it again: it would be there twice."""
    journal = _journal.Journal(tmp_path / "journal")
    request = accept("traces", spans().SerializeToString(), "protobuf")
    before, truncate = resource.getrlimit(resource.RLIMIT_FSIZE), os.ftruncate

    def truncate_and_make_room(number, size):
        truncate(number, size)
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    monkeypatch.setattr(_journal.os, "ftruncate", truncate_and_make_room)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        assert isinstance(journal.append(request).exception(10), OSError)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    journal.append(request).result(10)
    journal.close()
    contents = [read_frames(segment.path.read_bytes()) for segment in segments_in(tmp_path / "journal")]
    assert contents == [([request.body], b"")]


def test_a_failed_commit_leaves_no_empty_segment(tmp_path, monkeypatch):
    journal = _journal.Journal(tmp_path / "journal")
    request = accept("traces", spans().SerializeToString(), "protobuf")
    with monkeypatch.context() as patch:
        patch.setattr(_journal.os, "fsync", lambda _number: (_ for _ in ()).throw(OSError(28, "full")))
        for _ in range(3):
            assert isinstance(journal.append(request).exception(10), OSError)
    assert segments_in(tmp_path / "journal") == []
    journal.close()


class Held:
    """A call that lasts until it is let go."""

    def __init__(self):
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, *_arguments):
        self.begun.set()
        assert self.go.wait(10)


def test_what_waits_for_a_sync_cannot_be_cancelled(tmp_path, monkeypatch):
    """A result that nobody may set any more ended the journal's thread, and with it every acknowledgement."""
    journal = _journal.Journal(tmp_path / "journal")
    request = accept("traces", spans().SerializeToString(), "protobuf")
    held = Held()
    monkeypatch.setattr(_journal.os, "fsync", held)
    first = journal.append(request)
    assert held.begun.wait(10)
    second = journal.append(request)
    assert not first.cancel()
    assert not second.cancel()
    held.go.set()
    assert (first.result(10), second.result(10)) == (None, None)
    journal.close()


def test_a_cancelled_request_leaves_a_receiver_that_can_be_closed(tmp_path, monkeypatch):
    receiver = otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0)
    answers = []

    def ask():
        with contextlib.suppress(httpx.TransportError):
            answers.append(send(receiver, spans()))

    client, held = threading.Thread(target=ask), Held()
    with monkeypatch.context() as patch:
        patch.setattr(_journal.os, "fsync", held)
        client.start()
        assert held.begun.wait(10)
        receiver._servers.close(0)
    held.go.set()
    client.join()
    receiver.close()
    assert answers == []
    assert span_ids(tmp_path) == {1: 1}


def test_a_journal_whose_thread_ends_tells_all_who_wait(tmp_path, monkeypatch):
    held = Held()

    def end(_self, _group):
        held()
        raise SystemExit

    monkeypatch.setattr(_journal.Journal, "_commit", end)
    journal = _journal.Journal(tmp_path / "journal")
    request = accept("traces", spans().SerializeToString(), "protobuf")
    waiting = [journal.append(request)]
    assert held.begun.wait(10)
    waiting.append(journal.append(request))
    held.go.set()
    for future in waiting:
        assert isinstance(future.exception(10), otlp.JournalError)
    journal.close()
    assert isinstance(journal.append(request).exception(1), otlp.JournalError)


def test_a_closed_receiver_leaves_the_folder_to_the_next(tmp_path):
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0) as former:
        pass
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0) as receiver:
        assert send(receiver, spans()).ok
        with pytest.raises(otlp.JournalError, match="has been closed"):
            former.compact()
        assert send(receiver, spans(1, first=1)).ok
    assert span_ids(tmp_path) == {1: 1, 2: 1}


def test_whatever_goes_wrong_in_writing_those_who_wait_hear_of_it(tmp_path, monkeypatch):
    journal = _journal.Journal(tmp_path / "journal")
    request = accept("traces", spans().SerializeToString(), "protobuf")
    with monkeypatch.context() as patch:
        patch.setattr(_journal, "encode_frame", lambda _body: (_ for _ in ()).throw(OverflowError("4 GiB")))
        assert isinstance(journal.append(request).exception(10), OverflowError)
    journal.append(request).result(10)
    journal.close()


def test_a_receiver_whose_folder_was_taken_away_ends_and_says_so(tmp_path):
    receiver = otlp.DurableReceiver(tmp_path / "gone", http_port=0, grpc_port=0)
    shutil.rmtree(tmp_path / "gone")
    with pytest.raises(FileNotFoundError):
        receiver.close()
    assert not receiver._journal._thread.is_alive()
    with otlp.DurableReceiver(tmp_path / "gone", http_port=0, grpc_port=0):
        pass


@pytest.mark.parametrize("compact_every_s", [3600, math.inf])
def test_a_full_segment_is_compacted_at_once(tmp_path, compact_every_s):
    with otlp.DurableReceiver(
        tmp_path, http_port=0, grpc_port=0, compact_every_s=compact_every_s
    ) as receiver:
        receiver._journal._segment_bytes = 1
        assert send(receiver, spans(3)).ok
        deadline = time.monotonic() + 10
        while not parts(tmp_path) and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        assert span_ids(tmp_path) == {1: 1, 2: 1, 3: 1}


def test_it_shows_where_it_listens_and_what_came(receiver):
    assert repr(receiver).endswith("nothing received")
    send(receiver, spans(1200))
    assert repr(receiver).startswith(
        f"DurableReceiver: {receiver.http_endpoint}, grpc {receiver.grpc_endpoint}"
    )
    assert repr(receiver).endswith("1,200 traces")
    assert "<td" in receiver._repr_html_()


def test_one_folder_has_one_receiver(receiver, tmp_path):
    with pytest.raises(otlp.JournalError, match="another receiver writes to"):
        otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0)


def test_a_receiver_that_cannot_listen_lets_go_of_the_folder(tmp_path):
    with otlp.Receiver() as taken:
        port = int(taken.http_endpoint.rpartition(":")[2])
        with pytest.raises(otlp.EndpointError, match=str(port)):
            otlp.DurableReceiver(tmp_path, http_port=port, grpc_port=0)
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0):
        pass


def test_options_without_a_meaning_are_refused(tmp_path):
    with pytest.raises(otlp.ConfigurationError, match="compact_every_s"):
        otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0, compact_every_s=0)
    with pytest.raises(otlp.ConfigurationError, match="part_bytes"):
        otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0, part_bytes=-1)
    with pytest.raises(otlp.ConfigurationError, match="max_request_bytes"):
        otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0, max_request_bytes=0)


def test_a_closed_journal_says_so(tmp_path):
    journal = _journal.Journal(tmp_path / "journal")
    journal.close()
    found = journal.append(accept("traces", b"", "protobuf")).exception(1)
    assert isinstance(found, otlp.JournalError)


def test_numbers_go_on_after_a_restart(tmp_path):
    for number in range(3):
        with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0, part_bytes=0) as receiver:
            assert send(receiver, spans(1, first=number)).ok
    assert span_ids(tmp_path) == {1: 1, 2: 1, 3: 1}
    assert len(parts(tmp_path)) == 3


# The command


@pytest.fixture
def command():
    """Start ``workbench otlp receive``, and return it with where it listens; nothing of it is left behind."""
    started = []

    def start(folder, *options):
        arguments = ["otlp", "receive", "--to", str(folder), "--http-port", "0", "--grpc-port", "0", "--json"]
        process = subprocess.Popen([*COMMAND, *arguments, *options], stdout=PIPE, stderr=PIPE, text=True)
        started.append(process)
        line = process.stdout.readline()
        if not line:
            pytest.fail(process.communicate()[1])
        return process, json.loads(line)

    yield start
    for process in started:
        process.kill()
        process.communicate()


class Where:
    """Where a receiver in another process listens."""

    def __init__(self, where):
        self.http_endpoint, self.grpc_endpoint = where["http"], where["grpc"]


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_well_when_asked(tmp_path, sent, command):
    process, where = command(tmp_path)
    for over in ("http/protobuf", "grpc"):
        assert send(Where(where), spans(3), over).ok
    process.send_signal(sent)
    output, errors = process.communicate(timeout=END_S)
    assert (process.returncode, errors) == (0, "")
    assert json.loads(output) == {
        "received": {"traces": 6, "metrics": 0, "logs": 0, "profiles": 0},
        "not_written": [],
    }
    assert span_ids(tmp_path) == {1: 2, 2: 2, 3: 2}
    assert leftovers(tmp_path) == []


@pytest.mark.slow
def test_the_command_reports_a_folder_that_is_taken(tmp_path, receiver):
    done = subprocess.run(
        [
            *COMMAND,
            "otlp",
            "receive",
            "--to",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        timeout=END_S,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: another receiver writes to")


class Load:
    """Sends spans, each once, from several threads, and remembers which were acknowledged."""

    def __init__(self, first):
        self.acknowledged, self.given = set(), set()
        self._next = first
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = []

    def start(self, where):
        senders = [self._over_http] * 3 + [self._over_grpc]
        self._stop.clear()
        self._threads = [threading.Thread(target=sender, args=(where,)) for sender in senders]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _take(self):
        with self._lock:
            first, self._next = self._next, self._next + 10
            ids = set(range(first + 1, first + 11))
            self.given |= ids
            return first, ids

    def _over_http(self, where):
        with httpx.Client(trust_env=False, verify=False, timeout=5) as client:
            while not self._stop.is_set():
                first, ids = self._take()
                body = spans(10, first=first).SerializeToString()
                try:
                    answer = client.post(where["http"] + "/v1/traces", content=body, headers=PROTOBUF)
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    with self._lock:
                        self.acknowledged |= ids

    def _over_grpc(self, where):
        while not self._stop.is_set():
            first, ids = self._take()
            answer = send(Where(where), spans(10, first=first), "grpc")
            if not answer.ok:
                return
            with self._lock:
                self.acknowledged |= ids


@pytest.mark.slow
def test_what_was_acknowledged_survives_kills_at_random_moments_under_load(tmp_path, command):
    """Four kills: every acknowledged span is in the files once, and no span is there twice."""
    moments = random.Random(20)
    load = Load(first=0)
    for _ in range(4):
        process, where = command(tmp_path, "--compact-every-s", "0.05")
        load.start(where)
        threading.Event().wait(moments.uniform(0.05, 0.7))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        load.stop()
    process, _ = command(tmp_path)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=END_S)
    found = span_ids(tmp_path)
    assert len(load.acknowledged) > 200
    assert load.acknowledged <= found.keys() <= load.given
    assert set(found.values()) == {1}
    assert leftovers(tmp_path) == []


@pytest.mark.slow
def test_an_interruption_under_load_loses_nothing_and_leaves_no_log(tmp_path, command):
    load = Load(first=0)
    process, where = command(tmp_path, "--compact-every-s", "0.1")
    load.start(where)
    threading.Event().wait(0.7)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=END_S)
    load.stop()
    found = span_ids(tmp_path)
    assert process.returncode == 0
    assert json.loads(output)["received"]["traces"] == sum(found.values())
    assert load.acknowledged
    assert load.acknowledged <= found.keys() <= load.given
    assert set(found.values()) == {1}
    assert leftovers(tmp_path) == []


def test_a_future_is_what_a_sink_returns(tmp_path):
    journal = _journal.Journal(tmp_path / "journal")
    assert isinstance(journal.append(accept("traces", b"", "protobuf")), Future)
    journal.close()
