"""What can be wrong with telemetry.

::

    WorkbenchError
    ├── OtlpError                 (also a ValueError) the input cannot be read; `.offset`, `.path` say where
    │   ├── EmptyInputError       nothing there at all
    │   ├── UnknownFormatError    the file's name says no format that we read
    │   ├── AmbiguousSignalError  traces, metrics or logs? nothing says
    │   ├── CompressionError      the gzip or zstd layer is broken
    │   ├── TruncatedError        the input ends in the middle of a message
    │   └── MalformedError        the bytes are not the OTLP that they should be
    ├── TableError                (also a ValueError) tables are not those of the signal
    ├── MaskError                 (also a ValueError) a filter mask is not one boolean a record
    ├── TraceIdError              (also a ValueError) not a trace id, or not a trace of this recording
    ├── InstantError              (also a ValueError) not a point in time
    ├── BinError                  (also a ValueError) bins too many or not positive
    └── UnknownKeyError           (also a KeyError) no column and no attribute of that name
"""

from workbench.errors import WorkbenchError

__all__ = [
    "AmbiguousSignalError",
    "BinError",
    "CompressionError",
    "EmptyInputError",
    "InstantError",
    "MalformedError",
    "MaskError",
    "OtlpError",
    "TableError",
    "TraceIdError",
    "TruncatedError",
    "UnknownFormatError",
    "UnknownKeyError",
]


class OtlpError(WorkbenchError, ValueError):
    """Raised when telemetry cannot be read.

    Attributes
    ----------
    offset : int
        Position of the fault in bytes from the start of the input; of the decompressed input where it was
        compressed and the compression itself is sound.
    path : str
        The field that the fault lies in, such as ``resource_spans[3].scope_spans[0].spans[17].attributes``;
        empty where no field is known.
    """

    def __init__(self, message: str, *, offset: int = 0, path: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.path = path

    def __str__(self) -> str:
        where = f"byte {self.offset}" + (f", {self.path}" if self.path else "")
        return f"{self.args[0]} (at {where})"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args[0], self.offset, self.path)


def _rebuild(kind: type[OtlpError], message: str, offset: int, path: str) -> OtlpError:
    return kind(message, offset=offset, path=path)


class EmptyInputError(OtlpError):
    """Raised when the input holds no bytes: an interrupted recording, most often."""


class UnknownFormatError(OtlpError):
    """Raised when a file's name ends in nothing that says how it is written."""


class AmbiguousSignalError(OtlpError):
    """Raised when neither ``signal=`` nor the file says whether it holds traces, metrics or logs."""


class CompressionError(OtlpError):
    """Raised when a gzip or zstd layer is damaged, cut short, or not there although the name says so."""


class TruncatedError(OtlpError):
    """Raised when the input ends inside a message or inside its length prefix."""


class MalformedError(OtlpError):
    """Raised when bytes or JSON are not the OTLP message that they should be."""


class TableError(WorkbenchError, ValueError):
    """Raised when tables given for telemetry are not those of its signal, or lack a column."""


class MaskError(WorkbenchError, ValueError):
    """Raised when a filter's mask is not one boolean for each record."""


class TraceIdError(WorkbenchError, ValueError):
    """Raised for what is not 32 hexadecimal digits or 16 bytes, or names no recorded trace."""


class InstantError(WorkbenchError, ValueError):
    """Raised for a point in time that cannot be read, or an interval that ends before it starts."""


class BinError(WorkbenchError, ValueError):
    """Raised when time cannot be cut into the bins asked for: not positive, or far too many."""


class UnknownKeyError(WorkbenchError, KeyError):
    """Raised when no column and no attribute has the name asked for; the message lists near names."""

    def __str__(self) -> str:
        return str(self.args[0])
