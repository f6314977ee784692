"""Whoever maps a function over many things: local processes, threads, or a cluster.

Anything with the `submit` of `concurrent.futures.Executor` is one; a dask ``Client`` is asked for its own.
What is sent goes through cloudpickle, so that functions defined in a notebook work. No call equals another:
dask takes functions for pure, and answers an equal call with the result that it still has, of a file that may
have changed.

Local processes end with the one that started them. An interrupt reaches their calls and nothing else, for the
pipe that results go through would never recover from half of one.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from multiprocessing import Pipe, get_context, parent_process
from multiprocessing.connection import wait
from typing import Any, TypeAlias, TypeVar, cast
from uuid import uuid4

import cloudpickle

__all__ = ["AnyExecutor", "ordered_map"]

AnyExecutor: TypeAlias = Any  # True, an Executor, a dask Client, or None
T = TypeVar("T")
R = TypeVar("R")
Submit: TypeAlias = Callable[[bytes, bytes, str], Future[Any]]  # function, item, name of the call
AHEAD = 32  # calls that are under way at once: results wait in memory


def ordered_map(function: Callable[[T], R], items: Iterable[T], executor: AnyExecutor) -> Iterator[R]:
    """Yield the function of each item, in their order.

    Raises
    ------
    TypeError
        When the executor is none.
    """
    payload, mapping = cloudpickle.dumps(function), uuid4().hex
    with _submitting(executor) as submit:
        under_way: deque[Future[R]] = deque()
        try:
            for number, item in enumerate(items):
                under_way.append(submit(payload, cloudpickle.dumps(item), f"{mapping}-{number}"))
                if len(under_way) == AHEAD:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()


def _call(function: bytes, item: bytes, _name: str) -> Any:
    return cloudpickle.loads(function)(cloudpickle.loads(item))


def _submitting(executor: AnyExecutor) -> AbstractContextManager[Submit]:
    if executor is True:
        return _local_processes()
    if hasattr(executor, "get_executor"):
        executor = executor.get_executor()
    submit: Any = getattr(executor, "submit", None)
    if not callable(submit):
        msg = f"executor must be True, a concurrent.futures.Executor or a dask Client, got {executor!r}"
        raise TypeError(msg)
    return nullcontext(partial(submit, _call))


@contextmanager
def _local_processes() -> Iterator[Submit]:
    """Give processes whose calls are broken off when the block is left by an error, or abandoned."""
    wanted, held = Pipe(duplex=False)  # nothing is sent: that the other end is closed is the message
    with (
        wanted,
        held,
        ProcessPoolExecutor(
            mp_context=get_context("spawn"), initializer=_start_watching, initargs=(wanted,)
        ) as pool,
    ):
        submit: Any = pool.submit
        try:
            yield partial(submit, _interruptible_call)
        except BaseException:
            held.close()
            raise


_is_abandoned = threading.Event()  # of a local process


def _start_watching(wanted: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(wanted,), daemon=True).start()


def _watch(wanted: Any) -> None:
    """Wait until nobody wants this process's results any more, and then for its parent's end."""
    parent, main = cast("Any", parent_process()), cast("int", threading.main_thread().ident)
    wait([wanted, parent.sentinel])
    _is_abandoned.set()
    signal.pthread_kill(main, signal.SIGINT)
    parent.join()
    os._exit(1)


def _interruptible_call(function: bytes, item: bytes, name: str) -> Any:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if _is_abandoned.is_set():  # looked at behind the handler, so that no interrupt falls between the two
            raise CancelledError
        return _call(function, item, name)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
