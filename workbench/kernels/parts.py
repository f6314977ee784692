"""The parts that kernels are made of: functions that only kernels call, compiled no more often than needed.

Where a call has a number written in it, Numba infers a type for that number alone, and compiles the function
once more for it; so it does for a variable that starts as one. LLVM puts the number where it is used anyway.
"""

from collections.abc import Callable
from typing import Any

import numba
from numba import types

__all__ = ["by_types", "inlined", "rare"]

unliteral: Any = types.unliteral
# Python cannot call a part: the wrappers for that would be most of what is compiled
OPTIONS: dict[str, Any] = {"nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def inlined(function: Callable[..., Any]) -> Any:
    """Declare a small function that LLVM places into each kernel that calls it."""
    return by_types(numba.njit(forceinline=True, **OPTIONS)(function))


def rare(function: Callable[..., Any]) -> Any:
    """Declare a function that is seldom needed: it stands in a kernel once, and is called."""
    return by_types(numba.njit(**OPTIONS)(function))


def by_types(dispatcher: Any) -> Any:
    """Return a compiled function that takes a number written in a call for any other of its type."""
    template_of = dispatcher.get_call_template

    def get_call_template(arguments: Any, keywords: Any) -> Any:
        plain = {name: unliteral(kind) for name, kind in keywords.items()}
        return template_of(tuple(map(unliteral, arguments)), plain)

    dispatcher.get_call_template = get_call_template
    return dispatcher
