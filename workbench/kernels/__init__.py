"""Numba primitives over flat arrays: they know numbers, and nothing of telemetry, policies or models.

A public function checks its arrays and casts them to the kernel's exact types; the kernel beside it is
compiled once for those types, cached on disk, and releases the GIL. `warm` compiles them all ahead of time.
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.kernels._histogram import histogram2d
    from workbench.kernels._intervals import covered_length
    from workbench.kernels._join import find_rows
    from workbench.kernels._registry import Kernel, KernelError, kernel, registered_kernels
    from workbench.kernels._warm import cache_folder, load_kernels, warm

__all__ = [
    "Kernel",
    "KernelError",
    "cache_folder",
    "covered_length",
    "find_rows",
    "histogram2d",
    "kernel",
    "load_kernels",
    "registered_kernels",
    "warm",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Kernel": "_registry",
        "KernelError": "_registry",
        "cache_folder": "_warm",
        "covered_length": "_intervals",
        "find_rows": "_join",
        "histogram2d": "_histogram",
        "kernel": "_registry",
        "load_kernels": "_warm",
        "registered_kernels": "_registry",
        "warm": "_warm",
    },
)
