"""Deadlines as context: nested, in tasks, threads and processes, over HTTP and gRPC on loopback."""

import asyncio
import contextvars
import inspect
import pickle
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing import get_context

import grpc
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.clock import VirtualClock, virtual_time
from workbench.reliability._deadline_headers import (
    DeadlineHeaderError,
    grpc_timeout,
    header_timeout_s,
    parse_grpc_timeout,
    timeout_ms,
)
from workbench.reliability.deadline_executors import DeadlineExecutor, with_deadline
from workbench.reliability.deadline_limits import TimeLimit
from workbench.reliability.deadlines import current_deadline, deadline
from workbench.reliability.errors import AttemptTimeoutError, DeadlineExceededError
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policy import PolicyError


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=8))
def test_of_nested_deadlines_the_soonest_holds(seconds):
    clock = VirtualClock()

    def nest(left, soonest):
        if left:
            with deadline(left[0], clock=clock) as limit:
                soonest = min(soonest, left[0])
                assert limit is current_deadline()
                assert limit.left_s() == soonest
                nest(left[1:], soonest)
                assert current_deadline() is limit

    nest(seconds, float("inf"))
    assert current_deadline() is None


def test_of_two_clocks_the_one_with_less_time_left_holds():
    early, late = VirtualClock(5.0), VirtualClock(500.0)
    with deadline(3.0, clock=late, name="late"), deadline(9.0, clock=early, name="early"):
        assert current_deadline().name == "late"


def test_a_limit_is_asked_and_checked():
    clock = VirtualClock()
    with deadline(1.0, clock=clock, name="request") as limit:
        limit.check()
        clock.advance(1.0)
        assert limit.passed
        with pytest.raises(DeadlineExceededError, match="request"):
            limit.check()


def test_a_limit_of_an_attempt_has_its_own_error():
    assert isinstance(TimeLimit.after(1.0, per_attempt=True).error(started=True), AttemptTimeoutError)


def test_a_block_can_be_entered_again_and_within_itself():
    clock = VirtualClock()
    block = deadline(2.0, clock=clock)
    with block:
        clock.advance(0.5)
        with block as inner:
            assert inner.left_s() == 1.5
    with block as limit:
        assert limit.left_s() == 2.0


def test_no_limit_changes_nothing():
    with deadline(None) as limit:
        assert limit is None
    with deadline(5.0) as outer, deadline(None) as inner:
        assert inner is outer


def test_an_async_block_is_cancelled():
    async def main():
        with pytest.raises(DeadlineExceededError, match="block"):
            async with deadline(1.0, name="block"):
                await asyncio.sleep(60.0)
        async with deadline(5.0), deadline(None):
            await asyncio.sleep(1.0)

    with virtual_time() as clock:
        asyncio.run(main())
    assert clock.now() == 2.0


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_a_deadline_is_positive(seconds):
    with pytest.raises(PolicyError, match="deadline"):
        deadline(seconds)


# Tasks, threads, processes


def test_tasks_inherit_it_and_siblings_do_not():
    async def seen():
        limit = current_deadline()
        return None if limit is None else limit.name

    async def main():
        with deadline(5.0, name="mine"):
            task = asyncio.create_task(seen())
        other = asyncio.create_task(seen())
        return await task, await other, await asyncio.to_thread(current_deadline)

    assert asyncio.run(main()) == ("mine", None, None)


def test_a_copied_context_carries_it_into_a_thread():
    found = []
    with deadline(5.0) as limit:
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(lambda: found.append(current_deadline()),))
    thread.start()
    thread.join()
    assert found == [limit]


def test_an_executor_of_threads_hands_it_on():
    with DeadlineExecutor(ThreadPoolExecutor(2)) as executor:
        with deadline(60.0) as limit:
            assert executor.submit(current_deadline).result() is limit
            assert list(executor.map(lambda _: current_deadline(), range(3))) == [limit] * 3
        assert executor.submit(current_deadline).result() is None


def test_an_async_function_keeps_it_while_it_is_awaited_and_is_cancelled_by_it():
    async def left(seconds):
        limit = current_deadline()
        await asyncio.sleep(seconds)
        return None if limit is None else limit.name

    async def main():
        async with deadline(5.0, name="caller"):
            function = with_deadline(left)
        assert current_deadline() is None
        assert inspect.iscoroutinefunction(function)
        assert (function.__name__, await function(1.0)) == ("left", "caller")
        with pytest.raises(DeadlineExceededError):
            await function(100.0)
        with pytest.raises(DeadlineExceededError):  # no time is left by then
            await function(0.0)

    with virtual_time() as clock:
        clock.run(main())
        assert clock.now() == 5.0


def test_a_function_with_a_deadline_is_called_like_the_function():
    with deadline(5.0):
        function = with_deadline(left_of_deadline)
    assert function.__name__ == "left_of_deadline"
    assert pickle.loads(pickle.dumps(function))() == pytest.approx(5.0, abs=2.0)


def left_of_deadline():
    return current_deadline().left_s()


def limited_items(seconds, name=""):
    with deadline(seconds, name=name):
        yield
        yield


@given(st.permutations(range(4)), st.permutations([3.0, 5.0, 7.0, 9.0]))
def test_blocks_that_generators_leave_in_any_order_leave_nothing_behind(order, seconds):
    generators = dict(enumerate(map(limited_items, seconds)))
    for generator in generators.values():
        next(generator)
    for number in order:
        assert current_deadline().timeout_s == min(seconds[each] for each in generators)
        generators.pop(number).close()
    assert current_deadline() is None


def test_a_block_that_is_left_in_another_context_ends_none_there():
    """An async generator that is not exhausted is closed by the loop, in a task of its own."""
    elsewhere = contextvars.copy_context()
    generator = limited_items(5.0)
    elsewhere.run(next, generator)
    with deadline(9.0, name="here"):
        generator.close()
        assert current_deadline().name == "here"
    assert current_deadline() is None


def test_what_waits_too_long_in_the_queue_does_not_run():
    clock, calls = VirtualClock(), []
    with deadline(1.0, clock=clock):
        function = with_deadline(calls.append)
    clock.advance(2.0)
    with pytest.raises(DeadlineExceededError, match="before"):
        function(1)
    assert calls == []


def left_in_child():
    limit = current_deadline()
    return limit.name, limit.timeout_s, limit.left_s()


def test_an_executor_of_processes_hands_on_what_is_left():
    with (
        DeadlineExecutor(ProcessPoolExecutor(1, mp_context=get_context("spawn"))) as executor,
        deadline(500.0, name="parent"),
    ):
        name, timeout_s, left_s = executor.submit(left_in_child).result()
    assert (name, timeout_s) == ("parent", 500.0)
    assert 400.0 < left_s < 500.0


def test_it_is_pickled_as_the_time_that_is_left():
    clock = VirtualClock(1e6)
    limit = TimeLimit.after(100.0, name="mine", clock=clock)
    clock.advance(40.0)
    with virtual_time(7.0):
        copy = pickle.loads(pickle.dumps(limit))
        assert (copy.at_s, copy.timeout_s, copy.name) == (67.0, 100.0, "mine")


# Headers


@given(st.floats(0.0, 3.5e11))
def test_a_grpc_timeout_never_says_more_than_is_left_and_little_less(left_s):
    text = grpc_timeout(left_s)
    assert len(text) <= 9
    said_s = parse_grpc_timeout(text)
    assert said_s <= left_s * (1 + 1e-12)
    assert said_s == pytest.approx(left_s, rel=2e-5, abs=2e-9)


@given(st.integers(0, 99_999_999), st.sampled_from("HMSmun"))
def test_every_grpc_timeout_is_read(count, unit):
    nanoseconds = {"n": 1, "u": 10**3, "m": 10**6, "S": 10**9, "M": 60 * 10**9, "H": 3600 * 10**9}[unit]
    assert parse_grpc_timeout(f"{count}{unit}") == pytest.approx(count * nanoseconds / 1e9, rel=1e-15)


@pytest.mark.parametrize("text", ["", "5", "m", "123456789m", "-1S", "1.5S", "1s", "٣S", " 1S", "1 S"])
def test_what_is_no_grpc_timeout_is_refused(text):
    with pytest.raises(DeadlineHeaderError, match="grpc-timeout"):
        parse_grpc_timeout(text)


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "1" * 16])
def test_what_is_no_number_of_milliseconds_is_refused(text):
    with pytest.raises(DeadlineHeaderError, match="x-request-timeout-ms"):
        TimeLimit.from_headers({"X-Request-Timeout-Ms": text})


def test_the_least_of_several_headers_counts_and_others_are_left_alone():
    headers = {
        "Grpc-Timeout": "2S",
        "x-request-timeout-ms": "1500",
        "X-Envoy-Expected-Rq-Timeout-Ms": "1700",
        "Age": "1",
    }
    assert header_timeout_s(headers) == 1.5
    assert header_timeout_s([(b"grpc-timeout", b"250m")]) == 0.25
    assert TimeLimit.from_headers({"Age": "1"}) is None


def test_no_time_left_is_zero_not_less():
    assert (grpc_timeout(-1.0), timeout_ms(-1.0), timeout_ms(0.0019)) == ("0n", "0", "1")


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        with deadline(TimeLimit.from_headers(self.headers.items())):
            body = str(current_deadline().left_s()).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def test_it_crosses_http():
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with deadline(50.0) as limit, httpx.Client(trust_env=False) as client:
                url = f"http://127.0.0.1:{server.server_port}/"
                left_s = float(client.get(url, headers=limit.to_headers(), timeout=limit.left_s()).text)
        finally:
            server.shutdown()
            thread.join()
    assert 30.0 < left_s < 50.0


def test_it_crosses_grpc_as_its_own_timeout_and_as_metadata():
    """gRPC rounds a timeout up, to three digits: 50 s may become 50.1 s."""

    def handle(request, context):
        own_s = context.time_remaining()
        sent = TimeLimit.from_headers(context.invocation_metadata())
        return f"{own_s} {sent.left_s()}".encode()

    server = grpc.server(ThreadPoolExecutor(1))
    methods = {"Ask": grpc.unary_unary_rpc_method_handler(handle)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Test", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
            ask = channel.unary_unary("/Test/Ask")
            with deadline(50.0) as limit:
                reply = ask(b"", timeout=limit.left_s(), metadata=limit.to_metadata())
    finally:
        server.stop(None).wait()
    own_s, sent_s = map(float, reply.split())
    assert 30.0 < own_s < 51.0
    assert 30.0 < sent_s <= 50.0


def test_a_policy_sets_it_for_everybody_below():
    def callee():
        with DeadlineExecutor(ThreadPoolExecutor(1)) as executor:
            return executor.submit(current_deadline).result().name

    assert Deadline(60.0, name="request").call(callee) == "request"


def test_left_time_can_be_given_to_a_socket_in_real_time():
    before = time.monotonic()
    with deadline(5.0) as limit:
        assert 4.0 < limit.left_s() <= 5.0 - (time.monotonic() - before) + 5.0
        assert limit.at_s >= before + 5.0
