"""An interrupt in the middle of a beginning or an end leaves no thread, port or lock for good."""

import socket
import threading

import pytest
from peers import send, spans

from workbench import otlp
from workbench.otlp.transport import _grpc_server, _http_runner, _sender, _workers, durable


@pytest.fixture
def own_threads():
    """Name the threads of ours that a test left; those of gRPC end when they like."""
    before = set(threading.enumerate())
    return lambda: [
        thread.name for thread in set(threading.enumerate()) - before if thread.name.startswith("otlp-")
    ]


def is_listening(endpoint):
    host, _, port = endpoint.rpartition("/")[2].rpartition(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0


def interrupted_once(patch, owner, name):
    """Raise KeyboardInterrupt when the method is called for the first time."""
    method, calls = getattr(owner, name), []

    def interrupted(self, *arguments):
        calls.append(name)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return method(self, *arguments)

    patch.setattr(owner, name, interrupted)


def interrupted_after(patch, owner, name):
    """Raise KeyboardInterrupt when the method has done its work for the first time."""
    method, calls = getattr(owner, name), []

    def interrupted(self, *arguments):
        done = method(self, *arguments)
        calls.append(name)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return done

    patch.setattr(owner, name, interrupted)


ENDING = [(_http_runner.HttpRunner, "close"), (_grpc_server.GrpcRunner, "close")]


@pytest.mark.parametrize(("owner", "step"), ENDING)
def test_a_receiver_whose_end_was_interrupted_can_be_closed_again(own_threads, monkeypatch, owner, step):
    receiver = otlp.Receiver()
    interrupted_once(monkeypatch, owner, step)
    with pytest.raises(KeyboardInterrupt):
        receiver.close()
    receiver.close()
    assert own_threads() == []
    assert not is_listening(receiver.http_endpoint)
    assert not is_listening(receiver.grpc_endpoint)
    assert repr(receiver).endswith("closed")
    receiver.close()


@pytest.mark.parametrize(
    ("owner", "step"),
    [*ENDING, (durable.DurableReceiver, "_compact"), (durable.DurableReceiver, "_end_compaction")],
)
def test_a_durable_receiver_whose_end_was_interrupted_can_be_closed_again(
    own_threads, tmp_path, monkeypatch, owner, step
):
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0) as receiver:
        assert send(receiver, spans()).ok
        receiver.compact()
        interrupted_once(monkeypatch, owner, step)
        with pytest.raises(KeyboardInterrupt):
            receiver.close()
    assert own_threads() == []
    assert not is_listening(receiver.http_endpoint)
    assert not is_listening(receiver.grpc_endpoint)
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0):
        pass
    assert len(otlp.read(tmp_path)) == 1


BEGINNING = [
    (_workers.Worker, "start"),
    (_workers.DaemonPool, "_start"),
    (_workers.DaemonPool, "submit"),
    (_http_runner.HttpRunner, "_wait_until_ready"),
]


@pytest.mark.parametrize("interrupt", [interrupted_once, interrupted_after])
@pytest.mark.parametrize(("owner", "step"), BEGINNING)
def test_a_receiver_whose_beginning_was_interrupted_leaves_nothing(
    own_threads, monkeypatch, owner, step, interrupt
):
    with monkeypatch.context() as patch:
        interrupt(patch, owner, step)
        with pytest.raises(KeyboardInterrupt):
            otlp.Receiver()
    assert own_threads() == []


@pytest.mark.parametrize("interrupt", [interrupted_once, interrupted_after])
@pytest.mark.parametrize(("owner", "step"), BEGINNING)
def test_a_durable_receiver_whose_beginning_was_interrupted_leaves_nothing(
    own_threads, tmp_path, monkeypatch, owner, step, interrupt
):
    with monkeypatch.context() as patch:
        interrupt(patch, owner, step)
        with pytest.raises(KeyboardInterrupt):
            otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0)
    assert own_threads() == []
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0):
        pass


def test_a_durable_receiver_whose_last_step_was_interrupted_leaves_nothing(
    own_threads, tmp_path, monkeypatch
):
    start = _workers.Worker.start

    def interrupted(worker):
        start(worker)
        if worker.name == "otlp-compaction":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_workers.Worker, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0)
    assert own_threads() == []
    with otlp.DurableReceiver(tmp_path, http_port=0, grpc_port=0):
        pass


@pytest.mark.parametrize("interrupt", [interrupted_once, interrupted_after])
def test_an_exporter_whose_beginning_was_interrupted_leaves_nothing(own_threads, monkeypatch, interrupt):
    with monkeypatch.context() as patch:
        interrupt(patch, _sender.Sender, "start")
        with pytest.raises(KeyboardInterrupt):
            otlp.Exporter("http://127.0.0.1:9", max_concurrent_requests=3)
    assert own_threads() == []


def test_a_thread_can_be_waited_for_again_after_an_interrupt(own_threads, monkeypatch):
    go = threading.Event()
    worker = _workers.Worker(lambda: go.wait(10), "otlp-worker")
    worker.start()
    with monkeypatch.context() as patch:
        interrupted_once(patch, threading.Event, "wait")
        with pytest.raises(KeyboardInterrupt):
            worker.wait()
    go.set()
    worker.wait()
    assert own_threads() == []


def test_a_thread_that_was_not_started_is_not_waited_for():
    worker = _workers.Worker(lambda: None, "otlp-worker")
    worker.wait()
    assert worker.ident is None
