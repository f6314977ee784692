"""Whoever maps a function over many things: local processes, threads, or a cluster.

Anything with the `submit` of `concurrent.futures.Executor` is one; a dask ``Client`` is asked for its own.
What is sent goes through cloudpickle, so that functions defined in a notebook work. No call equals another:
dask takes functions for pure, and answers an equal call with the result that it still has, of a file that may
have changed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import get_context
from typing import Any, TypeAlias, TypeVar
from uuid import uuid4

import cloudpickle

__all__ = ["AnyExecutor", "ordered_map"]

AnyExecutor: TypeAlias = Any  # True, an Executor, a dask Client, or None
T = TypeVar("T")
R = TypeVar("R")
AHEAD = 32  # calls that are under way at once: results wait in memory


def ordered_map(function: Callable[[T], R], items: Iterable[T], executor: AnyExecutor) -> Iterator[R]:
    """Yield the function of each item, in their order.

    Raises
    ------
    TypeError
        When the executor is none.
    """
    payload, mapping = cloudpickle.dumps(function), uuid4().hex
    with _executor(executor) as pool:
        under_way: deque[Future[R]] = deque()
        try:
            for number, item in enumerate(items):
                under_way.append(pool.submit(_call, payload, cloudpickle.dumps(item), f"{mapping}-{number}"))
                if len(under_way) == AHEAD:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()


def _call(function: bytes, item: bytes, _name: str) -> Any:
    return cloudpickle.loads(function)(cloudpickle.loads(item))


def _executor(executor: AnyExecutor) -> AbstractContextManager[Executor]:
    if executor is True:
        return ProcessPoolExecutor(mp_context=get_context("spawn"))
    if hasattr(executor, "get_executor"):
        return nullcontext(executor.get_executor())
    if not callable(getattr(executor, "submit", None)):
        msg = f"executor must be True, a concurrent.futures.Executor or a dask Client, got {executor!r}"
        raise TypeError(msg)
    return nullcontext(executor)
