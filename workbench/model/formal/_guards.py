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
    return Guard(found.lineno, _condition(_source(found)), bool(condition))


def _source(found: inspect.Traceback) -> str:
    """Return the text of the call that a frame is at, all its lines; empty where there is none."""
    at = found.positions
    if at is None or at.lineno is None or at.end_lineno is None:
        return ""
    lines = [linecache.getline(found.filename, line).encode() for line in range(at.lineno, at.end_lineno + 1)]
    lines[-1] = lines[-1][: at.end_col_offset]
    lines[0] = lines[0][at.col_offset :]
    return b"".join(lines).decode()


def _condition(call: str) -> str:
    """Return what is required, without the call around it, on one line."""
    try:
        expression = ast.parse(call, mode="eval").body
    except SyntaxError:
        return " ".join(call.split()) or "?"
    if not isinstance(expression, ast.Call) or len(expression.args) != 1:
        return " ".join(call.split())
    text = ast.get_source_segment(call, expression.args[0])
    return text if text and "\n" not in text else ast.unparse(expression.args[0])


@contextmanager
def recorded_guards() -> Iterator[list[Guard]]:
    """Collect guards instead of stopping at the first one that does not hold."""
    guards: list[Guard] = []
    token = _recording.set(guards)
    try:
        yield guards
    finally:
        _recording.reset(token)
