"""The parts that the simulator's kernel is made of."""

from collections.abc import Callable
from typing import Any

import numba

__all__ = ["part", "rare"]

OPTIONS: dict[str, Any] = {"nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def part(function: Callable[..., Any]) -> Any:
    """Declare a function that LLVM places into the kernel, and that only kernels call.

    Python cannot call it: the wrappers for that would be most of what is compiled.
    """
    return numba.njit(forceinline=True, **OPTIONS)(function)


def rare(function: Callable[..., Any]) -> Any:
    """Declare a part that is seldom needed: it stands in the kernel once, and is called."""
    return numba.njit(**OPTIONS)(function)
