"""The overload policies beside a bare call and the standard library's semaphores: CPU time, no listener.

Run it as a script. It prints multiples of a bare call (for async ones: of a bare await), the least of all
rounds and the median; what is compared is measured in turn, round by round, in one process.
"""

import asyncio
import statistics
import threading
import time

from workbench.reliability import AdaptiveLimit, Bulkhead, BulkheadFullError, ClientThrottle, LoadShedder

CALLS, ROUNDS = 20_000, 25


def bare():
    return 1


async def abare():
    return 1


def with_semaphore():
    semaphore = threading.BoundedSemaphore(25)

    def call():
        if not semaphore.acquire(blocking=False):
            raise RuntimeError
        try:
            return bare()
        finally:
            semaphore.release()

    return call


async def awith_semaphore():
    semaphore = asyncio.Semaphore(25)

    async def call():
        async with semaphore:
            return await abare()

    return call


POLICIES = {
    "Bulkhead": Bulkhead,
    "Bulkhead, with a queue": lambda: Bulkhead(queue=100, max_wait_s=1.0),
    "LoadShedder": LoadShedder,
    "AdaptiveLimit": AdaptiveLimit,
    "AdaptiveLimit, every call": lambda: AdaptiveLimit(window_s=0, min_rtt_s=1e-9),
    "ClientThrottle": ClientThrottle,
}


def cpu_s(call):
    before_s = time.thread_time()
    for _ in range(CALLS):
        call()
    return time.thread_time() - before_s


async def acpu_s(call):
    before_s = time.thread_time()
    for _ in range(CALLS):
        await call()
    return time.thread_time() - before_s


def show(world, times):
    base = times["bare"]
    print(f"{world}: multiples of a bare call, least (median) of {ROUNDS} rounds")
    for name, each in times.items():
        median = statistics.median(each) / statistics.median(base)
        print(f"  {name:32} {min(each) / min(base):6.1f} ({median:.1f})")


def main():
    calls = {"bare": bare, "threading.BoundedSemaphore": with_semaphore()}
    calls |= {name: make()(bare) for name, make in POLICIES.items()}
    times = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(cpu_s(call))
    show("sync", times)

    async def amain():
        calls = {"bare": abare, "asyncio.Semaphore": await awith_semaphore()}
        calls |= {name: make()(abare) for name, make in POLICIES.items()}
        times = {name: [] for name in calls}
        for _ in range(ROUNDS):
            for name, call in calls.items():
                times[name].append(await acpu_s(call))
        show("async", times)

    asyncio.run(amain())
    refusing = Bulkhead(1)
    refusing_call = refusing(bare)

    def refused():
        try:
            refusing_call()
        except BulkheadFullError:
            return

    def refuse():
        least_s = min(cpu_s(refused) for _ in range(5))
        print(f"a rejection that is raised and caught: {least_s / CALLS * 1e9:.0f} ns")

    refusing.call(refuse)


if __name__ == "__main__":
    main()
