"""What may be decorated, and what it is: async or not, a generator function or not, and its name.

A function may come as a method, in a `functools.partial`, or as an object with ``__call__``; what it is does
not change by that.
"""

import functools
import inspect
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NoReturn

from workbench.errors import WorkbenchError

__all__ = [
    "AsyncFunctionError",
    "is_async",
    "is_async_generator",
    "is_generator",
    "named_like",
    "objection",
    "refuse_coroutine",
]

Function = Callable[..., Any]


class AsyncFunctionError(WorkbenchError, TypeError):
    """Raised for an async function that is called and not awaited: no policy would see what becomes of it."""


def is_async(function: object) -> bool:
    """Tell whether what it returns has to be awaited."""
    return any(map(inspect.iscoroutinefunction, _faces(function)))


def is_async_generator(function: object) -> bool:
    """Tell whether it is an async generator function."""
    return any(map(inspect.isasyncgenfunction, _faces(function)))


def is_generator(function: object) -> bool:
    """Tell whether it is a generator function, async or not."""
    return is_async_generator(function) or any(map(inspect.isgeneratorfunction, _faces(function)))


def objection(function: object) -> str:
    """Return why something cannot be decorated, nothing where it can."""
    if not callable(function):
        return f"cannot decorate {function!r:.120}: expected a function"
    if is_generator(function):
        return (
            f"cannot decorate the generator function {_name(function, '__qualname__')}: it returns before it "
            "works, so no policy would see a failure, and no limit would hold while it works; decorate what "
            "it calls, or try it again with Retry.stream"
        )
    return ""


def refuse_coroutine(coroutine: Coroutine[Any, Any, Any], function: object) -> NoReturn:
    """End a call of an async function that nobody awaits.

    Raises
    ------
    AsyncFunctionError
    """
    coroutine.close()
    msg = f"{_name(function, '__qualname__')} is async: use `await ...acall(...)`, or decorate it"
    raise AsyncFunctionError(msg)


def named_like(found: Function, function: Function) -> Function:
    """Give a function the face of another one, or of what stands for one."""
    functools.update_wrapper(found, function)
    found.__name__ = _name(function, "__name__")
    found.__qualname__ = _name(function, "__qualname__")
    return found


def _faces(function: object) -> Iterator[Any]:
    """Yield what may tell what it is: itself, and how its objects are called."""
    yield function
    while isinstance(function, functools.partial):
        function = function.func
    if not isinstance(function, type):
        yield getattr(type(function), "__call__", None)  # noqa: B004 - what it is, not whether it is there


def _name(function: Any, kind: str) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, kind, None) or getattr(type(function), kind))
