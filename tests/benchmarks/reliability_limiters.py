"""Rate limiters against `limits`: interleaved in one process, minimum and median CPU time, as ratios.

python tests/benchmarks/reliability_limiters.py

Both are asked for one call of one key at a time, once so that all pass, once so that none does. Memory is
that of a key with its name, after a few calls.
"""

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable

import limits
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

from workbench.reliability import RateLimiter

RUNS, CALLS, KEYS = 25, 4_000, 45_000
MANY, NONE = 10**9, 1


def bare() -> int:
    """Return at once: what all else is measured in."""
    return 1


def ours(most: int) -> dict[str, Callable[[], object]]:
    """Return calls of our limiters, which let `most` through in the time of a test."""
    by_rate = {"rate_hz": most / 1e6 if most == NONE else 1e9, "burst": most}
    by_window = {"limit": most, "window_s": 1e6}
    made = {
        "gcra": RateLimiter.gcra(**by_rate),
        "token_bucket": RateLimiter.token_bucket(**by_rate),
        "leaky_bucket": RateLimiter.leaky_bucket(**by_rate),
        "fixed_window": RateLimiter.fixed_window(**by_window),
        "sliding_window": RateLimiter.sliding_window(**by_window),
        "sliding_log": RateLimiter.sliding_log(limit=min(most, 10_000_000), window_s=1e6),
    }
    found: dict[str, Callable[[], object]] = {}
    for name, limiter in made.items():
        if name != "sliding_log" or most == NONE:
            found[f"{name}, a key"] = lambda take=limiter.try_acquire: take("key")
        found[f"{name}, no key"] = limiter.try_acquire
    if most == MANY:
        found["gcra, around a call"] = RateLimiter.gcra(**by_rate)(bare)
    return found


def peers(most: int) -> dict[str, Callable[[], object]]:
    """Return calls of the strategies of `limits`, over its memory storage."""
    item = limits.RateLimitItemPerHour(most)
    kinds = (FixedWindowRateLimiter, SlidingWindowCounterRateLimiter)
    strategies = [kind(MemoryStorage()) for kind in kinds]
    if most == NONE:
        strategies.append(MovingWindowRateLimiter(MemoryStorage()))
    return {f"limits {type(each).__name__}": lambda hit=each.hit: hit(item, "key") for each in strategies}


def measured(everyone: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return CPU nanoseconds a call, of each run; all take turns."""
    times: dict[str, list[float]] = {name: [] for name in everyone}
    for _ in range(RUNS):
        for name, run in everyone.items():
            start = time.process_time_ns()
            for _ in range(CALLS):
                run()
            times[name].append((time.process_time_ns() - start) / CALLS)
    return times


def speed(title: str, most: int) -> None:
    """Print how long a decision takes, in bare calls, and how much longer the peers need."""
    times = measured({"bare call": bare, **ours(most), **peers(most)})
    unit, best_peer = (
        min(times["bare call"]),
        min(min(times[name]) for name in times if name.startswith("limits")),
    )
    print(f"\n{title}: bare call {unit:.0f} ns")
    for name, each in times.items():
        least, middle = min(each), statistics.median(each)
        ratio = f", best of limits / this {best_peer / least:5.1f}x"
        print(f"  {name:42} {least:7.0f} ns (median {middle:7.0f}), {least / unit:6.1f} bare calls{ratio}")


def bytes_a_key(hit: Callable[[str], object]) -> float:
    """Return the bytes that a key takes, its name included."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(KEYS):
        key = f"user:{number}"
        for _ in range(3):
            hit(key)
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return used / KEYS


def memory() -> None:
    """Print what a key takes, of 100 calls an hour."""
    print(f"\nmemory a key, its name included, {KEYS:,} keys")
    hour = {"limit": 100, "window_s": 3600.0}
    makers = {
        "gcra": RateLimiter.gcra(rate_hz=100 / 3600, burst=100),
        "token_bucket": RateLimiter.token_bucket(rate_hz=100 / 3600, burst=100),
        "leaky_bucket": RateLimiter.leaky_bucket(rate_hz=100 / 3600, burst=100),
        "fixed_window": RateLimiter.fixed_window(**hour),
        "sliding_window": RateLimiter.sliding_window(**hour),
        "sliding_log": RateLimiter.sliding_log(limit=100, window_s=3600.0),
    }
    for name, limiter in makers.items():
        print(f"  {name:42} {bytes_a_key(limiter.try_acquire):8.0f} B")
    item = limits.RateLimitItemPerHour(100)
    for kind in (FixedWindowRateLimiter, SlidingWindowCounterRateLimiter, MovingWindowRateLimiter):
        strategy = kind(MemoryStorage())
        print(
            f"  limits {kind.__name__:35} {bytes_a_key(lambda key, hit=strategy.hit: hit(item, key)):8.0f} B"
        )


if __name__ == "__main__":
    speed("all pass", MANY)
    speed("none passes", NONE)
    memory()
