"""What errors cost: raising ours beside plain ones, classifying, recording provenance, reporting.

Everything is interleaved in one process; minimum CPU time of several runs.

python tests/benchmarks/errors.py
"""

import time
from collections.abc import Callable

from workbench.reliability import (
    CircuitOpenError,
    DeadlineExceededError,
    ErrorReport,
    Provenance,
    RateLimitedError,
    classify,
    record_provenance,
)

RUNS = 25
CALLS = 20_000


class PlainError(Exception):
    """An exception without a constructor of its own: the least that raising costs."""


class EagerError(Exception):
    """What most libraries do: attributes and a message made when it is raised."""

    def __init__(self, name: str, delay_s: float) -> None:
        super().__init__(f"breaker {name!r} is open; try again in {delay_s:.3g} s")
        self.name = name
        self.delay_s = delay_s


def raised(make: Callable[[], Exception]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(CALLS):
            try:
                raise make()  # noqa: TRY301 - what is measured
            except Exception:  # noqa: BLE001
                pass

    return run


def called(call: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(CALLS):
            call()

    return run


def main() -> None:
    plain, refused, unknown = KeyError("x"), ConnectionResetError(104, "reset"), RuntimeError("x")
    group = ExceptionGroup("", [refused, TimeoutError()])
    report, where = ErrorReport(), Provenance("retry", 3, 0.5, 0.25)
    subjects = {
        "raise and catch: plain": raised(lambda: PlainError("api")),
        "raise and catch: eager message": raised(lambda: EagerError("api", 2.5)),
        "raise and catch: CircuitOpenError": raised(lambda: CircuitOpenError("api", 2.5)),
        "raise and catch: CircuitOpenError, by keyword": raised(
            lambda: CircuitOpenError("api", retry_after_s=2.5)
        ),
        "raise and catch: RateLimitedError": raised(lambda: RateLimitedError("api", 2.5)),
        "raise and catch: DeadlineExceededError": raised(lambda: DeadlineExceededError("api", 2.5)),
        "classify: by type": called(lambda: classify(plain)),
        "classify: by errno": called(lambda: classify(refused)),
        "classify: unknown": called(lambda: classify(unknown)),
        "classify: group of two": called(lambda: classify(group)),
        "record_provenance": called(lambda: record_provenance(RuntimeError(), where)),
        "ErrorReport.add": called(lambda: report.add(plain)),
    }
    best = dict.fromkeys(subjects, float("inf"))
    for _ in range(RUNS):
        for name, run in subjects.items():
            start = time.process_time()
            run()
            best[name] = min(best[name], (time.process_time() - start) / CALLS)
    bare = best["raise and catch: plain"]
    for name, seconds in best.items():
        print(f"{name:48} {seconds * 1e9:7.0f} ns  {seconds / bare:5.2f} x plain raise")


if __name__ == "__main__":
    main()
