"""`Recorder`: collects real operations of threads, asyncio tasks and processes into one history.

Times come from the machine's monotonic clock, which all its processes share. A recorder goes to other
processes by fork or as an argument. There each operation is written to a file when it is called and again
when it returns, so that what a killed process was doing is known: it never returned.

What an operation that raised has done is not known: it never returned either, and what its process does
afterwards belongs to a process of another name, ``worker (2)``.
"""

import asyncio
import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar
from weakref import WeakKeyDictionary

from workbench.histories._journal import Entry, Journal
from workbench.histories._succession import Draft, succeeding
from workbench.histories.errors import RecordingError
from workbench.histories.history import History
from workbench.histories.operation import NIL, Operation

__all__ = ["RecordedOperation", "Recorder"]

P = ParamSpec("P")
T = TypeVar("T")
Errors = tuple[type[BaseException], ...]


class Recorder:
    """Records operations, from whichever thread, task or process; `history` returns them.

    A process of the history is what ran the operation, by its name: the asyncio task, else the thread, else
    the operating system's process; ``process=`` says otherwise.

    Examples
    --------
    >>> recorder = History.record()
    >>> value = recorder.call(("write", 1), {}.update, x=1)
    >>> recorder.history()[0].text
    'write(1) -> NIL'
    """

    def __init__(self) -> None:
        self._began_ns = time.perf_counter_ns()
        self._journal = Journal()
        self._names = _Names()

    def operation(
        self, asked: tuple[Any, ...], *, process: Hashable | None = None, failed: Errors = ()
    ) -> "RecordedOperation":
        """Begin an operation: a context, inside of which it is called and answered.

        Parameters
        ----------
        asked : tuple
            The operation's input, as ``("write", 1)``.
        process : hashable, optional
            Who asks.
        failed : tuple of exception types
            Those which say that it certainly did not happen: it is not recorded.
        """
        name = self._names.current() if process is None else process
        return RecordedOperation(self._journal, asked, name, failed)

    def call(self, asked: tuple[Any, ...], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function as an operation, the output of which is what it returns."""
        with self.operation(asked) as operation:
            answer = function(*args, **kwargs)
            operation.output = answer
        return answer

    async def call_async(
        self, asked: tuple[Any, ...], function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Await a function as an operation, the output of which is what it returns."""
        with self.operation(asked) as operation:
            answer = await function(*args, **kwargs)
            operation.output = answer
        return answer

    def history(self) -> History:
        """Return what was recorded so far; operations under way have not returned.

        Raises
        ------
        OperationError
            When operations of one process overlap, as they can where ``process=`` names it.
        """
        entries = self._journal.entries()
        drafts = [
            Draft(name, self._seconds(entry.call_ns), self._seconds(entry.return_ns), entry.asked, entry.told)
            for name, entry in zip(_distinct(entries), entries, strict=True)
        ]
        return History(Operation(*draft) for draft in succeeding(drafts))

    def _seconds(self, time_ns: int | None) -> Any:
        return None if time_ns is None else (time_ns - self._began_ns) / 1e9

    def __repr__(self) -> str:
        return f"Recorder: {len(self._journal.entries()):,} operations so far"


class RecordedOperation:
    """An operation under way: the context that `Recorder.operation` returns.

    Attributes
    ----------
    output : object
        What it was answered; None is recorded as `NIL`, a known nothing.
    """

    def __init__(self, journal: Journal, asked: tuple[Any, ...], process: Hashable, failed: Errors) -> None:
        self.output: Any = None
        self._journal = journal
        self._entry = Entry(process, asked, os.getpid())
        self._failed = failed
        self._is_known = self._happened = True

    def forget_output(self) -> None:
        """Say that the answer is not known, though it came."""
        self._is_known = False

    def did_not_happen(self) -> None:
        """Say that it certainly had no effect: it is not recorded."""
        self._happened = False

    def __enter__(self) -> Self:
        if self._entry.call_ns:
            msg = f"the operation {self._entry.asked!r} has begun before; make another for each call"
            raise RecordingError(msg)
        self._entry.call_ns = time.perf_counter_ns()
        self._journal.begin(self._entry)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        now_ns = time.perf_counter_ns()
        if not self._happened or (kind is not None and issubclass(kind, self._failed)):
            self._journal.drop(self._entry)
            return
        if kind is None:
            self._entry.return_ns = now_ns
            told = NIL if self.output is None else self.output
            self._entry.told = told if self._is_known else None
        self._journal.end(self._entry)


class _Names:
    """Names of tasks and threads, no two of which are equal."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def current(self) -> str:
        """Return the name of what runs now."""
        if os.getpid() != self._pid:  # a fork: the lock may be held by a thread that is not here
            self.__init__()  # type: ignore[misc]
        runner = _running_task() or threading.current_thread()
        name = self._known.get(runner)
        return name or self._name(runner)

    def _name(self, runner: Any) -> str:
        plain = _plain_name(runner)
        with self._lock:
            self._counts[plain] += 1
            count = self._counts[plain]
            name = self._known[runner] = plain if count == 1 else f"{plain} #{count}"
        return name

    def __reduce__(self) -> tuple[Any, ...]:
        return _Names, ()


def _running_task() -> Any:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _plain_name(runner: Any) -> str:
    name: str = runner.get_name() if isinstance(runner, asyncio.Task) else runner.name
    process = multiprocessing.current_process().name
    if process == "MainProcess":
        return name
    return process if runner is threading.main_thread() else f"{process}/{name}"


def _distinct(entries: list[Entry]) -> list[Hashable]:
    """Return the names of processes, those that two operating system's processes gave told apart."""
    owners: dict[Hashable, list[int]] = {}
    names: list[Hashable] = []
    for entry in entries:
        pids = owners.setdefault(entry.process, [])
        if entry.pid not in pids:
            pids.append(entry.pid)
        place = pids.index(entry.pid)
        names.append(f"{entry.process} @{place + 1}" if place else entry.process)
    return names
