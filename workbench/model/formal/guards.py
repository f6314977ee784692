"""Guards of actions: whether an action may be taken, and which of its guards says no."""

import ast
import inspect
import linecache
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["Guard", "NotEnabledError", "recorded_guards", "require"]


class NotEnabledError(Exception):
    """Raised by `require`: the action is not enabled here. The engines catch it; it is no error."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard of an action, evaluated in a state.

    Attributes
    ----------
    line : int
        Where it begins in its file, or in its cell of a notebook.
    text : str
        The condition, as it is written, on one line.
    held : bool
        Whether it is true there.
    """

    line: int
    text: str
    held: bool


_recording: ContextVar[list[Guard] | None] = ContextVar("recording", default=None)
_NOT_ENABLED = NotEnabledError("the action is not enabled in this state")


def require(condition: object, /) -> None:
    """Go on with an action only if a condition holds; otherwise it is not enabled in this state."""
    guards = _recording.get()
    if guards is not None:
        guards.append(_guard(condition))
    elif not condition:
        raise _NOT_ENABLED.with_traceback(None)


def _guard(condition: object) -> Guard:
    frame = sys._getframe(2)  # noqa: SLF001 - the action that called `require`
    found = inspect.getframeinfo(frame)
    first = found.lineno if found.positions is None else found.positions.lineno or found.lineno
    last = first if found.positions is None else found.positions.end_lineno or first
    lines = [linecache.getline(found.filename, line) for line in range(first, last + 1)]
    return Guard(first, _condition(" ".join(" ".join(lines).split())), bool(condition))


def _condition(call: str) -> str:
    """Return what is required, without the call around it."""
    try:
        expression = ast.parse(call, mode="eval").body
    except SyntaxError:
        return call or "?"
    if isinstance(expression, ast.Call) and len(expression.args) == 1:
        return ast.get_source_segment(call, expression.args[0]) or call
    return call


@contextmanager
def recorded_guards() -> Iterator[list[Guard]]:
    """Collect guards instead of stopping at the first one that does not hold."""
    guards: list[Guard] = []
    token = _recording.set(guards)
    try:
        yield guards
    finally:
        _recording.reset(token)
