"""A deadline is context: whoever is called, however far down, sees how much time is left.

::

    with deadline(2.0):                        in sync code: nobody is interrupted, everybody can ask
        answer = client.get(url, timeout=current_deadline().left_s(), headers=current_deadline().to_headers())

    async with deadline(2.0):                  in async code: the block is cancelled when time is up
        ...

    with deadline(TimeLimit.from_headers(request.headers)):    the caller's deadline, or none
        ...

Of nested deadlines the sooner one holds. It crosses

    tasks               by themselves: they copy the context
    threads, processes  by `DeadlineExecutor` around an executor, or `with_deadline` around a function
    HTTP                by `TimeLimit.to_headers` and `TimeLimit.from_headers`
    generators          nowhere: a block within one holds for who asks for items, too, until it is left
    gRPC                by ``timeout=limit.left_s()``; or `to_metadata`, which proxies leave alone
"""

from types import TracebackType

from workbench.clock import DEFAULT_CLOCK, Clock
from workbench.reliability._deadline_scopes import (
    Scope,
    close_scope,
    end_watch,
    innermost,
    open_scope,
    watch_scope,
)
from workbench.reliability.deadline_limits import TimeLimit
from workbench.reliability.policy import PolicyError

__all__ = ["DeadlineBlock", "current_deadline", "deadline"]


def current_deadline() -> TimeLimit | None:
    """Return the limit that holds here, the soonest of those around, or None."""
    scope = innermost()
    return None if scope is None else scope.limit


def deadline(
    limit: "float | TimeLimit | None", *, name: str = "deadline", clock: Clock = DEFAULT_CLOCK
) -> "DeadlineBlock":
    """Return a block within which a deadline holds, for ``with`` and ``async with``.

    Parameters
    ----------
    limit : float or TimeLimit or None
        Seconds from when the block is entered; or a limit that exists already; None for no limit of its own.

    Raises
    ------
    PolicyError
        When seconds are given that are not positive.

    Examples
    --------
    >>> from workbench.clock import VirtualClock
    >>> clock = VirtualClock()
    >>> with deadline(5.0, clock=clock), deadline(9.0, clock=clock):
    ...     current_deadline().left_s()
    5.0
    """
    if not (limit is None or isinstance(limit, TimeLimit)):
        _check_seconds(limit)
    return DeadlineBlock(limit, name, clock)


def _check_seconds(limit: object) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit > 0:
        msg = f"a deadline of {limit!r:.80} seconds, expected more than 0"
        raise PolicyError(msg)


class DeadlineBlock:
    """A block within which a deadline holds; entered again, its seconds count again.

    ``with`` gives the limit that holds in it. In ``async with`` the block is cancelled when the limit comes,
    and `DeadlineExceededError` raised.
    """

    __slots__ = ("_clock", "_limit", "_name", "_scopes")

    def __init__(self, limit: float | TimeLimit | None, name: str, clock: Clock) -> None:
        self._limit, self._name, self._clock = limit, name, clock
        self._scopes: list[Scope | None] = []

    def _own(self) -> TimeLimit | None:
        if self._limit is None or isinstance(self._limit, TimeLimit):
            return self._limit
        return TimeLimit.after(float(self._limit), name=self._name, clock=self._clock)

    def __enter__(self) -> TimeLimit | None:
        own = self._own()
        self._scopes.append(None if own is None else open_scope(own.at_s, own, innermost()))
        return current_deadline()

    def __exit__(self, *_error: object) -> None:
        scope = self._scopes.pop()
        if scope is not None:
            close_scope(scope)

    async def __aenter__(self) -> TimeLimit | None:
        own = self._own()
        self._scopes.append(None if own is None else watch_scope(own.at_s, own, innermost()))
        return current_deadline()

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        scope = self._scopes.pop()
        if scope is not None:
            end_watch(scope, error)
