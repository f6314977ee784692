"""Reading and sleeping by our clocks against the standard library's: interleaved, minimum CPU time, ratios.

python tests/benchmarks/clock.py
"""

import asyncio
import random
import time
import timeit

from workbench.clock import DEFAULT_CLOCK, SYSTEM_CLOCK, VirtualClock, virtual_time

RUNS = 7
READS = 200_000
TASKS = 10_000


def reading() -> None:
    statements = {
        "time.monotonic()": "time.monotonic()",
        "SYSTEM_CLOCK.now()": "system.now()",
        "DEFAULT_CLOCK.now()": "default.now()",
        "VirtualClock.now()": "virtual.now()",
    }
    names = {"time": time, "system": SYSTEM_CLOCK, "default": DEFAULT_CLOCK, "virtual": VirtualClock()}
    best = dict.fromkeys(statements, float("inf"))
    for _ in range(RUNS):
        for name, statement in statements.items():
            taken_s = timeit.timeit(statement, timer=time.process_time, number=READS, globals=names)
            best[name] = min(best[name], taken_s)
    for name, taken_s in best.items():
        ratio = taken_s / best["time.monotonic()"]
        print(f"{name:20} {1e9 * taken_s / READS:5.0f} ns, {ratio:.2f} x time.monotonic()")


async def sleep_all(longest_s: float) -> None:
    draw = random.Random(7)
    async with asyncio.TaskGroup() as group:
        for _ in range(TASKS):
            group.create_task(asyncio.sleep(draw.random() * longest_s))


def virtual_tasks() -> None:
    with virtual_time():
        asyncio.run(sleep_all(1e6))


def real_tasks() -> None:
    asyncio.run(sleep_all(1e-3))


def sleeping() -> None:
    best = {"virtual": float("inf"), "real": float("inf")}
    for _ in range(RUNS):
        for name, run in (("virtual", virtual_tasks), ("real", real_tasks)):
            start_s = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - start_s)
    print(f"{TASKS} tasks that sleep once: up to 1e6 virtual s {best['virtual']:.3f} s of CPU time, ", end="")
    print(f"up to 1 real ms {best['real']:.3f} s")


if __name__ == "__main__":
    reading()
    sleeping()
