"""What a circuit breaker costs: multiples of a bare call, beside pybreaker; interleaved, CPU time.

python tests/benchmarks/reliability_breaker.py
"""

import asyncio
import statistics
import time
from collections.abc import Callable

import pybreaker

from workbench.reliability import CircuitBreaker, CircuitOpenError

ROUNDS = 25
CALLS = 20_000


class FailedError(Exception):
    pass


def answer() -> int:
    return 1


def fail() -> int:
    raise FailedError


async def aanswer() -> int:
    return 1


def cpu_ns(call: Callable[[], object]) -> float:
    """Return the CPU time of one call."""
    calls = range(CALLS)
    start = time.thread_time_ns()
    for _ in calls:
        call()
    return (time.thread_time_ns() - start) / CALLS


def loop_ns() -> float:
    calls = range(CALLS)
    start = time.thread_time_ns()
    for _ in calls:
        pass
    return (time.thread_time_ns() - start) / CALLS


def caught(call: Callable[[], object], *errors: type[Exception]) -> Callable[[], None]:
    def tried() -> None:
        try:
            call()
        except errors:
            return

    return tried


def compare(title: str, calls: dict[str, Callable[[], object]]) -> None:
    """Print what each costs, in multiples of the first, the cost of the loop taken off."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        for _ in range(300):
            call()
    for _ in range(ROUNDS):
        empty = loop_ns()
        for name, call in calls.items():
            times[name].append(max(1.0, cpu_ns(call) - empty))
    bare = next(iter(times.values()))
    print(title)
    for name, found in times.items():
        ratios = [each / first for each, first in zip(found, bare, strict=True)]
        best = min(found) / min(bare)
        print(f"  {name:36} {min(found):7.0f} ns   x{best:5.1f} (median x{statistics.median(ratios):.1f})")


def listening(breaker: CircuitBreaker) -> CircuitBreaker:
    breaker.listen(lambda _: None)
    return breaker


def success() -> None:
    compare(
        "success, closed",
        {
            "bare call": answer,
            "count window of 100": CircuitBreaker()(answer),
            "5 consecutive": CircuitBreaker.consecutive(5)(answer),
            "time window of 100 s": CircuitBreaker.time_window()(answer),
            "count window, slow calls": CircuitBreaker(slow_rate=1.0)(answer),
            "count window, a listener": listening(CircuitBreaker())(answer),
            "pybreaker": pybreaker.CircuitBreaker(fail_max=5)(answer),
        },
    )


def failure() -> None:
    often = 10**9
    compare(
        "failure, closed",
        {
            "bare call that raises": caught(fail, FailedError),
            "count window of 100": caught(
                CircuitBreaker(failure_rate=1.0, window=often // 10**5)(_mostly_failing()), FailedError
            ),
            "pybreaker": caught(pybreaker.CircuitBreaker(fail_max=often)(fail), FailedError),
        },
    )


def _mostly_failing() -> Callable[[], int]:
    """Return what fails but for each tenth call: its breaker stays closed."""
    number = 0

    def call() -> int:
        nonlocal number
        number += 1
        if number % 10 == 0:
            return 1
        raise FailedError

    return call


def rejection() -> None:
    ours, theirs = CircuitBreaker(), pybreaker.CircuitBreaker(fail_max=5, reset_timeout=3600)
    ours.open()
    theirs.open()
    compare(
        "refusal, open",
        {
            "bare call that raises": caught(fail, FailedError),
            "ours": caught(ours(answer), CircuitOpenError),
            "pybreaker": caught(theirs(answer), pybreaker.CircuitBreakerError),
        },
    )


def tasks() -> None:
    breaker = CircuitBreaker()(aanswer)

    async def awaited(call: Callable[[], object]) -> float:
        start = time.thread_time_ns()
        for _ in range(CALLS):
            await call()  # type: ignore[misc]
        return (time.thread_time_ns() - start) / CALLS

    async def main() -> None:
        times: dict[str, list[float]] = {"bare await": [], "count window of 100": []}
        for _ in range(ROUNDS):
            times["bare await"].append(await awaited(aanswer))
            times["count window of 100"].append(await awaited(breaker))
        ratio = min(times["count window of 100"]) / min(times["bare await"])
        print(f"success, awaited\n  count window of 100: x{ratio:.1f} of a bare await")

    asyncio.run(main())


if __name__ == "__main__":
    success()
    failure()
    rejection()
    tasks()
