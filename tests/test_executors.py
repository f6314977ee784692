"""Calls in other processes: they end when nobody waits for them any more, and never outlive who asked."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench.executors import ordered_map

PATIENCE_S = 60

ENDLESS = """
import os, sys, threading
from pathlib import Path
from workbench.executors import ordered_map

def call(number):
    Path(sys.argv[1], str(os.getpid())).touch()
    if number:
        threading.Event().wait()
    return number

if __name__ == "__main__":
    results = ordered_map(call, range(40), True)
    try:
        print(next(results), flush=True)
        print(next(results))
    except KeyboardInterrupt:
        results.close()  # if it came between two results
        print("interrupted")
"""


@pytest.fixture
def endless(tmp_path):
    """Start a process that waits for calls which never end, in a process group of its own."""
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS.replace("sys.argv[1]", repr(str(tmp_path))))
    command = [sys.executable, script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout.readline() == b"0\n"
        yield process, tmp_path
        for pid in (process.pid, *workers(tmp_path)):
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)


def workers(folder):
    return [int(path.name) for path in Path(folder).iterdir() if path.name.isdigit()]


def is_running(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def none_is_left_of(pids):
    deadline = time.monotonic() + PATIENCE_S
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(is_running(pid) for pid in pids)


@pytest.mark.slow
@pytest.mark.parametrize("whom", [os.kill, os.killpg], ids=["the process", "its group, as a terminal does"])
def test_an_interrupt_ends_calls_that_would_not_end(endless, whom):
    process, folder = endless
    whom(process.pid, signal.SIGINT)
    assert process.communicate(timeout=PATIENCE_S)[0] == b"interrupted\n"
    assert none_is_left_of(workers(folder))


@pytest.mark.slow
def test_processes_end_with_the_one_that_started_them_even_when_it_is_killed(endless):
    process, folder = endless
    process.kill()
    process.wait()
    assert none_is_left_of(workers(folder))


@pytest.mark.slow
def test_results_and_errors_of_local_processes_come_in_order():
    assert list(ordered_map(abs, range(-3, 0), True)) == [3, 2, 1]
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(lambda n: 1 // n, [1, 0, 1], True))
