"""`read`: a file of OTLP, in any of its forms, to `Traces`, `Metrics` or `Logs`."""

import os
from typing import Literal, overload

from workbench.otlp._messages import messages_of, signal_of
from workbench.otlp._reference import ReferenceDecoder
from workbench.otlp._schema import Signal
from workbench.otlp._source import open_source
from workbench.otlp._tally import OnError, Tally
from workbench.otlp.logs import Logs
from workbench.otlp.metrics import Metrics
from workbench.otlp.traces import Traces

__all__ = ["read"]

TELEMETRY: dict[Signal, type[Traces | Metrics | Logs]] = {"traces": Traces, "metrics": Metrics, "logs": Logs}


@overload
def read(
    path: str | os.PathLike[str], *, signal: Literal["traces"], on_error: OnError = "raise"
) -> Traces: ...
@overload
def read(
    path: str | os.PathLike[str], *, signal: Literal["metrics"], on_error: OnError = "raise"
) -> Metrics: ...
@overload
def read(path: str | os.PathLike[str], *, signal: Literal["logs"], on_error: OnError = "raise") -> Logs: ...
@overload
def read(
    path: str | os.PathLike[str], *, signal: Signal | None = None, on_error: OnError = "raise"
) -> Traces | Metrics | Logs: ...
def read(
    path: str | os.PathLike[str], *, signal: Signal | None = None, on_error: OnError = "raise"
) -> Traces | Metrics | Logs:
    """Read a file of OTLP telemetry.

    Parameters
    ----------
    path : path
        Protobuf (``.otlp .pb .binpb .protobuf .proto .bin``: one message, or many behind 4-byte big-endian
        lengths as the Collector's file exporter writes them) or JSON (``.json .jsonl .ndjson``: one document
        or many), plain or compressed (``.gz .zst .zstd``).
    signal : {"traces", "metrics", "logs"}, optional
        What the file holds. Without it the file's name says so (``traces.otlp.zst``), or the keys of its
        JSON.
    on_error : {"raise", "skip"}
        What happens at a record or message that cannot be read: an error, or it is left out and counted in
        ``.skipped``.

    Returns
    -------
    Traces, Metrics or Logs

    Raises
    ------
    EmptyInputError, UnknownFormatError, AmbiguousSignalError, CompressionError
        As their names say.
    TruncatedError, MalformedError
        All of these are `OtlpError`, with the byte ``.offset`` and, where known, the field ``.path``.

    Examples
    --------
    >>> from workbench import otlp
    >>> traces = otlp.read("datasets/checkout/traces.otlp.zst")
    >>> sorted(set(traces["service.name"].to_pylist()))
    ['cart', 'gateway', 'inventory', 'payment']
    """
    tally = Tally(on_error)
    source = open_source(path)
    signal = signal_of(source, signal)
    decoder = ReferenceDecoder(signal, tally)
    for message, locate in messages_of(source, signal, tally):
        decoder.add(message, locate)
    tables = {name: table for name, table in decoder.tables().items() if name not in ("resources", "scopes")}
    return TELEMETRY[signal](tables, tally.skipped)
