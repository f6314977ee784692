"""Four policies around a call that succeeds: limiter, bulkhead, breaker (count window), retry.

Ours fused into one function; nopanic's stacked; and tenacity with pybreaker, which are two policies only. All
interleaved in one process, CPU time, as multiples of a bare call (or a bare await) of the same round.
"""

import asyncio
import functools
import statistics
import time

import nopanic
import pybreaker
import tenacity

from workbench.reliability import Bulkhead, CircuitBreaker, Pipeline, RateLimiter, Retry

CALLS, ROUNDS = 20_000, 15
RATE_HZ = 1e9


def target():
    return 1


async def async_target():
    return 1


def ours(function, *, listen=False, by_call=False):
    pipeline = Pipeline(
        RateLimiter.gcra(rate_hz=RATE_HZ, burst=1_000_000), Bulkhead(10), CircuitBreaker(), Retry(attempts=3)
    )
    if listen:
        for policy in pipeline.policies:
            policy.listen(lambda _event: None)
    return functools.partial(pipeline.call, function) if by_call else pipeline(function)


def peer(function):
    function = nopanic.retry(attempts=3)(function)
    function = nopanic.circuit_breaker()(function)
    function = nopanic.bulkhead(10)(function)
    return nopanic.rate_limit(RATE_HZ, burst=1_000_000)(function)


def pair(function):
    breaker = pybreaker.CircuitBreaker(fail_max=5)
    return tenacity.retry(stop=tenacity.stop_after_attempt(3))(breaker(function))


def sync_time(function):
    start = time.process_time()
    for _ in range(CALLS):
        function()
    return (time.process_time() - start) / CALLS


def async_time(function):
    async def all_calls():
        start = time.process_time()
        for _ in range(CALLS):
            await function()
        return (time.process_time() - start) / CALLS

    return asyncio.run(all_calls())


def compare(title, measure, functions):
    found = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name, function in functions.items():
            found[name].append(measure(function))
    bare = min(found["bare"])
    print(f"{title}: bare {bare * 1e9:.0f} ns")
    for name, times in found.items():
        median = statistics.median(times) / statistics.median(found["bare"])
        print(f"  {name:24s} {min(times) / bare:7.1f} bare calls (median {median:.1f})")


if __name__ == "__main__":
    compare(
        "sync",
        sync_time,
        {
            "bare": target,
            "ours": ours(target),
            "ours, by .call": ours(target, by_call=True),
            "ours, with a listener": ours(target, listen=True),
            "nopanic": peer(target),
            "tenacity with pybreaker": pair(target),
        },
    )
    compare(
        "async",
        async_time,
        {"bare": async_target, "ours": ours(async_target), "nopanic": peer(async_target)},
    )
