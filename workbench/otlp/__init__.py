"""Telemetry as Arrow tables: OTLP is read, asked, drawn.

::

    read(path) -> Traces | Metrics | Logs
    Traces     spans with events and links; .services() .service_map() .timeline(id) .slowest(n)
    Metrics    metrics with data points and exemplars; .points(name)
    Logs       log records; .trace(id)
    convert(source, target)          the same telemetry in another form
    find_faults(traces) -> Faults    when was the system slow or failing, and whose fault was it?
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.otlp._schema import Signal
    from workbench.otlp._tally import OnError
    from workbench.otlp.analysis._service_map import ServiceMap
    from workbench.otlp.analysis._structure import SpanStructure
    from workbench.otlp.analysis.faults import Faults, find_faults
    from workbench.otlp.converting import Converted, convert
    from workbench.otlp.errors import (
        AmbiguousSignalError,
        BinError,
        CompressionError,
        EmptyInputError,
        InstantError,
        MalformedError,
        MaskError,
        OtlpError,
        TraceIdError,
        TruncatedError,
        UnknownFormatError,
        UnknownKeyError,
    )
    from workbench.otlp.logs import Logs
    from workbench.otlp.metrics import Metrics
    from workbench.otlp.reading import read
    from workbench.otlp.telemetry import Telemetry
    from workbench.otlp.traces import Traces

__all__ = [
    "AmbiguousSignalError",
    "BinError",
    "CompressionError",
    "Converted",
    "EmptyInputError",
    "Faults",
    "InstantError",
    "Logs",
    "MalformedError",
    "MaskError",
    "Metrics",
    "OnError",
    "OtlpError",
    "ServiceMap",
    "Signal",
    "SpanStructure",
    "Telemetry",
    "TraceIdError",
    "Traces",
    "TruncatedError",
    "UnknownFormatError",
    "UnknownKeyError",
    "convert",
    "find_faults",
    "read",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AmbiguousSignalError": "errors",
        "BinError": "errors",
        "CompressionError": "errors",
        "Converted": "converting",
        "EmptyInputError": "errors",
        "Faults": "analysis.faults",
        "InstantError": "errors",
        "Logs": "logs",
        "MalformedError": "errors",
        "MaskError": "errors",
        "Metrics": "metrics",
        "OnError": "_tally",
        "OtlpError": "errors",
        "ServiceMap": "analysis._service_map",
        "Signal": "_schema",
        "SpanStructure": "analysis._structure",
        "Telemetry": "telemetry",
        "TraceIdError": "errors",
        "Traces": "traces",
        "TruncatedError": "errors",
        "UnknownFormatError": "errors",
        "UnknownKeyError": "errors",
        "convert": "converting",
        "find_faults": "analysis.faults",
        "read": "reading",
    },
)
