"""Where something that changes is shown while it does: in a notebook's cell, if this runs in one."""

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["notebook_display"]


def notebook_display() -> Callable[..., Any] | None:
    """Return IPython's `display` where this runs in a notebook's kernel, else None; it imports nothing."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    found: Callable[..., Any] = sys.modules["IPython.display"].display
    return found
