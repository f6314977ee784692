"""Patterns, lists and folders name many files, which are read one after the other, or in parallel."""

import shutil
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workbench import otlp
from workbench.executors import ordered_map


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        message = TracesData()
        message.resource_spans.add().scope_spans.add().spans.add(name=f"span {number}")
        (tmp_path / f"traces-{number}.pb").write_bytes(message.SerializeToString())
    return tmp_path


NAMES = ["span 0", "span 1", "span 2"]


def test_a_pattern_is_all_that_it_matches_by_name(folder):
    assert otlp.read(folder / "traces-*.pb")["name"].to_pylist() == NAMES
    assert otlp.read(str(folder / "**" / "*-[12].pb"))["name"].to_pylist() == NAMES[1:]
    with pytest.raises(FileNotFoundError, match="nothing"):
        otlp.read(folder / "nothing-*.pb")


def test_a_list_is_read_in_its_order(folder):
    paths = [folder / "traces-2.pb", str(folder / "traces-0.pb")]
    assert otlp.read(paths)["name"].to_pylist() == ["span 2", "span 0"]
    assert [batch["name"].to_pylist() for batch in otlp.read_batches(paths)] == [["span 2"], ["span 0"]]
    with pytest.raises(ValueError, match="at least one path"):
        otlp.read([])


@pytest.mark.parametrize("wrong", [None, 5, b"traces.otlp"])
def test_what_is_no_path_is_refused(wrong):
    with pytest.raises(TypeError, match="expected a path as a str or a Path, or several, got"):
        otlp.read(wrong)


def test_a_name_with_brackets_is_a_file_if_there_is_one(folder):
    shutil.copy(folder / "traces-0.pb", folder / "traces-[0].pb")
    assert otlp.read(folder / "traces-[0].pb")["name"].to_pylist() == ["span 0"]


def test_an_error_names_its_file(folder):
    (folder / "traces-1.pb").write_bytes(b"\x0e\x00")
    with pytest.raises(otlp.MalformedError, match=r"traces-1\.pb: .*\(at byte 0"):
        otlp.read(folder / "traces-*.pb")
    (folder / "traces-1.pb").write_bytes(b"")
    with pytest.raises(otlp.EmptyInputError, match=r"^traces-1\.pb is empty"):
        otlp.read(folder / "traces-*.pb")


def test_files_of_several_signals_are_named(folder):
    (folder / "logs-0.pb").write_bytes(LogsData().SerializeToString() or b"\x0a\x00")
    with pytest.raises(otlp.AmbiguousSignalError, match=r"logs \(logs-0\.pb\), traces \(traces-2\.pb\)"):
        otlp.read(folder / "*.pb")


def test_a_folder_without_tables_says_how_to_read_its_files(folder):
    with pytest.raises(otlp.UnknownFormatError, match=r"pass a pattern for its files, as .*/\*\.otlp"):
        otlp.read(folder)


def test_threads_read_what_one_reads(folder):
    with ThreadPoolExecutor(2) as executor:
        assert otlp.read(folder / "*.pb", executor=executor) == otlp.read(folder / "*.pb")
        (folder / "traces-1.pb").write_bytes(b"\x0e\x00")
        assert otlp.read(folder / "*.pb", executor=executor, on_error="skip").skipped == 1
        with pytest.raises(otlp.MalformedError, match=r"traces-1\.pb: "):
            otlp.read(folder / "*.pb", executor=executor)


def test_an_executor_is_something_that_submits(folder):
    with pytest.raises(TypeError, match="a dask Client, got 4"):
        otlp.read(folder / "*.pb", executor=4)


class Remembering:
    """An executor that takes functions for pure, as dask does: equal calls share a result."""

    def __init__(self):
        self.known = {}

    def submit(self, function, *args):
        if (function, args) not in self.known:
            future = self.known[function, args] = Future()
            future.set_result(function(*args))
        return self.known[function, args]


def test_a_file_that_changed_is_read_again_by_an_executor_that_remembers(folder):
    executor = Remembering()
    assert otlp.read(folder / "*.pb", executor=executor)["name"].to_pylist() == NAMES
    (folder / "traces-1.pb").write_bytes((folder / "traces-2.pb").read_bytes())
    assert otlp.read(folder / "*.pb", executor=executor)["name"].to_pylist() == ["span 0", "span 2", "span 2"]
    assert list(ordered_map(str, [1, 1], executor)) == ["1", "1"]
    assert len(set(executor.known)) == 2 * len(NAMES) + 2


def test_results_keep_their_order_and_errors_come_through():
    with ThreadPoolExecutor(4) as executor:
        assert list(ordered_map(lambda n: n * n, range(100), executor)) == [n * n for n in range(100)]
        with pytest.raises(ZeroDivisionError):
            list(ordered_map(lambda n: 1 // n, [1, 0], executor))


@pytest.mark.slow
def test_processes_read_what_one_reads(folder):
    expected = otlp.read(folder / "*.pb")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        assert otlp.read(folder / "*.pb", executor=executor) == expected
        assert list(ordered_map(lambda path: Path(path).name, [folder / "x"], executor)) == ["x"]
    assert otlp.read(folder / "*.pb", executor=True) == expected


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # what dask warns of is not ours
def test_a_dask_client_works_unchanged(folder):
    from distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=1, threads_per_worker=2, processes=True, dashboard_address="127.0.0.1:0", host="127.0.0.1"
    )
    with cluster, Client(cluster) as client:
        expected = otlp.read(folder / "*.pb")
        assert otlp.read(folder / "*.pb", executor=client) == expected
        assert otlp.read(folder / "*.pb", executor=client.get_executor()) == expected
        (folder / "traces-1.pb").write_bytes(b"\x0e\x00")
        with pytest.raises(otlp.MalformedError, match=r"traces-1\.pb: "):
            otlp.read(folder / "*.pb", executor=client)
