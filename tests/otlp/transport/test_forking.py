"""A forked process exports by itself: its parent's threads are not in it."""

import os
import sys

import pytest
from peers import spans

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
