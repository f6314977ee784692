"""What can go wrong between telemetry and other libraries.

::

    WorkbenchError
    ├── SqlError      (also a ValueError) DuckDB refused a query; lists the tables, and columns of near names
    └── TensorError   (also a ValueError) a column holds what no tensor can
"""

from workbench.errors import WorkbenchError

__all__ = ["SqlError", "TensorError"]


class SqlError(WorkbenchError, ValueError):
    """Raised by `Telemetry.sql` for a query that DuckDB refuses; lists what there is to ask."""


class TensorError(WorkbenchError, ValueError):
    """Raised by `Telemetry.to_torch` for a column of lists or structs, or a number beyond 63 bits."""
