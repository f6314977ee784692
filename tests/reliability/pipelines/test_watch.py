"""`Pipeline.watch`: a thread that reloads when the file changes, and ends when it is told to."""

import gc
import os
import threading
import weakref

import pytest

from workbench.reliability.pipeline import Pipeline
from workbench.reliability.pipelines.errors import ConfigError, PipelineError
from workbench.reliability.policies.retry import Retry

LONG_S = 1000.0


def write(path, attempts, *, at_ns):
    path.write_text(f"layers: [{{kind: retry, attempts: {attempts}}}]")
    os.utime(path, ns=(at_ns, at_ns))


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "pipeline.yaml"
    write(found, 3, at_ns=1_000)
    return found


def test_it_reloads_when_the_file_changes_and_only_then(path):
    pipeline = Pipeline.from_file(path)
    with pipeline.watch(path, LONG_S) as watch:
        assert not watch.look()
        write(path, 5, at_ns=2_000)
        assert watch.look()
        assert not watch.look()
        assert (pipeline[0].attempts, watch.reloads) == (5, 1)
    assert "closed, 1 reloads" in repr(watch)


def test_the_thread_looks_by_itself(path):
    pipeline = Pipeline.from_file(path)
    reloaded = threading.Event()
    with pipeline.watch(path, 0.005, on_reload=lambda found: reloaded.set()):
        write(path, 6, at_ns=2_000)
        assert reloaded.wait(20)
        assert pipeline[0].attempts == 6


def test_a_file_that_is_not_understood_leaves_the_pipeline_as_it_is(path):
    pipeline = Pipeline.from_file(path)
    errors = []
    with pipeline.watch(path, LONG_S, on_error=errors.append) as watch:
        path.write_text("layers: 3")
        assert not watch.look()
        assert not watch.look()
        assert len(errors) == 1
        assert isinstance(watch.error, ConfigError)
        path.unlink()
        assert not watch.look()
        assert pipeline[0].attempts == 3
        write(path, 7, at_ns=9_000)
        assert watch.look()
        assert watch.error is None
        assert pipeline[0].attempts == 7


def test_without_a_function_for_errors_they_are_logged(path, caplog):
    with Pipeline.from_file(path).watch(path, LONG_S) as watch:
        path.write_text("layers: 3")
        watch.look()
    assert "was not reloaded" in caplog.text
    assert "expected a list of layers" in caplog.text


def test_a_callback_that_fails_does_not_end_the_thread(path, caplog):
    pipeline = Pipeline.from_file(path)
    calls = threading.Semaphore(0)

    def fail(_found):
        calls.release()
        raise RuntimeError

    with pipeline.watch(path, 0.005, on_reload=fail):
        for number in range(4, 6):
            write(path, number, at_ns=number * 1_000)
            assert calls.acquire(timeout=20)
    assert "callback failed" in caplog.text


def test_closing_ends_the_thread_at_once_and_again_is_nothing(path):
    before = threading.active_count()
    watch = Pipeline.from_file(path).watch(path, LONG_S)
    assert threading.active_count() == before + 1
    watch.close()
    watch.close()
    assert threading.active_count() == before


def test_a_watch_that_nobody_holds_ends(path):
    watch = Pipeline.from_file(path).watch(path, LONG_S)
    known, thread = weakref.ref(watch), watch._thread
    del watch
    gc.collect()
    assert known() is None
    thread.join(20)
    assert not thread.is_alive()


def test_it_may_be_closed_from_its_own_thread(path):
    ended = threading.Event()
    watch = Pipeline.from_file(path).watch(path, 0.005, on_reload=lambda _: (watch.close(), ended.set()))
    write(path, 8, at_ns=5_000)
    assert ended.wait(20)
    watch._thread.join(20)
    assert not watch._thread.is_alive()


@pytest.mark.parametrize("interval_s", [0, -1.0, True, "1s", float("nan")])
def test_an_interval_is_positive(path, interval_s):
    with pytest.raises(PipelineError, match="interval_s"):
        Pipeline(Retry()).watch(path, interval_s)
