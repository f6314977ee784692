"""What threads, tasks and processes did is recorded as it happened."""

import asyncio
import gc
import multiprocessing
import os
import pickle
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from workbench.histories import NIL, History, OperationError, RecordingError


def names(history):
    return [operation.text for operation in history]


def test_an_operation_is_what_happened_between_its_call_and_its_return():
    recorder = History.record()
    assert recorder.call(("read",), lambda value: value, 7) == 7
    with recorder.operation(("write", 8), process="A"):
        pass
    history = recorder.history()
    assert names(history) == ["read() -> 7", "write(8) -> NIL"]
    assert history[0].return_s <= history[1].call_s
    assert 0 < history[0].call_s <= history[0].return_s
    assert history.processes == (threading.current_thread().name, "A")
    assert repr(recorder) == "Recorder: 2 operations so far"


def test_an_answer_of_none_is_a_known_nothing():
    recorder = History.record()
    recorder.call(("read",), lambda: None)
    assert recorder.history()[0].output is NIL


def test_an_answer_may_be_said_to_be_unknown_though_it_came():
    recorder = History.record()
    with recorder.operation(("read",)) as operation:
        operation.output = 5
        operation.forget_output()
    assert recorder.history()[0].output is None
    assert not recorder.history().pending


def test_what_raised_never_returned_and_its_process_goes_on_by_another_name():
    recorder = History.record()
    for value in (1, 2):
        with pytest.raises(TimeoutError), recorder.operation(("write", value), process="A"):
            raise TimeoutError
    recorder.call(("read",), int)
    with recorder.operation(("read",), process="A"):
        pass
    history = recorder.history()
    assert len(history.pending) == 2
    assert [operation.process for operation in history if operation.name == "write"] == ["A", "A (2)"]
    assert history[3].process == "A (3)"


def test_what_certainly_did_not_happen_is_not_recorded():
    recorder = History.record()
    with pytest.raises(KeyError), recorder.operation(("write", 1), failed=(KeyError,)):
        raise KeyError
    with recorder.operation(("write", 2)) as operation:
        operation.did_not_happen()
    assert len(recorder.history()) == 0


def test_an_operation_under_way_has_not_returned():
    recorder = History.record()
    with recorder.operation(("write", 1)):
        assert recorder.history().pending == recorder.history().operations
    assert not recorder.history().pending


def test_an_operation_begins_once():
    recorder = History.record()
    operation = recorder.operation(("read",))
    with operation:
        pass
    with pytest.raises(RecordingError, match="make another for each call"), operation:
        pass


def test_threads_are_processes_that_overlap():
    recorder = History.record()
    barrier = threading.Barrier(3)

    def work():
        with recorder.operation(("read",)):
            barrier.wait()

    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(work) for _ in range(3)]:
            future.result()
    history = recorder.history()
    assert len(history.processes) == 3
    assert max(each.call_s for each in history) <= min(each.return_s for each in history)


def test_threads_of_one_name_are_told_apart():
    recorder = History.record()
    barrier = threading.Barrier(2)
    work = [
        threading.Thread(target=lambda: recorder.call(("read",), barrier.wait), name="same") for _ in range(2)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert set(recorder.history().processes) == {"same", "same #2"}


def test_tasks_are_processes_that_overlap():
    recorder = History.record()

    async def both(barrier):
        async def work(value):
            await barrier.wait()
            return value

        await asyncio.gather(*(recorder.call_async(("read",), work, value) for value in (1, 2)))

    async def main():
        await both(asyncio.Barrier(2))

    asyncio.run(main())
    history = recorder.history()
    assert len(history.processes) == 2
    assert sorted(names(history)) == ["read() -> 1", "read() -> 2"]
    assert max(each.call_s for each in history) <= min(each.return_s for each in history)


def _work(recorder, value):
    recorder.call(("write", value), str, value)
    with recorder.operation(("drop",)) as operation:
        operation.did_not_happen()


def _die(recorder):
    with recorder.operation(("write", 9)):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)  # whoever else runs
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_are_recorded_and_one_that_was_killed_never_returned(method):
    context = multiprocessing.get_context(method)
    recorder = History.record()
    recorder.call(("read",), int)
    for target, arguments in ((_work, (recorder, 1)), (_work, (recorder, 2)), (_die, (recorder,))):
        child = context.Process(target=target, args=arguments)
        child.start()
        child.join()
        child.close()
    history = recorder.history()
    assert names(history) == ["read() -> 0", "write(1) -> '1'", "write(2) -> '2'", "write(9) -> ?"]
    assert len(history.processes) == 4
    assert history.pending == (history[3],)
    assert all(first.call_s < second.call_s for first, second in pairwise(history))


def test_files_of_other_processes_are_read_as_far_as_they_were_written(tmp_path):
    recorder = History.record()
    foreign = pickle.loads(pickle.dumps(recorder))
    foreign._journal._owner = -1  # as in another process
    _work(foreign, 1)
    [file] = foreign._journal._files.values()
    file.close()
    path = next(recorder._journal._folder.glob("*.ops"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(pickle.dumps(0)) + 20])
    assert len(recorder.history()) == 0
    path.write_bytes(whole)
    assert names(recorder.history()) == ["write(1) -> '1'"]


def test_a_folder_is_made_for_other_processes_only_and_goes_with_the_recorder():
    recorder = History.record()
    recorder.call(("read",), int)
    assert recorder._journal._folder is None
    pickle.dumps(recorder)
    folder = recorder._journal._folder
    assert folder.exists()
    del recorder
    gc.collect()
    assert not folder.exists()


def test_one_name_for_two_that_overlap_is_refused():
    recorder = History.record()
    with recorder.operation(("read",), process="A"), recorder.operation(("read",), process="A"):
        pass
    with pytest.raises(OperationError, match="process 'A' calls"):
        recorder.history()
