"""Numba primitives over flat arrays: they know numbers, and nothing of telemetry, policies or models.

A public function checks its arrays and casts them to the kernel's exact types; the kernel beside it is
compiled once for those types, cached on disk, and releases the GIL. `warm` compiles them all ahead of time.
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.kernels import memory, parts
    from workbench.kernels._affix import ends_with, starts_with
    from workbench.kernels._announce import announce_compilation
    from workbench.kernels._glob import glob
    from workbench.kernels._histogram import histogram2d
    from workbench.kernels._intervals import covered_length
    from workbench.kernels._join import find_rows
    from workbench.kernels._log_buckets import log_bucket_bounds, log_bucket_index
    from workbench.kernels._log_histogram import LogHistograms, grouped_log_histogram
    from workbench.kernels._registry import Kernel, KernelError, kernel, registered_kernels
    from workbench.kernels._substring import contains
    from workbench.kernels._warm import cache_folder, load_kernels, warm

__all__ = [
    "Kernel",
    "KernelError",
    "LogHistograms",
    "announce_compilation",
    "cache_folder",
    "contains",
    "covered_length",
    "ends_with",
    "find_rows",
    "glob",
    "grouped_log_histogram",
    "histogram2d",
    "kernel",
    "load_kernels",
    "log_bucket_bounds",
    "log_bucket_index",
    "memory",
    "parts",
    "registered_kernels",
    "starts_with",
    "warm",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Kernel": "_registry",
        "KernelError": "_registry",
        "LogHistograms": "_log_histogram",
        "announce_compilation": "_announce",
        "cache_folder": "_warm",
        "contains": "_substring",
        "covered_length": "_intervals",
        "ends_with": "_affix",
        "find_rows": "_join",
        "glob": "_glob",
        "grouped_log_histogram": "_log_histogram",
        "histogram2d": "_histogram",
        "kernel": "_registry",
        "load_kernels": "_warm",
        "memory": "memory",
        "parts": "parts",
        "log_bucket_bounds": "_log_buckets",
        "log_bucket_index": "_log_buckets",
        "registered_kernels": "_registry",
        "starts_with": "_affix",
        "warm": "_warm",
    },
)
