"""The parts that kernels are made of: functions that only kernels call, compiled no more often than needed.

Where a call has a number written in it, Numba infers a type for that number alone, and compiles the function
once more for it; so it does for a variable that starts as one. LLVM puts the number where it is used anyway.
"""

from collections.abc import Callable
from typing import Any

import numba
from numba import types

__all__ = ["by_types", "inlined", "rare", "shared"]

unliteral: Any = types.unliteral
# For Python and C, which would be most of what is compiled
NO_WRAPPERS: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def inlined(function: Callable[..., Any]) -> Any:
    """Declare a small function that LLVM places into each kernel that calls it."""
    return _for_kernels(numba.njit(forceinline=True, nogil=True, **NO_WRAPPERS)(function))


def rare(function: Callable[..., Any]) -> Any:
    """Declare a function that is seldom needed: it stands in a kernel once, and is called."""
    return _for_kernels(numba.njit(nogil=True, **NO_WRAPPERS)(function))


def shared(function: Callable[..., Any]) -> Any:
    """Declare a small function that LLVM places into kernels, and that Python may call too."""
    return by_types(numba.njit(forceinline=True, nogil=True)(function))


def by_types(dispatcher: Any) -> Any:
    """Return a compiled function that takes a number written in a call for any other of its type."""
    template_of = dispatcher.get_call_template

    def get_call_template(arguments: Any, keywords: Any) -> Any:
        plain = {name: unliteral(kind) for name, kind in keywords.items()}
        return template_of(tuple(map(unliteral, arguments)), plain)

    dispatcher.get_call_template = get_call_template
    return dispatcher


def _for_kernels(dispatcher: Any) -> Any:
    """Return a part that refuses to be called by Python, which has no way into it."""

    def add_overload(compiled: Any) -> None:
        dispatcher.overloads[tuple(compiled.signature.args)] = compiled  # Python is not told where it lies

    def refuse(*_arguments: Any, **_keywords: Any) -> None:
        msg = f"{dispatcher.py_func.__name__} is a part of kernels, which only they can call"
        raise TypeError(msg)

    dispatcher.add_overload, dispatcher._compile_for_args = add_overload, refuse  # noqa: SLF001
    return by_types(dispatcher)
