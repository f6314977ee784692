"""What can go wrong between telemetry, files and other libraries.

::

    WorkbenchError
    ├── EmptyMessageError   (also a ValueError) an empty bare message is no bytes, and no recording
    ├── SqlError            (also a ValueError) DuckDB refused a query; lists tables and near columns
    └── TensorError         (also a ValueError) a column holds what no tensor can
"""

from workbench.errors import WorkbenchError

__all__ = ["EmptyMessageError", "SqlError", "TensorError"]


class EmptyMessageError(WorkbenchError, ValueError):
    """Raised by `write` for a bare message with nothing in it.

    It would be a file of no bytes, which is what an interrupted recording leaves behind, and which `read`
    refuses as such (`EmptyInputError`). Write ``.otlp`` or ``.json``, which tell the two apart.
    """


class SqlError(WorkbenchError, ValueError):
    """Raised by `Telemetry.sql` for a query that DuckDB refuses; lists what there is to ask."""


class TensorError(WorkbenchError, ValueError):
    """Raised by `Telemetry.to_torch` for a column of lists or structs, or a number beyond 63 bits."""
