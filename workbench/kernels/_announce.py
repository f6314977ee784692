"""Say what takes so long: the first call of kernels that were never compiled."""

import sys
from typing import Any

from workbench.kernels._registry import registered_kernels

__all__ = ["announce_compilation"]


def announce_compilation(dispatcher: Any, what: str) -> None:
    """Print a line to the standard error when a kernel's next call will compile it.

    Parameters
    ----------
    dispatcher : kernel
        The outermost of the kernels that belong together.
    what : str
        What they do, as the user knows it.
    """
    if dispatcher.signatures:
        return
    if not any(known.is_cached() for known in registered_kernels() if known.dispatcher is dispatcher):
        print(f"workbench compiles {what}, once; `workbench warm` does so ahead of time", file=sys.stderr)  # noqa: T201
