"""`SharedBreakerState` on a real server: what one process finds, all know."""

import socket
import subprocess
import sys
import threading
import time

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from workbench.clock import VirtualClock
from workbench.reliability import SharedBreakerState, SharedClientError
from workbench.reliability.policies.breaker import CircuitBreaker


@pytest.fixture
def tie(client):
    """Make what ties breakers, each as if of a process of its own."""
    made = []

    def make():
        shared = SharedBreakerState(client, "test", retry_s=0.01)
        made.append(shared)
        assert shared.wait_ready()
        return shared

    yield make
    for shared in made:
        shared.close()


def breaker_of(shared, name="billing", **more):
    return CircuitBreaker.consecutive(2, name=name, shared=shared, **more)


def becomes(breaker, state, timeout_s=5.0):
    """Wait until a breaker tells that it has come to a state."""
    reached = threading.Event()
    end = breaker.listen(lambda event: reached.set() if ("state", state) in event.details else None)
    try:
        return breaker.state == state or reached.wait(timeout_s)
    finally:
        end()


def fail(breaker):
    with pytest.raises(ZeroDivisionError):
        breaker.call(lambda: 1 / 0)


def test_when_one_opens_all_of_its_name_do(tie):
    first, second, other = (breaker_of(tie(), name) for name in ("billing", "billing", "search"))
    fail(first)
    fail(first)
    assert first.state == "open"
    assert becomes(second, "open")
    second.close()
    assert becomes(first, "closed")
    assert other.state == "closed"


def test_a_breaker_that_joins_learns_what_is_known_and_for_how_long(tie):
    clock = VirtualClock(start_s=500.0)
    first = breaker_of(tie(), clock=clock)
    witness = breaker_of(tie(), clock=clock)
    first.open()
    assert becomes(witness, "open")
    late = breaker_of(tie(), clock=clock)
    assert late.state == "open"
    assert 499.0 < late.memory.changed_s <= 500.0


def test_changes_in_quick_succession_end_in_the_same_state_everywhere(client, tie):
    ties = [tie() for _ in range(3)]
    breakers = [breaker_of(shared) for shared in ties]

    def change(breaker):
        for _ in range(10):
            breaker.open()
            breaker.close()
        breaker.disable()

    crowd = [threading.Thread(target=change, args=(breaker,)) for breaker in breakers]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    until_s = time.monotonic() + 10.0
    while any(shared._names["billing"].pending for shared in ties):  # until all is told
        assert time.monotonic() < until_s
    state = client.hget("test:billing", "state").decode()
    assert state in {"open", "closed", "disabled"}
    assert all(becomes(breaker, state) for breaker in breakers)
    breakers[0].force_open()
    assert all(becomes(breaker, "forced_open") for breaker in breakers)


PROCESS = """
import sys, redis
from workbench.reliability import SharedBreakerState
from workbench.reliability.policies.breaker import CircuitBreaker
client = redis.Redis(host="127.0.0.1", port=int(sys.argv[1]))
with client, SharedBreakerState(client, "test") as shared:
    assert shared.wait_ready()
    breaker = CircuitBreaker.consecutive(2, name="billing", shared=shared)
    for _ in range(2):
        try:
            breaker.call(lambda: 1 / 0)
        except ZeroDivisionError:
            pass
"""


@pytest.mark.slow
def test_another_process_opens_the_breaker_of_this_one(server, tie):
    breaker = breaker_of(tie())
    subprocess.run([sys.executable, "-c", PROCESS, str(server.port)], check=True, timeout=60)
    assert becomes(breaker, "open")


def test_without_a_server_breakers_go_by_what_they_see():
    with (
        redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as client,
        SharedBreakerState(client, retry_s=0.01) as shared,
    ):
        breaker = breaker_of(shared)
        fail(breaker)
        fail(breaker)
        assert breaker.state == "open"
        assert shared.errors > 0
        assert isinstance(shared.last_error, redis.exceptions.ConnectionError)
        assert not shared.wait_ready(0.0)


def test_what_was_missed_while_cut_off_is_read_afterwards(client, tie):
    first, second = breaker_of(tie()), breaker_of(tie())
    client.client_kill_filter(_type="pubsub")
    first.open()
    assert becomes(second, "open")


@pytest.fixture
def silent_client():
    """Connect to what accepts, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        retry = Retry(NoBackoff(), 0)
        with redis.Redis(host="127.0.0.1", port=port, socket_timeout=0.5, retry=retry) as client:
            yield client


def test_a_server_that_says_nothing_keeps_nobody_from_making_breakers_and_calling(silent_client):
    shared = SharedBreakerState(silent_client, retry_s=0.01)
    started_s = time.monotonic()
    breakers = [breaker_of(shared, f"service {number}") for number in range(20)]
    for breaker in breakers:
        fail(breaker)
        fail(breaker)
    assert time.monotonic() - started_s < 0.5 * len(breakers), "each waited for the server"
    assert {breaker.state for breaker in breakers} == {"open"}
    closing_s = time.monotonic()
    shared.close()
    assert time.monotonic() - closing_s < 0.5 * len(breakers), "closing waited for all that was to be sent"
    assert not any(thread.is_alive() for thread in shared._threads)
    assert shared.errors > 0


def test_closing_waits_no_longer_than_it_is_told(silent_client):
    silent_client.connection_pool.connection_kwargs["socket_timeout"] = 2.0
    shared = SharedBreakerState(silent_client, retry_s=0.01)
    breaker_of(shared).force_open()
    closing_s = time.monotonic()
    shared.close(timeout_s=0.05)
    assert time.monotonic() - closing_s < 1.5
    for thread in shared._threads:
        thread.join()  # its sockets are closed before those of the fixture


def test_a_breaker_that_is_made_after_the_end_goes_by_what_it_sees(tie):
    shared = tie()
    shared.close()
    breaker = breaker_of(shared)
    fail(breaker)
    fail(breaker)
    assert breaker.state == "open"


def test_an_asynchronous_client_is_an_error_that_says_why(connect):
    with pytest.raises(SharedClientError, match="news are sent by threads"):
        SharedBreakerState(connect())


def test_its_text_names_the_key(tie):
    assert repr(tie()) == "SharedBreakerState(key='test', errors=0)"
