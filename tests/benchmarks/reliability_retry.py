"""`Retry` and time limits against tenacity and asyncio: interleaved in one process, CPU time, as ratios.

python tests/benchmarks/reliability_retry.py

Multiples are of the same function called without a policy, in the same rounds. Peers do the same work: three
attempts, no waiting. Where functions fail twice, raising two exceptions is part of what all of them do.
"""

import asyncio
import statistics
import time
from collections.abc import Callable

import tenacity

from workbench.backoff import Constant
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.budget import RetryBudget
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.timeout import Timeout

ROUNDS = 11
CALLS = 5_000
FEW = 500


class Failure(Exception):  # noqa: N818 - what the functions raise
    pass


class Flaky:
    """Fails twice, then succeeds, over and over."""

    __slots__ = ("calls",)

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        if self.calls % 3:
            raise Failure
        return 1


def answer() -> int:
    return 1


async def aanswer() -> int:
    return 1


class Clock:
    """The real clock, but nobody waits."""

    now = staticmethod(time.monotonic)

    def sleep(self, seconds: float) -> None:
        pass

    async def asleep(self, seconds: float) -> None:
        pass


def ours(**more: object) -> Retry:
    return Retry(attempts=3, on=Failure, backoff=Constant(0.0), clock=Clock(), **more)


def peer(function: Callable[..., object]) -> Callable[..., object]:
    return tenacity.retry(
        stop=tenacity.stop_after_attempt(3),
        wait=tenacity.wait_none(),
        retry=tenacity.retry_if_exception_type(Failure),
        reraise=True,
        sleep=lambda seconds: None,
    )(function)


def compare(title: str, bare: str, runs: dict[str, Callable[[], None]]) -> None:
    """Print the least and the median CPU time of each, as multiples of the bare one's."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = time.thread_time()
            run()
            times[name].append(time.thread_time() - start)
    least, median = min(times[bare]), statistics.median(times[bare])
    print(title)
    for name, seconds in times.items():
        print(
            f"  {name:32} {min(seconds) / least:8.1f}x   median {statistics.median(seconds) / median:8.1f}x"
        )
    if "tenacity" in times:
        print(f"  tenacity / ours: {min(times['tenacity']) / min(times['ours']):.0f}x")


def calling(function: Callable[[], object], calls: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(calls):
            function()

    return run


def awaiting(function: Callable[[], object], calls: int) -> Callable[[], None]:
    async def main() -> None:
        for _ in range(calls):
            await function()  # type: ignore[misc]

    return lambda: asyncio.run(main())


def asyncio_timeouts(layers: int) -> Callable[[], object]:
    async def call() -> int:
        async with asyncio.timeout(50 + layers):
            return await (aanswer() if layers == 1 else inner())

    inner = asyncio_timeouts(layers - 1) if layers > 1 else aanswer
    return call


def main() -> None:
    listening = ours()
    listening.listen(lambda event: None)
    compare(
        "retry, success",
        "bare",
        {
            "bare": calling(answer, CALLS),
            "ours": calling(ours()(answer), CALLS),
            "ours, shared budget": calling(ours(budget=RetryBudget())(answer), CALLS),
            "ours, result predicate": calling(ours(on_result=lambda result: result is None)(answer), CALLS),
            "ours, somebody listens": calling(listening(answer), CALLS),
            "tenacity": calling(peer(answer), CALLS),
        },
    )
    compare(
        "retry, fails twice then succeeds",
        "bare",
        {
            "bare": calling(answer, FEW),
            "ours": calling(ours()(Flaky().__call__), FEW),
            "tenacity": calling(peer(Flaky()), FEW),
        },
    )
    compare(
        "retry, async, success",
        "bare",
        {
            "bare": awaiting(aanswer, CALLS),
            "ours": awaiting(ours()(aanswer), CALLS),
            "tenacity": awaiting(peer(aanswer), CALLS),
        },
    )
    compare(
        "time limits, async",
        "bare",
        {
            "bare": awaiting(aanswer, FEW),
            "ours, 1 layer": awaiting(Timeout(50.0)(aanswer), FEW),
            "asyncio.timeout, 1 layer": awaiting(asyncio_timeouts(1), FEW),
            "ours, 4 layers": awaiting(
                Pipeline(Deadline(54.0), Timeout(53.0), Timeout(52.0), Timeout(51.0))(aanswer), FEW
            ),
            "asyncio.timeout, 4 layers": awaiting(asyncio_timeouts(4), FEW),
        },
    )
    compare(
        "time limits, sync",
        "bare",
        {"bare": calling(answer, CALLS), "ours": calling(Timeout(50.0)(answer), CALLS)},
    )


if __name__ == "__main__":
    main()
