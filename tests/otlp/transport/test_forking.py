"""A forked process exports by itself: its parent's threads are not in it."""

import os
import sys

import pytest
from peers import send, spans

from workbench import otlp


def in_a_fork(call):
    """Return the exit code of a forked process that makes a call; an exception is 1."""
    number = os.fork()
    if number:
        return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    code = 1
    try:
        code = call()
    except BaseException as error:  # noqa: BLE001 (the parent's test must not go on in here)
        sys.stderr.write(repr(error))
    finally:
        os._exit(code)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_process_sends_what_it_exports_and_not_what_its_parent_does():
    def child():
        assert exporter.stats == otlp.ExportStats()
        exporter.export(spans(3))
        assert exporter.flush(10)
        assert exporter.stats.sent == 3
        assert exporter.shutdown()
        return 7

    with (
        otlp.Receiver() as receiver,
        otlp.Exporter(receiver.http_endpoint, schedule_delay_s=3600) as exporter,
    ):
        exporter.export(spans(2))
        assert in_a_fork(child) == 7
        assert receiver._records() == 3
        assert exporter.flush(10)
        assert receiver._records() == 5
        assert exporter.stats.given == exporter.stats.sent == 2


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_an_exporter_that_has_been_shut_down_stays_so_in_a_fork():
    def child():
        with pytest.raises(otlp.ExporterClosedError):
            exporter.export(spans(1))
        return 7

    with otlp.Exporter("http://127.0.0.1:1") as exporter:
        pass
    assert in_a_fork(child) == 7


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_process_leaves_its_parents_receiver_alone():
    def child():
        receiver.close()
        return 7

    with otlp.Receiver() as receiver:
        assert in_a_fork(child) == 7
        assert send(receiver, spans()).ok


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_process_leaves_its_parents_journal_alone(tmp_path):
    def child():
        with pytest.raises(otlp.JournalError, match="forked"):
            receiver.compact()
        receiver.close()
        return 7

    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0) as receiver:
        assert send(receiver, spans()).ok
        assert in_a_fork(child) == 7
        assert send(receiver, spans(1, first=1)).ok
        with pytest.raises(otlp.JournalError, match="another receiver writes"):
            otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0)
    assert len(otlp.read(tmp_path)) == 2


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_closed_receivers_folder_is_free_while_a_forked_process_lives(tmp_path):
    said, says = os.pipe()
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0):
        number = os.fork()
        if not number:
            os.close(says)
            os.read(said, 1)  # returns when the parent has closed its side
            os._exit(7)
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0):
        pass
    os.close(says)
    os.close(said)
    assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 7
