"""Limits that hold within a block: nested ones, and the one timer that watches all of them in a task.

A `Scope` is a limit and the scope around it; the innermost is context, so tasks inherit it. In a task, the
outermost scope makes a `Watch`, and scopes within join it::

    the task suspends            one timer is set, for the earliest limit of all
    a scope comes or goes        nothing, unless its limit is earlier than the timer: then it is set anew
    it rings: a limit has come   its scope has fired, the task is cancelled
              none has come yet  it is set for the next one

So a call has at most one timer at a time, however many layers limit it, and none if it never waits. A scope
that has fired turns the `CancelledError` into its own error, unless somebody else has cancelled the task as
well: the count of requests (`Task.uncancel`) tells, and then theirs goes on with its identity.
`asyncio.timeout` does so too, with a timer for each.
"""

import asyncio
from contextvars import ContextVar
from typing import Any, Protocol

from workbench.clock import Clock, keeps_time, moment
from workbench.reliability.deadline_limits import TimeLimit

__all__ = [
    "LimitSource",
    "Scope",
    "close_scope",
    "end_watch",
    "innermost",
    "leave_scope",
    "open_scope",
    "watch_scope",
]

_current: ContextVar["Scope | None"] = ContextVar("current_scope", default=None)
innermost = _current.get  # the innermost block here


class LimitSource(Protocol):
    """Who sets a limit: a policy, or a `TimeLimit`."""

    @property
    def timeout_s(self) -> float:
        """How much time there is."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def per_attempt(self) -> bool:
        """Whether it is the limit of one attempt."""

    @property
    def clock(self) -> Clock:
        """By which clock it counts."""


class Timer(Protocol):
    """What can be called off."""

    def cancel(self) -> object:
        """Call it off."""


class Scope:
    """A block with a limit, `at_s` by the clock of its source.

    Attributes
    ----------
    until : Scope
        The one of it and those around it whose limit comes first; of equals the outermost.
    due : Scope
        The one whose limit it enforces in its task: itself, unless nobody there watches an earlier one.
    """

    __slots__ = ("_own", "at_s", "cancelling", "due", "due_s", "fired", "outer", "source", "until", "watch")

    until: "Scope"
    due: "Scope"
    due_s: float
    cancelling: int
    watch: "Watch | None"
    _own: TimeLimit | None

    def __init__(self, at_s: float, source: LimitSource, outer: "Scope | None") -> None:
        self.at_s, self.source, self.outer = at_s, source, outer
        self._own = None
        self.watch = None
        self.fired = False
        self.until = _first_of(self)

    @property
    def own(self) -> TimeLimit:
        """Its own limit, as a value."""
        if self._own is None:
            source = self.source
            if isinstance(source, TimeLimit):
                self._own = source
            else:
                self._own = TimeLimit(
                    self.at_s, source.timeout_s, source.name, source.per_attempt, source.clock
                )
        return self._own

    @property
    def limit(self) -> TimeLimit:
        """The limit that holds in it, as a value."""
        return self.until.own

    def has_passed(self, now: float, clock: Clock) -> bool:
        """Tell whether the limit that holds has passed at a clock's reading."""
        until = self.until
        return until.at_s <= now if until.source.clock is clock else until.own.passed


def _first_of(scope: Scope) -> Scope:
    outer = scope.outer
    return scope if outer is None or not _is_first(outer.until, scope) else outer.until


def _is_first(one: Scope, other: Scope) -> bool:
    if one.source.clock is other.source.clock:
        return one.at_s <= other.at_s
    return one.own.left_s() <= other.own.left_s()


def open_scope(at_s: float, source: LimitSource, outer: Scope | None) -> Scope:
    """Enter a block whose limit nobody enforces from outside; `outer` is the innermost one here."""
    scope = Scope(at_s, source, outer)
    _current.set(scope)
    return scope


def close_scope(scope: Scope) -> None:
    """Leave a block."""
    inner = _current.get()
    if inner is scope:
        _current.set(scope.outer)
    else:
        _take_out(scope, inner)


def _take_out(scope: Scope, inner: Scope | None) -> None:
    """Take a scope out from around others: generators leave theirs in any order."""
    within: list[Scope] = []
    while inner is not None and inner is not scope:
        within.append(inner)
        inner = inner.outer
    if inner is None:  # it was entered in another context
        return
    within[-1].outer = scope.outer
    for each in reversed(within):
        each.until = _first_of(each)


def watch_scope(at_s: float, source: LimitSource, outer: Scope | None) -> Scope:
    """Enter a block of the running task, which is cancelled when its limit comes."""
    scope = Scope(at_s, source, outer)
    task = asyncio.current_task()
    if task is None:
        msg = "a deadline of async code needs a task: call it from a coroutine that runs in an event loop"
        raise RuntimeError(msg)
    watch = None if outer is None else outer.watch
    if watch is not None and watch.task is task:
        scope.due = scope
    else:
        watch = Watch(task, source.clock)
        scope.due = scope.until
    scope.watch = watch
    scope.cancelling = task.cancelling()
    watch.add(scope)
    _current.set(scope)
    return scope


def leave_scope(scope: Scope) -> bool:
    """Leave a block of a task; tell whether it is its limit, and nobody else, that has cancelled it."""
    close_scope(scope)
    watch: Any = scope.watch
    watch.remove(scope)
    return scope.fired and watch.task.uncancel() <= scope.cancelling


def end_watch(scope: Scope, error: BaseException | None) -> None:
    """Leave a block of a task with an error or without; raise the limit's if that is why it ends.

    Raises
    ------
    DeadlineExceededError or AttemptTimeoutError
    """
    if leave_scope(scope) and isinstance(error, asyncio.CancelledError):
        raise scope.due.own.error(started=True) from error


class Watch:
    """The timer of a task, and the scopes that it watches, the outermost first."""

    __slots__ = ("clock", "rings_s", "scopes", "task", "timer")

    def __init__(self, task: "asyncio.Task[Any]", clock: Clock) -> None:
        self.task, self.clock = task, clock
        self.scopes: list[Scope] = []
        self.timer: Timer | None = None
        self.rings_s = 0.0

    def add(self, scope: Scope) -> None:
        """Watch a scope."""
        due = scope.due
        due_s = due.at_s if due.source.clock is self.clock else self.clock.now() + due.own.left_s()
        scope.due_s = moment(self.task.get_loop(), due_s)
        self.scopes.append(scope)
        if self.timer is None:
            self.rings_s = 0.0  # when the task suspends, and not before, as it may never do
            self.timer = self.task.get_loop().call_soon(self._ring)
        elif scope.due_s < self.rings_s:
            self._set(scope.due_s)

    def remove(self, scope: Scope) -> None:
        """Watch a scope no longer; the timer stays as it is while there are others."""
        scopes = self.scopes
        if scopes[-1] is scope:
            scopes.pop()
        else:
            scopes.remove(scope)
        if not scopes and self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _set(self, rings_s: float) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.rings_s = rings_s
        loop = self.task.get_loop()
        if keeps_time(loop, self.clock):
            self.timer = loop.call_at(rings_s, self._ring)
        else:
            self.timer = loop.create_task(self._ring_later(rings_s))

    async def _ring_later(self, rings_s: float) -> None:
        await self.clock.asleep(max(0.0, rings_s - self.clock.now()))
        self._ring()

    def _ring(self) -> None:
        self.timer = None
        waiting = [scope for scope in self.scopes if not scope.fired]
        if not waiting:
            return
        first = min(waiting, key=_due_s)  # the outermost, of equals
        if first.due_s <= self.clock.now():
            first.fired = True
            self.task.cancel()
            waiting.remove(first)
        if waiting:
            self._set(min(map(_due_s, waiting)))


def _due_s(scope: Scope) -> float:
    return scope.due_s
