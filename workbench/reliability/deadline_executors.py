"""Deadlines in threads and processes: an executor that hands on the deadline of who submits.

An executor of threads gets the limit itself. One of processes gets a copy that goes on with the time that
was left when it was pickled: clocks are not shared, and the way there is not counted.
"""

import functools
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from typing import Any, Generic, ParamSpec, TypeVar

from workbench.reliability.deadline_limits import TimeLimit
from workbench.reliability.deadlines import current_deadline, deadline
from workbench.reliability.fusing.decorated import is_async, named_like

__all__ = ["DeadlineExecutor", "with_deadline"]

P = ParamSpec("P")
R = TypeVar("R")


class _WithDeadline(Generic[P, R]):
    """A function and the limit that holds while it runs; both go through pickle."""

    def __init__(self, function: Callable[P, R], limit: TimeLimit) -> None:
        functools.update_wrapper(self, function)
        self.function, self.limit = function, limit

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        with deadline(self.limit):
            if self.limit.passed:
                raise self.limit.error(started=False)
            return self.function(*args, **kwargs)


def _awaited_with_deadline(function: Callable[..., Awaitable[R]], limit: TimeLimit) -> Any:
    async def within(*args: Any, **kwargs: Any) -> R:
        async with deadline(limit):
            if limit.passed:
                raise limit.error(started=False)
            return await function(*args, **kwargs)

    return named_like(within, function)


def with_deadline(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that runs within the present deadline, wherever it is called.

    It raises the limit's error instead of running when no time is left by then.
    """
    limit = current_deadline()
    if limit is None:
        return function
    make: Any = _awaited_with_deadline if is_async(function) else _WithDeadline
    found: Callable[P, R] = make(function, limit)
    return found


class DeadlineExecutor(Executor):
    """An executor around another: what is submitted runs within the deadline of who submits it.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        Of threads or processes; `shutdown` shuts it down.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with DeadlineExecutor(ThreadPoolExecutor(1)) as executor, deadline(60.0) as limit:
    ...     executor.submit(current_deadline).result() is limit
    True
    """

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have a function called within the present deadline."""
        return self.executor.submit(functools.partial(with_deadline(fn), *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor's
        """Shut the other executor down."""
        self.executor.shutdown(wait=wait, cancel_futures=cancel_futures)
