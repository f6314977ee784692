"""Guards of actions: whether an action may be taken, and which of its guards says no."""

import inspect
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
    """One guard of an action, evaluated in a state."""

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
    text = found.code_context[0].strip() if found.code_context else "require(...)"
    return Guard(found.lineno, text, bool(condition))


@contextmanager
def recorded_guards() -> Iterator[list[Guard]]:
    """Collect guards instead of stopping at the first one that does not hold."""
    guards: list[Guard] = []
    token = _recording.set(guards)
    try:
        yield guards
    finally:
        _recording.reset(token)
