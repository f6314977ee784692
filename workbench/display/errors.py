"""What `display` raises: data that cannot be drawn.

::

    WorkbenchError
    └── DisplayError   also a ValueError, because the value given is at fault
"""

from workbench.errors import WorkbenchError

__all__ = ["DisplayError"]


class DisplayError(WorkbenchError, ValueError):
    """Raised when data cannot be drawn; says what was given, what is expected and what to do next."""
