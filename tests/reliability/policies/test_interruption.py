"""What can be interrupted in sync code, and what cannot: both are promised, so both are tested."""

import asyncio
import hashlib
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from workbench.reliability.deadlines import current_deadline
from workbench.reliability.errors import AttemptTimeoutError, DeadlineExceededError
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.timeout import Timeout
from workbench.reliability.policy import PolicyError


def spin():
    while True:
        pass


def read_what_never_comes():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.recv(1)


def wait_for_a_lock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


@pytest.mark.parametrize(
    "work", [spin, read_what_never_comes, wait_for_a_lock, signal.pause], ids=lambda f: f.__name__
)
def test_a_signal_stops_python_code_and_system_calls(work):
    policy = Timeout(0.05, interrupt="signal")
    with pytest.raises(AttemptTimeoutError):
        policy.call(work)
    assert policy.statistics.timed_out == 1


def test_a_signal_does_not_stop_one_long_call_into_c():
    """The digest is ready, and longer than the limit away, before the error is raised."""
    began = time.thread_time()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 100_000)
    needed_s = time.thread_time() - began
    began = time.thread_time()
    with pytest.raises(AttemptTimeoutError):
        Timeout(needed_s / 10, interrupt="signal").call(hashlib.pbkdf2_hmac, "sha256", b"", b"", 100_000)
    assert time.thread_time() - began > needed_s / 2


def test_a_signal_does_not_stop_code_that_catches_the_error():
    def stubborn():
        try:
            spin()
        except TimeoutError:
            return "caught"

    with pytest.raises(AttemptTimeoutError):  # it is too late all the same
        Timeout(0.02, interrupt="signal").call(stubborn)


def test_a_driver_that_takes_the_signals_error_for_its_own_does_not_hide_it():
    """The system's time-outs are TimeoutErrors, as ours are, and httpx calls them all ReadTimeout."""
    policy = Timeout(0.1, interrupt="signal")
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        httpx.Client(trust_env=False, timeout=30.0) as client,
        pytest.raises(AttemptTimeoutError) as caught,
    ):
        policy.call(client.get, f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert isinstance(caught.value.__cause__, httpx.ReadTimeout)
    assert caught.value.args == ("timeout", 0.1)
    assert policy.statistics.timed_out == 1


def test_an_error_before_the_signal_is_raised_as_it_is():
    with pytest.raises(ZeroDivisionError):
        Timeout(5.0, interrupt="signal").call(lambda: 1 / 0)


def test_signals_work_in_the_main_thread_only():
    with ThreadPoolExecutor(1) as pool, pytest.raises(PolicyError, match="main thread"):
        pool.submit(Timeout(1.0, interrupt="signal").call, len, ()).result()


def test_a_signals_handler_and_timer_are_put_back():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    signal.setitimer(signal.ITIMER_REAL, 30.0)
    try:
        assert Timeout(5.0, interrupt="signal").call(lambda: "fine") == "fine"
        assert 25.0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 30.0
        signal.raise_signal(signal.SIGALRM)
        assert rung == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("limits", [(0.05, 5.0), (5.0, 0.05)], ids=str)
def test_nested_signals_raise_the_error_of_the_first(limits):
    layers = [Timeout(seconds, name=f"{seconds}", interrupt="signal") for seconds in limits]
    with pytest.raises(AttemptTimeoutError, match="0\\.05"):
        Pipeline(*layers).call(spin)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert sum(layer.statistics.timed_out for layer in layers) == 1


def test_a_thread_is_left_behind_and_goes_on():
    go_on, ended = threading.Event(), threading.Event()

    def work():
        go_on.wait()
        ended.set()

    policy = Timeout(0.05, interrupt="thread")
    with pytest.raises(AttemptTimeoutError):
        policy.call(work)
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(10.0)
    assert policy.statistics.to_dict() == {"timed_out": 1, "refused": 0, "abandoned": 1}


def test_a_thread_sees_the_deadline_and_gives_back_results_and_errors():
    policy = Deadline(30.0, interrupt="thread", name="mine")
    assert policy.call(lambda: current_deadline().name) == "mine"
    error = KeyError("the callee's own")

    def fails():
        raise error

    with pytest.raises(KeyError) as caught:
        policy.call(fails)
    assert caught.value is error


def test_layers_within_run_in_the_thread():
    names = []
    pipeline = Pipeline(Deadline(30.0, interrupt="thread"), Timeout(20.0))
    pipeline.call(lambda: names.append(threading.current_thread().name))
    assert names == ["timeout deadline"]


def test_a_deadline_of_a_thread_is_named():
    go_on = threading.Event()
    try:
        with pytest.raises(DeadlineExceededError, match="request"):
            Pipeline(Deadline(0.05, name="request"), Timeout(60.0, interrupt="thread")).call(go_on.wait)
    finally:
        go_on.set()


def test_async_code_needs_no_other_way():
    async def callee():
        await asyncio.sleep(60.0)

    with pytest.raises(AttemptTimeoutError):
        asyncio.run(Timeout(0.02, interrupt="signal").acall(callee))
