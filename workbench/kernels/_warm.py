"""Compile every kernel ahead of time, so that no first call waits for the compiler."""

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path

from workbench.kernels._registry import Kernel, registered_kernels

__all__ = ["cache_folder", "load_kernels", "warm"]

Progress = Callable[[str, int, int], None]  # kernel's name, how many are done, how many there are


def warm(progress: Progress | None = None) -> list[Kernel]:
    """Compile all kernels of workbench, or load them from the cache, and return them.

    Parameters
    ----------
    progress : callable, optional
        Called before each kernel with its name, the number done and the number of all; and once at the end.
    """
    kernels = load_kernels()
    for done, known in enumerate(kernels):
        if progress:
            progress(known.name, done, len(kernels))
        known.compile()
    if progress:
        progress("", len(kernels), len(kernels))
    return kernels


def load_kernels() -> list[Kernel]:
    """Import every module that holds kernels, and return all kernels."""
    for module in _kernel_modules():
        importlib.import_module(module)
    return registered_kernels()


def _kernel_modules() -> list[str]:
    """Return the modules of `workbench.kernels`, and ``_kernel_*`` of every other room."""
    root = Path(__file__).parents[1]
    found = pkgutil.walk_packages([str(root)], f"{root.name}.", onerror=lambda _: None)
    return sorted(module.name for module in found if _holds_kernels(module.name))


def _holds_kernels(module: str) -> bool:
    room, _, name = module.rpartition(".")
    return room.endswith(".kernels") or name.startswith("_kernel_")


def cache_folder() -> Path:
    """Return the folder in which Numba keeps the compiled kernels of this installation."""
    return load_kernels()[0].cache_folder
